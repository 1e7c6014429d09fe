"""Tweedie's deviance of the power 0: the squared error of the mean."""

from __future__ import annotations

from fractions import Fraction

from lossfw import Array, Namespace, PointwiseBody
from lossfw.numerics import expm1_words, in_double, zero_or_nan
from lossfw_std.deviance import LogMeanBody
from lossfw_std.powers import times_exp
from lossfw_std.tweedie import distance

# Up to this distance of logarithms, either way, their exponentials are finite.
_FAR = 600.0


class NormalPower(PointwiseBody):
    """The deviance of the power 0: the squared error."""

    @in_double
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(y - t)^2."""
        return (y - t) * (y - t)

    @in_double
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t)."""
        return 2.0 * (y - t)

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2; NaN stays."""
        return 2.0 + zero_or_nan(xp, y - t)


class NormalPowerOnLogits(LogMeanBody):
    """The deviance of the power 0 of a logarithm of the mean."""

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(exp(z) - t)^2."""
        return (xp.exp(z) - t) * (xp.exp(z) - t)

    @in_double
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same without cancellation."""
        gone = _residual(xp, z, t)
        return gone * gone

    @in_double
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (y - t) y with y = exp(z)."""
        return 2.0 * times_exp(xp, _residual(xp, z, t), Fraction(1), z)

    @in_double
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (2 y - t) y with y = exp(z)."""
        return 2.0 * times_exp(xp, 2.0 * xp.exp(z) - t, Fraction(1), z)


def _residual(xp: Namespace, z: Array, t: Array) -> Array:
    """Return exp(z) - t for any real t."""
    d = distance(xp, z, xp.abs(t))
    close = (t > 0.0) & (xp.abs(d.high) < _FAR)
    return xp.where(close, t * expm1_words(xp, d), xp.exp(z) - t)
