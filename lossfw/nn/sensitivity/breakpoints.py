"""Jumps: where a metric that is constant in between changes, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossfw.numerics.arrays import NDArray

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


@dataclass(frozen=True)
class Staircase:
    """A metric that changes by jumps alone, along one direction.

    Attributes
    ----------
    jumps : tuple of Jump
        One for each row that changes, in the order of the way.
    flat : tuple of float
        The first and the last float, around 0, between which nothing changes;
        where nothing changes on one side, the end of the way.
    way : tuple of float
        Where the way begins and ends.
    """

    jumps: tuple[Jump, ...]
    flat: tuple[float, float]
    way: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {
            "flat": list(self.flat),
            "flat_share": self.share(*self.flat),
            "places": self.places,
            "jumping_share": self.jumping,
            "pieces": len(self.pieces),
            "longest": list(self.longest),
            "jumps": [jump._asdict() for jump in self.jumps],
        }

    def share(self, low: float, high: float) -> float:
        """Return what part of the way lies between two floats."""
        return (high - low) / (self.way[1] - self.way[0])

    @property
    def pieces(self) -> tuple[tuple[float, float], ...]:
        """The pieces of the way on which nothing changes, by their first and last floats."""
        last = {jump.at: jump.last for jump in self.jumps}
        return tuple(zip((self.way[0], *last), (*last.values(), self.way[1]), strict=True))

    @property
    def longest(self) -> tuple[float, float]:
        """The longest of these pieces."""
        return max(self.pieces, key=lambda piece: piece[1] - piece[0])

    @property
    def jumping(self) -> float:
        """What part of the way is left: the gaps between floats in which it jumps."""
        return sum(self.share(last, at) for at, last in {j.at: j.last for j in self.jumps}.items())

    @property
    def places(self) -> int:
        """At how many floats it changes: everywhere else its derivative is 0."""
        return len({jump.at for jump in self.jumps})


class Sight(NamedTuple):
    """What is known of a metric at one point of the grid.

    Attributes
    ----------
    values : ndarray, shape (rows,)
        The metric of every row.
    rows, ways : ndarray
        Rows to look at once more, and where: strictly between this point and
        the one before it. A row may come more than once.
    """

    values: NDArray
    rows: NDArray
    ways: NDArray


def find_jumps(
    values: Callable[[NDArray, NDArray], NDArray], grid: NDArray, table: Iterator[Sight]
) -> list[Jump]:
    """Return every jump between points that are looked at, in the order of the way.

    A row that jumps between two neighbours of these points, and back, is not
    seen. Where layers follow the one that moves, their rounding may let a row
    flicker over a few floats around a jump; one of these places is returned.

    Parameters
    ----------
    values : callable
        ``values(ways, rows)``: the metric of some rows, each at its own point.
    grid : ndarray, shape (points,)
        Ascending.
    table : iterator of Sight
        For one point of the grid after the other.
    """
    before = next(table).values
    found: list[tuple[NDArray, ...]] = []
    for left, right, sight in zip(grid[:-1], grid[1:], table, strict=True):
        found.append(_changes(values, (left, right), before, sight))
        before = sight.values
    rows, low, high, old, new = (np.concatenate(column) for column in zip(*found, strict=True))
    low, high, new = bisect(lambda ways, some: values(ways, rows[some]), low, high, old, new)
    columns = (column.tolist() for column in (high, low, rows, old, new))
    return sorted(Jump(*jump) for jump in zip(*columns, strict=True))


def _changes(
    values: Callable[[NDArray, NDArray], NDArray],
    ends: tuple[float, float],
    before: NDArray,
    sight: Sight,
) -> tuple[NDArray, ...]:
    """Return rows, the points between which each changes, and what it gives there."""
    after = sight.values
    rows = np.union1d(np.flatnonzero(before != after), sight.rows)
    left, right = (np.full(rows.size, end) for end in ends)
    inside = values(sight.ways, sight.rows) if sight.rows.size else sight.ways
    every_row = np.concatenate([rows, sight.rows, rows])
    every_way = np.concatenate([left, sight.ways, right])
    given = np.concatenate([before[rows], inside, after[rows]])
    order = np.lexsort((every_way, every_row))
    of, at, given = every_row[order], every_way[order], given[order]
    here = np.flatnonzero((of[1:] == of[:-1]) & (given[1:] != given[:-1]))
    return of[here], at[here], at[here + 1], given[here], given[here + 1]


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
