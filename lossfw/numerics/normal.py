"""The normal distribution and the error function, without SciPy.

The one approximation is that of the scaled complementary error function
exp(x^2) erfc(x): a polynomial in t = (x - k) / (x + k), after Schonfelder,
*Chebyshev expansions for the error and related functions*, Mathematics of
Computation 32, 1978. The coefficients are our own, by interpolation at
Chebyshev's points with 60 digits.
"""

from __future__ import annotations

import math

from lossfw.numbers.arrays import Array, Namespace
from lossfw.numerics.primitive import polynomial, primitive

_SQRT_HALF = math.sqrt(0.5)
_TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)
_ONE_OVER_SQRT_TWO_PI = 1 / math.sqrt(2 * math.pi)

# Beyond this exp(-x^2 / 2) is 0 in every float format.
_FAR = 64.0

# Steps of 1/16: a multiple of it below 64 has a square of at most 20 bits,
# which every format from float32 on holds exactly.
_STEPS = 16.0

# Schonfelder's k: with it the series is among the shortest.
_K = 3.75

# (1 + 2 x) exp(x^2) erfc(x) in powers of t = (x - k) / (x + k), for x >= 0;
# the error is below 1e-17.
_SCALED_ERFC = (
    1.2375126308378275,
    -0.14024059858554697,
    0.003585415485463775,
    0.08227673849014516,
    -0.10880393014171785,
    0.09230432116037876,
    -0.058693398590212366,
    0.028362277418940665,
    -0.009746579552504244,
    0.0017556258530017257,
    0.0002937136342850081,
    -0.0002901540809795271,
    5.1649211390702855e-05,
    2.2384240314224437e-05,
    -1.1444412439171722e-05,
    -9.735619015182663e-07,
    1.752057970166318e-06,
    -5.721597255990987e-08,
    -2.591069687796658e-07,
    2.3261913276696566e-08,
    3.8965452548985966e-08,
    -3.743568033634583e-09,
    -5.28428697963142e-09,
    3.110310719839165e-10,
    4.434959070009628e-10,
)

# Below this erf is computed from its own series: 1 - erfc would lose digits.
_ERF_BRANCH = 0.5

# erf(x) / x in powers of x^2 for abs(x) <= 1/2; the error is below 5e-18.
_ERF_SERIES = (
    1.1283791670955126,
    -0.37612638903183476,
    0.11283791670925353,
    -0.026866170632887928,
    0.00522397737302147,
    -0.0008548297753674966,
    0.00012053335124353741,
    -1.4845849259707869e-05,
    1.4725865480556744e-06,
)


def _exp_minus_square(xp: Namespace, a: Array, factor: float) -> Array:
    """Return exp(-factor a^2) for a >= 0, with the rounding of a^2 taken out.

    The rounding error of a^2 would be multiplied by a^2. With h the multiple of
    1/16 below a, a^2 = h^2 + (a - h)(a + h), in which h^2 is exact.
    """
    a = xp.minimum(a, xp.full_like(a, _FAR))
    h = xp.floor(a * _STEPS) / _STEPS
    return xp.exp(-factor * h * h) * xp.exp(-factor * (a - h) * (a + h))


def _scaled_erfc(a: Array) -> Array:
    """Return exp(a^2) erfc(a) for finite a >= 0."""
    t = (a - _K) / (a + _K)
    return polynomial(t, _SCALED_ERFC) / (1 + 2 * a)


def _upper(xp: Namespace, a: Array) -> Array:
    """Return erfc(a) for a >= 0."""
    return _exp_minus_square(xp, a, 1.0) * _scaled_erfc(xp.minimum(a, xp.full_like(a, _FAR)))


@primitive(
    textbook=lambda xp, x: xp.erf(x),
    slope=lambda xp, x: _TWO_OVER_SQRT_PI * _exp_minus_square(xp, xp.abs(x), 1.0),
    curvature=lambda xp, x: -2 * x * (_TWO_OVER_SQRT_PI * _exp_minus_square(xp, xp.abs(x), 1.0)),
)
def erf(xp: Namespace, x: Array) -> Array:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-u^2) from 0 to x.

    Examples
    --------
    >>> import numpy as np
    >>> erf(np, np.asarray([0.0, 0.5, np.inf]))
    array([0.        , 0.52049988, 1.        ])
    """
    a = xp.abs(x)
    near = a < _ERF_BRANCH
    small = xp.where(near, x, xp.zeros_like(x))
    far = xp.sign(x) * (1 - _upper(xp, a))
    return xp.where(near, small * polynomial(small * small, _ERF_SERIES), far)


@primitive(
    textbook=lambda xp, x: xp.erfc(x),
    slope=lambda xp, x: -_TWO_OVER_SQRT_PI * _exp_minus_square(xp, xp.abs(x), 1.0),
    curvature=lambda xp, x: 2 * x * (_TWO_OVER_SQRT_PI * _exp_minus_square(xp, xp.abs(x), 1.0)),
)
def erfc(xp: Namespace, x: Array) -> Array:
    """Return 1 - erf(x), with the digits of its small values for large x.

    Examples
    --------
    >>> import numpy as np
    >>> erfc(np, np.asarray([-np.inf, 0.0, 10.0]))
    array([2.00000000e+00, 1.00000000e+00, 2.08848758e-45])
    """
    upper = _upper(xp, xp.abs(x))
    return xp.where(x < 0, 2 - upper, upper)


@primitive(
    textbook=lambda xp, x: xp.erfc(-x / xp.sqrt(xp.full_like(x, 2.0))) / 2,
    slope=lambda xp, x: normal_pdf(xp, x),
    curvature=lambda xp, x: -x * normal_pdf(xp, x),
)
def normal_cdf(xp: Namespace, x: Array) -> Array:
    """Return the probability that a standard normal variable is at most x.

    Examples
    --------
    >>> import numpy as np
    >>> normal_cdf(np, np.asarray([-10.0, 0.0, np.inf]))
    array([7.61985302e-24, 5.00000000e-01, 1.00000000e+00])
    """
    a = xp.minimum(xp.abs(x), xp.full_like(x, _FAR))
    # x / sqrt(2) is rounded, which the scaled function forgives; exp would not.
    tail = 0.5 * _exp_minus_square(xp, a, 0.5) * _scaled_erfc(a * _SQRT_HALF)
    return xp.where(x < 0, tail, 1 - tail)


@primitive(
    textbook=lambda xp, x: xp.exp(-x * x / 2) / xp.sqrt(2 * xp.pi + xp.zeros_like(x)),
    slope=lambda xp, x: -x * normal_pdf(xp, x),
    curvature=lambda xp, x: (x - 1) * (x + 1) * normal_pdf(xp, x),
)
def normal_pdf(xp: Namespace, x: Array) -> Array:
    """Return exp(-x^2 / 2) / sqrt(2 pi), the density of a standard normal variable.

    Examples
    --------
    >>> import numpy as np
    >>> normal_pdf(np, np.asarray([0.0, np.inf]))
    array([0.39894228, 0.        ])
    """
    return _ONE_OVER_SQRT_TWO_PI * _exp_minus_square(xp, xp.abs(x), 0.5)
