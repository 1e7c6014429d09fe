"""Ratios of guarded probabilities, for divergences.

A divergence takes the logarithm of a ratio of probabilities. The guard stands
in every logarithm, that of the target included: so a divergence stays 0 where
both distributions are the same. The factor 1 + delta of the normalised guard
cancels in a ratio, so there it is the same as the additive one.
"""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import Guard


def guarded(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
    """Return p with the guard, without the factor that cancels in a ratio."""
    if guard == "none":
        return p
    return xp.maximum(p, delta * xp.ones_like(p)) if guard == "floor" else p + delta


def guarded_difference(xp: Namespace, p: Array, q: Array, guard: Guard, delta: float) -> Array:
    """Return the difference of guarded p and q, without the rounding of p + delta."""
    if guard == "floor":
        return guarded(xp, p, guard, delta) - guarded(xp, q, guard, delta)
    return p - q


def log_ratio(xp: Namespace, a: Array, b: Array, difference: Array) -> Array:
    """Return log(a / b) for a, b >= 0, with the digits of a small one.

    Parameters
    ----------
    xp : namespace
    a, b : array
    difference : array
        a - b, where it is known better than from a and b.

    Returns
    -------
    array
        0 where both are 0.
    """
    near = (xp.abs(difference) < 0.5 * b) | (difference == 0)
    ones = xp.ones_like(b)
    small = xp.log1p(xp.where(near, difference, 0.0 * ones) / xp.where(near & (b > 0), b, ones))
    ratio = xp.where(near, ones, a / b)
    # A quotient near an end of the exponents has lost its digits, or is 0 or
    # infinite; its logarithm is so large there that two of them cancel little.
    least = float(xp.finfo(b.dtype).smallest_normal) ** 0.5
    inside = (ratio > least) & (ratio < 1.0 / least)
    apart = xp.log(xp.where(near, ones, a)) - xp.log(xp.where(near, ones, b))
    return xp.where(near, small, xp.where(inside, xp.log(ratio), apart))
