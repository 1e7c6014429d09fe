"""Checks of gradient and Hessian, against exact derivatives or the function's own differences.

At a kink a gradient is right if it lies between the one-sided derivatives, and
for convex losses of rows if it is a subgradient. At a kink of the value the
Hessian is not judged; where the loss jumps, nothing is.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lossfw.check.core.branches import branch_points
from lossfw.check.core.curves import FloatCurve, curves
from lossfw.check.core.leniency import Judgement, judged
from lossfw.check.core.points import Points, first
from lossfw.check.core.prescreen import suspects
from lossfw.check.core.session import Check, NotApplicable, Refuted, Search, check, ordinary
from lossfw.check.core.subject import Subject, call
from lossfw.check.laws.values import REMEDIES, refute, sort_of_error
from lossfw.components.spaces import LOGITS, REAL, SIMPLEX, UNIT, Interval
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

_DTYPES = ("float64", "float32")
_NAMES = {1: "gradient", 2: "hessian"}
# The function that an author writes for each order, and the text where none is written.
_WRITTEN = {1: "derivative", 2: "second_derivative"}
_FOLLOWS_VALUE = "It follows `value` step by step, and loses digits on the way: write a `{}`."
_WORDS = {1: "gradient", 2: "Hessian"}

# Directions from a kink of rows in which the subgradient inequality is tried.
_DIRECTIONS = 24

# How many rows with ties are looked at, for each number of columns.
_TIES = 24

# As many partial derivatives as examples are looked at for each number of columns, but
# no fewer and no more than this.
_PARTIALS = (12, 120)

# How far derivatives of the formula are followed; beyond, it is near 0 or infinite.
_REACH = {"float64": 1e201, "float32": 1e37}


def inner(subject: Subject, points: Points) -> Points:
    """Return the points at which derivatives are judged: not on the boundary.

    At infinite logits they are where the value is finite.
    """
    return points.keep(is_inner(subject, points))


def is_inner(subject: Subject, points: Points) -> NDArray:
    """Tell which elements or rows are those of `inner`."""
    y = points.y
    keep = np.isfinite(y) & (np.abs(y) < _REACH[y.dtype.name])
    if subject.prediction in (UNIT, SIMPLEX):
        keep &= (y > 0) & (y < 1)
    elif isinstance(subject.prediction, Interval):
        keep &= (y > subject.prediction.low) & (y < subject.prediction.high)
    if subject.prediction is LOGITS:
        far = np.flatnonzero(np.isinf(y).any(tuple(range(1, y.ndim))))
        if far.size:
            ends = to_float(subject.exact.values(y[far], points.t[far]))
            keep[far[np.isfinite(ends)]] = True
    return np.asarray(keep.all(tuple(range(1, keep.ndim))))


def _truths(subject: Subject, search: Search) -> list[tuple[Points, tuple[Any, ...]]]:
    """Return inner points with the exact derivatives there, of all orders; computed once."""
    order = 1 if subject.hessian is None else 2

    def computed() -> list[tuple[Points, tuple[Any, ...]]]:
        branches = (p for dtype in _DTYPES for p in branch_points(subject, search, dtype))
        every = (*search.points(subject, *_DTYPES), *branches)
        judged_at = (inner(subject, points) for points in every)
        few = (_few(subject, search, points) for points in judged_at)
        return [(s, subject.exact.derivatives(order, s.y, s.t)) for s in few if len(s)]

    return search.once("exact derivatives", computed)


def _suspects(subject: Subject, search: Search, order: int) -> list[tuple[Points, tuple[Any, ...]]]:
    """Return inner points at which a derivative may be wrong, with the exact ones."""
    every = [points for dtype in _DTYPES for points in suspects(subject, search, dtype, order)]
    judged_at = (inner(subject, points) for points in every)
    return [(s, subject.exact.derivatives(order, s.y, s.t)) for s in judged_at if len(s)]


def _few(subject: Subject, search: Search, points: Points) -> Points:
    """Return fewer rows where each has many columns, as each has as many derivatives."""
    most = int(np.clip(search.examples, *_PARTIALS))
    # The formula is the same: single precision is judged at fewer points.
    most = most if points.y.dtype == np.float64 else most // 2
    if not subject.rows or points.y.size <= most:
        return points
    count = max(1, most // points.y.shape[-1])
    return points.take(np.linspace(0, len(points) - 1, count).round().astype(int))


def judgements(subject: Subject, search: Search, order: int) -> list[Judgement]:
    """Return derivatives at inner points beside the exact ones; computed once."""
    function = subject.gradient if order == 1 else subject.hessian
    if function is None:
        raise NotApplicable(f"there is no {_NAMES[order]}")
    if subject.truth is None:
        raise NotApplicable("no formula is known to compare with")

    def every() -> list[Judgement]:
        found = []
        for some, exact in [*_truths(subject, search), *_suspects(subject, search, order)]:
            got = np.asarray(call(function, some.y, some.t))
            if got.shape != some.y.shape or got.dtype.kind != "f":
                raise NotApplicable("results have the wrong shape or dtype")
            found.append(judged(subject, some, got, order, exact[order - 1]))
        return found

    return search.once(("derivatives", order), every)


def _check(subject: Subject, search: Search, order: int, sort: str, explain: str) -> None:
    name = _NAMES[order]
    for judgement in judgements(subject, search, order):
        found = sort_of_error(judgement)
        if sort == "value":
            # At a kink a NaN is no number between the one-sided derivatives.
            which = (found == "value") | ((found == "overflow") & _at_kink(subject, judgement))
        else:
            which = (found == sort) & ~((found == "overflow") & _at_kink(subject, judgement))
        if which.any():
            remedy = REMEDIES[sort] or _remedy_at_kink(subject, judgement, which)
            if sort == "precision" and _WRITTEN[order] in subject.unwritten:
                remedy = _FOLLOWS_VALUE.format(_WRITTEN[order])
            raise refute(judgement, which, f"the {name}", explain, f"{name}(y, t)", remedy)


def _remedy_at_kink(subject: Subject, judgement: Judgement, which: NDArray) -> str:
    """Return the remedy for a wrong derivative at a kink or a tie of the body."""
    rows = np.flatnonzero(which.reshape(len(judgement.points), -1).any(-1))[:1]
    some = judgement.points.take(rows)
    ties = np.isclose(some.y, 0) | np.isin(some.y, subject.kinks())
    if "derivative" not in subject.unwritten or not (
        ties.any() or subject.exact.kinks(some.y, some.t).any()
    ):
        return ""
    return "At a tie of where, maximum or abs it depends on the branch: write a `derivative`."


def _at_kink(subject: Subject, judgement: Judgement) -> NDArray:
    bad = judgement.bad & ~np.isfinite(judgement.got)
    rows = np.flatnonzero(bad.reshape(len(bad), -1).any(-1))
    found = np.zeros(judgement.got.shape, bool)
    if rows.size:
        some = judgement.points.take(rows)
        found[rows] = subject.exact.kinks(some.y, some.t)
    return found


@check("gradient")
def check_gradient(subject: Subject, search: Search) -> None:
    """The gradient is the derivative of the formula."""
    if subject.gradient is not None and subject.truth is None:
        _check_by_differences(subject, search, 1)
        return
    _check(subject, search, 1, "value", "wrong gradient")
    if subject.rows and subject.truth is not None and subject.truth.claims().convex:
        _check_subgradients(subject, search)


@check("hessian")
def check_hessian(subject: Subject, search: Search) -> None:
    """The Hessian's diagonal is the second derivative of the formula."""
    if subject.hessian is not None and subject.truth is None:
        _check_by_differences(subject, search, 2)
        return
    _check(subject, search, 2, "value", "wrong Hessian")


def _check_precision(subject: Subject, search: Search, order: int) -> None:
    """Judge the digits of a derivative, however small it is."""
    if any((sort_of_error(j) == "value").any() for j in judgements(subject, search, order)):
        raise NotApplicable(f"the {_WORDS[order]} is wrong altogether")
    _check(subject, search, order, "precision", "digits are lost")


def _check_overflow(subject: Subject, search: Search, order: int) -> None:
    """A derivative is finite where the exact one is."""
    _check(subject, search, order, "overflow", "overflow")


check_gradient_precision = Check("precision:gradient", partial(_check_precision, order=1))
check_hessian_precision = Check("precision:hessian", partial(_check_precision, order=2))
check_gradient_overflow = Check("overflow:gradient", partial(_check_overflow, order=1))
check_hessian_overflow = Check("overflow:hessian", partial(_check_overflow, order=2))


def _check_subgradients(subject: Subject, search: Search) -> None:
    """At kinks of a convex loss of rows: from y the loss rises at least as the gradient says."""
    rng = search.rng("subgradients")
    if subject.prediction in (UNIT, SIMPLEX):
        return
    for points in search.points(subject, "float64"):
        some = inner(subject, points)
        # Kinks of rows lie where columns differ by whole numbers.
        whole = (some.y == np.round(some.y)) & (np.abs(some.y) < 50)
        some = some.take(np.flatnonzero(whole.all(-1))[:_TIES])
        if not len(some):
            continue
        some = some.take(np.flatnonzero(subject.exact.kinks(some.y, some.t).any(-1)))
        if not len(some):
            continue
        slope = np.asarray(call(subject.gradient, some.y, some.t), np.float64)
        for direction in rng.integers(-1, 2, (_DIRECTIONS, some.y.shape[-1])).astype(float):
            rise = _directional(subject, some, direction)
            promised = slope @ direction
            bad = promised > rise + 1e-9 * (1 + np.abs(rise))
            if bad.any():
                one = first(bad)
                text = (
                    f"at a tie the gradient {slope[one].tolist()} is no subgradient: along "
                    f"{direction.tolist()} it promises a slope of {promised[one]:.6g}; the loss "
                    f"rises by {rise[one]:.6g}."
                )
                raise Refuted.at(some, one, text, "gradient(y, t)")


def _directional(subject: Subject, points: Points, direction: NDArray) -> NDArray:
    """Return one-sided slopes of a loss of rows along one direction, from exact numbers."""
    # Ties and hinges of these points lie at multiples far above this step.
    step = 2.0**-40
    moved = points.y + step * direction
    here = subject.exact.values(points.y, points.t)
    there = subject.exact.values(moved, points.t)
    return np.asarray(to_float(there - here, np.float64)) / step


def _check_by_differences(subject: Subject, search: Search, order: int) -> None:
    """Judge derivatives by differences of the function's own values, with stated error bars."""
    if subject.rows:
        _rows_by_differences(subject, search, order)
        return
    function = subject.gradient if order == 1 else subject.hessian
    for curve in curves(subject, search):
        grid = curve.grid()
        grid = grid[np.abs(grid) < 1e4]
        target = np.full(grid.shape, curve.target)
        got = np.asarray(call(function, grid, target), np.float64)
        wanted, bars = curve.slope(grid) if order == 1 else curve.curvature(grid)
        left, right = _sides(curve, grid, order)
        low, high = np.fmin(left, right), np.fmax(left, right)
        width = 4 * bars + (1e-4 if order == 1 else 1e-2) * (np.abs(wanted) + 1e-3)
        if order == 2:
            # Where it changes by its own size within a step, no difference says more.
            width += np.fmax(np.abs(left - wanted), np.abs(right - wanted))
        # A kink within a step shows as sides that differ.
        inside = (got >= low - width) & (got <= high + width)
        usable = np.isfinite(wanted) & (bars < 0.1 * (np.abs(wanted) + 1))
        bad = usable & ~(np.abs(got - wanted) <= width) & ~inside
        if bad.any():
            one = int(np.flatnonzero(bad)[np.argmin(np.abs(grid[bad]))])
            text = (
                f"the {_NAMES[order]} is {got[one]:.9g}, and differences of the value give "
                f"{wanted[one]:.9g}."
            )
            raise Refuted.at(Points(grid, target), one, text, f"{_NAMES[order]}(y, t)")


def _sides(curve: Any, grid: NDArray, order: int) -> tuple[NDArray, NDArray]:
    """Return derivatives a few steps to the left and to the right."""
    shift = (1e-5 if order == 1 else 1e-3) * np.maximum(np.abs(grid), curve.scale)
    floating = FloatCurve(
        curve.subject, curve.search, curve.target, curve.low, curve.high, curve.kinks
    )
    sides = []
    for sign in (-1, 1):
        there = np.clip(grid + sign * shift, curve.low, curve.high)
        sides.append((floating.slope(there) if order == 1 else floating.curvature(there))[0])
    return sides[0], sides[1]


def _rows_by_differences(subject: Subject, search: Search, order: int) -> None:
    function = subject.gradient if order == 1 else subject.hessian
    points = ordinary(subject, search, f"differences {order}", 40)
    got = np.asarray(call(function, points.y, points.t), np.float64)
    h = 2.0**-17 if order == 1 else 2.0**-12
    scale = np.abs(points.y) if subject.prediction is not REAL else np.ones_like(points.y)
    step = h * np.where(scale > 0, scale, 1)
    here = np.asarray(call(subject.value, points.y, points.t), np.float64)
    for column in range(points.y.shape[-1]):
        moved = []
        for sign in (-1, 1):
            y = points.y.copy()
            y[:, column] += sign * step[:, column]
            moved.append(np.asarray(call(subject.value, y, points.t), np.float64))
        width = step[:, column]
        bend = moved[1] - 2 * here + moved[0]
        wanted = (moved[1] - moved[0]) / (2 * width) if order == 1 else bend / width**2
        noise = 1e-14 * (np.abs(moved[0]) + np.abs(moved[1])) / width**order
        slack = noise + (1e-4 if order == 1 else 1e-2) * (np.abs(wanted) + 1e-3)
        one_sided = np.abs(bend) / width if order == 1 else 0
        bad = ~(np.abs(got[:, column] - wanted) <= slack + one_sided) & np.isfinite(wanted)
        if bad.any():
            one = first(bad)
            text = (
                f"the {_NAMES[order]} in column {column} is {got[one, column]:.9g}, and "
                f"differences of the value give {wanted[one]:.9g}."
            )
            raise Refuted.at(points, one, text, f"{_NAMES[order]}(y, t)")
