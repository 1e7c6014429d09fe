"""Binary cross-entropy of logits: of a target, and of two shares that need not sum to 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from lossfw import Array, Namespace, PointwiseBody
from lossfw.numerics import multiply_or_zero, positive_part, sigmoid, softplus

# From the namespace and a target to the shares of -log y and of -log(1 - y).
Shares: TypeAlias = Callable[[Namespace, Array], tuple[Array, Array]]


class TargetBody(PointwiseBody):
    """Binary cross-entropy of logits.

    In terms of abs(z), e = exp(-abs(z)) and the misclassified share w of the target. It avoids
    `where`, which costs more than an exponential if the signs of the logits are in random order.
    """

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """t log(1 + exp(-z)) + (1 - t) log(1 + exp(z))."""
        return multiply_or_zero(xp, t, softplus(xp, -z)) + multiply_or_zero(
            xp, 1 - t, softplus(xp, z)
        )

    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """log1p(e) + w abs(z)."""
        a = xp.abs(z)
        return _value(xp, a, _misclassified_fraction(xp, z, t), xp.exp(-a))

    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(1 - t) sigmoid(z) - t sigmoid(-z), in which nothing cancels for t of 0 or 1."""
        return _derivative(xp, z, _misclassified_fraction(xp, z, t), xp.exp(-xp.abs(z)))

    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both from one exponential."""
        a = xp.abs(z)
        w, e = _misclassified_fraction(xp, z, t), xp.exp(-a)
        return _value(xp, a, w, e), _derivative(xp, z, w, e)

    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """sigmoid(z) sigmoid(-z) for every target; NaN in it stays."""
        return sigmoid(xp, z) * sigmoid(xp, -z) + 0.0 * t


@dataclass(frozen=True)
class WeightedBody(PointwiseBody):
    """The same for any factors, a w of -log y and b of -log(1 - y), with y = sigmoid(z)."""

    shares: Shares
    exact_shares: Shares
    weight: float

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """a w log(1 + exp(-z)) + b log(1 + exp(z))."""
        a, b = self.exact_shares(xp, t)
        return self.weight * multiply_or_zero(xp, a, softplus(xp, -z)) + multiply_or_zero(
            xp, b, softplus(xp, z)
        )

    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same with one exponential."""
        a, b = self.shares(xp, t)
        log = xp.log1p(xp.exp(-xp.abs(z)))
        own, other = log + positive_part(xp, -z), log + positive_part(xp, z)
        return self.weight * multiply_or_zero(xp, a, own) + multiply_or_zero(xp, b, other)

    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """b sigmoid(z) - a w sigmoid(-z)."""
        a, b = self.shares(xp, t)
        return b * sigmoid(xp, z) - self.weight * (a * sigmoid(xp, -z))

    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(a w + b) sigmoid(z) sigmoid(-z)."""
        a, b = self.shares(xp, t)
        second_derivative = sigmoid(xp, z) * sigmoid(xp, -z)
        return self.weight * (a * second_derivative) + b * second_derivative


def _is_positive_float(xp: Namespace, z: Array) -> Array:
    """Return 1 where z is above 0, and 0 elsewhere."""
    return xp.astype(z > 0.0, z.dtype)


def _misclassified_fraction(xp: Namespace, z: Array, t: Array) -> Array:
    """Return the fraction of the target that the sign of z gets wrong: 1 - t or t."""
    return xp.abs(t - _is_positive_float(xp, z))


def _value(xp: Namespace, a: Array, w: Array, e: Array) -> Array:
    return multiply_or_zero(xp, w, a) + xp.log1p(e)


def _derivative(xp: Namespace, z: Array, w: Array, e: Array) -> Array:
    """Return sign(z) (w s - (1 - w) (1 - s)), with s = sigmoid(abs(z)) = 1 / (1 + e)."""
    sign = 2.0 * _is_positive_float(xp, z) - 1.0
    return sign * ((w - (1.0 - w) * e) / (1.0 + e))
