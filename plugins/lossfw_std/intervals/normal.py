"""The standard normal distribution between two numbers."""

from __future__ import annotations

import math

from lossfw import Array, Namespace
from lossfw.numerics import (
    log_normal_cdf,
    normal_cdf,
    normal_hazard,
    normal_mean_excess,
    normal_quantile,
    times_normal_pdf,
    with_nan_of,
)
from lossfw_std.intervals.base import IntervalEnds, StandardDistribution

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)

# Below this width, and this width times the middle, an interval is a density times its width.
_NARROW = 1.0

# From here on F is 1.
_FAR_UP = 30.0

# Those of Gauss and Legendre with eight places on (-1/2, 1/2), of which four are positive: their
# error is below 1e-17 for the mean of exp(-m w u - (w u)^2 / 2).
_PLACES = (0.09171732124782490, 0.26276620495816450, 0.39833323870681337, 0.48014492824876812)
_WEIGHTS = (0.36268378337836198, 0.31370664587788728, 0.22238103445337447, 0.10122853629037626)


class _NormalDistribution(StandardDistribution):
    """Wide intervals by the lower tail, to which upper ones are mirrored; narrow ones by a mean."""

    def interval_loss(self, xp: Namespace, ends: IntervalEnds, order: int) -> Array:
        middle, width = 0.5 * (ends.a + ends.b), ends.width
        second_derivative = xp.abs(middle) * width
        narrow = (width < _NARROW) & (second_derivative < _NARROW)
        one = xp.ones_like(width)
        wide = _wide_loss(xp, ends, middle, order)
        close = _narrow_loss(
            xp, xp.where(narrow, middle, 0.0 * one), xp.where(narrow, width, one), order
        )
        return xp.where(narrow, close, wide)

    def point_loss(self, xp: Namespace, z: Array, order: int) -> Array:
        if order == 0:
            return _HALF_LOG_TWO_PI + 0.5 * z * z
        return z if order == 1 else with_nan_of(xp, z, xp.ones_like(z))

    def interval_formula(self, xp: Namespace, a: Array, b: Array) -> Array:
        # The lower tail, where F has digits.
        upper = a + b > 0
        a, b = xp.where(upper, -b, a), xp.where(upper, -a, b)
        highest = log_normal_cdf(xp, b)
        is_open = a == -xp.inf
        share = xp.exp(log_normal_cdf(xp, xp.where(is_open, 0 * b, a)) - highest)
        return -(highest + xp.log1p(-xp.where(is_open, 0 * share, share)))

    def point_formula(self, xp: Namespace, z: Array) -> Array:
        return z * z / 2 + xp.log(2 * xp.pi * xp.ones_like(z)) / 2

    def cdf(self, xp: Namespace, z: Array) -> Array:
        return normal_cdf(xp, z)

    def quantile(self, xp: Namespace, p: Array) -> Array:
        return normal_quantile(xp, p)


def _narrow_loss(xp: Namespace, m: Array, w: Array, order: int) -> Array:
    """Return the loss of intervals of width w about m, the sum of w exp(-m w u - (w u)^2 / 2)."""
    mean, first, second = 0.0 * m, 0.0 * m, 0.0 * m
    for place, weight in zip(_PLACES, _WEIGHTS, strict=True):
        step = w * place
        e = weight * xp.exp(-0.5 * step * step)
        mean = mean + e * xp.cosh(m * step)
        first = first + e * place * xp.sinh(m * step)
        second = second + e * place * place * xp.cosh(m * step)
    if order == 0:
        return _HALF_LOG_TWO_PI + 0.5 * m * m - xp.log(w) - xp.log(mean)
    if order == 1:
        return 2.0 * xp.exp(-0.125 * w * w) * xp.sinh(0.5 * m * w) / w / mean
    # 1 less the variance between the ends.
    return 1.0 - w * (w * (second / mean - (first / mean) * (first / mean)))


def _wide_loss(xp: Namespace, ends: IntervalEnds, middle: Array, order: int) -> Array:
    """Return the loss from the upper end b of an interval in the lower tail."""
    both = xp.isinf(ends.a) & xp.isinf(ends.b)
    mirrored = middle > 0
    a, b = xp.where(mirrored, -ends.b, ends.a), xp.where(mirrored, -ends.a, ends.b)
    zero = xp.zeros_like(ends.width)
    b = xp.where(both, zero, b)
    hazard, excess = normal_hazard(xp, -b), normal_mean_excess(xp, -b)
    is_open = xp.isinf(a)
    width = xp.where(is_open, zero, ends.width)
    # f(a) / f(b), and F(a) / F(b).
    densities = xp.where(is_open, zero, xp.exp(-width * xp.abs(xp.where(is_open, zero, middle))))
    a = xp.where(is_open, zero, a)
    outer = normal_hazard(xp, -a)
    chances = densities * (hazard / outer)
    if order == 0:
        return xp.where(both, zero, -(log_normal_cdf(xp, b) + xp.log1p(-chances)))
    fall = -xp.expm1(-width * xp.abs(xp.where(is_open, zero, middle)))
    fall = xp.where(is_open, zero + 1.0, fall)
    if order == 1:
        derivative = hazard * fall / (1.0 - chances)
        return xp.where(both, zero, xp.where(mirrored, derivative, -derivative))
    # The difference of the two hazards, which are nearly -a and -b.
    apart = width + (normal_mean_excess(xp, -a) - excess)
    slower = hazard * densities * (apart / outer) / (1.0 - chances)
    factor = (fall * (excess - slower) + width * densities) / (1.0 - chances)
    # Far up the hazard is the density, which may be subnormal.
    above = times_normal_pdf(xp, factor, b)
    found = xp.where(b > _FAR_UP, above, hazard * factor)
    return xp.where(both, zero, found)


NORMAL = _NormalDistribution()
