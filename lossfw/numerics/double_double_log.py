"""Logarithms of two words, and functions of them that keep the second.

The difference of two logarithms, or of a logarithm and a number close to it,
may be small, and then all its digits are in the rounding errors of the
logarithms. So these are computed to about 70 bits::

    log_words(xp, x)                log(x)
    log_ratio_words(xp, y, t)       log(y / t), also for neighbouring floats
    log_distance_words(xp, z, t)    z - log(t)

    exp_words(xp, d)   expm1_words(xp, d)   expm1_minus_words(xp, d)

They are for float64: functions that need them compute float32 in float64. Where a library
cannot split floats (`splits_floats`), a logarithm has one word.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lossfw.numerics.arrays import Array, Namespace, TextbookNamespace
from lossfw.numerics.cancellation import expm1_minus
from lossfw.numerics.double_double import DoubleDouble, normalised
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.dual.number import Dual
from lossfw.numerics.error_free import two_diff, two_prod
from lossfw.numerics.log_difference import close_distance, looked_up, reduced, splits_floats, tables
from lossfw.numerics.primitive import polynomial

# (atanh(s) - s) / s^3 in powers of w = s^2: the start of its series, for s below 1/64.
_ATANH_TAIL = (1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11)

# Up to this ratio of both numbers its logarithm is computed from their difference; beyond it
# the difference of two logarithms of 70 bits is precise enough.
_NEAR_RATIO = 1.03

# A power of 2 that moves numbers away from the ends of the exponents, exactly.
_SCALE = 2.0**64

# Beyond these a product may overflow, and an exponential is 0 or infinite.
_HUGE, _HUGE_EXPONENT = 2.0**60, 2.0**16

# A smaller difference of logarithms needs more than 70 bits of them.
_CLOSE = 2.0**-12


def log_words(xp: Namespace, x: Any) -> DoubleDouble:
    """Return log(x) for x >= 0, right to about 70 bits.

    With x = 2^k m and c the multiple of 1/64 nearest to m, it is the sum of k
    log(2), of log(c) from a table, and of 2 atanh((m - c) / (m + c)).

    Examples
    --------
    >>> import numpy as np
    >>> high, low = log_words(np, np.asarray([10.0]))
    >>> high, low  # log(10) is 2.30258509299404568401799...
    (array([2.30258509]), array([-2.17075622e-16]))
    """
    if isinstance(xp, DualNamespace):
        if not isinstance(x, Dual):
            return log_words(xp.inner, x)
        v = x.value
        high, low = log_words(xp.inner, v)
        return DoubleDouble(xp.chain(x, high, 1 / v, lambda: -1 / (v * v)), low)
    if not splits_floats(xp, x):
        log = xp.log(x)
        return DoubleDouble(log, xp.zeros_like(log))
    usual = (x > 0) & (x < math.inf)
    high, low = _log_words(xp, xp.where(usual, x, xp.ones_like(x)))
    return DoubleDouble(xp.where(usual, high, xp.log(x)), xp.where(usual, low, xp.zeros_like(low)))


def _log_words(xp: Namespace, x: Array) -> DoubleDouble:
    """Return the logarithm of finite floats above 0."""
    (log_2, *log_2_rest), (log_c, log_c_rest, _) = tables()
    k, m, c, row = reduced(xp, x)
    s, s_rest = _quotient(xp, m - c, 0.0, *two_diff(xp, m, -c))
    tail = 2.0 * s * (s * s) * polynomial(s * s, _ATANH_TAIL)
    high, rest = two_diff(xp, k * log_2, -looked_up(xp, log_c, row))
    high, lost = two_diff(xp, high, -2.0 * s)
    small = k * sum(log_2_rest) + looked_up(xp, log_c_rest, row) + 2.0 * s_rest + tail
    return normalised(high, (rest + lost) + small)


def _quotient(xp: Namespace, a: Array, a_rest: Any, b: Array, b_rest: Any) -> tuple[Array, Array]:
    """Return (a + a_rest) / (b + b_rest) as two floats, for numbers of usual size."""
    q = a / b
    product, lost = two_prod(xp, q, b)
    return q, ((a - product) - lost + (a_rest - q * b_rest)) / b


def log_ratio_words(xp: Namespace, y: Any, t: Any) -> DoubleDouble:
    """Return log(y / t) for finite y and t above 0; not even neighbours cancel.

    Near each other, it is 2 atanh((y - t) / (y + t)).

    Examples
    --------
    >>> import numpy as np
    >>> log_ratio_words(np, np.asarray([1.0 + 2.0**-52]), np.asarray([1.0])).high * 2**52
    array([1.])
    """
    if isinstance(xp, TextbookNamespace):
        return log_words(xp, y / t)
    near = (y < _NEAR_RATIO * t) & (t < _NEAR_RATIO * y)
    one = xp.ones_like(t)
    # Scaled to where neither the sum overflows nor a rest is subnormal.
    scale = xp.where(t > 1.0, one / _SCALE, one * _SCALE)
    a, b = xp.where(near, y * scale, one), xp.where(near, t * scale, one)
    s, s_rest = _quotient(xp, *two_diff(xp, a, b), *two_diff(xp, a, -b))
    w = s * s
    close = normalised(2.0 * s, 2.0 * s_rest + 2.0 * s * w * polynomial(w, _ATANH_TAIL))
    far = _difference(xp, log_words(xp, y), log_words(xp, t))
    return DoubleDouble(xp.where(near, close.high, far.high), xp.where(near, close.low, far.low))


def log_distance_words(xp: Namespace, z: Any, t: Array) -> DoubleDouble:
    """Return z - log(t) for t >= 0; z may be infinite.

    Examples
    --------
    >>> import numpy as np
    >>> log_distance_words(np, np.asarray([np.log(10.0)]), np.asarray([10.0])).high
    array([2.17075622e-16])
    """
    d = _difference(xp, DoubleDouble(z, xp.zeros_like(z)), log_words(xp, t))
    if isinstance(xp, DualNamespace) and isinstance(z, Dual):
        better = log_distance_words(xp.inner, z.value, t)
        return DoubleDouble(Dual(better.high, d.high.first, d.high.second, xp), better.low)
    if not splits_floats(xp, t):
        return d
    close = xp.abs(d.high) < _CLOSE
    if xp is not np:
        one = xp.ones_like(t)
        z, t = xp.where(close, z, 0.0 * one), xp.where(close, t, one)
        better = close_distance(xp, z, t)
        return DoubleDouble(
            xp.where(close, better.high, d.high), xp.where(close, better.low, d.low)
        )
    # Most arrays have no such element, and few have many.
    if close.any():
        d.high[close], d.low[close] = close_distance(np, z[close], t[close])
    return d


def _difference(xp: Namespace, a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    high, rest = two_diff(xp, a.high, b.high)
    total, low = normalised(high, rest + (a.low - b.low))
    return DoubleDouble(total, xp.where(xp.isfinite(total), low, xp.zeros_like(total)))


def exp_words(xp: Namespace, d: DoubleDouble) -> Array:
    """Return exp(high + low)."""
    e = xp.exp(d.high)
    return _moved(xp, e, e, d.low)


def expm1_words(xp: Namespace, d: DoubleDouble) -> Array:
    """Return exp(high + low) - 1."""
    return _moved(xp, xp.expm1(d.high), xp.exp(d.high), d.low)


def expm1_minus_words(xp: Namespace, d: DoubleDouble) -> Array:
    """Return exp(x) - 1 - x for x = high + low."""
    return _moved(xp, expm1_minus(xp, d.high), xp.expm1(d.high), d.low)


def _moved(xp: Namespace, value: Array, slope: Array, step: Array) -> Array:
    """Return value + slope step, and the value where the slope is infinite."""
    finite = xp.isfinite(slope)
    return value + xp.where(finite, slope, xp.zeros_like(slope)) * step


def scale_words(xp: Namespace, k: float, d: DoubleDouble) -> DoubleDouble:
    """Return k times a number of two words, as the argument of an exponential.

    Where that is 0 or infinite anyway, the second word is 0.
    """
    whole = k * d.high
    if abs(math.frexp(k)[0]) == 0.5:
        # A power of two: the product has no rounding error.
        return DoubleDouble(whole, xp.where(xp.isfinite(whole), k * d.low, xp.zeros_like(whole)))
    usual = (xp.abs(d.high) < _HUGE) & (xp.abs(whole) < _HUGE_EXPONENT)
    zero = xp.zeros_like(whole)
    product, lost = two_prod(xp, xp.where(usual, d.high, zero), xp.full_like(whole, k))
    low = lost + xp.where(usual, k * d.low, zero)
    return DoubleDouble(xp.where(usual, product, whole), low)
