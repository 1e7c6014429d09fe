"""The logarithm of t! = Gamma(t + 1) for any t at or above 0, without SciPy.

Near 0 and 1, where it is 0, it is t (t - 1) R(t), and from 2 on Stirling's formula plus its
remainder, Binet's function. R and Binet's function are rational approximations, our own, from
interpolation at Chebyshev points with 80 digits. On exact numbers it is Arb's.
"""

from __future__ import annotations

import math

from lossfw.numerics.arrays import Array, Namespace, TextbookNamespace
from lossfw.numerics.exact.namespace import ExactNamespace
from lossfw.numerics.primitive import computed_in_float64, polynomial
from lossfw.numerics.selection import select
from lossfw.numerics.xlogy import xlogy

# log t! / (t (t - 1)) for t from 0 to 2 is between 0.34 and 0.58. Less its middle, which keeps
# rounding errors small, it is a quotient; the error is below 4e-17.
_MIDDLE = 0.4375
_TOP = (
    0.13971566490153284,
    0.21528402576366015,
    -0.05449954668212295,
    -0.26321672329514956,
    -0.17190295993774785,
    -0.04475574127121119,
    -0.004675528133142054,
    -0.00014651172015056602,
    -3.4387534246231254e-08,
)
_BOTTOM = (
    1.0,
    3.2962330645658335,
    4.283498617926743,
    2.7922148253073,
    0.961953097690663,
    0.1693844804533058,
    0.013462840310043222,
    0.00034666036878764635,
)
_NEAR = 2.0

# t times Binet's function in powers of 1 / t^2, for t from 2 on; the relative error is 3e-15, of
# a summand that is at most a thirtieth of the sum.
_BINET_TOP = (
    0.08333333333333309,
    0.9168528224975098,
    2.906129137665967,
    3.0568349532213372,
    0.9085778288439857,
    0.037328533713462425,
)
_BINET_BOTTOM = (
    1.0,
    11.035567203300564,
    35.231878083083835,
    37.75845755451928,
    11.894733521510435,
    0.6479830873133663,
)
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)

# Euler's constant with 50 digits, and the number below which t + 1 has too few of them for log t!.
_EULER = 57721566490153286060651209008240243104215933593992, 10**50
_LEAST = 1e-20

# The number above which log t! has few digits beside t log t, and Stirling's series ends soon.
_LARGE = 1e8
_STIRLING = (12, -360, 1260, -1680, 1188)


@computed_in_float64
def log_factorial(xp: Namespace, t: Array) -> Array:
    """Return log(t!) for real t at or above 0.

    Examples
    --------
    >>> import numpy as np
    >>> np.exp(log_factorial(np, np.asarray([0.0, 1.0, 4.0])))
    array([ 1.,  1., 24.])
    """
    if isinstance(xp, TextbookNamespace):
        return _textbook(xp, t)
    small, large = _split_at_border(xp, t)
    log = xp.log(large)
    far = large * (log - 1.0) + (0.5 * log + (_HALF_LOG_TWO_PI + large_binet(large)))
    # 0.0 makes 0 of -0.
    return select(xp, t < _NEAR, small * _log_factorial_factor(small) + 0.0, far)


@computed_in_float64
def factorial_rest(xp: Namespace, t: Array) -> Array:
    """Return log(t!) - (t log(t) - t), which is 0 at 0 and positive elsewhere.

    Its negative is the logarithm of the largest probability of t under any Poisson
    distribution.

    Examples
    --------
    >>> import numpy as np
    >>> factorial_rest(np, np.asarray([0.0, 1.0, 1e6]))
    array([0.       , 1.       , 7.8266939])
    """
    if isinstance(xp, TextbookNamespace):
        return _textbook_rest(xp, t)
    small, large = _split_at_border(xp, t)
    near = small * (1.0 + _log_factorial_factor(small)) - small * xp.log(
        xp.where(t > 0.0, small, large)
    )
    far = 0.5 * xp.log(large) + (_HALF_LOG_TWO_PI + large_binet(large))
    return select(xp, t < _NEAR, near, far)


def _split_at_border(xp: Namespace, t: Array) -> tuple[Array, Array]:
    """Return the numbers held below and above the border of both forms."""
    return xp.clip(t, 0.0, _NEAR), xp.clip(t, _NEAR, math.inf)


def _log_factorial_factor(t: Array) -> Array:
    return (t - 1.0) * (_MIDDLE + polynomial(t, _TOP) / polynomial(t, _BOTTOM))


def large_binet(t: Array) -> Array:
    """Return Binet's function for t from 2 on; see `lossfw.numerics.gamma.binet`."""
    inverse = 1.0 / t
    w = inverse * inverse
    return inverse * (polynomial(w, _BINET_TOP) / polynomial(w, _BINET_BOTTOM))


def _textbook(xp: Namespace, t: Array) -> Array:
    """Return the logarithm of the gamma function, of a tiny t the start of its series."""
    if not isinstance(xp, ExactNamespace):
        return xp.lgamma(1 + t)
    euler = xp.full_like(t, _EULER[0]) / _EULER[1]
    series = t * (t * xp.pi * xp.pi / 12 - euler)
    return xp.where(t < _LEAST, series, xp.lgamma(1 + t))


def _textbook_rest(xp: Namespace, t: Array) -> Array:
    """Return the definition, of a large t the start of Stirling's series."""
    if not isinstance(xp, ExactNamespace):
        return xp.lgamma(1 + t) - (xlogy(xp, t, t) - t)
    some = xp.where(t > _LARGE, t, xp.ones_like(t))
    series = xp.log(2 * xp.pi * some) / 2
    for k, divisor in enumerate(_STIRLING):
        series = series + 1 / (divisor * some ** (2 * k + 1))
    return xp.where(t > _LARGE, series, _textbook(xp, t) - (xlogy(xp, t, t) - t))
