"""Find rows that may change and change back between two neighbouring points.

The metric of a row changes only where the logit of its target crosses another logit. The
difference of the two logits and its slope are known at both points, which shows two cases:

- A dip. Both differences have the same sign, and their slopes lead to a minimum of the
  absolute difference between the points. The cubic through values and slopes estimates its
  place, the network is evaluated there, and the search continues in the half with the
  minimum.
- Two crossings. The differences from two logits change their signs: between the crossings
  the row may have a third value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from lossfw.numerics.arrays import NDArray

# The most points of a search. Each reduces the error by a factor of about a thousand, so four
# reach the rounding error.
_ROUNDS = 6

# Steps of the false position method to a crossing.
_STEPS = 5

# Replaces a difference of 0, which has no sign.
_TINY = np.finfo(np.float64).tiny

# A cubic is followed if its minimum is below this share of its lower end. The share is more
# than 0, since the cubic is an approximation.
_LEADS_DOWN = 0.25


class LogitGaps(NamedTuple):
    """Differences of logits from that of the target, at one point of the way."""

    # Each logit minus that of the row's target, (rows, units).
    differences: NDArray
    # The derivatives of these differences with respect to the way, (rows, units).
    slopes: NDArray


def gaps(logits: NDArray, tangents: NDArray, classes: NDArray) -> LogitGaps:
    """Return logits (rows, units) minus that of the target class, and their slopes."""
    rows = np.arange(len(logits))
    return LogitGaps(
        logits - logits[rows, classes][:, np.newaxis],
        tangents - tangents[rows, classes][:, np.newaxis],
    )


GapsAt: TypeAlias = Callable[[NDArray, NDArray], LogitGaps]
Places: TypeAlias = tuple[NDArray, NDArray]


class _Brackets(NamedTuple):
    """Pairs of logits that may cross between two points: one item for each."""

    rows: NDArray
    units: NDArray
    # The points, and differences and slopes there, (2, items).
    ends: NDArray
    differences: NDArray
    slopes: NDArray

    def of(self, which: NDArray) -> _Brackets:
        """Return some of the items."""
        pairs = (pair[:, which] for pair in (self.ends, self.differences, self.slopes))
        return _Brackets(self.rows[which], self.units[which], *pairs)


def find_hidden_changes(
    gaps_at: GapsAt, low: float, high: float, before: LogitGaps, after: LogitGaps
) -> Places:
    """Return rows that may change more than once between two points, and points to evaluate.

    Cubics do not show two dips of one pair of logits between the points, nor corners and jumps of
    hidden units, as with relu and step, that lead to 0 and back. ``gaps_at(offsets, rows)`` are
    the gaps of rows, each at its own point. A row may be repeated.
    """
    places = (find(gaps_at, low, high, before, after) for find in (_find_dips, _between_crossings))
    rows, offsets = (np.concatenate(column) for column in zip(*places, strict=True))
    inside = (offsets > low) & (offsets < high)
    return rows[inside], offsets[inside]


def _find_dips(
    gaps_at: GapsAt, low: float, high: float, before: LogitGaps, after: LogitGaps
) -> Places:
    """Return rows, and a point for each at which two logits have crossed."""
    places: list[Places] = []
    pairs = _with_minimum_inside(low, high, before, after)
    for _ in range(_ROUNDS):
        at, depth = _minima_of_cubics(pairs)
        least = np.abs(pairs.differences).min(axis=0)
        inside = (at > pairs.ends[0]) & (at < pairs.ends[1])
        followed = (depth <= _LEADS_DOWN * least) & inside
        pairs, at = pairs.of(followed), at[followed]
        if not pairs.rows.size:
            break
        middle = gaps_at(at, pairs.rows)
        here = np.arange(pairs.rows.size), pairs.units
        difference, slope = middle.differences[here], middle.slopes[here]
        passed = difference * pairs.differences[0] <= 0
        places.append((pairs.rows[passed], at[passed]))
        pairs = _shrink(pairs, at, difference, slope).of(~passed)
    if not places:
        return np.empty(0, np.intp), np.empty(0)
    rows, offsets = (np.concatenate(column) for column in zip(*places, strict=True))
    return rows, offsets


def _with_minimum_inside(low: float, high: float, before: LogitGaps, after: LogitGaps) -> _Brackets:
    """Return the pairs with the same sign at both ends whose slopes lead to a minimum."""
    rows, units = np.nonzero(
        (before.differences * after.differences > 0)
        & (before.differences * before.slopes < 0)
        & (after.differences * after.slopes > 0)
    )
    return _Brackets(
        rows,
        units,
        np.repeat([[low], [high]], rows.size, axis=1),
        np.stack([gaps.differences[rows, units] for gaps in (before, after)]),
        np.stack([gaps.slopes[rows, units] for gaps in (before, after)]),
    )


def _minima_of_cubics(pairs: _Brackets) -> tuple[NDArray, NDArray]:
    """Return the places of the minima of the cubics through both ends, and the minima."""
    side, (low, high) = np.sign(pairs.differences[0]), pairs.ends
    width = high - low
    start, end = side * pairs.differences
    falls, climbs = side * pairs.slopes * width
    # p(u) = start + falls u + square u^2 + cube u^3, with u from 0 to 1.
    square = 3 * (end - start) - 2 * falls - climbs
    cube = 2 * (start - end) + falls + climbs
    # The root of p' with p'' > 0, in the form without cancellation.
    root = np.sqrt(np.maximum(square * square - 3 * falls * cube, 0.0))
    u = -falls / (square + root)
    return low + u * width, start + u * (falls + u * (square + u * cube))


def _between_crossings(
    gaps_at: GapsAt, low: float, high: float, before: LogitGaps, after: LogitGaps
) -> Places:
    """Return the midpoints between the crossings of rows with more than one."""
    crossed = before.differences * after.differences < 0
    rows, units = np.nonzero(crossed & (crossed.sum(axis=1) > 1)[:, np.newaxis])
    if not rows.size:
        return np.empty(0, np.intp), np.empty(0)
    items = np.arange(rows.size)
    start, end = np.full(rows.size, low), np.full(rows.size, high)
    old, new = before.differences[rows, units], after.differences[rows, units]
    for _ in range(_STEPS):
        at = np.clip(end - new * (end - start) / (new - old), low, high)
        here = gaps_at(at, rows).differences[items, units]
        # False position in the Illinois variant: the value of an end that stays is halved.
        turned = here * new < 0
        start, old = np.where(turned, end, start), np.where(turned, new, old / 2)
        end, new = at, np.where(here == 0, np.copysign(_TINY, new), here)
    order = np.lexsort((end, rows))
    rows, end = rows[order], end[order]
    same = rows[1:] == rows[:-1]
    return rows[1:][same], ((end[1:] + end[:-1]) / 2)[same]


def _shrink(pairs: _Brackets, at: NDArray, difference: NDArray, slope: NDArray) -> _Brackets:
    """Return the half of each item that holds the minimum."""
    falls = difference * slope < 0
    middles = ((at, pairs.ends), (difference, pairs.differences), (slope, pairs.slopes))
    halves = (np.where([falls, ~falls], middle, both) for middle, both in middles)
    return _Brackets(pairs.rows, pairs.units, *halves)
