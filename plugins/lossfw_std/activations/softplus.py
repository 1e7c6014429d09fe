"""Softplus."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveFloat

from lossfw import NONNEGATIVE, Activation, ActivationClaims, Array, Namespace, Space
from lossfw.numerics import computed_in_float64, sigmoid, softplus


class Softplus(Activation):
    """Softplus, log(1 + exp(beta x)) / beta.

    Use it when a result must be positive, and large values should hardly change.

    Any real x, infinite ones included; positive, and above max(0, x) by log(2) / beta at most. Both
    tails are exact: there is no threshold beyond which it is taken to be linear.

    Parameters
    ----------
    beta : float
        Sharpness of the bend, above 0: `relu` is the limit for large beta.

    Notes
    -----
    softplus(beta) of x is softplus(1) of beta x, divided by beta. Its derivative is the `sigmoid`
    of beta x. Results are declared non-negative rather than positive, because small ones round to
    0. Source: Dugas, Bengio, Bélisle, Nadeau and Garcia, *Incorporating second-order functional
    knowledge for better option pricing*, 2001.

    Examples
    --------
    >>> Softplus()([-1.0, 0.0, 1000.0])
    array([3.13261688e-01, 6.93147181e-01, 1.00000000e+03])
    """

    out_space: ClassVar[Space] = NONNEGATIVE

    beta: PositiveFloat = 1.0

    def formula(self, xp: Namespace, x: Array) -> Array:
        """log(1 + exp(beta x)) / beta."""
        return xp.log1p(xp.exp(self.beta * x)) / self.beta

    @computed_in_float64
    def value(self, xp: Namespace, x: Array) -> Array:
        """The same without overflow, and with the digits of its small values."""
        return softplus(xp, x) if self.beta == 1 else softplus(xp, self.beta * x) / self.beta

    @computed_in_float64
    def derivative(self, xp: Namespace, x: Array) -> Array:
        """sigmoid(beta x)."""
        return sigmoid(xp, self.beta * x)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """beta sigmoid(beta x) sigmoid(-beta x)."""
        e = xp.exp(-xp.abs(self.beta * x))
        return self.beta * e / ((1.0 + e) * (1.0 + e))

    def claims(self) -> ActivationClaims:
        """Increasing, with derivatives between 0 and 1."""
        return ActivationClaims(monotone=True, range=(0.0, float("inf")), lipschitz=1.0, breaks=())
