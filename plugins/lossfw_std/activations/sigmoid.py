"""The logistic sigmoid."""

from __future__ import annotations

from typing import ClassVar

from lossfw.numerics import sigmoid

from lossfw import UNIT, Activation, ActivationClaims, Space
from lossfw.numbers.arrays import Array, Namespace


class Sigmoid(Activation):
    """Logistic sigmoid, 1 / (1 + exp(-x)).

    Any real x, infinite ones included; results in [0, 1]. Its derivative
    s (1 - s) is nowhere zero, at most 1/4. Source: Verhulst, *Recherches
    mathématiques sur la loi d'accroissement de la population*, 1845.

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
        """s(x) s(-x): the product s (1 - s) loses the digits of a small 1 - s."""
        return sigmoid(xp, x) * sigmoid(xp, -x)

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """-s(x) s(-x) tanh(x / 2), since s(-x) - s(x) = -tanh(x / 2)."""
        return -sigmoid(xp, x) * sigmoid(xp, -x) * xp.tanh(x / 2)

    def claims(self) -> ActivationClaims:
        """Steepest at 0."""
        return ActivationClaims(monotone=True, range=(0.0, 1.0), lipschitz=0.25, breaks=())
