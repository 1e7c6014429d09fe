"""The logarithm of the normal distribution function, and the hazard of its upper tail.

The hazard h(x) is the density over P(X > x), so the derivative of log P(X <= x) is h(-x). It is
also the mean of X given X > x. h(x) - x is our own polynomial in t = (x - k) / (x + k), made like
that in `lossfw.numerics.normal`.
"""

from __future__ import annotations

from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.normal import normal_cdf, normal_pdf, scaled_normal_tail
from lossfw.numerics.primitive import computed_in_float64, polynomial, primitive
from lossfw.numerics.selection import select

# Beyond it t is 1 in every float format, also where x + k overflows.
_FAR = 2.0**60

# From here on exact numbers go by the asymptotic series of the excess, for the quotient that
# defines it has too few digits: the first term left out is 1e-86 of the excess.
_ASYMPTOTIC = 1e9
_EXCESS_SERIES = (1, -2, 10, -74, 706)

# From here on the same terms are nearer to the variance than a difference in float64.
_CANCELLING = 64.0

# k of the expansion, one of those with the fewest terms; with this c the product below is
# between 0.99 and 1.22, which keeps the rounding errors of the polynomial small.
_K = 4.0
_C = 1.25

# (x + c) (h(x) - x) in powers of t for x from 0 to infinity; the relative error is below 5e-17.
_SCALED_EXCESS = (
    1.1844375085697232,
    -0.1554020567759816,
    -0.14259871052441458,
    0.18248125713271535,
    -0.06750053480946894,
    -0.02539663704857079,
    0.03236023191404305,
    -0.002768366813485445,
    -0.01009579319169425,
    0.003681723255565809,
    0.002491568542280583,
    -0.0017597211182224495,
    -0.00046411296633578757,
    0.0006412125051803895,
    3.890282685850031e-05,
    -0.00019809669303251295,
    1.7189372131551415e-05,
    5.284983082176297e-05,
    -1.2066723295303092e-05,
    -1.1850229430770855e-05,
    4.893696126537394e-06,
    2.0450447196868802e-06,
    -1.5544369533439238e-06,
    -2.105213902682347e-07,
    3.91832708565786e-07,
    -1.8011851481815009e-09,
    -7.0119621905448e-08,
    2.730505159644065e-09,
    6.5197030336331044e-09,
)


def _upper_excess(xp: Namespace, a: Array) -> Array:
    """Return h(a) - a for a >= 0."""
    near = xp.minimum(a, xp.full_like(a, _FAR))
    return polynomial((near - _K) / (near + _K), _SCALED_EXCESS) / (a + _C)


def _lower_hazard(xp: Namespace, a: Array) -> Array:
    """Return h(-a) for a >= 0."""
    return normal_pdf(xp, a) / normal_cdf(xp, a)


def _textbook_parts(xp: Namespace, x: Array) -> tuple[Array, Array, Array]:
    """Return which numbers are large, the excess of these, and the numbers that are not."""
    is_large = x > _ASYMPTOTIC
    near, large = xp.where(is_large, 1, x), xp.where(is_large, x, 1)
    series = sum(c / large ** (2 * k + 1) for k, c in enumerate(_EXCESS_SERIES))
    return is_large, series, near


def _textbook_hazard(xp: Namespace, x: Array) -> Array:
    is_large, excess, near = _textbook_parts(xp, x)
    return xp.where(is_large, x + excess, normal_pdf(xp, near) / normal_cdf(xp, -near))


def _textbook_excess(xp: Namespace, x: Array) -> Array:
    is_large, excess, near = _textbook_parts(xp, x)
    return xp.where(is_large, excess, normal_pdf(xp, near) / normal_cdf(xp, -near) - near)


def _textbook_log(xp: Namespace, x: Array) -> Array:
    """Return the logarithm, with the digits of both tails: far below that of density / hazard."""
    is_large, excess, near = _textbook_parts(xp, -x)
    far = -x * x / 2 - xp.log(2 * xp.pi) / 2 - xp.log(xp.where(is_large, excess - x, 1))
    lower = xp.log(normal_cdf(xp, xp.where(near > 0, -near, 0)))
    upper = xp.log1p(-normal_cdf(xp, xp.where(near > 0, 0, near)))
    return xp.where(is_large, far, xp.where(near > 0, lower, upper))


@primitive(
    textbook=_textbook_hazard,
    derivative=lambda xp, x: normal_hazard(xp, x) * normal_mean_excess(xp, x),
    second_derivative=lambda xp, x: _hazard_second_derivative(xp, x),
)
@computed_in_float64
def normal_hazard(xp: Namespace, x: Array) -> Array:
    """Return normal_pdf(x) / P(X > x) for a standard normal X, its mean given X > x.

    The derivative of ``log_normal_cdf(x)`` is ``normal_hazard(-x)``.

    Examples
    --------
    >>> import numpy as np
    >>> normal_hazard(np, np.asarray([-40.0, 0.0, 1e10]))
    array([0.00000000e+00, 7.97884561e-01, 1.00000000e+10])
    """
    a = xp.abs(x)
    return select(xp, x < 0, _lower_hazard(xp, a), a + _upper_excess(xp, a))


@primitive(
    textbook=_textbook_excess,
    derivative=lambda xp, x: -_variance(xp, x),
    second_derivative=lambda xp, x: _hazard_second_derivative(xp, x),
)
@computed_in_float64
def normal_mean_excess(xp: Namespace, x: Array) -> Array:
    """Return normal_hazard(x) - x, the mean excess of a standard normal X given X > x.

    The second derivative of ``log_normal_cdf(x)`` is ``-normal_hazard(-x) normal_mean_excess(-x)``.

    Examples
    --------
    >>> import numpy as np
    >>> normal_mean_excess(np, np.asarray([-40.0, 0.0, 1e10]))
    array([4.00000000e+01, 7.97884561e-01, 1.00000000e-10])
    """
    a = xp.abs(x)
    return select(xp, x < 0, _lower_hazard(xp, a) + a, _upper_excess(xp, a))


def _variance(xp: Namespace, x: Array) -> Array:
    """Return the variance of X beyond x, 1 - h'(x); its series where the difference cancels."""
    near = 1.0 - normal_hazard(xp, x) * normal_mean_excess(xp, x)
    large = xp.where(x > _CANCELLING, x, _CANCELLING)
    series = sum((2 * k + 1) * c / large ** (2 * k + 2) for k, c in enumerate(_EXCESS_SERIES))
    return xp.where(x > _CANCELLING, series, near)


def _hazard_second_derivative(xp: Namespace, x: Array) -> Array:
    """Return h''(x). Far out it has an error of a unit in the last place of h(x) / x^2."""
    excess = normal_mean_excess(xp, x)
    return normal_hazard(xp, x) * excess * excess - normal_hazard(xp, x) * _variance(xp, x)


@primitive(
    textbook=_textbook_log,
    derivative=lambda xp, x: normal_hazard(xp, -x),
    second_derivative=lambda xp, x: -normal_hazard(xp, -x) * normal_mean_excess(xp, -x),
)
@computed_in_float64
def log_normal_cdf(xp: Namespace, x: Array) -> Array:
    """Return the logarithm of the probability that a standard normal variable is at most x.

    Examples
    --------
    >>> import numpy as np
    >>> log_normal_cdf(np, np.asarray([-1e10, 0.0, 10.0]))
    array([-5.00000000e+19, -6.93147181e-01, -7.61985302e-24])
    """
    a = xp.abs(x)
    near = xp.minimum(a, xp.full_like(a, _FAR))
    lower = xp.log(scaled_normal_tail(xp, near)) - 0.5 * a * a
    # 0.0 makes 0 of -0.
    return select(xp, x < 0, lower, xp.log1p(-normal_cdf(xp, -a)) + 0.0)
