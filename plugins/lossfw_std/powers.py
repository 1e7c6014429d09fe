"""Products with a power or an exponential, finite and precise wherever the product is.

A power by itself may overflow, or be subnormal and have lost its digits, where
its other factor brings it back. So beyond a safe range it is multiplied in two
halves. An exponent is a rational number, which loses no digit: rounding 1 - p to
a float would cost hundreds of units in the last place of x^(1 - p).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from lossfw import Array, Namespace
from lossfw.numerics import DoubleDouble, holdable, patched, scale_words, times

# Powers below this, and above one over it, are multiplied as they are.
_HUGE = 1e290
_SAFE_EXPONENT = 600.0

# An exponent beyond this has no digits to be kept: its exponential is 0 or infinite.
_USUAL_EXPONENT = 1e4


def times_power(xp: Namespace, c: DoubleDouble | Array, x: Array, k: Fraction) -> Array:
    """Return c x^k for x >= 0, with the digits of c and k; 0 where c is 0.

    Parameters
    ----------
    xp : namespace
    c : array or DoubleDouble
        A factor, of one word or of two.
    x : array
    k : Fraction

    Examples
    --------
    >>> import numpy as np
    >>> with np.errstate(over="ignore"):
    ...     times_power(np, np.asarray([1e-200]), np.asarray([1e-160]), Fraction(-2))
    array([1.e+120])
    """
    factor, low = c if isinstance(c, DoubleDouble) else (c, xp.zeros_like(c))
    high = float(k)
    rest = float(k - Fraction(high))
    whole = x**high
    if rest:
        low = low + factor * (rest * xp.log(xp.where(x > 0.0, x, xp.ones_like(x))))
    huge = holdable(xp, _HUGE, x)
    usual = (whole > 1.0 / huge) & (whole < huge)
    factor = _one_word(xp, factor, low)
    return _times(xp, factor, whole, usual, lambda x: x ** (0.5 * high), x)


def times_exp(xp: Namespace, c: DoubleDouble | Array, k: Fraction, z: Array) -> Array:
    """Return c exp(k z), with the digits of c and of k z; 0 where c is 0."""
    factor, low = c if isinstance(c, DoubleDouble) else (c, xp.zeros_like(c))
    u = scaled(xp, k, DoubleDouble(z, xp.zeros_like(z)))
    usual = xp.abs(u.high) < _SAFE_EXPONENT
    c = _one_word(xp, factor, low + factor * u.low)
    return _times(xp, c, xp.exp(u.high), usual, lambda high: xp.exp(0.5 * high), u.high)


def scaled(xp: Namespace, k: Fraction, d: DoubleDouble) -> DoubleDouble:
    """Return k d, with the digits of k, as the argument of an exponential."""
    high = float(k)
    u = scale_words(xp, high, d)
    rest = float(k - Fraction(high))
    if not rest:
        return u
    usual = xp.abs(u.high) < _USUAL_EXPONENT
    return DoubleDouble(u.high, u.low + xp.where(usual, rest * d.high, xp.zeros_like(u.low)))


def _one_word(xp: Namespace, high: Array, low: Array) -> Array:
    # An infinite number has no rest, but inf - inf.
    return high + xp.where(xp.isfinite(high), low, xp.zeros_like(low))


def _times(
    xp: Namespace,
    c: Array,
    whole: Array,
    usual: Array,
    root: Callable[[Array], Array],
    x: Array,
) -> Array:
    """Return c times a whole, or twice its root where the whole may have lost its digits."""

    def halves(xp: Namespace, c: Array, x: Array) -> Array:
        half = root(x)
        return times(xp, times(xp, c, half), half)

    return patched(xp, c * whole, ~usual, halves, c, x)
