"""The rectified linear unit."""

from __future__ import annotations

from typing import ClassVar

from lossfw import NONNEGATIVE, Activation, ActivationClaims, Space
from lossfw.numbers.arrays import Array, Namespace


class Relu(Activation):
    """Rectified linear unit, max(0, x).

    Any real x, infinite ones included. Its derivative at 0 is set to 0, one of
    the subgradients [0, 1]. Source: Nair and Hinton, *Rectified linear units
    improve restricted Boltzmann machines*, 2010.

    Examples
    --------
    >>> Relu()([-1.0, 2.0])
    array([0., 2.])
    """

    out_space: ClassVar[Space] = NONNEGATIVE

    def value(self, xp: Namespace, x: Array) -> Array:
        """max(0, x); a NaN stays."""
        # + 0 makes the maximum of 0 and -0 a plain 0.
        return xp.maximum(x, xp.zeros_like(x)) + 0.0

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """1 above 0, else 0."""
        return xp.where(xp.isnan(x), x, xp.where(x > 0, xp.ones_like(x), xp.zeros_like(x)))

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """0 wherever it exists."""
        return xp.where(xp.isnan(x), x, xp.zeros_like(x))

    def claims(self) -> ActivationClaims:
        """Piecewise linear with one break."""
        return ActivationClaims(
            monotone=True, range=(0.0, float("inf")), lipschitz=1.0, breaks=(0.0,)
        )
