"""Tweedie's deviance of the power 3/2, 4 (sqrt(y) - sqrt(t))^2 / sqrt(y).

Half powers are roots, and no part of this form cancels but the difference. So it takes a
twentieth of the time of other powers.
"""

from __future__ import annotations

from dataclasses import dataclass

from lossfw import Array, Namespace, Order, PointwiseBody
from lossfw.numerics import difference_error, in_double, in_double_by, patched
from lossfw_std.deviance import Deviance, LogMeanBody, finite

THREE_HALVES = 1.5

# The rounding errors of sums below it are subnormal.
_LEAST_SQUARE = 2.0**-900

# The square of this leaves subnormal numbers room for errors of rounding, and is a float32.
_TO_ORDINARY = 2.0**60

# Below this z, exp(z / 2) is subnormal.
_LEAST_LOG = -1400.0


@dataclass(frozen=True)
class ThreeHalves(PointwiseBody):
    """The deviance of the power 3/2, of which no part cancels in roots."""

    loss: Deviance

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition."""
        return self.loss.formula(xp, y, t)

    def _plain_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        return _of_roots(xp, y, t, xp.sqrt(y))

    def _plain_value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        root = xp.sqrt(y)
        return _of_roots(xp, y, t, root), self._slope(xp, y, (y - t) / root)

    @in_double_by(_plain_value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """4 (sqrt(y) - sqrt(t))^2 / sqrt(y), by the difference of the numbers themselves."""
        root = xp.sqrt(y)
        return self._value(xp, y, t, root, (y - t) / root)

    def _value(self, xp: Namespace, y: Array, t: Array, root: Array, share: Array) -> Array:
        value, square = _by_roots(xp, y, t, root, share)
        value = patched(xp, value, xp.isinf(square), _of_large, y, t)
        return patched(xp, value, square < _LEAST_SQUARE, _of_small, y, t)

    @in_double
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) / sqrt(y) / y."""
        return self._slope(xp, y, (y - t) / xp.sqrt(y))

    def _slope(self, xp: Namespace, y: Array, share: Array) -> Array:
        slope = 2.0 * (share / y)
        return patched(xp, slope, xp.isinf(y), lambda xp, y: 0.0 * xp.sign(y), y)

    @in_double_by(_plain_value_and_derivative)
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from one root of the mean."""
        root = xp.sqrt(y)
        share = (y - t) / root
        return self._value(xp, y, t, root, share), self._slope(xp, y, share)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """That of any power."""
        return self.loss.second_derivative(xp, y, t)


def _plain(xp: Namespace, t: Array, root: Array) -> Array:
    """Return 4 (root - sqrt(t))^2 / root, without a square that overflows."""
    gone = root - xp.sqrt(t)
    return 4.0 * (gone * (gone / root))


def _of_roots(xp: Namespace, y: Array, t: Array, root: Array) -> Array:
    """Return 4 (sqrt(y) - sqrt(t))^2 / sqrt(y) in float64 that was float32."""
    value = _plain(xp, t, root)
    # Of an infinite mean, unless the target is too.
    return patched(xp, value, xp.isinf(root), lambda xp, y, t: y - t, y, t)


def _by_roots(xp: Namespace, y: Array, t: Array, root: Array, share: Array) -> tuple[Array, Array]:
    """Return 4 (y - t)^2 / sqrt(y) / square, and square = (sqrt(y) + sqrt(t))^2.

    The rounding errors of the sums and of the difference, which counts twice, are taken along.
    """
    r, total, cross = y - t, y + t, 2.0 * (root * xp.sqrt(t))
    square = total + cross
    lost = difference_error(y, -t, total) + difference_error(total, -cross, square)
    part = r / square
    part = part + (2.0 * difference_error(y, t, r) - part * lost) / square
    return 4.0 * (share * part), square


def _of_large(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the deviance of the power 3/2 of numbers whose sum may have no float."""
    value = _scaled(xp, y, t, 0.5)
    return xp.where(xp.isinf(y) | xp.isinf(t), xp.abs(y - t), value)


def _of_small(xp: Namespace, y: Array, t: Array) -> Array:
    """Return the deviance of the power 3/2 of numbers whose errors of rounding have no float."""
    return _scaled(xp, y, t, _TO_ORDINARY)


def _scaled(xp: Namespace, y: Array, t: Array, root_of_scale: float) -> Array:
    """Return the deviance of scaled numbers over the root of the scale, a power of 2."""
    scale = root_of_scale * root_of_scale
    y, t = scale * y, scale * t
    root = xp.sqrt(y)
    value, _ = _by_roots(xp, y, t, root, (y - t) / root)
    return value / root_of_scale


class ThreeHalvesOnLogits(LogMeanBody):
    """The deviance of the power 3/2 of a logarithm of the mean.

    Near its zero and that of its slope it is right to the last digits of its largest term.
    """

    @in_double
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """4 (sqrt(y) - sqrt(t))^2 / sqrt(y) with y = exp(z)."""
        return self._value(xp, z, t, xp.exp(0.5 * z))

    def _value(self, xp: Namespace, z: Array, t: Array, root: Array) -> Array:
        def apart(xp: Namespace, z: Array, t: Array) -> Array:
            q, a = _fourth_roots(xp, z, t)
            return 4.0 * ((q - a) * (q - a))

        value = _plain(xp, t, root)
        return patched(xp, value, xp.isnan(value) | (z < _LEAST_LOG), apart, z, t)

    @in_double
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (y - t) / sqrt(y) with y = exp(z)."""
        return self._slope(xp, z, t, xp.exp(0.5 * z))

    def _slope(self, xp: Namespace, z: Array, t: Array, root: Array) -> Array:
        def apart(xp: Namespace, z: Array, t: Array) -> Array:
            q, a = _fourth_roots(xp, z, t)
            return 2.0 * ((q - a) * (q + a))

        slope = 2.0 * (root - t / root)
        return patched(xp, slope, xp.isnan(slope) | (z < _LEAST_LOG), apart, z, t)

    @in_double
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, from one exponential."""
        root = xp.exp(0.5 * z)
        return self._value(xp, z, t, root), self._slope(xp, z, t, root)

    @in_double
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """sqrt(y) + t / sqrt(y) with y = exp(z)."""

        def apart(xp: Namespace, z: Array, t: Array) -> Array:
            q, a = _fourth_roots(xp, z, t)
            return q * q + a * a

        root = xp.exp(0.5 * z)
        bend = root + t / root
        return patched(xp, bend, xp.isnan(bend) | (z < _LEAST_LOG), apart, z, t)


def terms_on_logits(xp: Namespace, z: Array, t: Array, order: Order) -> tuple[Array, ...]:
    """Return the terms of value and slope, which cancel where the mean is the target."""
    q, a = _fourth_roots(xp, z, t)
    factor = 4.0 if order == 0 else 2.0
    return finite(xp, factor * q * q, factor * a * a)


def _fourth_roots(xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
    """Return q = y^(1/4) and sqrt(t) / q for y = exp(z), which have floats where y has none."""
    q = xp.exp(0.25 * z)
    return q, xp.where(t == 0.0, t, xp.sqrt(t) / q)
