"""The normal distribution and the error function, without SciPy.

The only approximation is that of the normal distribution's upper tail divided by exp(-x^2 / 2): a
polynomial in t = (x - k) / (x + k), as proposed by Schonfelder, *Chebyshev expansions for the error
and related functions*, Mathematics of Computation 32, 1978. The coefficients are our own, from
interpolation at Chebyshev points with 60 digits.
"""

from __future__ import annotations

import math

from lossfw.numerics.arrays import Array, Namespace, TextbookNamespace
from lossfw.numerics.dual.namespace import DualNamespace
from lossfw.numerics.primitive import computed_in_float64, polynomial, primitive
from lossfw.numerics.selection import select
from lossfw.numerics.xlogy import multiply_or_zero

_SQRT_TWO = math.sqrt(2.0)
_SQRT_HALF = math.sqrt(0.5)

# Beyond this exp(-x^2 / 2) is 0 in every float format.
_FAR = 64.0

# The square of a multiple of 1/128 is exact in float64, and in float32 if exp(-x^2) is more
# than 0.
_STEPS = 128.0

# k of the expansion; 5 gives one of the shortest.
_K = 5.0

# With this c the product below is between 0.40 and 0.48, which keeps the rounding errors of
# the polynomial small.
_C = 0.8125

# (x + c) exp(x^2 / 2) P(X > x) in powers of t = (x - k) / (x + k), for a
# standard normal X and x from 0 to 64; the relative error is below 5e-17.
_SCALED_TAIL = (
    0.44709346016722407,
    -0.06465399022200659,
    0.009267466197342514,
    0.025168079372233605,
    -0.03537392151982259,
    0.028927069585665537,
    -0.016856297375966493,
    0.006968033978033583,
    -0.0017172381585677083,
    -1.7385269197931616e-05,
    0.00019366461285600533,
    -5.3787963269923406e-05,
    -1.1143148393476706e-05,
    9.298156287400219e-06,
    5.928498837317939e-08,
    -1.3529076468411768e-06,
    1.0850345259805201e-07,
    2.0252810429514194e-07,
    -1.929872803239735e-08,
    -3.026053267718565e-08,
    4.915623748207172e-10,
    3.2045802250695107e-09,
    4.463030313049282e-10,
)

# 2^64, and its logarithm in two parts, of which the first has 32 bits.
_LARGE = 2.0**64
_LOG_HIGH = 44.361419558525085
_LOG_LOW = -2.688585646515894e-09

# Below this erf is computed from its series, above it erfc from the scaled tail.
_BRANCH = 0.5

# The same for the normal distribution, just below sqrt(2) / 2.
_NORMAL_BRANCH = 0.7

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


def _large_exp(xp: Namespace, a: Array, factor: float) -> Array:
    """Return 2^64 exp(-factor a^2) for a >= 0 and a factor of 1/2 or 1.

    The rounding error of a^2 would be multiplied by a^2, so it is computed and corrected.
    With h the multiple of 1/128 below a, a^2 = h^2 + (a - h)(a + h), where h^2 is exact and
    the product is small.

    The factor 2^64 keeps the result from being subnormal. The last step of a caller divides
    by it, so that digits are lost once only.
    """
    a = xp.minimum(a, xp.full_like(a, _FAR))
    square = a * a
    h = xp.floor(a * _STEPS) / _STEPS
    error = factor * ((h * h - square) + (a - h) * (a + h))
    exponent = _LOG_HIGH - factor * square
    # The rounding error of the subtraction.
    rounded = (_LOG_HIGH - exponent) - factor * square
    e = xp.exp(exponent)
    return e + e * ((rounded + _LOG_LOW) - error)


def _scaled_tail(a: Array) -> Array:
    """Return exp(a^2 / 2) P(X > a) for finite a >= 0."""
    return polynomial((a - _K) / (a + _K), _SCALED_TAIL) / (a + _C)


def _small_erf(a: Array) -> Array:
    """Return erf(a) for abs(a) <= 1/2."""
    return a * polynomial(a * a, _ERF_SERIES)


def _large_erfc(xp: Namespace, a: Array) -> Array:
    """Return erfc(a) for a >= 1/2."""
    # The rounding of sqrt(2) a matters little to the scaled tail, but much to exp(-a^2).
    scaled = _scaled_tail(_SQRT_TWO * xp.minimum(a, xp.full_like(a, _FAR)))
    return _large_exp(xp, a, 1.0) * (2 * scaled) / _LARGE


def _density(xp: Namespace, f: Array, x: Array, factor: float) -> Array:
    """Return f sqrt(factor / pi) exp(-factor x^2); 0 far out, even for an infinite f."""
    if isinstance(xp, TextbookNamespace):
        return f * xp.exp(-factor * x * x) * xp.sqrt(xp.full_like(x, factor / xp.pi))
    product = math.sqrt(factor / math.pi) * f * _large_exp(xp, xp.abs(x), factor) / _LARGE
    return xp.where(xp.abs(x) >= _FAR, xp.zeros_like(x), product)


@computed_in_float64
def _erf_density(xp: Namespace, x: Array, power: int) -> Array:
    """Return x^power times the derivative of erf."""
    return 2.0 * _density(xp, x**power, x, 1.0)


@computed_in_float64
def _normal_density(xp: Namespace, x: Array, power: int) -> Array:
    """Return x^power times the normal density."""
    return _density(xp, x**power, x, 0.5)


@primitive(
    textbook=lambda xp, x: xp.erf(x),
    derivative=lambda xp, x: _erf_density(xp, x, 0),
    second_derivative=lambda xp, x: -2 * _erf_density(xp, x, 1),
)
@computed_in_float64
def erf(xp: Namespace, x: Array) -> Array:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-u^2) from 0 to x.

    Examples
    --------
    >>> import numpy as np
    >>> erf(np, np.asarray([0.0, 0.5, np.inf]))
    array([0.        , 0.52049988, 1.        ])
    """
    a = xp.abs(x)
    near = a < _BRANCH
    center = _small_erf(xp.where(near, x, xp.zeros_like(x)))
    return select(xp, near, center, xp.sign(x) * (1 - _large_erfc(xp, a)))


@primitive(
    textbook=lambda xp, x: xp.erfc(x),
    derivative=lambda xp, x: -_erf_density(xp, x, 0),
    second_derivative=lambda xp, x: 2 * _erf_density(xp, x, 1),
)
@computed_in_float64
def erfc(xp: Namespace, x: Array) -> Array:
    """Return 1 - erf(x), accurate also for large x.

    Examples
    --------
    >>> import numpy as np
    >>> erfc(np, np.asarray([-np.inf, 0.0, 10.0]))
    array([2.00000000e+00, 1.00000000e+00, 2.08848758e-45])
    """
    a = xp.abs(x)
    near = a < _BRANCH
    center = 1 - _small_erf(xp.where(near, x, xp.zeros_like(x)))
    tail = _large_erfc(xp, a)
    return select(xp, near, center, select(xp, x < 0, 2 - tail, tail))


@primitive(
    textbook=lambda xp, x: xp.erfc(-x / xp.sqrt(xp.full_like(x, 2.0))) / 2,
    derivative=lambda xp, x: _normal_density(xp, x, 0),
    second_derivative=lambda xp, x: -_normal_density(xp, x, 1),
)
@computed_in_float64
def normal_cdf(xp: Namespace, x: Array) -> Array:
    """Return the probability that a standard normal variable is at most x.

    Examples
    --------
    >>> import numpy as np
    >>> normal_cdf(np, np.asarray([-10.0, 0.0, np.inf]))
    array([7.61985302e-24, 5.00000000e-01, 1.00000000e+00])
    """
    a = xp.minimum(xp.abs(x), xp.full_like(x, _FAR))
    near = a < _NORMAL_BRANCH
    center = 0.5 + 0.5 * _small_erf(xp.where(near, x, xp.zeros_like(x)) * _SQRT_HALF)
    tail = _large_exp(xp, a, 0.5) * _scaled_tail(a) / _LARGE
    return select(xp, near, center, select(xp, x < 0, tail, 1 - tail))


@primitive(
    textbook=lambda xp, x: xp.exp(-x * x / 2) / xp.sqrt(xp.full_like(x, 2 * xp.pi)),
    derivative=lambda xp, x: -_normal_density(xp, x, 1),
    second_derivative=lambda xp, x: _product(xp, x, (x - 1) * (x + 1)),
)
def normal_pdf(xp: Namespace, x: Array) -> Array:
    """Return exp(-x^2 / 2) / sqrt(2 pi), the density of a standard normal variable.

    Examples
    --------
    >>> import numpy as np
    >>> normal_pdf(np, np.asarray([0.0, np.inf]))
    array([0.39894228, 0.        ])
    """
    return _normal_density(xp, x, 0)


def times_normal_pdf(xp: Namespace, f: Array, x: Array) -> Array:
    """Return f normal_pdf(x), accurate also where the density is subnormal.

    Far out it is 0, even for an infinite `f`.

    Examples
    --------
    >>> import numpy as np
    >>> times_normal_pdf(np, np.asarray([2.0, 1e300]), np.asarray([0.0, 1e300]))
    array([0.79788456, 0.        ])
    """
    if isinstance(xp, DualNamespace | TextbookNamespace):
        return multiply_or_zero(xp, f, normal_pdf(xp, x))
    return _product(xp, x, f)


@computed_in_float64
def _product(xp: Namespace, x: Array, f: Array) -> Array:
    return _density(xp, f, x, 0.5)


@primitive(
    textbook=lambda xp, x: normal_cdf(xp, -x) * xp.exp(x * x / 2),
    derivative=lambda xp, x: x * scaled_normal_tail(xp, x) - normal_pdf(xp, 0 * x),
    second_derivative=lambda xp, x: (
        (1 + x * x) * scaled_normal_tail(xp, x) - x * normal_pdf(xp, 0 * x)
    ),
)
@computed_in_float64
def scaled_normal_tail(xp: Namespace, x: Array) -> Array:
    """Return exp(x^2 / 2) P(X > x) for a standard normal X and finite x >= 0.

    It falls like 1 / x, while the probability itself soon underflows to 0.

    Examples
    --------
    >>> import numpy as np
    >>> scaled_normal_tail(np, np.asarray([0.0, 1e10]))
    array([5.0000000e-01, 3.9894228e-11])
    """
    return _scaled_tail(x)
