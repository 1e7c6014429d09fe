"""Engine: run a body over a large NumPy array, tile by tile and on several threads.

The temporaries of a tile fit the second-level cache. Elementwise operations give the
same bits in any tile, a row is added up in the same order in any tile (`_call`), and
sums over rows are taken over blocks that depend on the row number alone. So tiles
change no digit of the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from lossfw.errors import ShapeError
from lossfw.losses.engine import threads
from lossfw.losses.engine.call_kernels import (
    BlockKernel,
    CallKernels,
    ResultForm,
    kernels_for,
)
from lossfw.losses.engine.partial import Partial, Piece
from lossfw.losses.engine.read_only import raise_for_writing
from lossfw.losses.engine.reduction import Sums, merged, weight_sum, weighted_sum
from lossfw.losses.engine.row_ranges import PartialOrigin, RowRanges
from lossfw.losses.engine.tiling import (
    EngineBody,
    SmoothBody,
    Tile,
    cut,
    has_few_columns,
    rows_in_block,
    select,
    spans,
)
from lossfw.losses.inputs import Arguments, one_hot
from lossfw.numerics.arrays import Array, NDArray, namespace_of

_Result = TypeVar("_Result")

# A body has several arrays of its own at a time. In float64 those of a tile are beyond the
# second-level cache, and so many elements of each are not.
_LARGE, _ELEMENTS = 8, 32_768

_NO_SUMS = Sums(0.0, 0.0, 0)


def over_tiles(body: EngineBody, call: Arguments, task: Callable[[Tile], _Result]) -> list[_Result]:
    """Run a task on every tile of a call and return its results in the order of the rows."""
    return threads.run(lambda span: task(cut(body, call, *span)), spans(call))


def over_blocks(
    body: EngineBody, call: Arguments, task: Callable[[Tile], Sums], whole: BlockKernel | None
) -> list[Sums]:
    """Run a task on every tile of a call, or a kernel on every block for which it can do."""
    if whole is None:
        return over_tiles(body, call, task)
    return threads.run(
        lambda span: whole.compared(*span, lambda: task(cut(body, call, *span))), spans(call)
    )


def tile_values(
    body: EngineBody, call: Arguments, compiled: CallKernels
) -> Callable[[Tile], NDArray]:
    """Return a function of a tile: the unreduced losses of the elements that count in it."""
    usual = body.unreduced_at if call.by_index else body.unreduced
    unreduced = compiled.function or usual

    def values(tile: Tile) -> NDArray:
        losses: NDArray = own_losses(body, tile.y, _call(body, unreduced, tile, tile.t))
        return losses

    return values


def _call(body: EngineBody, function: Callable[..., Any], tile: Tile, t: NDArray) -> Any:
    """Call a function of a body on a tile.

    A single row of few columns is contiguous along both axes, and NumPy then adds
    its columns in another order than those of several rows. So it is given twice. Many
    elements of float64 are given in pieces.
    """
    if not body.takes_rows and tile.y.itemsize == _LARGE and tile.y.size > _ELEMENTS:
        return _in_pieces(function, tile.y, t)
    if len(tile.y) != 1 or not has_few_columns(body, tile.y):
        return _called(function, tile.y, t)
    twice = _called(function, _twice(tile.y), _twice(t))
    return tuple(map(_first, twice)) if isinstance(twice, tuple) else _first(twice)


def _in_pieces(function: Callable[..., Any], y: NDArray, t: NDArray) -> Any:
    """Return the results of elements, or of whole rows whose elements are summed."""
    step = max(1, _ELEMENTS // math.prod(y.shape[1:]))
    parts = [slice(first, first + step) for first in range(0, len(y), step)]
    found = [_as_tuple(_called(function, y[part], t[part])) for part in parts]
    for part, results in zip(parts, found, strict=True):
        if any(getattr(result, "shape", None) != y[part].shape for result in results):
            # What is wrong with the body is told by those who look at its results.
            return _called(function, y, t)
    whole = tuple(map(np.concatenate, zip(*found, strict=True)))
    return whole if len(whole) > 1 else whole[0]


def _called(function: Callable[..., Any], y: NDArray, t: NDArray) -> Any:
    try:
        return function(np, y, t)
    except ValueError as error:
        raise_for_writing(error, function)


def _as_tuple(results: Any) -> tuple[Any, ...]:
    return results if isinstance(results, tuple) else (results,)


def _twice(row: NDArray) -> NDArray:
    """Return a row below itself, stored column by column as other tiles of rows are."""
    rows = np.empty((2, *row.shape[1:]), row.dtype, order="F")
    rows[...] = row
    rows.setflags(write=False)
    return rows


def _first(twice: Any) -> Any:
    """Return the result of the first of two rows; a result of another shape as it is."""
    return twice[:1] if getattr(twice, "shape", ())[:1] == (2,) else twice


def own_losses(body: EngineBody, y: Array, losses: Array) -> Array:
    """Return a body's results in the shape of the unreduced loss, after a look at their shape."""
    wanted = y.shape[:-1] if body.takes_rows else y.shape
    if getattr(losses, "shape", None) != wanted:
        raise ShapeError(
            f"{_author_of(body)} returned {_shape_of(losses)} for predictions of shape "
            f"{tuple(y.shape)}; wanted shape {tuple(wanted)}."
        )
    return namespace_of(y).sum(losses, axis=-1) if body.sums_rows else losses


def _author_of(body: EngineBody) -> str:
    """Return the name of the function that an author wrote."""
    function = getattr(body, "function", None)
    return f"{type(body).__name__}.value" if function is None else str(function.__qualname__)


def _shape_of(result: Any) -> str:
    shape = getattr(result, "shape", None)
    return f"a {type(result).__name__}" if shape is None else f"shape {tuple(shape)}"


def check_slope(y: Array, slope: Array) -> None:
    """Raise `ShapeError` for a derivative that has not the shape of the prediction."""
    if slope.shape != y.shape:
        raise ShapeError(
            f"a derivative has {_shape_of(slope)} for predictions of shape {tuple(y.shape)}."
        )


def sums(body: EngineBody, call: Arguments) -> Sums:
    """Return the sums of w l and of w, and the number of losses that count."""
    compiled = kernels_for(body, call, "value")
    values = tile_values(body, call, compiled)

    def task(tile: Tile) -> Sums:
        return _sums(tile, values(tile))

    return merged(over_blocks(body, call, task, compiled.whole))


def _sums(tile: Tile, losses: NDArray) -> Sums:
    weights, count = tile.weight, tile.counted
    return Sums(weighted_sum(losses, weights), weight_sum(weights, count), count)


def weight_and_count(call: Arguments) -> tuple[float, int]:
    """Return the sum of w and the number of losses that count; no loss is computed."""
    if call.weight is None and call.keep is None:
        count = math.prod(call.shape)
        return float(count), count
    blocks = []
    for span in spans(call):
        weight, _, counted, _ = select(call, *span)
        blocks.append(Sums(0.0, weight_sum(weight, counted), counted))
    whole = merged(blocks)
    return whole.weight, whole.count


def unreduced(body: EngineBody, call: Arguments) -> NDArray:
    """Return w l for every element or row, 0 for those that are left out."""
    out = np.zeros(call.shape or (1,), call.dtype)
    values = tile_values(body, call, kernels_for(body, call, "value"))

    def task(tile: Tile) -> None:
        losses = values(tile)
        if tile.weight is not None:
            losses = losses * tile.weight
        # Adding 0.0 turns -0.0 into 0.0, also one that rounding made.
        _put(out, tile, losses.astype(out.dtype, copy=False) + 0.0)

    over_tiles(body, call, task)
    return out.reshape(call.shape)


def derivatives(
    body: SmoothBody, call: Arguments, scale: float, *, second: bool = False
) -> NDArray:
    """Return `scale` times w times the first or second derivative, in the prediction's shape."""
    out = np.zeros(call.y.shape, call.dtype)
    form: ResultForm = "hessian" if second else "gradient"
    usual = body.unreduced_gradient_at if call.by_index else body.unreduced_gradient
    compiled = kernels_for(body, call, form, out, scale)
    function = compiled.function or (body.unreduced_hessian if second else usual)

    def task(tile: Tile) -> Sums:
        t = _target(call, tile) if second else tile.t
        _put_scaled(out, tile, _call(body, function, tile, t), scale)
        return _NO_SUMS

    over_blocks(body, call, task, compiled.whole)
    return out.reshape(call.prediction_shape)


def sums_and_gradient(body: SmoothBody, call: Arguments, scale: float) -> tuple[Sums, NDArray]:
    """Return `sums` and the first `derivatives` from one pass."""
    out = np.zeros(call.y.shape, call.dtype)
    usual = body.unreduced_with_gradient_at if call.by_index else body.unreduced_with_gradient
    compiled = kernels_for(body, call, "both", out, scale)
    both = compiled.function or usual

    def task(tile: Tile) -> Sums:
        losses, slope = _call(body, both, tile, tile.t)
        _put_scaled(out, tile, slope, scale)
        return _sums(tile, own_losses(body, tile.y, losses))

    blocks = over_blocks(body, call, task, compiled.whole)
    return merged(blocks), out.reshape(call.prediction_shape)


@dataclass(slots=True)
class RowSums:
    """Sums over each row of a call, filled in while its tiles are computed.

    Attributes
    ----------
    total, weight : ndarray of float64, shape (N,)
        Sums of w l and of w; both 0 in a row that is left out.
    elements : int
        Number of losses of a row.
    """

    total: NDArray
    weight: NDArray
    elements: int

    @classmethod
    def of(cls, call: Arguments) -> RowSums:
        """Return sums to fill."""
        rows = call.y.shape[0]
        return cls(np.zeros(rows), np.zeros(rows), math.prod(call.shape[1:]))

    def losses(self) -> NDArray:
        """Return the mean loss of each row by its weights; NaN where nothing counts."""
        with np.errstate(invalid="ignore"):
            return self.total / self.weight

    def weights(self) -> NDArray:
        """Return the mean weight of each row's losses."""
        return self.weight / self.elements

    def put(self, tile: Tile, losses: NDArray) -> None:
        """Write the sums of a tile's rows to their place."""
        weight = np.ones(losses.shape) if tile.weight is None else tile.weight
        for out, terms in ((self.total, weight * losses), (self.weight, weight)):
            place = out[tile.first : tile.last]
            if tile.kept is not None:
                full = np.zeros(tile.kept.size)
                full[tile.kept] = terms
                terms = full
            place[...] = terms if len(terms) == len(place) else terms.reshape(len(place), -1).sum(1)


def partial(
    body: EngineBody, call: Arguments, rows: RowSums | None = None, *, of: str = ""
) -> Partial:
    """Return the mergeable sum over the rows of a call, numbered from `call.start`.

    Parameters
    ----------
    body : EngineBody
        The function of the rows.
    call : Arguments
        The rows.
    rows : RowSums, optional
        Receives the sums of single rows as well.
    of : str
        The loss or metric with its parameters.
    """
    values = tile_values(body, call, kernels_for(body, call, "value"))

    def task(tile: Tile) -> Partial:
        losses = np.ascontiguousarray(values(tile))
        if rows is not None:
            rows.put(tile, losses)
        piece = Piece(call.start + tile.first, call.start + tile.last, losses, tile.weight)
        return Partial(block, count=tile.counted, masked=tile.masked, pieces=(piece,))

    block = rows_in_block(call)
    seen = RowRanges.of(call.start, call.start + call.y.shape[0])
    merged = Partial(block, origin=PartialOrigin(of, seen))
    for part in over_tiles(body, call, task):
        merged = merged.merge(part)
    return merged


def _target(call: Arguments, tile: Tile) -> NDArray:
    if call.by_index:
        return one_hot(tile.t, tile.y.shape[-1], call.work)
    return tile.t


def _put_scaled(out: NDArray, tile: Tile, slope: NDArray, scale: float) -> None:
    """Multiply derivatives by the weights and the reduction's factor, and write them."""
    check_slope(tile.y, slope)
    if tile.weight is not None:
        weight = tile.weight * scale
        slope = slope * (weight if tile.y.ndim == 1 else weight[:, np.newaxis])
    elif scale != 1.0:
        if tile.kept is None:
            # Multiplied on the way to its place: one pass over the memory, not two.
            place = out[tile.first : tile.last]
            np.multiply(slope.reshape(place.shape), scale, out=place, casting="same_kind")
            return
        slope = slope * scale
    _put(out, tile, slope)


def _put(out: NDArray, tile: Tile, results: NDArray) -> None:
    """Write a tile's results to their place; elements or rows that are left out stay 0."""
    place = out[tile.first : tile.last]
    if tile.kept is None:
        place[...] = results.reshape(place.shape)
    else:
        full = np.zeros((tile.kept.size, *results.shape[1:]), results.dtype)
        full[tile.kept] = results
        place[...] = full.reshape(place.shape)
