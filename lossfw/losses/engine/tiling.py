"""Tiles: the rows of a call, cut into pieces that fit the second-level cache.

A tile is the rows of one block (see `lossfw.losses.engine.reduction`), so that a row
belongs to the same tile in any batch and with any number of threads. Elements and rows
that do not count are left out before a body sees them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np

from lossfw.errors import DomainError
from lossfw.losses.engine.read_only import raise_for_writing
from lossfw.losses.engine.reduction import block_rows
from lossfw.losses.inputs import FEW_COLUMNS, Arguments
from lossfw.numerics.arrays import Array, Namespace, NDArray


class EngineBody(Protocol):
    """Protocol: a function that the engine can evaluate tile by tile."""

    @property
    def takes_rows(self) -> bool:
        """Whether the body gives one result for each row (the last axis)."""

    @property
    def sums_rows(self) -> bool:
        """Whether results of elements are summed over the last axis."""

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Raise where a prediction or target lies outside its space."""

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return unreduced losses."""

    def unreduced_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return unreduced losses for class indices."""


class SmoothBody(EngineBody, Protocol):
    """Protocol: a function with derivatives that the engine can evaluate tile by tile."""

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the derivative of the unreduced losses."""

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the diagonal second derivative of the unreduced losses."""

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Return both in one pass."""

    def unreduced_gradient_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return the derivative for class indices."""

    def unreduced_with_gradient_at(
        self, xp: Namespace, y: Array, index: Array
    ) -> tuple[Array, Array]:
        """Return both for class indices in one pass."""


@dataclass(slots=True)
class Tile:
    """Rows `first` to `last` of a call as the body gets them.

    Attributes
    ----------
    y, t : ndarray
        Elements along the only axis, or rows along the first of two. Those
        that do not count are left out.
    weight : ndarray or None
        Weight of each element or row that counts.
    kept : ndarray of bool or None
        Whether each element or row counts; None where all do.
    counted, masked : int
        Numbers that count in a mean over the count, and that the mask leaves out.
    """

    first: int
    last: int
    y: NDArray
    t: NDArray
    weight: NDArray | None
    kept: NDArray | None
    counted: int
    masked: int


def select(
    call: Arguments, first: int, last: int
) -> tuple[NDArray | None, NDArray | None, int, int]:
    """Return `weight`, `kept`, `counted` and `masked` of some rows; see `Tile`."""
    masked = 0
    weight = kept = None
    if call.keep is not None:
        kept = call.keep[first:last].reshape(-1)
        counted = int(np.count_nonzero(kept))
        masked = kept.size - counted
    else:
        counted = (last - first) * math.prod(call.shape[1:])
    if call.weight is not None:
        weight = call.weight[first:last].reshape(-1)
        # An element of weight 0 is removed before anything is computed, so
        # that not even a NaN in it does harm.
        kept = weight > 0 if kept is None else kept & (weight > 0)
    if kept is not None:
        if kept.all():
            kept = None
        elif weight is not None:
            weight = weight[kept]
    return weight, kept, counted, masked


def cut(body: EngineBody, call: Arguments, first: int, last: int) -> Tile:
    """Cut a tile out of a call: select elements or rows that count, and check their domain."""
    y, t = call.y[first:last], call.t[first:last]
    if body.takes_rows or body.sums_rows:
        y = y.reshape(-1, call.y.shape[-1])
        t = t.reshape(-1) if t.ndim < call.y.ndim else t.reshape(-1, t.shape[-1])
    elif y.ndim > 1:
        y, t = y.reshape(-1), t.reshape(-1)
    weight, kept, counted, masked = select(call, first, last)
    if kept is not None:
        y, t = y[kept], t[kept]
    # The layout is the tile's own: NumPy adds the columns of another one in another order. The
    # check of rows of few columns is four times as fast in it.
    order: Literal["C", "F"] = "F" if has_few_columns(body, y) else "C"
    y, t = np.asarray(y, order=order), np.asarray(t, order=order)
    check_domain(body, call, first, last, y, t)
    y = y.astype(call.work, order=order, copy=False)
    if not call.by_index:
        t = t.astype(call.work, order=order, copy=False)
    y.setflags(write=False)
    t.setflags(write=False)
    return Tile(first, last, y, t, weight, kept, counted, masked)


def has_few_columns(body: EngineBody, y: Array) -> bool:
    """Return whether a tile of these predictions is stored column by column."""
    return body.takes_rows and y.shape[-1] <= FEW_COLUMNS


def check_domain(
    body: EngineBody, call: Arguments, first: int, last: int, y: Array, t: Array
) -> None:
    """Check elements or rows that count; on a failure name the place in the caller's axes."""
    start = first + call.start
    try:
        body.check_domain(y, t, call.by_index, start)
    except DomainError:
        if not call.shape:
            body.check_domain(call.y[0, ...], call.t[0, ...], call.by_index, 0)
        if y.shape != call.y[first:last, ...].shape:
            _check_one_by_one(body, call, first, last)
        raise
    except ValueError as error:
        raise_for_writing(error, body.check_domain)


def _check_one_by_one(body: EngineBody, call: Arguments, first: int, last: int) -> None:
    """Find the first element or row that counts and lies outside, by the caller's index."""
    keep = np.ones((last - first, *call.shape[1:]), bool)
    if call.keep is not None:
        keep &= np.asarray(call.keep)[first:last]
    if call.weight is not None:
        keep &= np.asarray(call.weight)[first:last] > 0
    for at in np.argwhere(keep).tolist():
        index = (first + at[0], *at[1:])
        try:
            body.check_domain(call.y[(*index, ...)], call.t[(*index, ...)], call.by_index, 0)
        except DomainError as error:
            place = ", ".join(str(i + call.start if n == 0 else i) for n, i in enumerate(index))
            raise DomainError(_with_index(str(error), place)) from None


def _with_index(message: str, place: str) -> str:
    """Put the place of a row into a message about a single one."""
    head, _, rest = message.partition(" = ")
    role, bracket, within = head.partition("[")
    return f"{role}[{place}{', ' + within if bracket else ']'} = {rest}"


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
    return block_rows(math.prod(call.y.shape[1:]))
