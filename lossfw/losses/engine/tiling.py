"""Tiles: the rows of a call, split into pieces that fit into the second-level cache.

A tile is the rows of one block (see `lossfw.losses.engine.reduction`), so that a row belongs to the
same tile in any batch and with any number of threads. A body does not get elements and rows that do
not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np

from lossfw.errors import DomainError
from lossfw.losses.engine.read_only import raise_for_writing
from lossfw.losses.engine.reduction import rows_per_block
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import FEW_COLUMNS, Array, Namespace, NDArray


class EngineLoss(Protocol):
    """Protocol: a loss or a metric that the engine can evaluate tile by tile."""

    @property
    def takes_rows(self) -> bool:
        """Whether it gives one result per row (the last axis)."""

    @property
    def _sums_rows(self) -> bool:
        """Whether results of elements are summed over the last axis."""

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Raise if a prediction or target is outside its space."""

    def _unreduced_losses(
        self, form: Any, xp: Namespace, y: Array, t: Array, by_index: bool = False
    ) -> Any:
        """Return losses, derivatives or both; see `lossfw.losses.base.LossDefinition`."""


@dataclass(slots=True)
class Tile:
    """Rows `first` to `last` of a call for the body, without those that do not count."""

    first: int
    last: int
    # Elements along the only axis, or rows along the first of two.
    y: NDArray
    t: NDArray
    weight: NDArray | None  # of each element or row that counts
    where: NDArray | None  # whether each element or row counts; None where all do
    # Numbers that count in a mean over the count, and that the mask leaves out.
    counted: int
    masked: int


def select_rows(
    call: Arguments, first: int, last: int
) -> tuple[NDArray | None, NDArray | None, int, int]:
    """Return `weight`, `where`, `counted` and `masked` of some rows; see `Tile`."""
    masked = 0
    weight = where = None
    if call.where is not None:
        where = call.where[first:last].reshape(-1)
        counted = int(np.count_nonzero(where))
        masked = where.size - counted
    else:
        counted = (last - first) * math.prod(call.shape[1:])
    if call.weight is not None:
        weight = call.weight[first:last].reshape(-1)
        # An element of weight 0 is removed before anything is computed, so
        # that not even a NaN in it does harm.
        where = weight > 0 if where is None else where & (weight > 0)
    if where is not None:
        if where.all():
            where = None
        elif weight is not None:
            weight = weight[where]
    return weight, where, counted, masked


def make_tile(loss: EngineLoss, call: Arguments, first: int, last: int) -> Tile:
    """Make a tile of some rows: select those that count, and check their domain."""
    y, t = call.y[first:last], call.t[first:last]
    axes = max(1, len(call.shape))
    if axes > 1:
        y, t = y.reshape(-1, *y.shape[axes:]), t.reshape(-1, *t.shape[axes:])
    weight, where, counted, masked = select_rows(call, first, last)
    if where is not None:
        y, t = y[where], t[where]
    # The layout is the tile's own: NumPy adds the columns of another one in another order. The
    # check of rows of few columns is four times as fast in it.
    order: Literal["C", "F"] = "C" if loss._sums_rows else storage_order(y)
    t_order: Literal["C", "F"] = "C" if loss._sums_rows else storage_order(t)
    y, t = np.asarray(y, order=order), np.asarray(t, order=t_order)
    check_domain(loss, call, first, last, y, t)
    y = y.astype(call.work, order=order, copy=False)
    if not call.by_index:
        t = t.astype(call.work, order=t_order, copy=False)
    y.setflags(write=False)
    t.setflags(write=False)
    return Tile(first, last, y, t, weight, where, counted, masked)


def storage_order(rows: Array) -> Literal["C", "F"]:
    """Return the storage order of a tile of rows: by column if there are few columns."""
    return "F" if rows.ndim > 1 and rows.shape[-1] <= FEW_COLUMNS else "C"


def has_few_columns(loss: EngineLoss, y: Array) -> bool:
    """Tell whether a tile of these predictions is stored by column."""
    return loss.takes_rows and y.shape[-1] <= FEW_COLUMNS


def check_domain(
    loss: EngineLoss, call: Arguments, first: int, last: int, y: Array, t: Array
) -> None:
    """Check the elements or rows that count; an error names the position in the caller's axes."""
    start = first + call.start
    try:
        loss.check_domain(y, t, call.by_index, start)
    except DomainError:
        if not call.shape:
            loss.check_domain(call.y[0, ...], call.t[0, ...], call.by_index, 0)
        if y.shape != call.y[first:last, ...].shape:
            _find_first_outside(loss, call, first, last)
        raise
    except ValueError as error:
        raise_for_writing(error, loss.check_domain)


def _find_first_outside(loss: EngineLoss, call: Arguments, first: int, last: int) -> None:
    """Find the first element or row that counts and lies outside, by the caller's index."""
    keep = np.ones((last - first, *call.shape[1:]), bool)
    if call.where is not None:
        keep &= np.asarray(call.where)[first:last]
    if call.weight is not None:
        keep &= np.asarray(call.weight)[first:last] > 0
    for offset, *others in np.argwhere(keep).tolist():
        index = (first + offset, *others)
        try:
            loss.check_domain(call.y[(*index, ...)], call.t[(*index, ...)], call.by_index, 0)
        except DomainError as error:
            place = ", ".join(str(i + call.start if n == 0 else i) for n, i in enumerate(index))
            raise DomainError(_add_index(str(error), place)) from None


def _add_index(message: str, place: str) -> str:
    """Put the place of a row into a message about a single one."""
    head, _, rest = message.partition(" = ")
    role, bracket, within = head.partition("[")
    return f"{role}[{place}{', ' + within if bracket else ']'} = {rest}"


def block_bounds(call: Arguments) -> list[tuple[int, int]]:
    """Return the first and last row of each block of a call."""
    rows, block = call.y.shape[0], rows_in_block(call)
    lead = block - call.start % block
    if rows <= lead:
        return [(0, rows)]
    edges = [0, *range(lead, rows, block), rows]
    return list(pairwise(edges))


def rows_in_block(call: Arguments) -> int:
    """Return the number of rows of a call in a block."""
    return rows_per_block(math.prod(call.y.shape[1:]))
