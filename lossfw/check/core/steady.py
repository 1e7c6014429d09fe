"""Steady errors, which rounding does not make, though it might make as large ones.

What cancellation leaves goes up and down from one number to the next. A mistake makes a result too
large, or too small, by about the same part at all numbers around.
"""

from __future__ import annotations

import numpy as np

from lossfw.check.core.members import by_space, clipped, is_bounded
from lossfw.check.core.points import Points, in_rows
from lossfw.check.core.region import Region, region
from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import Interval, Space
from lossfw.numerics.arrays import NDArray
from lossfw.numerics.exact.ulp import to_float

# All numbers of a point are made so much larger, and as much smaller: the errors on one side at
# least are those of the point, but for this factor.
_FACTORS = (1.03, 1.07, 1.13, 1.2, 1.3, 1.45)
_ALIKE = 1.5

# Errors, as parts of the truth, that may be steady: a smaller one has kept digits, and at a larger
# one nothing may be left to be steady.
_LEAST, _MOST = 1e-3, 0.5

# More points than this are not looked at.
_POINTS = 8

_NAMES = ("value", "gradient", "hessian")


def steady(subject: Subject, order: int, points: Points, errors: NDArray) -> NDArray:
    """Tell which points have a steady error in the result of an order.

    `errors` are signed parts of the truth, one for each result.
    """
    flat = errors.reshape(len(points), -1)
    place = np.argmax(np.where(np.isfinite(flat), np.abs(flat), 0.0), axis=1)
    own = flat[np.arange(len(points)), place]
    found = np.zeros(len(points), bool)
    if points.y.dtype != np.float64:
        return found
    is_near = region(subject, points) <= Region.FAR
    which = np.flatnonzero(is_near & (np.abs(own) > _LEAST) & (np.abs(own) < _MOST))[:_POINTS]
    function = getattr(subject, _NAMES[order])
    for one in which.tolist():
        sides = [
            _scaled(subject, points.take(slice(one, one + 1)), [1 / f for f in _FACTORS]),
            _scaled(subject, points.take(slice(one, one + 1)), list(_FACTORS)),
        ]
        for near in sides:
            if (near.y == points.y[one]).all() and (near.t == points.t[one]).all():
                continue
            actual = np.asarray(call(function, near.y, near.t), np.float64)
            exact = to_float(subject.exact.results(order, near.y, near.t), np.float64)
            with np.errstate(all="ignore"):
                error = ((actual - exact) / np.abs(exact)).reshape(len(near), -1)[:, place[one]]
                ratio = error / own[one]
            found[one] |= bool(((ratio > 1 / _ALIKE) & (ratio < _ALIKE)).all())
    return found


def _scaled(subject: Subject, one: Points, factors: list[float]) -> Points:
    """Return a point with all its numbers scaled, once for each factor."""

    def scale(space: Space, x: NDArray) -> NDArray:
        if x.dtype.kind != "f":
            return np.repeat(x, len(factors), axis=0)
        rows = in_rows(subject, space, x)
        scaled = [_scaled_numbers(space, rows, factor).reshape(x.shape) for factor in factors]
        return np.concatenate(scaled).astype(x.dtype)

    return Points(scale(subject.prediction, one.y), scale(subject.space_of_targets(one.t), one.t))


@by_space
def _scaled_numbers(space: Space, x: NDArray, factor: float) -> NDArray:
    """Return numbers at another distance from the nearest bound, or from 0."""
    if not isinstance(space, Interval):
        return x
    if is_bounded(space):
        low = x - space.low <= space.high - x
        moved = np.where(
            low, space.low + factor * (x - space.low), space.high - factor * (space.high - x)
        )
        return clipped(space, moved)
    bound = next((b for b in (space.low, space.high) if np.isfinite(b)), 0.0)
    return np.asarray(bound + factor * (x - bound))
