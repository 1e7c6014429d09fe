"""The standard logistic distribution, 1 / (1 + exp(-z))."""

from __future__ import annotations

from typing import NamedTuple

from lossfw import Array, Namespace
from lossfw.numerics import positive_part, sigmoid, step_of
from lossfw_std.intervals.base import Ends, StandardDistribution, log1m_exp


class _Parts(NamedTuple):
    sigmoid: Array
    softplus: Array
    bend: Array  # the derivative of the sigmoid


def _parts(xp: Namespace, z: Array, low: Array) -> _Parts:
    e = xp.exp(-xp.abs(z))
    e = e - e * xp.sign(z) * low
    total = 1.0 + e
    return _Parts(
        xp.maximum(e, step_of(xp, z)) / total,
        positive_part(xp, z) + xp.log1p(e),
        e / total / total,
    )


class _Logistic(StandardDistribution):
    """F(b) - F(a) = F(b) F(-a) (1 - e^(a - b)), whose logarithms all have one sign."""

    def of_interval(self, xp: Namespace, ends: Ends, order: int) -> Array:
        above = _parts(xp, ends.a, ends.a_low)
        below = _parts(xp, -ends.b, -ends.b_low)
        if order == 0:
            return above.softplus + below.softplus - log1m_exp(xp, ends.width)
        if order == 2:
            return above.bend + below.bend
        # F(a) - F(-b) likewise.
        middle = ends.middle()
        middle = xp.where(xp.isnan(middle) & (ends.width > 0), xp.zeros_like(middle), middle)
        right = middle > 0
        # F of the larger of a and -b, and F of minus the smaller.
        first = xp.where(right, above.sigmoid, below.sigmoid)
        z, low = xp.where(right, ends.b, -ends.a), xp.where(right, ends.b_low, -ends.a_low)
        second = _parts(xp, z, low).sigmoid
        return xp.sign(middle) * first * second * -xp.expm1(-2.0 * xp.abs(middle))

    def of_point(self, xp: Namespace, z: Array, low: Array, order: int) -> Array:
        parts = _parts(xp, z, low)
        if order == 0:
            # softplus(z) + softplus(-z)
            return xp.abs(z) + 2.0 * xp.log1p(xp.exp(-xp.abs(z)))
        return xp.tanh(0.5 * (z + low)) if order == 1 else 2.0 * parts.bend

    def interval_formula(self, xp: Namespace, a: Array, b: Array) -> Array:
        return xp.log1p(xp.exp(a)) + xp.log1p(xp.exp(-b)) - xp.log(-xp.expm1(a - b))

    def point_formula(self, xp: Namespace, z: Array) -> Array:
        return xp.log1p(xp.exp(z)) + xp.log1p(xp.exp(-z))

    def below(self, xp: Namespace, z: Array) -> Array:
        return sigmoid(xp, z)

    def quantile(self, xp: Namespace, p: Array) -> Array:
        return xp.log(p) - xp.log1p(-p)


LOGISTIC = _Logistic()
