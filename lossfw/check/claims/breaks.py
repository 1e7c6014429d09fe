"""Tests of smoothness: the jumps of value and derivatives must be exactly the claimed ones.

Intervals of a curve's grid with a change are split, and parts that may hold a jump are split again,
until they are narrow. Neighbouring parts of a smooth function change alike, the more so the
narrower they are, while a jump makes one of them differ. So most intervals are split only once or
twice. A remaining change is a jump if it does not shrink any further.

This holds for values and for exact derivatives, which have no noise; for others see
`lossfw.check.claims.black_box`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np

from lossfw.check.claims.black_box import black_box_has_jump, black_box_jumps
from lossfw.check.core.curves import ColumnCurve, Curve, ExactCurve, column_curves, curves
from lossfw.check.core.draw import draw_pairs
from lossfw.check.core.members import is_exponentiated
from lossfw.check.core.moves import iter_columns
from lossfw.check.core.points import Points, first_bad
from lossfw.check.core.region import MOST, Region, regions_of_points
from lossfw.check.core.search import Counterexample, NotApplicable, Search, check
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import SIMPLEX, UNIT
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# An interval is cut into so many parts, at first into fewer, for most end there; until it is as
# narrow as this, relative to the curve's scale.
_FIRST_PARTS, _PARTS = 5, 8
_NARROW = 1e-10

# A change that is left in a narrow interval is a jump if it is larger than this,
# relative to the size of the derivative around it.
_JUMP = 1e-5

# A jump next to the end of an interval sets the only neighbour apart by half of it. In the
# fourth differences, over six, a sixth of it is left there at least; of a smooth function
# they shrink with the fifth power of the width, and end most searches after one cut.
_APART, _FAR_APART = 0.25, 0.125

# Breaks are looked for within this distance, or some way beyond the farthest
# known kink; farther out exact numbers need thousands of digits to see anything.
_REACH, _BEYOND = 60.0, 4.0

# Derivatives within so many times the curve's scale set the measure: a fraction of the
# largest counts; a jump of less than a constant near zero is none.
_USUAL, _SHARE, _LEAST = 30.0, 1e-2, 1e-9

# Within an interval that is cut, sizes below this are as good as this.
_LEAST_WITHIN = 1e-6

# How far to both sides of a claimed place a jump is looked for: the true place
# may lie between two floats.
_BESIDE = 2.0**-40

# A change is looked at again over a distance so many times shorter, or after so many
# cuts more. The first share of a jump is left, or more; the second of another change, or less.
_CLOSER, _CUTS = 2.0**-6, 3
_STAYS, _SHRINKS = 0.9, 0.5

# Exact derivatives are rounded once.
_ROUNDING = 1e-14

# Two breaks are one if they lie this close to each other.
_SAME = 1e-3

# The results by order, and the functions of a subject that show them.
_NAMES = ("value", "derivative", "second derivative")
_CODES = ("value(y, t)", "gradient(y, t)", "hessian(y, t)")


def find_jumps(curve: Curve, order: int) -> list[float]:
    """Return the points where a derivative of the curve jumps, cached for all claims about it."""
    return curve.search.cached(("jumps", curve.target, order), lambda: _search_grid(curve, order))


def has_jump(curve: Curve, order: int, x: float, *, if_unsure: bool = False) -> bool:
    """Tell whether a derivative jumps at a point; in doubt return the given answer."""
    if not isinstance(curve, ExactCurve):
        return black_box_has_jump(curve, order, x, if_unsure=if_unsure)
    wide, narrow = (_change_across(curve, order, x, share) for share in (1.0, _CLOSER))
    if wide == 0:
        return False
    # A jump does not shrink with the distance.
    return bool(narrow > (_SHRINKS if if_unsure else _STAYS) * wide)


def _change_across(curve: Curve, order: int, x: float, fraction: float) -> float:
    """Return the change of a derivative across a place, 0 where rounding may do as much."""
    gap = fraction * _BESIDE * max(abs(x), curve.scale)
    values, _ = curve.evaluate_with_bars(np.array([x - gap, x + gap]), order)
    change = abs(float(values[1] - values[0]))
    size = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    return change if change > _ROUNDING * max(size, _LEAST) else 0.0


class _Intervals(NamedTuple):
    """Intervals that may hold a jump."""

    left: NDArray
    right: NDArray
    size: NDArray  # how large the derivative is there or thereabouts
    change: NDArray  # its change, less the error bars
    narrow: NDArray  # the width at which the change is a jump

    def keep(self, which: NDArray) -> _Intervals:
        """Return some of the intervals."""
        return _Intervals(*(x[which] for x in self))


def _search_grid(curve: Curve, order: int) -> list[float]:
    """Search the whole grid of a curve for jumps of a derivative."""
    reach = max([_REACH, *(_BEYOND * abs(kink) for kink in curve.kinks)])
    if order and not isinstance(curve, ExactCurve):
        return _unique_points(np.asarray(black_box_jumps(curve, order, reach)), curve.scale)
    pending = _subdivide(curve, order, _changing_intervals(curve, order, reach), _FIRST_PARTS)
    while pending.left.size and (pending.right - pending.left > pending.narrow).any():
        pending = _subdivide(curve, order, pending, _PARTS)
    found = _drop_shrinking(curve, order, pending)
    return _unique_points((found.left + found.right) / 2, curve.scale)


def _changing_intervals(curve: Curve, order: int, reach: float) -> _Intervals:
    """Return the intervals of the grid over which a derivative changes."""
    grid = curve.grid()
    grid = grid[np.abs(grid) < reach]
    values, bars = curve.evaluate_with_bars(grid, order)
    # A change counts relative to the largest around, also where the curve is near 0.
    usual = np.abs(values[np.isfinite(values) & (np.abs(grid) < _USUAL * curve.scale)])
    floor = _SHARE * float(usual.max()) if usual.size else 0.0
    size = np.maximum(np.maximum(np.abs(values[1:]), np.abs(values[:-1])), floor)
    change = np.abs(np.diff(values)) - bars[1:] - bars[:-1]
    left, right = grid[:-1], grid[1:]
    # Close to a bound of the predictions everything happens on a smaller scale.
    room = np.minimum(np.minimum(left - curve.low, curve.high - right), curve.scale)
    narrow = _NARROW * room
    keep = np.isfinite(change) & (change > _JUMP * np.maximum(size, _LEAST))
    # Close to 1 floats lie too far apart for it: nothing distinguishes a jump from a steep place.
    keep &= narrow > 4 * np.spacing(np.maximum(np.abs(left), np.abs(right)))
    return _Intervals(left, right, size, change, narrow).keep(keep)


def _subdivide(curve: Curve, order: int, intervals: _Intervals, count: int) -> _Intervals:
    """Return for each interval those of so many parts that may hold a jump, if any do."""
    # Intervals that are narrow already stay as they are.
    wide = intervals.right - intervals.left > intervals.narrow
    done, intervals = intervals.keep(~wide), intervals.keep(wide)
    parts = np.linspace(intervals.left, intervals.right, count + 1, axis=-1)
    values, bars = (x.reshape(parts.shape) for x in curve.evaluate_with_bars(parts.ravel(), order))
    steps = np.diff(values, axis=-1)
    change = np.abs(steps) - bars[:, 1:] - bars[:, :-1]
    change = np.where(np.isfinite(change), change, -np.inf)
    least = _JUMP * np.maximum(intervals.size, _LEAST_WITHIN)
    keep = change.max(-1) > least
    first = last = np.argmax(change, axis=-1)
    if order:
        apart = np.abs(np.diff(steps, 2, axis=-1)) / 2
        apart = np.where(np.isfinite(apart), apart, np.inf)
        # Only half of a jump in the first part shows in the second: it may be in either.
        middle = np.argmax(apart, axis=-1) + 1
        keep &= apart.max(-1) > _APART * least
        farther = np.abs(np.diff(steps, 4, axis=-1)) / 6
        keep &= ~(farther.max(-1) <= _FAR_APART * least)
        first, last = middle - 1, middle + 1
    row = np.arange(len(parts))
    kept = _Intervals(
        parts[row, first], parts[row, last + 1], intervals.size, change.max(-1), intervals.narrow
    ).keep(keep)
    return _Intervals(*(np.concatenate(pair) for pair in zip(done, kept, strict=True)))


def _drop_shrinking(curve: Curve, order: int, intervals: _Intervals) -> _Intervals:
    """Return the narrow intervals over which the change stays as they are made narrower."""
    if not intervals.left.size:
        return intervals
    left, right = intervals.left, intervals.right
    values, _ = curve.evaluate_with_bars(np.concatenate([left, right]), order)
    initial_change = np.abs(values[left.size :] - values[: left.size])
    row = np.arange(left.size)
    for _ in range(_CUTS):
        parts = np.linspace(left, right, _PARTS + 1, axis=-1)
        values, _ = (x.reshape(parts.shape) for x in curve.evaluate_with_bars(parts.ravel(), order))
        # A jump at the end of a part shows by half in the next one.
        change = np.abs(values[:, 2:] - values[:, :-2])
        change = np.where(np.isfinite(change), change, -np.inf)
        at = np.argmax(change, axis=-1)
        left, right, final_change = parts[row, at], parts[row, at + 2], change[row, at]
    return intervals.keep(~(final_change < _STAYS * initial_change))


def _unique_points(found: NDArray, scale: float) -> list[float]:
    kept: list[float] = []
    for x in sorted(found.tolist(), key=abs):
        if all(abs(x - y) > _SAME * max(scale, abs(x)) for y in kept):
            kept.append(x)
    return kept


# How many rows are looked at for each number of columns, one for so many examples, how
# far to each side of them, and the change of a partial derivative over that distance that
# is a jump, relative to its size or to a hundredth.
_ROWS, _FOR_EACH, _SIDE, _ROW_JUMP, _ROW_SIZE = (6, 24), 8, 2.0**-36, 1e-6, 1e-2

# A jump stays at this part of the distance, and a steep derivative does not.
_NEARER = 2.0**-10


def _check_rows(subject: Subject, search: Search, order: int) -> None:
    """Look for partial derivatives that jump at rows with ties and other inner rows."""
    if subject.truth is None:
        raise NotApplicable("without a formula lossfw has no test for rows")
    for number, columns in enumerate(subject.multi_column_counts[:2]):
        some = _inner_rows(subject, search, columns)
        for column in range(columns):
            for degree, jump in enumerate(
                _partials_that_jump(subject, search, some, column)[:order], 1
            ):
                if jump.any():
                    text = f"{_partial_name(subject, degree, columns, column)} jumps at y."
                    raise Counterexample.at_point(some, first_bad(jump), text, _CODES[degree])
        # Lines cost the most, and a corner at a parameter is one in the shortest rows, too.
        if number == 0 and len(some):
            for curve in column_curves(subject, search, some.take(slice(1))):
                _check_line(curve, columns, order)


def _partial_name(subject: Subject, degree: int, columns: int, column: int) -> str:
    name = subject.labels("y", columns)[column] if subject.has_columns else column
    return f"the partial {_NAMES[degree]} in column {name}"


def _check_line(curve: ColumnCurve, columns: int, order: int) -> None:
    """Look for partial derivatives that jump anywhere on the line of a curve through a row."""
    column = int(curve.target)
    for degree in range(1, order + 1):
        key = "jumps on a line", columns, column, degree
        for place in curve.search.cached(key, partial(_search_grid, curve, degree)):
            text = f"{_partial_name(curve.subject, degree, columns, column)} jumps at {place:.9g}."
            raise Counterexample.with_points(curve.points(np.array([place])), text, _CODES[degree])


def _inner_rows(subject: Subject, search: Search, columns: int) -> Points:
    points = draw_pairs(subject, columns, "float64", search.rng("rows"), search.examples)
    inner = np.isfinite(points.y) & (np.abs(points.y) < 100)
    if subject.prediction in (UNIT, SIMPLEX):
        inner &= (points.y > 1e-3) & (points.y < 1 - 1e-3)
    # Farther out smooth derivatives are as steep as a jump, as at the logarithm of a tiny scale.
    logs = [is_exponentiated(space) for _, space in iter_columns(subject, 0, points.y)]
    inner &= (np.abs(points.y) < math.log(MOST)) | ~np.array(logs)
    keep = inner.all(-1) & (regions_of_points(subject, points) <= Region.FAR)
    most = int(np.clip(search.examples // _FOR_EACH, *_ROWS))
    return points.take(np.flatnonzero(keep)[:most])


def _partials_that_jump(
    subject: Subject, search: Search, points: Points, column: int
) -> list[NDArray]:
    """Tell where the first and the second partial derivative differ on the two sides of a row."""

    def find_jumping() -> list[NDArray]:
        search.count(2 * len(points))
        order = 2 if subject.claims.get("twice_smooth") else 1
        wide = _side_changes(subject, points, column, order, _SIDE)
        found = [change > 0 for change in wide]
        if any(jump.any() for jump in found):
            narrow = _side_changes(subject, points, column, order, _NEARER * _SIDE)
            found = [b > _SHRINKS * a for a, b in zip(wide, narrow, strict=True)]
        return found

    return search.cached(("row jumps", points.y.shape[-1], column), find_jumping)


def _side_changes(
    subject: Subject, points: Points, column: int, order: int, side: float
) -> list[NDArray]:
    """Return how partial derivatives, up to an order, differ at a distance on both sides."""
    sides = []
    for sign in (-1, 1):
        y = points.y.copy()
        y[:, column] += sign * side * np.maximum(np.abs(y[:, column]), side)
        sides.append([to_float(x) for x in subject.exact.partials(column, order, y, points.t)])
    return [_significant_change(*pair) for pair in zip(*sides, strict=True)]


def _significant_change(left: NDArray, right: NDArray) -> NDArray:
    """Return the change between both sides; 0 where it is small beside them, or not known."""
    size, change = np.maximum(np.abs(left), np.abs(right)), np.abs(right - left)
    return np.where(change > _ROW_JUMP * np.maximum(size, _ROW_SIZE), change, 0.0)


def _counterexample(curve: Curve, order: int, text: str, *y: float) -> Counterexample:
    target = np.full(len(y), curve.target)
    return Counterexample(text, _CODES[order], y=np.array(y), t=target)


def _is_near(x: float, points: Iterable[float], scale: float) -> bool:
    return any(abs(x - place) <= _SAME * max(scale, abs(place)) for place in points)


def _check_claimed_breaks(
    subject: Subject, search: Search, order: int, claimed: tuple[float, ...]
) -> None:
    """Refute a break that is missing among the claimed ones, or that is invented."""
    if subject.rows:
        raise NotApplicable("places of breaks are numbers, and predictions are rows")
    confirmed: set[float] = set()
    every = curves(subject, search)
    for curve in every:
        for found in find_jumps(curve, order):
            residual = found - curve.target if subject.kind == "pointwise" else found
            if not _is_near(found, claimed, curve.scale) and not _is_near(
                residual, claimed, curve.scale
            ):
                text = (
                    f"the {_NAMES[order]} jumps at {found:.9g}, which is not among the claimed "
                    f"breaks {claimed!r}."
                )
                aside = 1e-3 * curve.scale
                raise _counterexample(curve, order, text, found - aside, found + aside)
        for place in claimed:
            here = [place, place + curve.target] if subject.kind == "pointwise" else [place]
            inner = [x for x in here if curve.low < x < curve.high]
            if any(has_jump(curve, order, x, if_unsure=True) for x in inner):
                confirmed.add(place)
    for place in claimed:
        if place not in confirmed:
            text = f"the {_NAMES[order]} is claimed to jump at {place!r}, and does not."
            raise _counterexample(every[0], order, text, place - 1e-3, place, place + 1e-3)


@check("claim:breaks")
def check_breaks(subject: Subject, search: Search) -> None:
    """Claim: the first derivative jumps exactly at these points."""
    _check_claimed_breaks(subject, search, 1, tuple(subject.claims["breaks"]))


@check("claim:second_breaks")
def check_second_breaks(subject: Subject, search: Search) -> None:
    """Claim: the second derivative jumps exactly at these points."""
    places = tuple(subject.claims["second_breaks"])
    first = tuple(subject.claims.get("breaks") or ())
    # Where the first derivative jumps, the second one does not exist.
    _check_claimed_breaks(subject, search, 2, tuple(p for p in places if p not in first) or places)


@check("claim:smooth")
def check_smooth(subject: Subject, search: Search) -> None:
    """Claim: the loss is differentiable at every inner point."""
    _check_no_jump(subject, search, (0, 1))


@check("claim:twice_smooth")
def check_twice_smooth(subject: Subject, search: Search) -> None:
    """Claim: the loss is twice differentiable at every inner point."""
    _check_no_jump(subject, search, (0, 1, 2))


def _check_no_jump(subject: Subject, search: Search, orders: tuple[int, ...]) -> None:
    if subject.rows:
        _check_rows(subject, search, max(orders))
        return
    for curve in curves(subject, search):
        for order in orders:
            places = [x for x in curve.kinks if curve.low < x < curve.high and order > 0]
            found = [x for x in places if has_jump(curve, order, x)] or find_jumps(curve, order)
            if found:
                text, aside = f"the {_NAMES[order]} jumps at {found[0]:.9g}.", 1e-3 * curve.scale
                raise _counterexample(curve, order, text, found[0] - aside, found[0] + aside)
