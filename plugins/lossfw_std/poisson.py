"""Half the deviance of Poisson's distribution, y - t + t log(t / y), and its derivatives.

They take a mean y, or its logarithm z; the plain functions are for float64 that was float32.
"""

from __future__ import annotations

import math

from lossfw import Array, Namespace
from lossfw.numerics import at_least, at_most, expm1_minus, extended_range, multiply_or_zero, select
from lossfw_std.deviance import (
    LEAST,
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

# Up to this an exponential does not overflow.
_LARGE_EXPONENT = 700.0


def plain_half(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the definition."""
    log = at_most(xp, plain_log_ratio(xp, y, t), MORE_THAN_ANY_LOG)
    return (y - t) - t * log


def _is_extreme(xp: Namespace, y: Array, t: Array) -> Array:
    # A target that is too small for its logarithm does not count beside the mean.
    return ~((y > LEAST) & (y < 1.0 / LEAST) & (t < 1.0 / LEAST))


@extended_range(_is_extreme)
def half(xp: Namespace, y: Array, t: Array) -> Array:
    """Return (y - t) s - 2 t s (atanh(s) - s) near the target, with s = (y - t) / (y + t)."""
    r = y - t
    s, tail = half_angle(r, y + t)
    far = r - t * at_most(xp, xp.log(y / t), MORE_THAN_ANY_LOG)
    return select(xp, xp.abs(s) < NEAR_ANGLE, s * (r - t * tail), far)


@extended_range(lambda xp, y, t: xp.isinf(y))
def gap(xp: Namespace, y: Array, t: Array) -> Array:
    """Return (y - t) / y."""
    return (y - t) / y


def _has_rare_quotient(xp: Namespace, y: Array, t: Array) -> Array:
    return _is_extreme(xp, y, t) | ((t > 0.0) & (t < LEAST))


@extended_range(_has_rare_quotient)
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


def is_large(xp: Namespace, z: Array, t: Array) -> Array:
    """Tell where exp(z) may overflow, and yet be brought back."""
    return z > _LARGE_EXPONENT


@extended_range(is_large)
def half_on_logits(xp: Namespace, z: Array, t: Array) -> Array:
    """Return t (exp(d) - 1 - d) with d = z - log(t)."""
    d = distance(xp, z, at_least(xp, t, _SMALLEST))
    far = xp.exp(z) - multiply_or_zero(xp, t, 1.0 + d)
    return select(xp, xp.abs(d) < 1.0, t * expm1_minus(xp, d), far)


@extended_range(is_large)
def slope_on_logits(xp: Namespace, z: Array, t: Array) -> Array:
    """Return exp(z) - t."""
    return xp.exp(z) - t
