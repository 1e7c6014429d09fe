"""Engine: how a body runs over a large array.

An author's plain expression is run on tiles, one for each block of rows, whose
temporaries fit the second-level cache; on large inputs by several threads,
since NumPy releases its lock inside every operation. A row belongs to the same
tile whatever the number of threads, and elementwise operations give the same
bits in any tile, so neither changes a digit of the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import numpy as np

from lossfw.arguments import Arguments, NDArray, one_hot
from lossfw.errors import ParameterError, ShapeError
from lossfw.numbers.arrays import Array, Namespace
from lossfw.reduce import Partial, Piece, block_rows, block_sum

_Result = TypeVar("_Result")

# Fewer blocks than this are done before a second thread has started.
_BLOCKS_FOR_THREADS = 4

# Up to this many columns a tile of rows is stored column by column, so that a
# reduction over a row runs along the long, contiguous axis.
_FEW_COLUMNS = 64

_threads: ContextVar[int | None] = ContextVar("lossfw_threads", default=None)


class Body(Protocol):
    """What the engine asks of anything that has values."""

    @property
    def takes_rows(self) -> bool:
        """Whether the body gives one result for each row (the last axis)."""

    @property
    def sums_rows(self) -> bool:
        """Whether results of elements are summed over the last axis."""

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Raise where a prediction or target lies outside its space."""

    def values(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return unreduced losses."""

    def values_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return unreduced losses for class indices."""


class SmoothBody(Body, Protocol):
    """What the engine asks of a loss, which has derivatives too."""

    def gradients(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the derivative of the unreduced losses."""

    def hessians(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the diagonal second derivative of the unreduced losses."""

    def values_and_gradients(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Return both in one pass."""


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with this many threads inside the ``with`` block.

    Without it, the environment variable ``LOSSFW_THREADS`` or else the number
    of processors decides. No result depends on it.

    Examples
    --------
    >>> import lossfw
    >>> with lossfw.threads(1):
    ...     lossfw.loss("squared_error")([1.0], [3.0])
    4.0
    """
    if count < 1:
        raise ParameterError(f"threads should be a whole number of at least 1, got {count!r}.")
    token = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(token)


def thread_count() -> int:
    """Return the number of threads that a large input is computed with."""
    chosen = _threads.get()
    if chosen is not None:
        return chosen
    text = os.environ.get("LOSSFW_THREADS", "")
    if not text:
        return os.cpu_count() or 1
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ParameterError(f"LOSSFW_THREADS should be a whole number of at least 1, got {text!r}.")


@dataclass(slots=True)
class Tile:
    """Rows `first` to `last` of a call, as the body gets them.

    Attributes
    ----------
    y, t : ndarray
        Elements along the only axis, or rows along the first of two. Those
        that do not count are left out.
    weight : ndarray or None
        Sample weight of each.
    kept : ndarray of bool or None
        Which elements or rows of the tile count; None where all do.
    counted, masked : int
        How many count in a mean over the count, and how many the mask leaves out.
    """

    first: int
    last: int
    y: NDArray
    t: NDArray
    weight: NDArray | None
    kept: NDArray | None
    counted: int
    masked: int


def cut(body: Body, call: Arguments, first: int, last: int) -> Tile:
    """Cut a tile out of a call, select what counts, and check that it is in its domain."""
    y, t = call.y[first:last], call.t[first:last]
    if body.takes_rows or body.sums_rows:
        y = y.reshape(-1, call.y.shape[-1])
        t = t.reshape(-1) if t.ndim < call.y.ndim else t.reshape(-1, t.shape[-1])
    elif y.ndim > 1:
        y, t = y.reshape(-1), t.reshape(-1)
    counted, masked = y.shape[0], 0
    weight = kept = None
    if call.keep is not None:
        kept = call.keep[first:last].reshape(-1)
        counted = int(np.count_nonzero(kept))
        masked = kept.size - counted
    if call.weight is not None:
        weight = call.weight[first:last].reshape(-1)
        # An element of weight 0 is removed before anything is computed, so
        # that not even a NaN in it does harm.
        kept = weight > 0 if kept is None else kept & (weight > 0)
    if kept is not None:
        if kept.all():
            kept = None
        else:
            y, t = y[kept], t[kept]
            weight = None if weight is None else weight[kept]
    try:
        body.check_domain(y, t, call.by_index, first + call.start)
    except ValueError:
        if kept is not None or call.y.ndim > y.ndim:
            _check_in_place(body, call, first, last)
        raise
    columns = y.shape[-1]
    order: Any = "F" if body.takes_rows and columns <= _FEW_COLUMNS else "K"
    y = y.astype(call.work, order=order, copy=False)
    if not call.by_index:
        t = t.astype(call.work, order=order, copy=False)
    return Tile(first, last, y, t, weight, kept, counted, masked)


def _check_in_place(body: Body, call: Arguments, first: int, last: int) -> None:
    """Check again with the caller's own axes, so that the message has the caller's index."""
    y, t = call.y[first:last], call.t[first:last]
    keep = np.ones(y.shape[: len(call.shape) or 1], bool)
    if call.keep is not None:
        keep &= call.keep[first:last]
    if call.weight is not None:
        keep &= call.weight[first:last] > 0
    for index in np.argwhere(keep):
        at = tuple(index)
        body.check_domain(y[at], t[at], call.by_index, first + call.start)


def spans(call: Arguments) -> list[tuple[int, int]]:
    """Return the first and last row of each block that a call has rows of."""
    rows, block = call.y.shape[0], rows_in_block(call)
    lead = block - call.start % block
    if rows <= lead:
        return [(0, rows)]
    edges = [0, *range(lead, rows, block), rows]
    return list(pairwise(edges))


def rows_in_block(call: Arguments) -> int:
    """Return how many rows of a call make a block."""
    width = 1
    for length in call.y.shape[1:]:
        width *= length
    return block_rows(width)


def over_tiles(body: Body, call: Arguments, task: Callable[[Tile], _Result]) -> list[_Result]:
    """Run a task on every tile of a call and return its results in the order of the rows."""
    todo = spans(call)
    if len(todo) < _BLOCKS_FOR_THREADS or (workers := min(thread_count(), len(todo))) == 1:
        with np.errstate(all="ignore"):
            return [task(cut(body, call, first, last)) for first, last in todo]
    results: dict[int, _Result] = {}
    # Workers take the next tile from one iterator: whoever is free goes on.
    queue = iter(enumerate(todo))

    def work() -> None:
        with np.errstate(all="ignore"):
            for number, (first, last) in queue:
                results[number] = task(cut(body, call, first, last))

    with ThreadPoolExecutor(workers - 1, "lossfw") as pool:
        others = [pool.submit(work) for _ in range(workers - 1)]
        work()
        for other in others:
            other.result()
    return [results[number] for number in range(len(todo))]


def tile_values(body: Body, call: Arguments, tile: Tile) -> NDArray:
    """Return the unreduced losses of a tile's elements or rows that count."""
    if call.by_index:
        losses = body.values_at(np, tile.y, tile.t)
    else:
        losses = body.values(np, tile.y, tile.t)
    return _summed(body, tile, losses)


def _summed(body: Body, tile: Tile, losses: Any) -> NDArray:
    wanted = tile.y.shape[:1] if body.takes_rows else tile.y.shape
    if getattr(losses, "shape", None) != wanted:
        raise ShapeError(
            f"{type(body).__name__}.value returned {_shape_of(losses)} for predictions of shape "
            f"{tile.y.shape}; wanted shape {wanted}."
        )
    row_sums: NDArray = losses.sum(-1) if body.sums_rows else losses
    return row_sums


def _shape_of(result: Any) -> str:
    shape = getattr(result, "shape", None)
    return f"a {type(result).__name__}" if shape is None else f"shape {tuple(shape)}"


def sums(body: Body, call: Arguments) -> list[tuple[float, float, int]]:
    """Return for each block the sums of w l and of w, and how many losses count."""

    def task(tile: Tile) -> tuple[float, float, int]:
        total, weight = block_sum(tile_values(body, call, tile), tile.weight)
        return total, weight, tile.counted

    return over_tiles(body, call, task)


def weights(call: Arguments) -> list[tuple[float, int]]:
    """Return for each block the sum of w and how many losses count; computes no loss."""
    return [_block_weight(call, first, last) for first, last in spans(call)]


def _block_weight(call: Arguments, first: int, last: int) -> tuple[float, int]:
    keep = None if call.keep is None else call.keep[first:last]
    weight = None if call.weight is None else call.weight[first:last]
    counted = last - first if keep is None else int(np.count_nonzero(keep))
    if weight is None:
        return float(counted), counted
    if keep is None:
        counted = weight.size
    kept = weight > 0 if keep is None else keep & (weight > 0)
    # The same selection and the same sum as in `block_sum`: the mean and its
    # gradient divide by the same number.
    return float(np.add.reduce(weight[kept], dtype=np.float64)), counted


def unreduced(body: Body, call: Arguments) -> NDArray:
    """Return w l for every element or row, 0 for those that are left out."""
    out = np.zeros(call.shape or (1,), call.dtype)

    def task(tile: Tile) -> None:
        losses = tile_values(body, call, tile)
        if tile.weight is not None:
            losses = losses * tile.weight
        # + 0.0 turns -0.0, which no loss is, into 0.0.
        _put(out, tile, losses + 0.0)

    over_tiles(body, call, task)
    return out.reshape(call.shape)


def derivatives(
    body: SmoothBody, call: Arguments, scale: float, *, second: bool = False
) -> NDArray:
    """Return `scale` times w times the first or second derivative, in the prediction's shape."""
    out = np.zeros(call.y.shape, call.dtype)

    def task(tile: Tile) -> None:
        function = body.hessians if second else body.gradients
        _put(out, tile, _scaled(tile, function(np, tile.y, _target(call, tile)), scale))

    over_tiles(body, call, task)
    return out.reshape(call.prediction_shape)


def sums_and_gradient(
    body: SmoothBody, call: Arguments, scale: float
) -> tuple[list[tuple[float, float, int]], NDArray]:
    """Return what `sums` and `derivatives` return, from one pass."""
    out = np.zeros(call.y.shape, call.dtype)

    def task(tile: Tile) -> tuple[float, float, int]:
        losses, slope = body.values_and_gradients(np, tile.y, _target(call, tile))
        _put(out, tile, _scaled(tile, slope, scale))
        total, weight = block_sum(_summed(body, tile, losses), tile.weight)
        return total, weight, tile.counted

    totals = over_tiles(body, call, task)
    return totals, out.reshape(call.prediction_shape)


def partial(body: Body, call: Arguments) -> Partial:
    """Return the mergeable sum over the rows of a call, numbered from `call.start`."""

    def task(tile: Tile) -> Partial:
        losses = np.ascontiguousarray(tile_values(body, call, tile))
        piece = Piece(call.start + tile.first, call.start + tile.last, losses, tile.weight)
        return Partial(block, count=tile.counted, masked=tile.masked, pieces=(piece,))

    block = rows_in_block(call)
    merged = Partial(block)
    for part in over_tiles(body, call, task):
        merged = merged.merge(part)
    return merged


def _target(call: Arguments, tile: Tile) -> NDArray:
    if call.by_index:
        return one_hot(tile.t, tile.y.shape[-1], call.work)
    return tile.t


def _scaled(tile: Tile, slope: NDArray, scale: float) -> NDArray:
    """Multiply derivatives by the weights and the reduction's factor."""
    if slope.shape != tile.y.shape:
        raise ShapeError(
            f"a derivative has {_shape_of(slope)} for predictions of shape {tile.y.shape}."
        )
    if tile.weight is not None:
        weight = tile.weight * scale
        slope = slope * (weight if tile.y.ndim == 1 else weight[:, np.newaxis])
    elif scale != 1.0:
        slope = slope * scale
    return slope


def _put(out: NDArray, tile: Tile, results: NDArray) -> None:
    """Write a tile's results to their place; what is left out stays 0."""
    place = out[tile.first : tile.last]
    if tile.kept is None:
        place[...] = results.reshape(place.shape)
    else:
        full = np.zeros((tile.kept.size, *results.shape[1:]), results.dtype)
        full[tile.kept] = results
        place[...] = full.reshape(place.shape)
