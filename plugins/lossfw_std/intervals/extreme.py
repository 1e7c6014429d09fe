"""The standard extreme value distribution of minima, 1 - exp(-exp(z)): log T of Weibull's T."""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import expm1_minus, select
from lossfw_std.intervals.base import IntervalEnds, StandardDistribution, log1m_exp

# A smaller rise D counts as this, and a larger one as that: D / expm1(D) is 1, and 0.
_LEAST, _MOST = 1e-300, 750.0


class _ExtremeDistribution(StandardDistribution):
    """With A = exp(a) and D = exp(b) - A, F(b) - F(a) = exp(-A) (1 - exp(-D))."""

    def interval_loss(self, xp: Namespace, ends: IntervalEnds, order: int) -> Array:
        first = xp.exp(ends.a)
        rise = xp.clip(xp.exp(ends.b) * -xp.expm1(-ends.width), _LEAST, _MOST)
        if order == 0:
            # log(1 - exp(-D)), which is log D for a tiny D.
            log = ends.b + log1m_exp(xp, ends.width)
            return first - select(xp, rise > _LEAST, log1m_exp(xp, rise), log)
        share = rise / xp.expm1(rise)
        if order == 1:
            return first - share
        return first + share * (expm1_minus(xp, -rise) / -xp.expm1(-rise))

    def point_loss(self, xp: Namespace, z: Array, order: int) -> Array:
        if order == 0:
            return 1.0 + expm1_minus(xp, z)
        return xp.expm1(z) if order == 1 else xp.exp(z)

    def interval_formula(self, xp: Namespace, a: Array, b: Array) -> Array:
        return xp.exp(a) - xp.log(-xp.expm1(xp.exp(a) - xp.exp(b)))

    def point_formula(self, xp: Namespace, z: Array) -> Array:
        return xp.exp(z) - z

    def cdf(self, xp: Namespace, z: Array) -> Array:
        return -xp.expm1(-xp.exp(z))

    def quantile(self, xp: Namespace, p: Array) -> Array:
        return xp.log(-xp.log1p(-p))


EXTREME = _ExtremeDistribution()
