"""Logarithms that keep their digits when a number is subtracted from them."""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import difference_error, exact_square, polynomial, two_diff, two_prod

# log(2) in two floats, of which the first has 32 bits: its products with exponents are exact.
_LOG_2_HIGH, _LOG_2_LOW = 0.6931471803691238, 1.9082149292705877e-10

_ROOT_HALF = 0.7071067811865476

# A power of 2, and its exponent.
_SCALE, _LOG_SCALE = 2.0**500, 500.0

# 2/3 in two floats.
_TWO_THIRDS, _TWO_THIRDS_LOW = 0.6666666666666666, 3.700743415417188e-17

# (atanh(s) - s - s^3 / 3) / s^5 in powers of s^2, for s^2 up to 0.0295.
_REST_OF_ATANH = tuple(1.0 / k for k in range(5, 25, 2))


def log_distance_words(xp: Namespace, t: Array, y: Array) -> tuple[Array, Array]:
    """Return log(t) - y as a float and its rounding error, for t >= 0 and float64.

    With t = 2^k m and m between sqrt(1/2) and sqrt(2), log(m) is 2 atanh(s) with
    s = (m - 1) / (m + 1). The error is about 1e-20, however large the logarithm is.

    Examples
    --------
    >>> import numpy as np
    >>> high, low = log_distance_words(np, np.asarray([3.0]), np.asarray([1.0986122886681098]))
    >>> high + low  # the second is the float nearest to log(3), which is this much below it
    array([-9.07104524e-17])
    """
    usual = (t > 0) & xp.isfinite(t)
    m, k = _binary_parts(xp, xp.where(usual, t, xp.ones_like(t)))
    u, total = m - 1.0, m + 1.0
    s = u / total
    product, error = two_prod(xp, s, total)
    # The rounding error of the quotient; that of its divisor counts too.
    rest = ((u - product) - error - s * difference_error(m, -1.0, total)) / total
    # 2 s + 2/3 s^3 with the digits of two floats, and what is left with those of one.
    w, w_low = exact_square(xp, s)
    cube, cube_low = two_prod(xp, s, w)
    cube_low = cube_low + s * w_low + 3.0 * w * rest
    third, third_low = two_prod(xp, cube, xp.full_like(cube, _TWO_THIRDS))
    third_low = third_low + cube * _TWO_THIRDS_LOW + _TWO_THIRDS * cube_low
    tail = 2.0 * cube * w * polynomial(w, _REST_OF_ATANH)
    whole, first = two_diff(xp, k * _LOG_2_HIGH, -2.0 * s)
    high, second = two_diff(xp, whole, y)
    high, third_error = two_diff(xp, high, -third)
    low = (first + second) + third_error + (2.0 * rest + third_low + (tail + k * _LOG_2_LOW))
    found = high + low
    low = low - (found - high)
    ends = xp.log(xp.where(usual, xp.ones_like(t), t)) - y
    return xp.where(usual, found, ends), xp.where(usual & xp.isfinite(low), low, 0.0 * k)


def _binary_parts(xp: Namespace, t: Array) -> tuple[Array, Array]:
    """Return m and k with t = 2^k m, m between sqrt(1/2) and sqrt(2)."""
    if hasattr(xp, "frexp"):
        m, k = xp.frexp(t)
        below = m < _ROOT_HALF
        k = xp.astype(k, t.dtype)
        return xp.where(below, 2.0 * m, m), xp.where(below, k - 1.0, k)
    # The standard has no frexp. Small numbers are scaled, for their inverse may overflow.
    small = t < 1.0 / _SCALE
    t = xp.where(small, t * _SCALE, t)
    k = xp.round(xp.log(t) / _LOG_2_HIGH)
    m = t * xp.pow(xp.full_like(k, 2.0), -k)
    return m, xp.where(small, k - _LOG_SCALE, k)
