"""Jumps: where a metric that is constant in between changes, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

NDArray = np.ndarray[Any, np.dtype[Any]]

# Halving the distance between two floats makes them neighbours after some 60
# steps; after 2,100 where they close in on 0 from the largest ones.
_MOST_HALVINGS = 2200


class Jump(NamedTuple):
    """One row that changes.

    Attributes
    ----------
    at : float
        The first float at which it has changed.
    last : float
        The float before: the last one at which it has not.
    row : int
        Its number.
    before, after : float
        What the metric gives for it on either side.
    """

    at: float
    last: float
    row: int
    before: float
    after: float


def find_jumps(
    values: Callable[[NDArray, NDArray], NDArray], grid: NDArray, table: Iterator[NDArray]
) -> list[Jump]:
    """Return every jump between neighbouring points of a grid, in the order of the way.

    A row that jumps within one step of the grid, and back, is not seen. Where
    layers follow the one that moves, their rounding may let a row flicker over
    a few floats around a jump; one of these places is returned.

    Parameters
    ----------
    values : callable
        ``values(ways, rows)``: the metric of some rows, each at its own point.
    grid : ndarray, shape (points,)
        Ascending.
    table : iterator of ndarray, shape (rows,)
        The metric of every row, for one point of the grid after the other.
    """
    before = next(table)
    found: list[tuple[NDArray, NDArray, NDArray, NDArray, NDArray]] = []
    for left, right, after in zip(grid[:-1], grid[1:], table, strict=True):
        rows = np.flatnonzero(before != after)
        if rows.size:
            ends = np.full(rows.size, left), np.full(rows.size, right)
            found.append((rows, *ends, before[rows], after[rows]))
        before = after
    if not found:
        return []
    rows, low, high, old, new = (np.concatenate(column) for column in zip(*found, strict=True))
    low, high, new = bisect(lambda ways, some: values(ways, rows[some]), low, high, old, new)
    columns = (column.tolist() for column in (high, low, rows, old, new))
    return sorted(Jump(*jump) for jump in zip(*columns, strict=True))


def bisect(
    values: Callable[[NDArray, NDArray], NDArray],
    low: NDArray,
    high: NDArray,
    old: NDArray,
    new: NDArray,
) -> tuple[NDArray, NDArray, NDArray]:
    """Close in on one change of each item until the ends are neighbouring floats.

    Parameters
    ----------
    values : callable
        ``values(ways, items)``: what some items give, each at its own point.
    low, high : ndarray
        The ends for each item.
    old, new : ndarray
        What it gives at `low`, and at `high`.

    Returns
    -------
    low, high, new : ndarray
        Neighbouring floats; at the first there is `old`, at the second `new`.
    """
    low, high, new = low.copy(), high.copy(), new.copy()
    items = np.arange(low.size)
    for _ in range(_MOST_HALVINGS):
        middle = low[items] + (high[items] - low[items]) / 2
        apart = (middle > low[items]) & (middle < high[items])
        items, middle = items[apart], middle[apart]
        if not items.size:
            break
        given = values(middle, items)
        stays = given == old[items]
        low[items[stays]] = middle[stays]
        high[items[~stays]], new[items[~stays]] = middle[~stays], given[~stays]
    return low, high, new
