"""Derivatives of a function without a formula, against differences of its own values."""

from __future__ import annotations

import numpy as np

from lossfw.check.core.curves import EPS, curves
from lossfw.check.core.points import Points, first_bad
from lossfw.check.core.search import Counterexample, Search, ordinary_points
from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import REAL

_NAMES = ("value", "gradient", "hessian")

# So many rounding steps of its terms at most are in a difference of values.
_NOISE = 45.0


# A difference is right to this fraction of itself, of values in double precision and in single.
_SHARES = {1: (1e-4, 1e-2), 2: (1e-2, 1e-1)}


def _tolerance_fraction(eps: float, order: int) -> float:
    return _SHARES[order][eps > EPS]


def _rounding_note(eps: float) -> str:
    """Return the dtype of the values, if it is not that of the arguments."""
    return "" if eps <= EPS else " (the values of float64 arguments are float32)"


def check_by_differences(subject: Subject, search: Search, order: int) -> None:
    """Judge derivatives by differences of the function's own values, with stated error bars."""
    if subject.rows:
        _rows_by_differences(subject, search, order)
        return
    function = subject.gradient if order == 1 else subject.hessian
    for curve in curves(subject, search):
        grid = curve.grid()
        grid = grid[np.abs(grid) < 1e4]
        target = np.full(grid.shape, curve.target)
        actual = np.asarray(call(function, grid, target), np.float64)
        expected, bars = curve.derivative(grid, order)
        coarser = (curve.eps / EPS) ** (1 / (order + 2))
        shift = coarser * (1e-5 if order == 1 else 1e-3) * np.maximum(np.abs(grid), curve.scale)
        sides = (np.clip(grid + sign * shift, curve.low, curve.high) for sign in (-1, 1))
        left, right = (curve.derivative(side, order)[0] for side in sides)
        low, high = np.fmin(left, right), np.fmax(left, right)
        width = 4 * bars + _tolerance_fraction(curve.eps, order) * (np.abs(expected) + 1e-3)
        if order == 2:
            # Where it changes by its own size within a step, no difference says more.
            width += np.fmax(np.abs(left - expected), np.abs(right - expected))
        # A kink within a step shows as sides that differ.
        inside = (actual >= low - width) & (actual <= high + width)
        usable = np.isfinite(expected) & (bars < 0.1 * (np.abs(expected) + 1))
        bad = usable & ~(np.abs(actual - expected) <= width) & ~inside
        if bad.any():
            one = int(np.flatnonzero(bad)[np.argmin(np.abs(grid[bad]))])
            text = (
                f"the {_NAMES[order]} is {actual[one]:.9g}, and differences of the value give "
                f"{expected[one]:.9g}{_rounding_note(curve.eps)}."
            )
            raise Counterexample.at_point(Points(grid, target), one, text, f"{_NAMES[order]}(y, t)")


def _rows_by_differences(subject: Subject, search: Search, order: int) -> None:
    function = subject.gradient if order == 1 else subject.hessian
    points = ordinary_points(subject, search, f"differences {order}", 40)
    actual = np.asarray(call(function, points.y, points.t), np.float64)
    eps = subject.rounding_step(points.y, points.t)
    coarser = (eps / EPS) ** (1 / (order + 2))
    # A power of two, so that the moved predictions are exact.
    h = 2.0 ** np.round(np.log2(coarser) - (17 if order == 1 else 12))
    scale = np.abs(points.y) if subject.prediction is not REAL else np.ones_like(points.y)
    step = h * np.where(scale > 0, scale, 1)
    here = subject.losses(points.y, points.t)
    for column in range(points.y.shape[-1]):
        moved = []
        for sign in (-1, 1):
            y = points.y.copy()
            y[:, column] += sign * step[:, column]
            moved.append(subject.losses(y, points.t))
        width = step[:, column]
        second_derivative = moved[1] - 2 * here + moved[0]
        expected = (
            (moved[1] - moved[0]) / (2 * width) if order == 1 else second_derivative / width**2
        )
        noise = _NOISE * eps * (np.abs(moved[0]) + np.abs(moved[1])) / width**order
        slack = noise + _tolerance_fraction(eps, order) * (np.abs(expected) + 1e-3)
        one_sided = np.abs(second_derivative) / width if order == 1 else 0
        bad = ~(np.abs(actual[:, column] - expected) <= slack + one_sided) & np.isfinite(expected)
        if bad.any():
            one = first_bad(bad)
            text = (
                f"the {_NAMES[order]} in column {column} is {actual[one, column]:.9g}, and "
                f"differences of the value give {expected[one]:.9g}{_rounding_note(eps)}."
            )
            raise Counterexample.at_point(points, one, text, f"{_NAMES[order]}(y, t)")
