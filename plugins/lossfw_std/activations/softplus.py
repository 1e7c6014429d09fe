"""Softplus."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from pydantic import PositiveFloat

from lossfw import NONNEGATIVE, Activation, ActivationClaims, Array, Namespace, Space
from lossfw.numerics import (
    FAR_EXPONENT,
    DoubleDouble,
    ScaledExp,
    computed_in_float64,
    multiply_words,
    positive_part,
    scaled_exp,
    select,
    sigmoid,
    softplus,
    words_of,
)

# Beyond this log(1 + exp(-y)) is exp(-y) to the last digit.
_LINEAR = 40.0


def _exp_of(xp: Namespace, x: Array, beta: float) -> ScaledExp:
    """exp(-beta abs(x)), with the product in two words: its rounding error would show."""
    a = xp.clip(xp.abs(x), 0.0, FAR_EXPONENT / beta)
    exact = words_of(xp, Fraction(beta), a)
    return scaled_exp(xp, *multiply_words(xp, DoubleDouble(-a, xp.zeros_like(a)), exact))


@computed_in_float64
def _sharp_softplus(xp: Namespace, x: Array, beta: float) -> Array:
    """max(x, 0) + log1p(exp(-beta abs(x))) / beta."""
    e, unit = _exp_of(xp, x, beta)
    far = beta * xp.abs(x) > _LINEAR
    # Divided before it may become subnormal.
    bend = xp.where(far, e / beta * unit, xp.log1p(e * unit) / beta)
    return positive_part(xp, x) + bend


@computed_in_float64
def _slope(xp: Namespace, x: Array, beta: float) -> Array:
    """Sigmoid of beta x."""
    e, unit = _exp_of(xp, x, beta)
    whole = e * unit
    return select(xp, x < 0, whole, xp.ones_like(whole)) / (1 + whole)


class Softplus(Activation):
    """Softplus, log(1 + exp(beta x)) / beta.

    Use it when a result must be positive, and large values should stay as they are.

    Any real x, infinite ones included; positive, and above max(0, x) by
    log(2) / beta at most. Both tails are exact: there is no threshold beyond
    which it is taken to be linear.

    Parameters
    ----------
    beta : float
        Sharpness of the bend, above 0: `relu` is the limit of large ones.

    Notes
    -----
    softplus(beta) of x is softplus(1) of beta x, divided by beta. Its derivative
    is the `sigmoid` of beta x. Results are declared non-negative and not
    positive, since small ones are 0 in floats. Source: Dugas, Bengio, Bélisle,
    Nadeau and Garcia, *Incorporating second-order functional knowledge for
    better option pricing*, 2001.

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

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same without overflow, and with the digits of its small values."""
        return softplus(xp, x) if self.beta == 1 else _sharp_softplus(xp, x, self.beta)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """sigmoid(beta x)."""
        return sigmoid(xp, x) if self.beta == 1 else _slope(xp, x, self.beta)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """beta sigmoid(beta x) sigmoid(-beta x)."""
        e, unit = _exp_of(xp, x, self.beta)
        whole = e * unit
        return self.beta * e / (1 + whole * (2 + whole)) * unit

    def claims(self) -> ActivationClaims:
        """Increasing, with slopes between 0 and 1."""
        return ActivationClaims(monotone=True, range=(0.0, float("inf")), lipschitz=1.0, breaks=())
