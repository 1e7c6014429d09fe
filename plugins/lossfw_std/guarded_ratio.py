"""Ratios of guarded probabilities, for divergences.

A divergence takes the logarithm of a ratio of probabilities. The guard is in every logarithm,
including that of the target, so a divergence stays 0 for equal distributions. The factor 1 + delta
of the normalised guard cancels in a ratio, so there it is the same as the additive one.
"""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import Guard, select


def apply_guard(xp: Namespace, p: Array, guard: Guard, delta: float) -> Array:
    """Return p with the guard, without the factor that cancels in a ratio."""
    if guard == "none":
        return p
    return xp.maximum(p, delta * xp.ones_like(p)) if guard == "floor" else p + delta


def guarded_difference(xp: Namespace, p: Array, q: Array, guard: Guard, delta: float) -> Array:
    """Return the difference of guarded p and q, without the rounding of p + delta."""
    if guard == "floor":
        return apply_guard(xp, p, guard, delta) - apply_guard(xp, q, guard, delta)
    return p - q


def log_ratio(xp: Namespace, a: Array, b: Array, difference: Array, guard: Guard) -> Array:
    """Return log(a / b) for guarded a and b, with the digits of a small one.

    Parameters
    ----------
    xp : namespace
    a, b : array
    difference : array
        a - b, if it is known more accurately than from a and b.
    guard : str
        `b` may be 0 only with "none".

    Returns
    -------
    array
        0 where both are 0.
    """
    if guard == "none":
        b = xp.where((a == 0) & (b == 0), xp.ones_like(b), b)
    u = difference / b
    return select(xp, u > -0.5, xp.log1p(u), xp.log(a / b))
