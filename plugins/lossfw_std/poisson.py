"""Half the deviance of Poisson's distribution, y - t + t log(t / y), and its derivatives.

Of a mean y, or of its logarithm z, in float64, and plainly in float64 that was float32.
"""

from __future__ import annotations

import math

from lossfw import Array, Namespace
from lossfw.numerics import at_least, at_most, expm1_minus, patched, select, times
from lossfw_std.deviance import (
    MORE_THAN_ANY_LOG,
    NEAR_ANGLE,
    distance,
    half_angle,
    log_ratio,
    plain_log_ratio,
)

# The smallest float: its logarithm is finite.
_SMALLEST = 5e-324

# Beside this no float32 above 0 counts; z less its logarithm has an exponential.
_NO_TARGET = 1e-200

# A target below 1 is scaled by this before it is divided: its quotient by a
# large prediction may be subnormal, which the next division would lift.
_SCALE = 2.0**64

# Beyond this an exponential may overflow.
LARGEST_EXPONENT = 709.0


def plain_half(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the definition."""
    log = at_most(xp, plain_log_ratio(xp, y, t), MORE_THAN_ANY_LOG)
    return (y - t) - t * log


def half(xp: Namespace, y: Array, t: Array) -> Array:
    """Return (y - t) s - 2 t s (atanh(s) - s) near the target, with s = (y - t) / (y + t)."""
    r = y - t
    s, tail = half_angle(xp, y, t)
    far = r - t * at_most(xp, log_ratio(xp, y, t), MORE_THAN_ANY_LOG)
    return select(xp, xp.abs(s) < NEAR_ANGLE, s * (r - t * tail), far)


def bend(xp: Namespace, y: Array, t: Array, factor: float) -> Array:
    """Return a factor from 1 to 2 times t / y^2."""
    one = xp.ones_like(t)
    # Half of a large target is half of what would overflow when it is doubled.
    scale = xp.where(t < 1.0, _SCALE * one, 0.5 * one)
    return (factor * scale * t / y) / (scale * y)


def plain_half_on_logits(xp: Namespace, z: Array, t: Array) -> Array:
    """Return the same of z = log(y), in float64 that was float32."""
    some = at_least(xp, t, _NO_TARGET)
    d = at_most(xp, z - xp.log(some), MORE_THAN_ANY_LOG)
    loss = some * (xp.expm1(d) - d)
    # A mean of 0 is right where the target is 0, however small the stand-in for it.
    return xp.where((t == 0) & (d == -math.inf), xp.zeros_like(loss), loss)


def half_on_logits(xp: Namespace, z: Array, t: Array) -> Array:
    """Return t (exp(d) - 1 - d) with d = z - log(t)."""
    d = distance(xp, z, at_least(xp, t, _SMALLEST))
    mean = xp.exp(z)
    far = mean - times(xp, t, 1.0 + d)
    # inf - inf would be NaN.
    far = patched(xp, far, xp.isinf(mean), lambda xp, mean: mean, mean)
    return select(xp, xp.abs(d) < 1.0, t * expm1_minus(xp, d), far)


def slope_on_logits(xp: Namespace, z: Array, t: Array, mean: Array, factor: float) -> Array:
    """Return a factor times exp(z) - t, of which the first is the mean."""

    def of_root(xp: Namespace, z: Array, t: Array) -> Array:
        # The root of the exponential has a float, and its digits.
        root = xp.exp(0.5 * z)
        return 4.0 * factor * (root * (0.25 * root) - 0.25 * t)

    slope = factor * (mean - t)
    # exp(z) may overflow where its difference to t does not.
    return patched(xp, slope, (z > LARGEST_EXPONENT) & (t > 1.0), of_root, z, t)
