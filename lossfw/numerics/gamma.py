"""The logarithm of the gamma function and its derivatives, for x above 0, without SciPy.

With Binet's function J, log Gamma(x) is (x - 1/2) log x - x + log(2 pi) / 2 + J(x), so that
digamma(x) is log x - 1 / (2 x) + J'(x). Differences of log Gamma cancel for large x, but those of J
do not. Up to 2, J and its derivatives use their recurrences.
"""

from __future__ import annotations

import math

from lossfw.numerics.arrays import Array, Namespace, TextbookNamespace
from lossfw.numerics.cancellation import log1p_minus
from lossfw.numerics.exact.namespace import ExactNamespace
from lossfw.numerics.factorial import large_binet, log_factorial
from lossfw.numerics.primitive import computed_in_float64, polynomial, primitive
from lossfw.numerics.selection import select

# The least argument of the expansions far out.
_FAR = 2.0

# The zero of digamma, and its rounding error.
_ZERO, _ZERO_ERROR = 1.4616321449683622, 9.549995429965697e-17

# digamma(x) / (x - zero) - 1 as a quotient in x - 1, for x from 1 to 2: it is between -0.22 and
# 0.26. By interpolation at Chebyshev's points with 90 digits; the error is below 2e-17.
_NEAR_TOP = (
    0.2503801375034054,
    -0.2963373684111342,
    -0.7097019532472832,
    -0.38935220710059804,
    -0.08639530252444429,
    -0.007878691734663415,
    -0.00022600364101434025,
    -2.6451567782809693e-08,
)
_NEAR_BOTTOM = (
    1.0,
    2.2300330919143256,
    1.772601678670568,
    0.6477759944216026,
    0.11388260679029516,
    0.008904791407271817,
    0.00022959270409703475,
)

# -x^2 times the derivative of Binet's function in powers of 1 / x^2, for x from 2 on, made in
# the same way; the error is below 6e-18.
_DERIVATIVE_TOP = (
    0.08333333333333333,
    2.1084516136526745,
    18.22348436207439,
    67.58804294253915,
    110.81852316775962,
    74.18595563686753,
    15.938349314950871,
    0.490991545380442,
)
_DERIVATIVE_BOTTOM = (
    1.0,
    25.401419363832048,
    221.17433523367282,
    832.0143574333182,
    1403.6707646115208,
    999.9814136307392,
    251.34064475635324,
    13.841996469795829,
)

# So many steps of a recurrence come before an asymptotic series of Bernoulli's numbers B(2),
# B(4) ...: beyond 10 the first term left out is 1e-19 of the sum.
_STEPS = 10
_BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
)

# From here on exact numbers go by Stirling's series, whose next term is 1e-120 of the first.
_LARGE = 1e15
_STIRLING = (12, -360, 1260, -1680)


def _textbook_lgamma(xp: Namespace, x: Array) -> Array:
    if not isinstance(xp, ExactNamespace):
        return xp.lgamma(x)
    return xp.where(x < 0, xp.nan, xp.lgamma(x))


def _textbook_polygamma(xp: Namespace, x: Array, order: int) -> Array:
    """Return a derivative of digamma, with its limits at 0 and infinity."""
    inside = (x > 0) & (x < xp.inf)
    result = xp.polygamma(order, xp.where(inside, x, 1))
    at_zero = xp.inf if order % 2 else -xp.inf
    ends = xp.where(x > 0, xp.where(order == 0, xp.inf, xp.zeros_like(x)), at_zero)
    return xp.where(inside, result, xp.where(x >= 0, ends, xp.nan))


def _textbook_binet(xp: Namespace, x: Array) -> Array:
    small, large = xp.minimum(x, _LARGE), xp.maximum(x, _LARGE)
    series = sum(1 / (c * large ** (2 * k + 1)) for k, c in enumerate(_STIRLING))
    log = small * (xp.log(small) - 1) + (xp.log(2 * xp.pi) - xp.log(small)) / 2
    return xp.where(x > _LARGE, series, _textbook_lgamma(xp, small) - log)


def _textbook_binet_derivative(xp: Namespace, x: Array) -> Array:
    small, large = xp.minimum(x, _LARGE), xp.maximum(x, _LARGE)
    series = -sum((2 * k + 1) / (c * large ** (2 * k + 2)) for k, c in enumerate(_STIRLING))
    near = _textbook_polygamma(xp, small, 0) - xp.log(small) + 1 / (2 * small)
    return xp.where(x > _LARGE, series, near)


@primitive(
    textbook=_textbook_lgamma,
    derivative=lambda xp, x: digamma(xp, x),
    second_derivative=lambda xp, x: trigamma(xp, x),
)
@computed_in_float64
def lgamma(xp: Namespace, x: Array) -> Array:
    """Return the logarithm of the gamma function for x at or above 0; below it is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> lgamma(np, np.asarray([1e-300, 0.5, 2.0, 1e10]))
    array([6.90775528e+02, 5.72364943e-01, 0.00000000e+00, 2.20258509e+11])
    """
    below = x < 1.0
    rest = log_factorial(xp, xp.where(below, x, x - 1.0))
    log = xp.log(xp.where(below & (x > 0.0), x, xp.ones_like(x)))
    return _with_limits(xp, x, rest - log, math.inf)


@primitive(
    textbook=lambda xp, x: _textbook_polygamma(xp, x, 0),
    derivative=lambda xp, x: trigamma(xp, x),
    second_derivative=lambda xp, x: -_polygamma(xp, x, 2),
)
@computed_in_float64
def digamma(xp: Namespace, x: Array) -> Array:
    """Return the derivative of `lgamma`, for x at or above 0; below it is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> digamma(np, np.asarray([1.0, 1e10]))
    array([-0.57721566, 23.02585093])
    """
    below = x < 1.0
    near = xp.clip(xp.where(below, x + 1.0, x), 1.0, _FAR)
    u = near - 1.0
    quotient = polynomial(u, _NEAR_TOP) / polynomial(u, _NEAR_BOTTOM)
    distance = (near - _ZERO) - _ZERO_ERROR
    middle = distance + distance * quotient
    inverse = 1.0 / xp.where(below & (x > 0.0), x, xp.ones_like(x))
    middle = xp.where(below, middle - inverse, middle)
    large = xp.clip(x, _FAR, math.inf)
    far = xp.log(large) + (_large_binet_derivative(large) - 0.5 / large)
    return _with_limits(xp, x, xp.where(x < _FAR, middle, far), -math.inf)


@primitive(
    textbook=lambda xp, x: _textbook_polygamma(xp, x, 1),
    derivative=lambda xp, x: -_polygamma(xp, x, 2),
    second_derivative=lambda xp, x: _polygamma(xp, x, 3),
)
def trigamma(xp: Namespace, x: Array) -> Array:
    """Return the derivative of `digamma`, for x at or above 0; below it is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> trigamma(np, np.asarray([1.0, 1e10]))
    array([1.64493407e+00, 1.00000000e-10])
    """
    return _polygamma(xp, x, 1)


@primitive(
    textbook=_textbook_binet,
    derivative=lambda xp, x: binet_derivative(xp, x),
    second_derivative=lambda xp, x: binet_second_derivative(xp, x),
)
@computed_in_float64
def binet(xp: Namespace, x: Array) -> Array:
    """Return Binet's function, lgamma(x) - ((x - 1/2) log(x) - x + log(2 pi) / 2), for x above 0.

    It falls like 1 / (12 x), so differences of `lgamma` for large x are accurate if computed from
    its other terms and this function.

    Examples
    --------
    >>> import numpy as np
    >>> binet(np, np.asarray([1.0, 1e10]))
    array([8.10614668e-02, 8.33333333e-12])
    """
    near = _recurrence_arguments(xp, x)
    # J(x) is J(x + 1) and this, twice.
    step = _binet_step(xp, near) + _binet_step(xp, near + 1.0)
    below = x < _FAR
    far = large_binet(xp.where(below, near + 2.0, xp.clip(x, _FAR, math.inf)))
    return _with_limits(xp, x, select(xp, below, step + far, far), math.inf)


@primitive(
    textbook=_textbook_binet_derivative,
    derivative=lambda xp, x: binet_second_derivative(xp, x),
    second_derivative=lambda xp, x: -_binet_polygamma(xp, x, 2),
)
@computed_in_float64
def binet_derivative(xp: Namespace, x: Array) -> Array:
    """Return the derivative of `binet`, digamma(x) - log(x) + 1 / (2 x), for x above 0.

    Examples
    --------
    >>> import numpy as np
    >>> binet_derivative(np, np.asarray([1.0, 1e10]))
    array([-7.72156649e-02, -8.33333333e-22])
    """
    near = _recurrence_arguments(xp, x)
    step = _derivative_step(xp, near) + _derivative_step(xp, near + 1.0)
    below = x < _FAR
    far = _large_binet_derivative(xp.where(below, near + 2.0, xp.clip(x, _FAR, math.inf)))
    # 0.0 makes 0 of -0.
    return _with_limits(xp, x, select(xp, below, step + far, far) + 0.0, -math.inf)


@primitive(
    textbook=lambda xp, x: _binet_polygamma(xp, x, 1),
    derivative=lambda xp, x: -_binet_polygamma(xp, x, 2),
    second_derivative=lambda xp, x: _polygamma(xp, x, 3) - 2.0 / x**3 - 3.0 / x**4,
)
def binet_second_derivative(xp: Namespace, x: Array) -> Array:
    """Return the second derivative of `binet`, trigamma(x) - 1 / x - 1 / (2 x^2), for x above 0.

    Examples
    --------
    >>> import numpy as np
    >>> binet_second_derivative(np, np.asarray([1.0, 1e10]))
    array([1.44934067e-01, 1.66666667e-31])
    """
    return _binet_polygamma(xp, x, 1)


def _recurrence_arguments(xp: Namespace, x: Array) -> Array:
    """Return the numbers up to 2 for the recurrences, and others in place of those not above 0."""
    return xp.minimum(xp.where(x <= 0.0, xp.ones_like(x), x), xp.full_like(x, _FAR))


def _binet_step(xp: Namespace, x: Array) -> Array:
    """Return J(x) - J(x + 1)."""
    return (x + 0.5) * xp.log1p(1.0 / x) - 1.0


def _derivative_step(xp: Namespace, x: Array) -> Array:
    """Return J'(x) - J'(x + 1)."""
    return log1p_minus(xp, 1.0 / x) + 0.5 / (x * (x + 1.0))


def _large_binet_derivative(x: Array) -> Array:
    inverse = 1.0 / x
    w = inverse * inverse
    return -w * (polynomial(w, _DERIVATIVE_TOP) / polynomial(w, _DERIVATIVE_BOTTOM))


@computed_in_float64
def _binet_polygamma(xp: Namespace, x: Array, order: int) -> Array:
    """Return the size of the second derivative of `binet`, or of the third, by positive terms."""
    if isinstance(xp, TextbookNamespace):
        small, large = xp.minimum(x, _LARGE), xp.maximum(x, _LARGE)
        size = _textbook_polygamma(xp, small, order) * (1 if order == 1 else -1)
        near = size - 1 / small**order - order / (2 * small ** (order + 1))
        series = sum(
            math.perm(2 * k + 1 + order, 1 + order) / (c * large ** (2 * k + 2 + order))
            for k, c in enumerate(_STIRLING)
        )
        return xp.where(x > _LARGE, series, near)
    total = xp.zeros_like(x)
    for k in range(_STEPS):
        one, other = 1.0 / (x + k), 1.0 / (x + (k + 1))
        gap = one * other
        total = total + gap * gap * (0.5 if order == 1 else one + other)
    return total + _bernoulli_terms(1.0 / (x + _STEPS), order)


@computed_in_float64
def _polygamma(xp: Namespace, x: Array, order: int) -> Array:
    """Return the size of a derivative of digamma: it is minus this for an even order."""
    if isinstance(xp, TextbookNamespace):
        return _textbook_polygamma(xp, x, order) * (1 if order % 2 else -1)
    scale = float(math.factorial(order))
    total = xp.zeros_like(x)
    inside = xp.where(x <= 0.0, xp.ones_like(x), x)
    for k in range(_STEPS):
        total = total + (1.0 / (inside + k)) ** (order + 1)
    inverse = 1.0 / (inside + _STEPS)
    far = inverse**order * (scale / order + 0.5 * scale * inverse)
    return _with_limits(xp, x, scale * total + (far + _bernoulli_terms(inverse, order)), math.inf)


def _bernoulli_terms(inverse: Array, order: int) -> Array:
    """Return the terms of Bernoulli's numbers of the asymptotic series of a polygamma function."""
    factors = tuple(
        b * math.factorial(2 * k + order - 1) / math.factorial(2 * k)
        for k, b in enumerate(_BERNOULLI, 1)
    )
    w = inverse * inverse
    return inverse**order * w * polynomial(w, factors)


def _with_limits(xp: Namespace, x: Array, result: Array, at_zero: float) -> Array:
    """Return a result, with its limit at 0, and NaN below."""
    outside = xp.where(x < 0.0, xp.full_like(x, xp.nan), xp.full_like(x, at_zero))
    return xp.where(x <= 0.0, outside, result)
