"""Functions whose textbook forms cancel near 0, such as log(1 + x) - x.

Near 0 they are computed from a series or a rearrangement.
"""

from __future__ import annotations

import math

from lossfw.numerics.arrays import Array, Namespace, extremum_operand
from lossfw.numerics.dual.rules import sech_squared as _sech_squared
from lossfw.numerics.primitive import polynomial, primitive
from lossfw.numerics.selection import apply_where, select

# From here on log(cosh(x)) is x - log(2): the rest, exp(-2 x), is below the last digit of
# every format.
_LINEAR = 20.0

# The range in which log1p(x) - x is computed from a series in w = (x / (2 + x))^2, which is
# at most 1/9 there.
_LOG1P_MINUS_RANGE = (-0.5, 1.0)

# (atanh(s) - s) / s^3 as a polynomial in w = s^2 on [0, 1/9], by interpolation
# at Chebyshev's points with 60 digits; the error is below 5e-17. (Its series
# is 1/3 + w/5 + w^2/7 + ...)
ATANH_TAIL = (
    0.3333333333333333,
    0.20000000000007292,
    0.1428571428355438,
    0.11111111358713932,
    0.09090894718066429,
    0.07692785032479312,
    0.06657072104827468,
    0.06000536404795356,
    0.04400369243072337,
    0.08082022805971766,
)

# From here on sqrt(1 + x^2) is x + 1/(2 x): the next term, 1/(8 x^3), is below
# the last digit of every format.
_HYPOT_BRANCH = 2.0**20

# From here on 1 - 1/x^2 does not cancel.
_FAR = 4.0

# The range in which expm1(x) - x is computed from a series.
_EXPM1_MINUS_RANGE = 1.0

# (expm1(x) - x) / x^2 on [-1, 1], found in the same way; the error is
# below 5e-18. (Its series is 1/2! + x/3! + x^2/4! + ...)
_EXP_TAIL = (
    0.5,
    0.16666666666666666,
    0.04166666666666609,
    0.008333333333333299,
    0.0013888888888981404,
    0.00019841269841324198,
    2.4801587246096818e-05,
    2.7557319191381816e-06,
    2.755733506893373e-07,
    2.5052117695907823e-08,
    2.0874435575864273e-09,
    1.6057679623801638e-10,
    1.1639194124150522e-11,
    7.746178593018827e-13,
)


@primitive(
    textbook=lambda xp, x: 1 / xp.cosh(x) ** 2,
    derivative=lambda xp, x: -2 * xp.tanh(x) * sech_squared(xp, x),
    # (sech^2)'' = sech^2 (4 tanh^2 - 2 sech^2)
    second_derivative=lambda xp, x: (
        sech_squared(xp, x) * (4 * xp.tanh(x) ** 2 - 2 * sech_squared(xp, x))
    ),
)
def sech_squared(xp: Namespace, x: Array) -> Array:
    """Return 1 / cosh(x)^2, the derivative of tanh, without overflow.

    Examples
    --------
    >>> import numpy as np
    >>> sech_squared(np, np.asarray([0.0, 1000.0]))
    array([1., 0.])
    """
    return _sech_squared(xp, x)


@primitive(
    textbook=lambda xp, x: xp.log(xp.cosh(x)),
    derivative=lambda xp, x: xp.tanh(x),
    second_derivative=lambda xp, x: sech_squared(xp, x),
)
def log_cosh(xp: Namespace, x: Array) -> Array:
    """Return log(cosh(x)), exact near 0 and without overflow.

    It is ``log1p(2 sinh(x/2)^2)``, up to where it grows like abs(x). The
    widespread ``abs(x) + log1p(exp(-2 abs(x))) - log(2)`` loses every digit near 0.

    Examples
    --------
    >>> import numpy as np
    >>> log_cosh(np, np.asarray([1e-9, 100.0]))
    array([5.00000000e-19, 9.93068528e+01])
    """
    a = xp.abs(x)
    near = xp.minimum(a, extremum_operand(xp, a, _LINEAR))
    s = xp.sinh(0.5 * near)
    return xp.log1p(2 * s * s) + (a - near)


@primitive(
    textbook=lambda xp, x: xp.where(x == math.inf, -x, xp.log1p(x) - x),
    # Its limit at infinity is -1.
    derivative=lambda xp, x: xp.where(x > 1, -1 / (1 + 1 / x), -x / (1 + x)),
    second_derivative=lambda xp, x: -1 / (1 + x) / (1 + x),
)
def log1p_minus(xp: Namespace, x: Array) -> Array:
    """Return log(1 + x) - x, for x of at least -1; never positive.

    With s = x / (2 + x), log(1 + x) = 2 atanh(s) and 2 s - x = -s x, so near 0
    the result is s (2 w P(w) - x) with w = s^2 and P the tail of atanh.

    Examples
    --------
    >>> import numpy as np
    >>> log1p_minus(np, np.asarray([1e-9, 1.0]))
    array([-5.00000000e-19, -3.06852819e-01])
    """
    low, high = _LOG1P_MINUS_RANGE
    near = (x > low) & (x < high)
    small = xp.clip(x, low, high)
    s = small / (2 + small)
    w = s * s
    series = s * (2 * w * polynomial(w, ATANH_TAIL) - small)
    # inf - inf would be NaN; the limit is -inf.
    far = apply_where(xp, xp.log1p(x) - x, x == math.inf, lambda xp, x: -x, x)
    return select(xp, near, series, far)


@primitive(
    textbook=lambda xp, x: xp.where(xp.isinf(x), xp.abs(x), xp.expm1(x) - x),
    derivative=lambda xp, x: xp.expm1(x),
    second_derivative=lambda xp, x: xp.exp(x),
)
def expm1_minus(xp: Namespace, x: Array) -> Array:
    """Return exp(x) - 1 - x; never negative.

    Examples
    --------
    >>> import numpy as np
    >>> expm1_minus(np, np.asarray([-40.0, 1e-9, 1.0]))
    array([3.90000000e+01, 5.00000000e-19, 7.18281828e-01])
    """
    near = xp.abs(x) < _EXPM1_MINUS_RANGE
    small = xp.clip(x, -_EXPM1_MINUS_RANGE, _EXPM1_MINUS_RANGE)
    series = small * small * polynomial(small, _EXP_TAIL)
    # inf - inf would be NaN.
    far = apply_where(xp, xp.expm1(x) - x, xp.isinf(x), lambda xp, x: xp.abs(x), x)
    return select(xp, near, series, far)


@primitive(
    textbook=lambda xp, x: xp.sqrt(1 + x) - 1,
    derivative=lambda xp, x: 0.5 / xp.sqrt(1 + x),
    second_derivative=lambda xp, x: -0.25 / (1 + x) / xp.sqrt(1 + x),
)
def sqrt1pm1(xp: Namespace, x: Array) -> Array:
    """Return sqrt(1 + x) - 1, for x of at least -1.

    Examples
    --------
    >>> import numpy as np
    >>> sqrt1pm1(np, np.asarray([-1.0, 2e-20, 3.0]))
    array([-1.e+00,  1.e-20,  1.e+00])
    """
    root = xp.sqrt(1 + x)
    # Both forms are right above 3; the first has no inf / inf.
    return xp.where(x > 3, root - 1, x / (root + 1))


@primitive(
    textbook=lambda xp, x: xp.sqrt(1 + x * x) - 1,
    derivative=lambda xp, x: xp.where(xp.abs(x) > 1, xp.sign(x), x) / _hypot1_over(xp, x),
    second_derivative=lambda xp, x: (1 / xp.sqrt(1 + x * x)) ** 3,
)
def hypot1m1(xp: Namespace, x: Array) -> Array:
    """Return sqrt(1 + x^2) - 1, without cancellation and without overflow.

    Examples
    --------
    >>> import numpy as np
    >>> hypot1m1(np, np.asarray([2e-9, 0.75]))
    array([2.0e-18, 2.5e-01])
    """
    a = xp.abs(x)
    square = a * a
    near = square / (xp.sqrt(1 + square) + 1)
    # Far out, sqrt(1 + x^2) = x + 1/(2 x) to the last digit, and x^2 may overflow.
    return xp.where(a < _HYPOT_BRANCH, near, (a - 1) + 0.5 / a)


def _hypot1_over(xp: Namespace, x: Array) -> Array:
    """Return sqrt(1 + x^2) / max(abs(x), 1)."""
    a = xp.abs(x)
    far = a > 1
    ratio = xp.where(far, 1 / xp.where(far, a, xp.ones_like(a)), a)
    return xp.sqrt(1 + ratio * ratio)


@primitive(
    textbook=lambda xp, x: xp.log1p(x * x),
    derivative=lambda xp, x: xp.where(xp.abs(x) < 1, 2 * x / (1 + x * x), 2 / (x + 1 / x)),
    second_derivative=lambda xp, x: _second_derivative_of_log1p_square(xp, x),
)
def log1p_square(xp: Namespace, x: Array) -> Array:
    """Return log(1 + x^2), without overflow.

    Examples
    --------
    >>> import numpy as np
    >>> log1p_square(np, np.asarray([1e-9, 3.0]))
    array([1.00000000e-18, 2.30258509e+00])
    """
    square = x * x
    # x^2 overflows only where the 1 no longer counts.
    return xp.where(xp.isinf(square), 2 * xp.log(xp.abs(x)), xp.log1p(square))


def _second_derivative_of_log1p_square(xp: Namespace, x: Array) -> Array:
    """Return 2 (1 - x^2) / (1 + x^2)^2, by 1/x far out, where x^2 may overflow."""
    square = x * x
    near = 2 * (1 - x) * (1 + x) / ((1 + square) * (1 + square))
    inverse = 1 / x
    derivative = 1 / (x + inverse)
    return xp.where(xp.abs(x) < _FAR, near, -2 * derivative * derivative * (1 - inverse * inverse))
