"""The standard logistic distribution, 1 / (1 + exp(-z))."""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import sigmoid, softplus
from lossfw_std.intervals.base import IntervalEnds, StandardDistribution, log1m_exp


class _LogisticDistribution(StandardDistribution):
    """F(b) - F(a) = F(b) F(-a) (1 - e^(a - b)), whose logarithms all have one sign."""

    def interval_loss(self, xp: Namespace, ends: IntervalEnds, order: int) -> Array:
        a, b = ends.a, -ends.b
        if order == 0:
            return softplus(xp, a) + softplus(xp, b) - log1m_exp(xp, ends.width)
        if order == 1:
            return sigmoid(xp, a) - sigmoid(xp, b)
        return _density(xp, a) + _density(xp, b)

    def point_loss(self, xp: Namespace, z: Array, order: int) -> Array:
        if order == 0:
            # softplus(z) + softplus(-z)
            return xp.abs(z) + 2.0 * xp.log1p(xp.exp(-xp.abs(z)))
        return xp.tanh(0.5 * z) if order == 1 else 2.0 * _density(xp, z)

    def interval_formula(self, xp: Namespace, a: Array, b: Array) -> Array:
        return xp.log1p(xp.exp(a)) + xp.log1p(xp.exp(-b)) - xp.log(-xp.expm1(a - b))

    def point_formula(self, xp: Namespace, z: Array) -> Array:
        return xp.log1p(xp.exp(z)) + xp.log1p(xp.exp(-z))

    def cdf(self, xp: Namespace, z: Array) -> Array:
        return sigmoid(xp, z)

    def quantile(self, xp: Namespace, p: Array) -> Array:
        return xp.log(p) - xp.log1p(-p)


def _density(xp: Namespace, z: Array) -> Array:
    e = xp.exp(-xp.abs(z))
    return e / ((1.0 + e) * (1.0 + e))


LOGISTIC = _LogisticDistribution()
