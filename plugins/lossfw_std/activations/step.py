"""The step function."""

from __future__ import annotations

from typing import ClassVar

from lossfw import UNIT, Activation, ActivationClaims, Array, Namespace, Space
from lossfw.numerics import with_nan_of


class Step(Activation):
    """Step function, 1 for x > 0, else 0.

    Use it only to evaluate a network of thresholds; it cannot be trained.

    Any real x, infinite ones included. Its derivative is 0 wherever it exists, which is why a
    network of steps cannot learn by gradients.

    Notes
    -----
    It has no Lipschitz constant because it jumps at 0. `breaks` is not claimed because it lists
    jumps of the derivative, not of the value. Source: Rosenblatt, *The perceptron*, 1958,
    doi:10.1037/h0042519.

    Examples
    --------
    >>> Step()([-2.0, 0.0, 2.0])
    array([0., 0., 1.])
    """

    out_space: ClassVar[Space] = UNIT

    def value(self, xp: Namespace, x: Array) -> Array:
        """1 above 0, else 0; a NaN stays."""
        return with_nan_of(xp, x, xp.where(x > 0, xp.ones_like(x), xp.zeros_like(x)))

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """0; at the jump there is none, and 0 stands for it."""
        return with_nan_of(xp, x, xp.zeros_like(x))

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """0."""
        return self.derivative(xp, x)

    def claims(self) -> ActivationClaims:
        """Piecewise constant."""
        return ActivationClaims(
            monotone=True, range=(0.0, 1.0), gradient_zero_almost_everywhere=True
        )
