"""Find the jumps of a piecewise constant metric, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossfw.numerics.arrays import NDArray

# Bisection ends at neighbouring floats after some 60 steps, and after 2,100 if it converges
# to 0 from the largest floats.
_MOST_HALVINGS = 2200


class Jump(NamedTuple):
    """A change of one row."""

    # The first float after the change.
    at: float
    # The float before it, the last one before the change.
    last: float
    # The number of the row.
    row: int
    # The metric of the row on both sides.
    before: float
    after: float


@dataclass(frozen=True)
class Staircase:
    """A piecewise constant metric along a direction."""

    # One for each row that changes, in the order of the way.
    jumps: tuple[Jump, ...]
    # The ends of the piece around 0 on which the metric is constant; without a jump on a
    # side, the end of the way.
    flat: tuple[float, float]
    # The ends of the way.
    bounds: tuple[float, float]

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
        """Return the share of the way between two floats."""
        return (high - low) / (self.bounds[1] - self.bounds[0])

    @property
    def pieces(self) -> tuple[tuple[float, float], ...]:
        """The pieces of the way on which the metric is constant, by first and last float."""
        last = {jump.at: jump.last for jump in self.jumps}
        return tuple(zip((self.bounds[0], *last), (*last.values(), self.bounds[1]), strict=True))

    @property
    def longest(self) -> tuple[float, float]:
        """The longest of these pieces."""
        return max(self.pieces, key=lambda piece: piece[1] - piece[0])

    @property
    def jumping(self) -> float:
        """The share of the way between the two floats of all jumps."""
        return sum(self.share(last, at) for at, last in {j.at: j.last for j in self.jumps}.items())

    @property
    def places(self) -> int:
        """Number of floats at which it jumps; everywhere else its derivative is 0."""
        return len({jump.at for jump in self.jumps})


class GridPoint(NamedTuple):
    """A metric at a point of the grid."""

    # The metric of every row, (rows,).
    values: NDArray
    # Rows to evaluate again, and the points for that, strictly between this point and the
    # one before it. A row may be repeated.
    rows: NDArray
    offsets: NDArray


def find_jumps(
    values: Callable[[NDArray, NDArray], NDArray], grid: NDArray, table: Iterator[GridPoint]
) -> list[Jump]:
    """Return every jump between the evaluated points, in the order of the way.

    A row that changes and changes back between two neighbouring points is not found. If layers
    follow the one that moves, their rounding may let a row flicker over a few floats around a
    jump; one of these is returned. ``values(offsets, rows)`` is the metric of rows, each at its
    own point.
    """
    before = next(table).values
    changes: list[tuple[NDArray, ...]] = []
    for left, right, point in zip(grid[:-1], grid[1:], table, strict=True):
        changes.append(_changes_between(values, (left, right), before, point))
        before = point.values
    rows, low, high, old, new = (np.concatenate(column) for column in zip(*changes, strict=True))
    low, high, new = bisect(lambda offsets, some: values(offsets, rows[some]), low, high, old, new)
    columns = (column.tolist() for column in (high, low, rows, old, new))
    return sorted(Jump(*jump) for jump in zip(*columns, strict=True))


def _changes_between(
    values: Callable[[NDArray, NDArray], NDArray],
    ends: tuple[float, float],
    before: NDArray,
    point: GridPoint,
) -> tuple[NDArray, ...]:
    """Return rows, the points between which each changes, and its values there."""
    after = point.values
    rows = np.union1d(np.flatnonzero(before != after), point.rows)
    left, right = (np.full(rows.size, end) for end in ends)
    inside = values(point.offsets, point.rows) if point.rows.size else point.offsets
    every_row = np.concatenate([rows, point.rows, rows])
    every_offset = np.concatenate([left, point.offsets, right])
    given = np.concatenate([before[rows], inside, after[rows]])
    order = np.lexsort((every_offset, every_row))
    of, at, given = every_row[order], every_offset[order], given[order]
    here = np.flatnonzero((of[1:] == of[:-1]) & (given[1:] != given[:-1]))
    return of[here], at[here], at[here + 1], given[here], given[here + 1]


def bisect(
    values: Callable[[NDArray, NDArray], NDArray],
    low: NDArray,
    high: NDArray,
    old: NDArray,
    new: NDArray,
) -> tuple[NDArray, NDArray, NDArray]:
    """Bisect one change of each item to neighbouring floats; return these and the new values.

    ``values(offsets, items)`` are the values of items, each at its own point: `old` at `low`, and
    `new` at `high`.
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
