"""Half the deviance of Poisson's distribution, y - t + t log(t / y), and its derivatives.

They take a mean y, or its logarithm z; the plain functions are for float64 that was float32.
"""

from __future__ import annotations

import math

from lossfw import Array, Namespace
from lossfw.numerics import at_least, at_most, expm1_minus, multiply_or_zero, select
from lossfw_std.deviance import (
    MORE_THAN_ANY_LOG,
    NEAR_ANGLE,
    distance,
    half_angle,
    plain_log_ratio,
)

# The smallest float: its logarithm is finite.
_SMALLEST = 5e-324

# Beside this no float32 above 0 counts; z less its logarithm has an exponential.
_NO_TARGET = 1e-200


def plain_half(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the definition."""
    log = at_most(xp, plain_log_ratio(xp, y, t), MORE_THAN_ANY_LOG)
    return (y - t) - t * log


def half(xp: Namespace, y: Array, t: Array) -> Array:
    """Return (y - t) s - 2 t s (atanh(s) - s) near the target, with s = (y - t) / (y + t)."""
    r = y - t
    s, tail = half_angle(r, y + t)
    far = r - t * at_most(xp, xp.log(y / t), MORE_THAN_ANY_LOG)
    return select(xp, xp.abs(s) < NEAR_ANGLE, s * (r - t * tail), far)


def gap(xp: Namespace, y: Array, t: Array) -> Array:
    """Return (y - t) / y."""
    return (y - t) / y


def bend(xp: Namespace, y: Array, t: Array) -> Array:
    """Return t / y^2."""
    return t / y / y


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
    far = xp.exp(z) - multiply_or_zero(xp, t, 1.0 + d)
    return select(xp, xp.abs(d) < 1.0, t * expm1_minus(xp, d), far)


def slope_on_logits(xp: Namespace, z: Array, t: Array) -> Array:
    """Return exp(z) - t."""
    return xp.exp(z) - t
