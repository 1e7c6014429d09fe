"""Engine: run a loss over a large NumPy array, tile by tile and on several threads.

The temporaries of a tile fit into the second-level cache. Elementwise operations give the same bits
in any tile, a row is summed in the same order in any tile (`_call`), and sums over rows use blocks
that depend only on the row number. So tiles do not change the bits of the result.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossfw.errors import ShapeError
from lossfw.losses.base import ResultForm
from lossfw.losses.bodies import one_hot_rows
from lossfw.losses.engine import threads
from lossfw.losses.engine.compiled import kernels_for
from lossfw.losses.engine.partial import Partial, UnsummedLosses
from lossfw.losses.engine.read_only import raise_for_writing
from lossfw.losses.engine.reduction import Reduction, Sums, merge_sums, weight_sum, weighted_sum
from lossfw.losses.engine.result_memory import empty
from lossfw.losses.engine.row_ranges import PartialOrigin, RowRanges
from lossfw.losses.engine.tiling import (
    EngineLoss,
    Tile,
    block_bounds,
    has_few_columns,
    make_tile,
    rows_in_block,
    select_rows,
    storage_order,
)
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import Array, NDArray, namespace_of

# A body has several arrays of its own at a time. In float64 those of a tile are beyond the
# second-level cache, and so many elements of each are not.
_LARGE, _ELEMENTS = 8, 32_768

_NO_SUMS = Sums(0.0, 0.0, 0)


def add_losses(tile: Tile, losses: NDArray) -> Sums:
    """Return the sums of w l and of w, and the number of losses that count."""
    return Sums(
        weighted_sum(losses, tile.weight), weight_sum(tile.weight, tile.counted), tile.counted
    )


class Task(NamedTuple):
    """What a call computes.

    Derivatives go to `out`, times the weights and `scale`, in the shape of the prediction.
    ``collect(tile, losses)`` processes the losses of a tile; a kernel, which needs no tile, may
    replace `add_losses`.
    """

    form: ResultForm
    out: NDArray | None = None
    scale: float = 1.0
    collect: Callable[[Tile, NDArray], Any] = add_losses


def run(loss: EngineLoss, call: Arguments, task: Task) -> list[Any]:
    """Return what a task collects from the blocks of a call, in the order of the rows."""
    kernels = kernels_for(loss, call, task.form, task.out, task.scale)
    # Second derivatives take rows.
    by_index = call.by_index and task.form != "hessian"

    def compute_losses(xp: Any, y: NDArray, t: NDArray) -> Any:
        return loss._unreduced_losses(task.form, xp, y, t, by_index)

    def run_tile(bounds: tuple[int, int]) -> Any:
        tile = make_tile(loss, call, *bounds)
        t = tile.t if by_index or not call.by_index else one_hot_rows(np, tile.y, tile.t)
        try:
            results = _call(loss, kernels.tile_function or compute_losses, tile.y, t)
        except ValueError as error:
            raise_for_writing(error, loss._unreduced_losses)
        if task.form == "value":
            return task.collect(tile, to_unreduced(loss, tile.y, results))
        losses, gradient = results if task.form == "both" else (None, results)
        _put_scaled(task, tile, gradient)
        return (
            _NO_SUMS if losses is None else task.collect(tile, to_unreduced(loss, tile.y, losses))
        )

    blocks = kernels.block_kernel if task.collect is add_losses else None
    if blocks is not None:
        return threads.run(
            lambda bounds: blocks.compute_and_compare(*bounds, lambda: run_tile(bounds)),
            block_bounds(call),
        )
    started_at = time.thread_time()
    results = threads.run(run_tile, block_bounds(call))
    for function in kernels.waiting:
        function.add_seconds(time.thread_time() - started_at)
    return results


def _call(loss: EngineLoss, function: Callable[..., Any], y: NDArray, t: NDArray) -> Any:
    """Call a function of a loss, or a kernel in its place, on a tile.

    A single row of few columns is contiguous along both axes, and NumPy then adds
    its columns in another order than those of several rows. So it is given twice. Many
    elements of float64 are given in pieces.
    """
    if not loss.takes_rows and y.itemsize == _LARGE and y.size > _ELEMENTS:
        return _call_in_pieces(function, y, t)
    if len(y) != 1 or not (has_few_columns(loss, y) or t.ndim > y.ndim):
        return function(np, y, t)
    results = function(np, _repeat_row(y), _repeat_row(t))
    return tuple(map(_first_row, results)) if isinstance(results, tuple) else _first_row(results)


def _call_in_pieces(function: Callable[..., Any], y: NDArray, t: NDArray) -> Any:
    """Return the results of elements, or of whole rows whose elements are summed."""
    step = max(1, _ELEMENTS // math.prod(y.shape[1:]))
    pieces = [slice(first, first + step) for first in range(0, len(y), step)]
    outputs = [function(np, y[piece], t[piece]) for piece in pieces]
    results = [output if isinstance(output, tuple) else (output,) for output in outputs]
    for piece, arrays in zip(pieces, results, strict=True):
        if any(getattr(array, "shape", None) != y[piece].shape for array in arrays):
            # Whoever looks at the results says what is wrong with the body.
            return function(np, y, t)
    joined = tuple(map(np.concatenate, zip(*results, strict=True)))
    return joined if len(joined) > 1 else joined[0]


def _repeat_row(row: NDArray) -> NDArray:
    """Return a row below itself, stored as other tiles of such rows are."""
    rows = np.empty((2, *row.shape[1:]), row.dtype, order=storage_order(row))
    rows[...] = row
    rows.setflags(write=False)
    return rows


def _first_row(results: Any) -> Any:
    """Return the result of the first of two rows; a result of another shape as it is."""
    return results[:1] if getattr(results, "shape", ())[:1] == (2,) else results


def to_unreduced(loss: EngineLoss, y: Array, losses: Array) -> Array:
    """Check the shape of a body's results, and return them in that of the unreduced loss."""
    expected_shape = y.shape[:-1] if loss.takes_rows else y.shape
    if getattr(losses, "shape", None) != expected_shape:
        function = getattr(loss, "function", None)  # of a metric
        author = f"{type(loss).__name__}.value" if function is None else function.__qualname__
        raise ShapeError(
            f"{author} returned {_describe_shape(losses)} for predictions of shape "
            f"{tuple(y.shape)}; expected shape {tuple(expected_shape)}."
        )
    return namespace_of(y).sum(losses, axis=-1) if loss._sums_rows else losses


def _describe_shape(result: Any) -> str:
    shape = getattr(result, "shape", None)
    return f"a {type(result).__name__}" if shape is None else f"shape {tuple(shape)}"


def check_gradient(y: Array, gradient: Array) -> None:
    """Raise `ShapeError` for a derivative that does not have the shape of the prediction."""
    if gradient.shape != y.shape:
        raise ShapeError(
            f"a derivative has {_describe_shape(gradient)} for predictions of shape "
            f"{tuple(y.shape)}."
        )


def compute(loss: EngineLoss, call: Arguments, form: ResultForm, reduction: Reduction) -> Any:
    """Return the result of a call: the reduced loss, its derivative, or both."""
    if form == "value":
        if reduction.reduction == "none":
            return _weighted_losses(loss, call)
        return reduction.value(merge_sums(run(loss, call, Task(form))))
    scale = reduction.scale(*_weight_and_count(call)) if reduction.reduction == "mean" else 1.0
    gradient = empty(call.prediction_shape, call.dtype) if call.out is None else call.out
    # Every tile writes all of its places, also those of elements that are left out.
    blocks = run(loss, call, Task(form, np.asarray(gradient).reshape(call.y.shape), scale))
    return (reduction.value(merge_sums(blocks)), gradient) if form == "both" else gradient


def _weight_and_count(call: Arguments) -> tuple[float, int]:
    """Return the sum of w and the number of losses that count; no loss is computed."""
    if call.weight is None and call.where is None:
        count = math.prod(call.shape)
        return float(count), count
    blocks = []
    for bounds in block_bounds(call):
        weight, _, counted, _ = select_rows(call, *bounds)
        blocks.append(Sums(0.0, weight_sum(weight, counted), counted))
    total = merge_sums(blocks)
    return total.weight, total.count


def _weighted_losses(loss: EngineLoss, call: Arguments) -> NDArray:
    """Return w l for every element or row, 0 for those that are left out."""
    out = empty(call.shape or (1,), call.dtype)

    def put_losses(tile: Tile, losses: NDArray) -> None:
        if tile.weight is not None:
            losses = losses * tile.weight
        # Adding 0.0 turns -0.0 into 0.0, also one that rounding made.
        _put(out, tile, losses.astype(out.dtype, copy=False) + 0.0)

    run(loss, call, Task("value", collect=put_losses))
    return out.reshape(call.shape)


@dataclass(slots=True)
class RowSums:
    """Sums of w l and of w over each row of a call, which its tiles fill in.

    Both are 0 in a row that is left out. A row has `elements` losses.
    """

    total: NDArray
    weight: NDArray
    elements: int

    @classmethod
    def zeros(cls, call: Arguments) -> RowSums:
        """Return empty sums."""
        rows = call.y.shape[0]
        return cls(np.zeros(rows), np.zeros(rows), math.prod(call.shape[1:]))

    def losses(self) -> NDArray:
        """Return the weighted mean loss of each row; NaN if nothing counts."""
        with np.errstate(invalid="ignore"):
            return self.total / self.weight

    def weights(self) -> NDArray:
        """Return the mean weight of each row's losses."""
        return self.weight / self.elements

    def put(self, tile: Tile, losses: NDArray) -> None:
        """Write the sums of a tile's rows."""
        weight = np.ones(losses.shape) if tile.weight is None else tile.weight
        for out, terms in ((self.total, weight * losses), (self.weight, weight)):
            rows = out[tile.first : tile.last]
            terms = _fill_masked(tile, terms)
            rows[...] = terms if len(terms) == len(rows) else terms.reshape(len(rows), -1).sum(1)


def partial(
    loss: EngineLoss, call: Arguments, rows: RowSums | None = None, *, origin: str = ""
) -> Partial:
    """Return the mergeable sum over the rows of a call, numbered from `call.start`.

    `rows` receives the sums of single rows as well; `origin` is the loss or metric with its
    parameters.
    """
    block = rows_in_block(call)

    def collect(tile: Tile, losses: NDArray) -> Partial:
        losses = np.ascontiguousarray(losses)
        if rows is not None:
            rows.put(tile, losses)
        piece = UnsummedLosses(call.start + tile.first, call.start + tile.last, losses, tile.weight)
        return Partial(block, count=tile.counted, masked=tile.masked, pieces=(piece,))

    seen = RowRanges.single(call.start, call.start + call.y.shape[0])
    total = Partial(block, origin=PartialOrigin(origin, seen))
    for part in run(loss, call, Task("value", collect=collect)):
        total = total.merge(part)
    return total


def _put_scaled(task: Task, tile: Tile, gradient: NDArray) -> None:
    """Multiply derivatives by the weights and the reduction's factor, and write them."""
    check_gradient(tile.y, gradient)
    out: Any = task.out
    if tile.weight is not None:
        weight = tile.weight * task.scale
        gradient = gradient * (weight if tile.y.ndim == 1 else weight[:, np.newaxis])
    elif task.scale != 1.0:
        if tile.where is None:
            # Multiplied on the way to its place: one pass over the memory, not two.
            place = out[tile.first : tile.last]
            np.multiply(gradient.reshape(place.shape), task.scale, out=place, casting="same_kind")
            return
        gradient = gradient * task.scale
    _put(out, tile, gradient)


def _put(out: NDArray, tile: Tile, results: NDArray) -> None:
    """Write a tile's results to their place, and 0 for elements or rows that are left out."""
    place = out[tile.first : tile.last]
    place[...] = _fill_masked(tile, results).reshape(place.shape)


def _fill_masked(tile: Tile, results: NDArray) -> NDArray:
    """Return results with 0 for the elements or rows that are left out."""
    if tile.where is None:
        return results
    filled = np.zeros((tile.where.size, *results.shape[1:]), results.dtype)
    filled[tile.where] = results
    return filled
