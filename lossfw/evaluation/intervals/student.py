"""Student's t distribution with real degrees of freedom."""

from __future__ import annotations

import functools
import math
from statistics import NormalDist

# From here on the expansion about the normal distribution is exact to the last digits.
_LARGE = 1000.0
# Steps of the continued fraction: below _LARGE it ends within some tens.
_STEPS = 10_000
_TINY = 1e-300


@functools.cache
def t_quantile(level: float, freedom: float) -> float:
    """Return the number that bounds |t| with probability `level`.

    The degrees of freedom are at least 1, and need not be integers.

    Notes
    -----
    The distribution is an incomplete beta function, here as a continued fraction (DLMF 8.17.22),
    and is inverted by bisection. Beyond 1,000 degrees of freedom the quantile is a series about
    that of the normal distribution: Abramowitz and Stegun, *Handbook of mathematical functions*,
    26.7.5.

    Examples
    --------
    >>> round(t_quantile(0.95, 1), 4), round(t_quantile(0.95, 11.4), 4)
    (12.7062, 2.1916)
    """
    if freedom > _LARGE:
        return _normal_expansion(NormalDist().inv_cdf((1.0 + level) / 2), freedom)
    # Over the angle whose tangent is t / sqrt(freedom), until no float lies between the ends.
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        if 1.0 - _tail_probability(middle, freedom) < level:
            low = middle
        else:
            high = middle
    return math.tan(low) * math.sqrt(freedom)


def two_sided_p_value(t: float, freedom: float) -> float:
    """Return the two-sided p-value of `t`.

    Examples
    --------
    >>> round(two_sided_p_value(2.0, 10.0), 6), two_sided_p_value(0.0, 3.5)
    (0.073388, 1.0)
    """
    if math.isinf(t):
        return 0.0
    return _tail_probability(math.atan2(abs(t), math.sqrt(freedom)), freedom)


def _tail_probability(angle: float, freedom: float) -> float:
    """Return the probability of an absolute value above tan(angle) sqrt(freedom).

    It is the regularised incomplete beta function of freedom / 2 and 1 / 2 at cos(angle)^2.
    """
    cosine, sine = math.cos(angle), math.sin(angle)
    a, b, x, rest = freedom / 2, 0.5, cosine * cosine, sine * sine
    if rest == 0.0:
        return 1.0
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    front = math.exp(log_front)
    # The fraction converges fast on this side of the mean only.
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(a, b, x) / a
    return 1.0 - front * _continued_fraction(b, a, rest) / b


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1.0 / _keep_from_zero(1.0 - (a + b) * x / (a + 1.0))
    found = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _keep_from_zero(1.0 + term * d)
            c = _keep_from_zero(1.0 + term / c)
            step = c * d
            found *= step
        if abs(step - 1.0) < 1e-16:
            break
    return found


def _keep_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


def _normal_expansion(z: float, freedom: float) -> float:
    """Return the quantile of t from that of the normal distribution."""
    q = z * z
    terms = (
        (q + 1) / 4,
        ((5 * q + 16) * q + 3) / 96,
        (((3 * q + 19) * q + 17) * q - 15) / 384,
        ((((79 * q + 776) * q + 1482) * q - 1920) * q - 945) / 92160,
    )
    return z * (1.0 + sum(term / freedom**power for power, term in enumerate(terms, 1)))
