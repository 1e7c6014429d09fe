"""Tests of derivatives: Lipschitz constants of value and derivative, monotonicity, a dead gradient.

A claimed constant must be the least one. It is false if a steeper point is found, and not tight if
the steepest point found by hill climbing from every start is more than one per cent below it.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.claims.convexity import TIGHTNESS
from lossfw.check.core.curves import Curve, curves, require_intervals
from lossfw.check.core.draw import usual_targets
from lossfw.check.core.draw_columns import usual_rows
from lossfw.check.core.members import is_bounded, is_real_line, reflect_to_half_line, usual_members
from lossfw.check.core.points import are_promised, first_bad
from lossfw.check.core.search import Counterexample, NotApplicable, Search, check, format_number
from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import REAL, SIMPLEX
from lossfw.numerics.arrays import NDArray

# A climb looks between the best place and its neighbours, so many times over.
_CLIMBS, _STEPS = 6, 17

# So many directions from rows are tried at least: few may miss the steepest.
_FEWEST = 400

# By so much two classes lead all others where nothing but these two matters.
_LEAD = 30.0

# Rows are at least so far from a bound of their space: much farther than steps are wide.
_OFF_BOUND = 0.02

# The error of a derivative by rounding and differences, and along lines of rows by order.
_SLACK = 1e-6
_ROW_SLACK = {1: 1e-4, 2: 1e-3}

# By order: the bounded function, its derivative, and its constant.
_BOUNDED = {1: "value", 2: "derivative"}
_DERIVATIVES = {1: "derivative", 2: "curvature"}
_CONSTANTS = {1: "the Lipschitz constant", 2: "its Lipschitz constant"}


@check("claim:lipschitz")
def check_lipschitz(subject: Subject, search: Search) -> None:
    """Claim: K is the least Lipschitz constant of the value."""
    _check_constant(subject, search, float(subject.claims["lipschitz"]), 1)


@check("claim:gradient_lipschitz")
def check_gradient_lipschitz(subject: Subject, search: Search) -> None:
    """Claim: L is the least Lipschitz constant of the derivative."""
    _check_constant(subject, search, float(subject.claims["gradient_lipschitz"]), 2)


def _check_constant(subject: Subject, search: Search, constant: float, order: int) -> None:
    if subject.rows:
        _check_rows(subject, search, constant, order)
        return
    gradient = "gradient(y, t)" if subject.gradient else "value(y, t)"
    hessian = "hessian(y, t)" if subject.hessian else "value(y, t)"
    steepest = []
    for curve in curves(subject, search):
        grid = curve.grid()
        values, bars = curve.evaluate_with_bars(grid, order - 1)
        # Between neighbours: this is where a jump shows.
        steep = (np.abs(np.diff(values)) - bars[:-1] - bars[1:]) / np.diff(grid)
        at = int(np.argmax(np.where(np.isfinite(steep), steep, -np.inf)))
        if steep[at] > constant * (1 + _SLACK):
            raise Counterexample(
                f"between these predictions the {_BOUNDED[order]} changes by {steep[at]:.9g} per "
                f"unit; {constant!r} is claimed as {_CONSTANTS[order]}.",
                "value(y, t)" if order == 1 else gradient,
                y=grid[at : at + 2],
                t=np.full(2, curve.target),
            )
        steepest.append(_steepest_derivative(curve, grid, order))
    best, bar, y, t = max(steepest, key=lambda item: item[0])
    derivative, text = _DERIVATIVES[order], ""
    if best > constant * (1 + _SLACK):
        text = f"the {derivative} at y is {best:.9g} in size; {constant!r} is claimed as its bound."
    elif best + 2 * bar < constant * (1 - TIGHTNESS):
        text = f"the steepest {derivative} found is {best:.9g}; {constant!r} is not the least."
    if text:
        raise Counterexample(text, gradient if order == 1 else hessian, y=y, t=t)


def _steepest_derivative(
    curve: Curve, grid: NDArray, order: int
) -> tuple[float, float, NDArray, NDArray]:
    """Return the largest size of a derivative that can be found, its bar and its place."""
    best, best_bar, place = -np.inf, 0.0, grid[:1]
    for _ in range(_CLIMBS):
        sizes, bars = curve.derivative(grid, order)
        sure = np.where(np.isfinite(sizes), np.abs(sizes) - bars, -np.inf)
        at = int(np.argmax(sure))
        if sure[at] > best:
            best, best_bar, place = float(sure[at]), float(bars[at]), grid[at : at + 1]
        low, high = grid[max(at - 1, 0)], grid[min(at + 1, grid.size - 1)]
        # With both ends: the steepest place may lie next to one of them.
        grid = np.linspace(low, high, _STEPS)
    return best, best_bar, place, np.full(1, curve.target)


def _check_rows(subject: Subject, search: Search, constant: float, order: int) -> None:
    require_intervals(subject)
    best, y, t = _steepest_row(subject, search, order)
    text = ""
    if best > constant * (1 + _ROW_SLACK[order]):
        found = "value changes by {:.9g} per unit" if order == 1 else "curvature is {:.9g}"
        text = f"along a line through y the {found.format(best)}; {constant!r} is claimed."
    elif best < constant * 0.9:
        found = "steepest line found has derivative" if order == 1 else "largest curvature found is"
        text = f"the {found} {best:.9g}; {constant!r} is not the least constant."
    if text:
        raise Counterexample(text, y=y, t=t)


def _rows_and_directions(
    subject: Subject, search: Search, columns: int
) -> tuple[NDArray, NDArray, NDArray]:
    """Return rows, unit directions and targets."""
    rng = search.rng(f"directions {columns}")
    count = max(2 * search.examples, _FEWEST)
    direction = rng.normal(size=(count, columns))
    direction[: count // 3] = np.eye(columns)[rng.integers(0, columns, count // 3)]
    if columns > 1:
        # One class against another: where hinges and softmaxes are steepest.
        i = rng.integers(0, columns, count // 3)
        pair = np.eye(columns)[i] - np.eye(columns)[(i + 1) % columns]
        direction[count // 3 : 2 * (count // 3)] = pair
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    is_real = all(map(is_real_line, subject.prediction.space_of_each(columns)))
    if subject.prediction is SIMPLEX:
        # Half of them near vertices, where a distance from another vertex is steepest.
        spread = np.where(np.arange(count) % 2, 1.0, 0.05)
        drawn = rng.gamma(np.repeat(spread[:, None], columns, axis=1)) + 1e-12
        y = drawn / drawn.sum(-1, keepdims=True) * 0.98 + 0.02 / columns
    elif subject.has_columns and subject.kind != "group" and not is_real:
        y = usual_rows(subject.prediction, columns, rng, count)
    elif is_bounded(subject.prediction):
        y = usual_members(subject.prediction, rng, (count, columns))
    else:
        y = rng.normal(size=(count, columns)) * rng.choice([0.0, 0.5, 3.0, 30.0], (count, 1))
        if columns > 1:
            # Two classes that lead alike, moved against each other: here the second
            # derivative of a softmax is largest.
            lead = _LEAD * (np.eye(columns)[i] + np.eye(columns)[(i + 1) % columns])
            y[count // 3 : 2 * (count // 3) : 2] = lead[::2]
        if reflect_to_half_line(subject.prediction, y) is not y:
            # Steps to either side of a row stay inside.
            away = np.where(np.abs(y) < _OFF_BOUND, _OFF_BOUND, y)
            y = reflect_to_half_line(subject.prediction, away)
    t = usual_targets(subject, count, columns, rng)
    if subject.kind == "group" and subject.target is REAL:
        # Some far apart: with a softmax of targets at a vertex a derivative is steepest.
        t = t * rng.choice([1.0, 4.0], (count, 1))
    return y, direction, t


def _steepest_row(subject: Subject, search: Search, order: int) -> tuple[float, NDArray, NDArray]:
    """Return the largest directional derivative of rows, its row and its target."""
    best, place, target = 0.0, np.zeros(1), np.zeros(1)
    unchecked = subject.unchecked or subject.value
    for columns in subject.multi_column_counts:
        y, direction, t = _rows_and_directions(subject, search, columns)
        h = 1e-3 if order == 2 else 1e-5
        left, here, right = (
            np.asarray(call(unchecked, y + k * h * direction, t), np.float64) for k in (-1, 0, 1)
        )
        derivatives, second_derivatives = (right - left) / (2 * h), (right - 2 * here + left) / h**2
        sizes = np.abs(derivatives if order == 1 else second_derivatives)
        noise = 1e-14 * (np.abs(left) + np.abs(right)) / h**order
        usable = np.isfinite(sizes) & are_promised(subject, y).all(-1)
        sizes = np.where(usable, sizes - noise, 0)
        at = int(np.argmax(sizes))
        if sizes[at] > best:
            best, place, target = float(sizes[at]), y[at : at + 1], t[at : at + 1]
    return best, place, target


@check("claim:monotone")
def check_monotone(subject: Subject, search: Search) -> None:
    """Claim: the value does not increase with the margin."""
    if subject.kind != "margin":
        raise NotApplicable("only a loss of the margin can be monotone in it")
    for curve in curves(subject, search):
        grid = np.union1d(curve.grid(), curve.even_line())
        values, bars = curve.evaluate_with_bars(grid, 0)
        rise = np.diff(values) - bars[1:] - bars[:-1]
        if (rise > 0).any():
            at = int(np.argmax(rise > 0))
            raise Counterexample(
                f"the value rises from {values[at]:.9g} to {values[at + 1]:.9g} with the margin.",
                y=grid[at : at + 2],
                t=np.full(2, curve.target),
            )


@check("claim:gradient_zero_almost_everywhere")
def check_dead_gradient(subject: Subject, search: Search) -> None:
    """Claim: the derivative is 0 wherever it exists."""
    if subject.gradient is None:
        raise NotApplicable("there is no gradient")
    for points in search.points(subject):
        derivatives = np.asarray(call(subject.gradient, points.y, points.t))
        alive = (derivatives != 0) & ~np.isnan(derivatives)
        if alive.any():
            one = first_bad(alive)
            text = f"the derivative is {format_number(derivatives[one])}, and not 0."
            raise Counterexample.at_point(points, one, text, "gradient(y, t)")
