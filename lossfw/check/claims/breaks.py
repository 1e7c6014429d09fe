"""Attacks on smoothness: where value and derivatives jump, none missing, none invented."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from lossfw.check.curves import Curve, ExactCurve, curves
from lossfw.check.points import Points, inside, rows
from lossfw.check.search import Check, NotApplicable, Refuted, Search
from lossfw.check.subject import Subject
from lossfw.check.truth import exact_derivatives
from lossfw.numbers.ulp import to_float
from lossfw.spaces import SIMPLEX, UNIT

NDArray = np.ndarray[Any, np.dtype[Any]]

# An interval is cut into so many parts, and the part with the largest change is
# looked at again, until it is as narrow as this, relative to the curve's scale.
_PARTS = 8
_NARROW = {True: 1e-10, False: 2e-4}

# A change that is left in a narrow interval is a jump if it is larger than this,
# relative to the size of the derivative around it.
_JUMP = {True: 1e-5, False: 0.05}

# Breaks are looked for within this distance, or some way beyond the farthest
# known kink; farther out exact numbers need thousands of digits to see anything.
_REACH, _BEYOND = 60.0, 4.0

# Derivatives within so many times the curve's scale say what is large, of which
# a share counts; a jump of less than a constant near zero is none.
_USUAL, _SHARE, _LEAST = 30.0, 1e-2, 1e-9

# How far to both sides of a claimed place a jump is looked for: the true place
# may lie between two floats.
_BESIDE = 2.0**-40

# A found break is a claimed one if they lie this close to each other.
_SAME = 1e-3


def _function(curve: Curve, order: int, y: NDArray) -> tuple[NDArray, NDArray]:
    if order == 0:
        values = curve.value(y)
        return values, curve.value_bars(y, values)
    return curve.slope(y) if order == 1 else curve.curvature(y)


def jumps(curve: Curve, order: int, search: Search) -> list[float]:
    """Return where a derivative of the curve jumps; looked for once, for all claims about it."""
    key = ("jumps", curve.target, order)
    if key not in search.store:
        search.store[key] = _find_jumps(curve, order, search)
    found: list[float] = search.store[key]
    return found


def _find_jumps(curve: Curve, order: int, search: Search) -> list[float]:
    """Search the whole grid of a curve for jumps of a derivative."""
    exact = isinstance(curve, ExactCurve) or order == 0
    grid = curve.grid(search)
    reach = max([_REACH, *(_BEYOND * abs(kink) for kink in curve.kinks)])
    grid = grid[np.abs(grid) < reach]
    values, bars = _function(curve, order, grid)
    left, right = grid[:-1], grid[1:]
    # A change counts beside the largest around, also where the curve is near 0.
    usual = np.abs(values[np.isfinite(values) & (np.abs(grid) < _USUAL * curve.scale)])
    floor = _SHARE * float(usual.max()) if usual.size else 0.0
    size = np.maximum(np.maximum(np.abs(values[1:]), np.abs(values[:-1])), floor)
    change = np.abs(np.diff(values)) - bars[1:] - bars[:-1]
    keep = np.isfinite(change) & (change > _JUMP[exact] * np.maximum(size, _LEAST))
    left, right, size = left[keep], right[keep], size[keep]
    change = change[keep]
    # Close to a bound of the predictions everything happens on a smaller scale.
    room = np.minimum(np.minimum(left - curve.low, curve.high - right), curve.scale)
    narrow = _NARROW[exact] * room
    # Close to 1 floats lie too far apart for it: a jump cannot be told from a steep place.
    fine = narrow > 4 * np.spacing(np.maximum(np.abs(left), np.abs(right)))
    left, right, size, change, narrow = (x[fine] for x in (left, right, size, change, narrow))
    while left.size and (right - left > narrow).any():
        # Intervals that are narrow already stay as they are.
        parts = np.linspace(left, right, _PARTS + 1, axis=-1)
        values, bars = _function(curve, order, parts.ravel())
        values, bars = values.reshape(parts.shape), bars.reshape(parts.shape)
        steps = np.abs(np.diff(values, axis=-1)) - bars[:, 1:] - bars[:, :-1]
        steps = np.where(np.isfinite(steps), steps, -np.inf)
        at = np.argmax(steps, axis=-1)
        rows_ = np.arange(left.size)
        wide = right - left > narrow
        change = np.where(wide, steps[rows_, at], change)
        left = np.where(wide, parts[rows_, at], left)
        right = np.where(wide, parts[rows_, at + 1], right)
        keep = change > _JUMP[exact] * np.maximum(size, 1e-6)
        left, right, size, change = left[keep], right[keep], size[keep], change[keep]
        narrow = narrow[keep]
    return _distinct((left + right) / 2, curve.scale)


def _distinct(found: NDArray, scale: float) -> list[float]:
    kept: list[float] = []
    for x in sorted(found.tolist(), key=abs):
        if all(abs(x - y) > _SAME * max(scale, abs(x)) for y in kept):
            kept.append(x)
    return kept


def _jumps_at(curve: Curve, order: int, x: float) -> bool:
    """Tell whether a derivative jumps at one place that is claimed."""
    exact = isinstance(curve, ExactCurve)
    gap = _BESIDE * max(abs(x), curve.scale) if exact else 3 * _NARROW[False] * curve.scale
    values, _ = _function(curve, order, np.array([x - gap, x + gap]))
    around, _ = _function(curve, order, np.array([x - curve.scale / 2, x + curve.scale / 2]))
    sizes = np.abs(np.concatenate([values, around]))
    size = float(sizes[np.isfinite(sizes)].max(initial=_LEAST))
    return bool(abs(values[1] - values[0]) > _JUMP[exact] * size)


def _near(x: float, places: Iterable[float], scale: float) -> bool:
    return any(abs(x - place) <= _SAME * max(scale, abs(place)) for place in places)


def _check_places(subject: Subject, search: Search, order: int, claimed: tuple[float, ...]) -> int:
    """Refute a break that is missing among the claimed ones, or that is invented."""
    if subject.rows:
        raise NotApplicable("places of breaks are numbers, and predictions are rows")
    confirmed: set[float] = set()
    tried, every = 0, curves(subject)
    for curve in every:
        for found in jumps(curve, order, search):
            residual = found - curve.target if subject.kind == "pointwise" else found
            if not _near(found, claimed, curve.scale) and not _near(residual, claimed, curve.scale):
                raise Refuted(
                    f"the {_NAMES[order]} jumps at {found:.9g}, which is not among the claimed "
                    f"breaks {claimed!r}.",
                    _CODES[order],
                    y=np.array([found - 1e-3 * curve.scale, found + 1e-3 * curve.scale]),
                    t=np.full(2, curve.target),
                )
        for place in claimed:
            here = [place, place + curve.target] if subject.kind == "pointwise" else [place]
            inner = [x for x in here if curve.low < x < curve.high]
            if any(_jumps_at(curve, order, x) for x in inner):
                confirmed.add(place)
        tried += search.examples
    for place in claimed:
        if place not in confirmed:
            raise Refuted(
                f"the {_NAMES[order]} is claimed to jump at {place!r}, and does not.",
                _CODES[order],
                y=np.array([place - 1e-3, place, place + 1e-3]),
                t=np.full(3, every[0].target),
            )
    return tried


_NAMES = {0: "value", 1: "derivative", 2: "second derivative"}
_CODES = {0: "value(y, t)", 1: "gradient(y, t)", 2: "hessian(y, t)"}


def check_breaks(subject: Subject, search: Search) -> int:
    """Claim: exactly these are the places where the first derivative jumps."""
    return _check_places(subject, search, 1, tuple(subject.claims["breaks"]))


def check_second_breaks(subject: Subject, search: Search) -> int:
    """Claim: exactly these are the places where the second derivative jumps."""
    places = tuple(subject.claims["second_breaks"])
    first = tuple(subject.claims.get("breaks") or ())
    # Where the first derivative jumps there is no second one to jump or not.
    return _check_places(subject, search, 2, tuple(p for p in places if p not in first) or places)


def check_smooth(subject: Subject, search: Search) -> int:
    """Claim: the loss is differentiable at every inner point."""
    return _check_no_jump(subject, search, (0, 1))


def check_twice_smooth(subject: Subject, search: Search) -> int:
    """Claim: the loss is twice differentiable at every inner point."""
    return _check_no_jump(subject, search, (0, 1, 2))


def _check_no_jump(subject: Subject, search: Search, orders: tuple[int, ...]) -> int:
    if subject.rows:
        return _check_rows(subject, search, max(orders))
    tried = 0
    for curve in curves(subject):
        for order in orders:
            places = [x for x in curve.kinks if curve.low < x < curve.high and order > 0]
            found = [x for x in places if _jumps_at(curve, order, x)] or jumps(curve, order, search)
            tried += search.examples
            if found:
                raise Refuted(
                    f"the {_NAMES[order]} jumps at {found[0]:.9g}.",
                    _CODES[order],
                    y=np.array([found[0] - 1e-3 * curve.scale, found[0] + 1e-3 * curve.scale]),
                    t=np.full(2, curve.target),
                )
    return tried


# How many rows are looked at for each number of columns, how far to each side of
# them, and what change of a partial derivative over that distance is a jump,
# relative to its size or to a hundredth.
_ROWS, _SIDE, _ROW_JUMP, _ROW_SIZE = 24, 2.0**-36, 1e-6, 1e-2


def _check_rows(subject: Subject, search: Search, order: int) -> int:
    """Look for partial derivatives that jump at rows with ties and other inner rows."""
    if subject.truth is None:
        raise NotApplicable("without a formula nothing is known about rows")
    tried = 0
    for columns in subject.several[:2]:
        drawn = rows(subject, columns, "float64", search.rng("rows"), search.examples)
        some = _inner_rows(subject, inside(subject, drawn))
        for degree in range(1, order + 1):
            tried += len(some)
            for column in range(columns):
                jump = _row_jumps(subject, some, column, degree)
                if jump.any():
                    one = int(np.flatnonzero(jump)[0])
                    raise Refuted(
                        f"the partial {_NAMES[degree]} in column {column} jumps at y.",
                        _CODES[degree],
                        y=some.y[one : one + 1],
                        t=some.t[one : one + 1],
                    )
    return tried


def _inner_rows(subject: Subject, points: Points) -> Points:
    inner = np.isfinite(points.y) & (np.abs(points.y) < 100)
    if subject.prediction in (UNIT, SIMPLEX):
        inner &= (points.y > 1e-3) & (points.y < 1 - 1e-3)
    return points.take(np.flatnonzero(inner.all(-1))[:_ROWS])


def _row_jumps(subject: Subject, points: Points, column: int, degree: int) -> NDArray:
    """Tell where a partial derivative differs on the two sides of a row."""
    sides = []
    for sign in (-1, 1):
        y = points.y.copy()
        y[:, column] += sign * _SIDE * np.maximum(np.abs(y[:, column]), _SIDE)
        slopes = to_float(exact_derivatives(subject, y, points.t, degree))
        sides.append(slopes[:, column])
    size = np.maximum(np.abs(sides[0]), np.abs(sides[1]))
    return np.asarray(np.abs(sides[1] - sides[0]) > _ROW_JUMP * np.maximum(size, _ROW_SIZE))


CHECKS: dict[str, Check] = {
    "smooth": check_smooth,
    "twice_smooth": check_twice_smooth,
    "breaks": check_breaks,
    "second_breaks": check_second_breaks,
}
