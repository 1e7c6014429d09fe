"""Closer: where a row may change and change back between two neighbouring points.

What a piecewise constant metric gives for a row changes only where the logit of
its target meets another one. At both points the difference of the two logits and
its slope are known exactly, which tells of two things:

- A dip. Both differences have one sign, but the slope leads towards 0 at the first
  point and away from it at the second: the least lies somewhere between. The cubic
  through what is known says where; the network is asked there, and the search goes
  on in the half that holds the least.
- Two meetings. The differences from two logits change their signs: between the two
  meetings the row may be something that it is at neither end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from lossfw.numerics.arrays import NDArray

# A search ends after so many points. Each of them leaves some thousandth of the
# error before it: four reach what rounding leaves.
_ROUNDS = 6

# Steps of the false position to a meeting, which come a good deal nearer each time.
_STEPS = 5

# Stands for a difference of 0, which has no side.
_TINY = np.finfo(np.float64).tiny

# How far down a cubic has to lead to be followed: to this part of the lower of its
# ends. More than 0, since the cubic is near the truth and not the truth.
_LEADS_DOWN = 0.25


class Gaps(NamedTuple):
    """How far logits are from that of the target, at one point of the way.

    Attributes
    ----------
    apart : ndarray, shape (rows, units)
        Each logit, less that of the row's target.
    slopes : ndarray, shape (rows, units)
        The derivatives of these differences with respect to the way.
    """

    apart: NDArray
    slopes: NDArray


def gaps(logits: NDArray, tangents: NDArray, classes: NDArray) -> Gaps:
    """Return the differences of logits from that of the target, and their slopes.

    Parameters
    ----------
    logits, tangents : ndarray, shape (rows, units)
        With their derivatives with respect to the way.
    classes : ndarray, shape (rows,)
        The column of each row's target.
    """
    rows = np.arange(len(logits))
    return Gaps(
        logits - logits[rows, classes][:, np.newaxis],
        tangents - tangents[rows, classes][:, np.newaxis],
    )


Ask: TypeAlias = Callable[[NDArray, NDArray], Gaps]
Places: TypeAlias = tuple[NDArray, NDArray]


class _Ends(NamedTuple):
    """Differences that come near 0 between two points: one item for each."""

    rows: NDArray
    units: NDArray
    low: NDArray
    high: NDArray
    apart: tuple[NDArray, NDArray]
    slopes: tuple[NDArray, NDArray]

    def of(self, which: NDArray) -> _Ends:
        """Return some of the items."""
        (left, right), (left_slope, right_slope) = self.apart, self.slopes
        return _Ends(
            self.rows[which],
            self.units[which],
            self.low[which],
            self.high[which],
            (left[which], right[which]),
            (left_slope[which], right_slope[which]),
        )


def look_closer(ask: Ask, low: float, high: float, before: Gaps, after: Gaps) -> Places:
    """Return rows that may change more than once between two points, and where to look.

    What is finer than the cubics see stays unseen: two dips of one pair of
    logits between the points, or corners and jumps of hidden units, as with
    relu and step, that lead to 0 and back.

    Parameters
    ----------
    ask : callable
        ``ask(ways, rows)``: the gaps of some rows, each at its own point.
    low, high : float
        Two neighbouring points.
    before, after : Gaps
        Of all rows there.

    Returns
    -------
    rows, ways : ndarray
        Strictly between the two points. A row may come more than once.
    """
    places = (find(ask, low, high, before, after) for find in (_dips, _between_meetings))
    rows, ways = (np.concatenate(column) for column in zip(*places, strict=True))
    inside = (ways > low) & (ways < high)
    return rows[inside], ways[inside]


def _dips(ask: Ask, low: float, high: float, before: Gaps, after: Gaps) -> Places:
    """Return rows, and a point for each, at which two logits have changed places."""
    found: list[Places] = []
    ends = _leading_inside(low, high, before, after)
    for _ in range(_ROUNDS):
        at, depth = _least_of_cubics(ends)
        least = np.minimum(np.abs(ends.apart[0]), np.abs(ends.apart[1]))
        followed = (depth <= _LEADS_DOWN * least) & (at > ends.low) & (at < ends.high)
        ends, at = ends.of(followed), at[followed]
        if not ends.rows.size:
            break
        asked = ask(at, ends.rows)
        items = np.arange(ends.rows.size)
        apart, slope = asked.apart[items, ends.units], asked.slopes[items, ends.units]
        passed = apart * ends.apart[0] <= 0
        found.append((ends.rows[passed], at[passed]))
        ends = _nearer(ends, at, apart, slope).of(~passed)
    if not found:
        return np.empty(0, np.intp), np.empty(0)
    rows, ways = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, ways


def _leading_inside(low: float, high: float, before: Gaps, after: Gaps) -> _Ends:
    """Return the differences of one sign at both ends whose slopes lead to 0 between."""
    rows, units = np.nonzero(
        (before.apart * after.apart > 0)
        & (before.apart * before.slopes < 0)
        & (after.apart * after.slopes > 0)
    )
    return _Ends(
        rows,
        units,
        np.full(rows.size, low),
        np.full(rows.size, high),
        (before.apart[rows, units], after.apart[rows, units]),
        (before.slopes[rows, units], after.slopes[rows, units]),
    )


def _least_of_cubics(ends: _Ends) -> tuple[NDArray, NDArray]:
    """Return where the cubics through both ends have their least, and its height above 0."""
    side, width = np.sign(ends.apart[0]), ends.high - ends.low
    start, end = (side * apart for apart in ends.apart)
    falls, climbs = (side * slope * width for slope in ends.slopes)
    # p(u) = start + falls u + square u^2 + cube u^3, with u from 0 to 1.
    square = 3 * (end - start) - 2 * falls - climbs
    cube = 2 * (start - end) + falls + climbs
    # The root of p' at which p'' > 0, in the form that cancels nothing.
    root = np.sqrt(np.maximum(square * square - 3 * falls * cube, 0.0))
    u = -falls / (square + root)
    return ends.low + u * width, start + u * (falls + u * (square + u * cube))


def _between_meetings(ask: Ask, low: float, high: float, before: Gaps, after: Gaps) -> Places:
    """Return for each row that meets more than one logit the middles between its meetings."""
    crossed = before.apart * after.apart < 0
    rows, units = np.nonzero(crossed & (crossed.sum(axis=1) > 1)[:, np.newaxis])
    if not rows.size:
        return np.empty(0, np.intp), np.empty(0)
    items = np.arange(rows.size)
    start, end = np.full(rows.size, low), np.full(rows.size, high)
    old, new = before.apart[rows, units], after.apart[rows, units]
    for _ in range(_STEPS):
        at = np.clip(end - new * (end - start) / (new - old), low, high)
        here = ask(at, rows).apart[items, units]
        # The false position of the Illinois variant: an end that stays counts half.
        turned = here * new < 0
        start, old = np.where(turned, end, start), np.where(turned, new, old / 2)
        end, new = at, np.where(here == 0, np.copysign(_TINY, new), here)
    order = np.lexsort((end, rows))
    rows, end = rows[order], end[order]
    same = rows[1:] == rows[:-1]
    return rows[1:][same], ((end[1:] + end[:-1]) / 2)[same]


def _nearer(ends: _Ends, at: NDArray, apart: NDArray, slope: NDArray) -> _Ends:
    """Return the half of each item that holds the least."""
    falls = apart * slope < 0
    (left, right), (left_slope, right_slope) = ends.apart, ends.slopes
    return _Ends(
        ends.rows,
        ends.units,
        np.where(falls, at, ends.low),
        np.where(falls, ends.high, at),
        (np.where(falls, apart, left), np.where(falls, right, apart)),
        (np.where(falls, slope, left_slope), np.where(falls, right_slope, slope)),
    )
