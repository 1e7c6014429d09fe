"""The standard extreme value distribution of minima, 1 - exp(-exp(z)): log T of Weibull's T."""

from __future__ import annotations

from lossfw import Array, Namespace
from lossfw.numerics import expm1_minus, extended_range
from lossfw_std.intervals.base import Ends, StandardDistribution, log1m_exp

# Where exp(-exp(z)) has lost digits to the rounding of exp(z), and is not yet 0.
_FIRST_LOST, _LAST_LOST = 0.75, 7.0

# Half of a smaller rise is the quotient of its square, which may vanish, and itself.
_TINY = 1e-100

# expm1 of more overflows, and what is left of it is 0.
_MOST = 700.0


def _exp(xp: Namespace, z: Array, low: Array) -> Array:
    e = xp.exp(z)
    return e + xp.where(e < xp.inf, e * low, 0.0 * low)


@extended_range(lambda xp, b, b_low, width: (b > _FIRST_LOST) & (b < _LAST_LOST))
def _rest(xp: Namespace, b: Array, b_low: Array, width: Array) -> tuple[Array, Array]:
    """Return D = exp(b) - exp(a), and exp(-D)."""
    e = xp.exp(xp.minimum(b, 0.0 * b_low + _MOST))
    # The rounding error of a huge b is large itself; then exp(-D) is 0 without it.
    rise = (e + e * xp.clip(b_low, -1.0e-6, 1.0e-6)) * -xp.expm1(-width)
    return rise, xp.exp(-rise)


class _Extreme(StandardDistribution):
    """With A = exp(a) and D = exp(b) - A, F(b) - F(a) = exp(-A) (1 - exp(-D))."""

    def of_interval(self, xp: Namespace, ends: Ends, order: int) -> Array:
        first = _exp(xp, ends.a, ends.a_low)
        rise, gone = _rest(xp, ends.b, ends.b_low, ends.width)
        small = rise < 1.0
        one = xp.ones_like(rise)
        if order == 0:
            near = xp.where(small, rise, one)
            shrunk = -xp.expm1(-near)
            some = near > 0
            quotient = expm1_minus(xp, -near) / xp.where(some, shrunk, one)
            # log D itself, for D may be subnormal.
            log_rise = ends.b + log1m_exp(xp, ends.width)
            close = xp.log1p(xp.where(some, quotient, 0.0 * near)) - log_rise
            return first + xp.where(small, close, -xp.log1p(-xp.where(small, 0.0 * gone, gone)))
        far = xp.where(small, one, rise)
        # D / expm1(D), whose distance from 1 has its digits for a small D.
        share = xp.where(gone > 0, far * gone / -xp.expm1(-far), 0.0 * gone)
        near = xp.where(small, rise, one)
        if order == 1:
            some = near > 0
            less = expm1_minus(xp, near) / xp.where(some, xp.expm1(near), one)
            first_less_one = xp.expm1(ends.a) + xp.exp(ends.a) * ends.a_low
            return xp.where(small, first_less_one + less, first - share)
        shrunk = xp.where(rise > 0, -xp.expm1(-xp.minimum(rise, _MOST * one)), one)
        tail = expm1_minus(xp, -xp.minimum(rise, _MOST * one)) / shrunk
        tail = xp.where(rise < _TINY, 0.5 * rise, tail)
        scaled = xp.where(gone > 0, rise * gone, 0.0 * gone) / shrunk
        return first + scaled * tail

    def of_point(self, xp: Namespace, z: Array, low: Array, order: int) -> Array:
        if order == 0:
            tail = expm1_minus(xp, z)
            slope = xp.expm1(z) * low
            return 1.0 + tail + xp.where(tail < xp.inf, slope, 0.0 * low)
        if order == 2:
            return _exp(xp, z, low)
        rise = xp.expm1(z)
        return rise + xp.where(rise < xp.inf, xp.exp(z) * low, 0.0 * low)

    def interval_formula(self, xp: Namespace, a: Array, b: Array) -> Array:
        return xp.exp(a) - xp.log(-xp.expm1(xp.exp(a) - xp.exp(b)))

    def point_formula(self, xp: Namespace, z: Array) -> Array:
        return xp.exp(z) - z

    def below(self, xp: Namespace, z: Array) -> Array:
        return -xp.expm1(-xp.exp(z))

    def quantile(self, xp: Namespace, p: Array) -> Array:
        return xp.log(-xp.log1p(-p))


EXTREME = _Extreme()
