"""Logarithms of two words, and what is made of them without losing the second.

The difference of two logarithms, or of a logarithm and a number close to it,
is as small as one likes, and then all its digits are in what rounding took
from the logarithms. So these are computed to about 70 bits::

    log_words(xp, x)                log(x)
    log_ratio_words(xp, y, t)       log(y / t), also for neighbouring floats
    log_distance_words(xp, z, t)    z - log(t)

    exp_words(xp, d)   expm1_words(xp, d)   expm1_minus_words(xp, d)

They are meant for float64: NumPy's float32 goes by float64 anyway where they
are needed. Arrays of other libraries have a logarithm of one word.
"""

from __future__ import annotations

import functools
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from lossfw.numbers.arrays import Array, Namespace
from lossfw.numbers.dual import Dual
from lossfw.numbers.dual_namespace import DualNamespace
from lossfw.numbers.exact import ExactNamespace
from lossfw.numerics.pairs import exact_difference, exact_product
from lossfw.numerics.primitive import polynomial
from lossfw.numerics.remainders import expm1_minus
from lossfw.numerics.words import Words

# A mantissa from 3/4 to 3/2 is taken relative to the nearest of these parts of 1.
_PARTS = 64
_FIRST, _LAST = 48, 96

# log(2) with so many bits less than a float that its product with any exponent is exact.
_SHORT_BITS = 12

# (atanh(s) - s) / s^3 in powers of w = s^2: the start of its series, for s below 1/64.
_ATANH_TAIL = (1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11)

# Up to this ratio of both numbers a logarithm of the ratio is taken from their
# difference; beyond it two logarithms of 70 bits lose none that matter.
_NEAR_RATIO = 1.03

# What scales numbers away from either end of the exponents, exactly.
_SCALE = 2.0**64

# Beyond this an exponential is not finite, or not above 0, in any float format.
_LIMIT = 700.0


def log_words(xp: Namespace, x: Any) -> Words:
    """Return log(x) for x >= 0, right to about 70 bits.

    With x = 2^k m and c the multiple of 1/64 nearest to m, it is the sum of k
    log(2), of log(c) from a table, and of 2 atanh((m - c) / (m + c)).

    Examples
    --------
    >>> import numpy as np
    >>> high, low = log_words(np, np.asarray([10.0]))
    >>> high, low  # log(10) is 2.30258509299404568401799...
    (array([2.30258509]), array([-2.17075629e-16]))
    """
    if isinstance(xp, DualNamespace):
        if not isinstance(x, Dual):
            return log_words(xp.inner, x)
        v = x.value
        high, low = log_words(xp.inner, v)
        return Words(xp.chain(x, high, 1 / v, lambda: -1 / (v * v)), low)
    if xp is not np:
        log = xp.log(x)
        return Words(log, xp.zeros_like(log))
    usual = (x > 0) & (x < np.inf)
    high, low = _log_words(np.where(usual, x, 1.0))
    return Words(np.where(usual, high, np.log(x)), np.where(usual, low, 0.0))


def _log_words(x: Array) -> Words:
    """Return the logarithm of finite floats above 0."""
    m, k = np.frexp(x)
    low_half = m < _FIRST / _PARTS
    m, k = np.where(low_half, m + m, m), np.where(low_half, k - 1, k)
    part = np.rint(m * _PARTS)
    c = part / _PARTS
    log_c, log_c_rest, log_2, log_2_rest = _tables()
    row = part.astype(np.intp) - _FIRST
    s, s_rest = _quotient(np, m - c, 0.0, *exact_difference(np, m, -c))
    tail = 2.0 * s * (s * s) * polynomial(s * s, _ATANH_TAIL)
    high, rest = exact_difference(np, k * log_2, -log_c[row])
    high, lost = exact_difference(np, high, -2.0 * s)
    return _normal(high, (rest + lost) + (k * log_2_rest + log_c_rest[row] + 2.0 * s_rest + tail))


@functools.cache
def _tables() -> tuple[Array, Array, float, float]:
    """Return log(c) for every c of the table, and log(2), each as two floats."""
    with localcontext(prec=50):
        logs = [(Decimal(i) / _PARTS).ln() for i in range(_FIRST, _LAST + 1)]
        high = [float(log) for log in logs]
        rest = [float(log - Decimal(first)) for log, first in zip(logs, high, strict=True)]
        two = Decimal(2).ln()
        # Rounded to a multiple that leaves the bits of an exponent free.
        short = float(int(two * 2 ** (53 - _SHORT_BITS))) / 2 ** (53 - _SHORT_BITS)
        return np.array(high), np.array(rest), short, float(two - Decimal(short))


def _quotient(xp: Namespace, a: Array, a_rest: Any, b: Array, b_rest: Any) -> tuple[Array, Array]:
    """Return (a + a_rest) / (b + b_rest) as two floats, for numbers of usual size."""
    q = a / b
    product, lost = exact_product(xp, q, b)
    return q, ((a - product) - lost + (a_rest - q * b_rest)) / b


def _normal(high: Array, low: Array) -> Words:
    """Return the same sum with `high` nearest to it, for a `low` that is smaller."""
    total = high + low
    return Words(total, low - (total - high))


def log_ratio_words(xp: Namespace, y: Any, t: Any) -> Words:
    """Return log(y / t) for finite y and t above 0; not even neighbours cancel.

    Near each other, it is 2 atanh((y - t) / (y + t)).

    Examples
    --------
    >>> import numpy as np
    >>> log_ratio_words(np, np.asarray([1.0 + 2.0**-52]), np.asarray([1.0])).high * 2**52
    array([1.])
    """
    if isinstance(xp, ExactNamespace):
        return log_words(xp, y / t)
    near = (y < _NEAR_RATIO * t) & (t < _NEAR_RATIO * y)
    one = xp.ones_like(t)
    # Scaled to where neither the sum overflows nor a rest is subnormal.
    scale = xp.where(t > 1.0, one / _SCALE, one * _SCALE)
    a, b = xp.where(near, y * scale, one), xp.where(near, t * scale, one)
    s, s_rest = _quotient(xp, *exact_difference(xp, a, b), *exact_difference(xp, a, -b))
    w = s * s
    close = _normal(2.0 * s, 2.0 * s_rest + 2.0 * s * w * polynomial(w, _ATANH_TAIL))
    far = _difference(xp, log_words(xp, y), log_words(xp, t))
    return Words(xp.where(near, close.high, far.high), xp.where(near, close.low, far.low))


def log_distance_words(xp: Namespace, z: Any, t: Array) -> Words:
    """Return z - log(t) for t >= 0; z may be infinite.

    Examples
    --------
    >>> import numpy as np
    >>> log_distance_words(np, np.asarray([np.log(10.0)]), np.asarray([10.0])).high
    array([2.17075629e-16])
    """
    return _difference(xp, Words(z, xp.zeros_like(z)), log_words(xp, t))


def _difference(xp: Namespace, a: Words, b: Words) -> Words:
    high, rest = exact_difference(xp, a.high, b.high)
    total, low = _normal(high, rest + (a.low - b.low))
    return Words(total, xp.where(xp.isfinite(total), low, xp.zeros_like(total)))


def exp_words(xp: Namespace, d: Words) -> Array:
    """Return exp(high + low)."""
    return xp.exp(d.high) + d.low * _bounded_exp(xp, d.high)


def expm1_words(xp: Namespace, d: Words) -> Array:
    """Return exp(high + low) - 1."""
    return xp.expm1(d.high) + d.low * _bounded_exp(xp, d.high)


def expm1_minus_words(xp: Namespace, d: Words) -> Array:
    """Return exp(x) - 1 - x for x = high + low."""
    slope = xp.expm1(xp.minimum(d.high, xp.full_like(d.high, _LIMIT)))
    return expm1_minus(xp, d.high) + d.low * slope


def _bounded_exp(xp: Namespace, x: Array) -> Array:
    """Return exp(x), or something finite where it overflows, to multiply a rest with."""
    return xp.exp(xp.minimum(x, xp.full_like(x, _LIMIT)))


def scale_words(xp: Namespace, k: float, d: Words) -> Words:
    """Return k times a number of two words."""
    finite = xp.isfinite(d.high)
    high = xp.where(finite, d.high, xp.zeros_like(d.high))
    product, lost = exact_product(xp, high, xp.full_like(high, k))
    return Words(xp.where(finite, product, k * d.high), lost + k * d.low)
