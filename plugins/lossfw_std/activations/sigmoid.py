"""The logistic sigmoid."""

from __future__ import annotations

from typing import ClassVar

from lossfw import UNIT, Activation, ActivationClaims, Array, Namespace, Space
from lossfw.numerics import computed_in_float64, sigmoid, unit_step


def _bell(e: Array) -> Array:
    """e / (1 + e)^2; the square of the sum would have the sum's rounding error twice."""
    return e / (1 + e * (2 + e))


class Sigmoid(Activation):
    """Logistic sigmoid, 1 / (1 + exp(-x)).

    Use it when the last layer predicts the probability of a yes.

    Any real x, infinite ones included; results in [0, 1]. Its derivative
    s (1 - s) is nowhere zero, at most 1/4.

    Notes
    -----
    s(x) + s(-x) = 1, so it is odd about (0, 1/2) and not odd. Source: Verhulst,
    *Recherches mathématiques sur la loi d'accroissement de la population*, 1845.

    See Also
    --------
    tanh : 2 sigmoid(2 x) - 1.
    hard_sigmoid : made of straight lines.

    Examples
    --------
    >>> Sigmoid()([0.0, 1000.0])
    array([0.5, 1. ])
    """

    out_space: ClassVar[Space] = UNIT

    def formula(self, xp: Namespace, x: Array) -> Array:
        """1 / (1 + exp(-x))."""
        return 1 / (1 + xp.exp(-x))

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same without overflow, by the sign of x."""
        return sigmoid(xp, x)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """s(x) s(-x) with e = exp(-abs(x)): 1 - s(x) would lose digits."""
        return _bell(xp.exp(-xp.abs(x)))

    def value_and_derivative(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        """Both, with one exponential."""
        e = xp.exp(-xp.abs(x))
        return xp.maximum(e, unit_step(xp, x)) / (1 + e), _bell(e)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """-s(x) s(-x) tanh(x / 2), since s(-x) - s(x) = -tanh(x / 2)."""
        return -self.derivative(xp, x) * xp.tanh(0.5 * x)

    def claims(self) -> ActivationClaims:
        """Steepest at 0."""
        return ActivationClaims(monotone=True, range=(0.0, 1.0), lipschitz=0.25, breaks=())
