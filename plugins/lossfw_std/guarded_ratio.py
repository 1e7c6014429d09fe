"""Ratios of guarded probabilities, for divergences.

A divergence takes the logarithm of a ratio of probabilities. The guard stands
in every logarithm, that of the target included: so a divergence stays 0 where
both distributions are the same. The factor 1 + delta of the normalised guard
cancels in a ratio, so there it is the same as the additive one.
"""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import Guard, apply_where, select


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


def log_ratio(xp: Namespace, a: Array, b: Array, difference: Array, guard: Guard) -> Array:
    """Return log(a / b) for guarded a and b, with the digits of a small one.

    Parameters
    ----------
    xp : namespace
    a, b : array
    difference : array
        a - b, where it is known better than from a and b.
    guard : str
        With another one than "none" no ratio is 0 or overflows.

    Returns
    -------
    array
        0 where both are 0.
    """
    u, ratio = difference / b, a / b
    log = select(xp, u > -0.5, xp.log1p(u), xp.log(ratio))
    if guard != "none":
        return log
    # A quotient near an end of the exponents has lost its digits, or is 0 or
    # infinite; its logarithm is so large there that two of them cancel little.
    least = float(xp.finfo(b.dtype).smallest_normal) ** 0.5
    ends = ((ratio < least) & (a > 0)) | ((ratio > 1.0 / least) & (b > 0)) | ((a == 0) & (b == 0))
    return apply_where(xp, log, ends, _apart, a, b)


def _apart(xp: Namespace, a: Array, b: Array) -> Array:
    return xp.where(a == b, xp.zeros_like(a), xp.log(a) - xp.log(b))
