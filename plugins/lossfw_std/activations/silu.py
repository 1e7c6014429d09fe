"""The sigmoid linear unit."""

from __future__ import annotations

from lossfw import Activation, ActivationClaims, Array, Namespace
from lossfw.numerics import (
    FAR_EXPONENT,
    apply_where,
    computed_in_float64,
    polynomial,
    scaled_exp,
)

# W(1/e), where 1 + x + exp(x) = 0 for x = -1 - W(1/e) = -1.278...: the least value
# is minus this.
SILU_DEPTH = 0.27846454276107379510935873902298015543947748861974576545317811

# s (1 + x (1 - s)) at the root x = 2.3993572805154676678... of x tanh(x/2) = 2.
SILU_STEEPEST = 1.0998393201288669169581849243205709721307293942093036044577389

# Up to here exp(abs(x)) is finite, and a result above the smallest normal float.
_USUAL = 700.0


def _rare_value(xp: Namespace, x: Array) -> Array:
    a, scaled, unit = _far_left(xp, x)
    return xp.where(x > 0.0, x, a * scaled * unit)


def _rare_slope(xp: Namespace, x: Array) -> Array:
    a, scaled, unit = _far_left(xp, x)
    return xp.where(x > 0.0, xp.ones_like(x), (1.0 + a) * scaled * unit)


def _far_left(xp: Namespace, x: Array) -> tuple[Array, Array, Array | float]:
    """Return a finite x below 0, and exp(x), which is s(x) there, as two factors."""
    a = xp.clip(x, -FAR_EXPONENT, 0.0)
    return a, *scaled_exp(xp, a)


class Silu(Activation):
    """Sigmoid linear unit, x / (1 + exp(-x)).

    Use it when hidden units need a smooth rectifier, as in many networks of vision.

    Any real x, infinite ones included; 0 at -inf. Also known as swish.

    Notes
    -----
    Its least value is -W(1/e) = -0.2784645427610737951..., W being Lambert's
    function, at x = -1 - W(1/e); it decreases below that point. Its derivative
    crosses 0 there and reaches 1.0998393201288669169... at the positive root of
    x tanh(x/2) = 2. The digits were found with 60-digit arithmetic. Source:
    Elfwing, Uchibe and Doya, *Sigmoid-weighted linear units for neural network
    function approximation in reinforcement learning*, 2018,
    doi:10.1016/j.neunet.2017.12.012.

    See Also
    --------
    gelu : with the normal distribution in place of the logistic one.
    hard_swish : made of a parabola and straight lines.

    Examples
    --------
    >>> Silu()([-1000.0, 0.0, 2.0])
    array([-0.        ,  0.        ,  1.76159416])
    """

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x / (1 + exp(-x))."""
        return x / (1 + xp.exp(-x))

    @computed_in_float64
    def value(self, xp: Namespace, x: Array) -> Array:
        """The same without overflow, and with the digits of its small values."""
        s = 1.0 / (1.0 + xp.exp(-x))
        return apply_where(xp, x * s, x < -_USUAL, _rare_value, x)

    @computed_in_float64
    def derivative(self, xp: Namespace, x: Array) -> Array:
        """s(x) (1 + x s(-x)), s the sigmoid."""
        return self.value_and_derivative(xp, x)[1]

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        """Both, with one exponential; exp(-x) s(x) for s(-x), since 1 - s(x) loses digits."""
        e = xp.exp(-x)
        s = 1.0 / (1.0 + e)
        value = x * s
        slope = s + value * (e * s)
        rare = ~(xp.abs(x) < _USUAL)
        return apply_where(xp, value, rare, _rare_value, x), apply_where(
            xp, slope, rare, _rare_slope, x
        )

    @computed_in_float64
    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """s(x) s(-x) (2 - x tanh(x / 2)), which is even."""
        a = xp.clip(xp.abs(x), 0.0, FAR_EXPONENT)
        scaled, unit = scaled_exp(xp, -a)
        e = scaled * unit
        return ((2 - a) + e * (2 + a)) * scaled / polynomial(e, (1.0, 3.0, 3.0, 1.0)) * unit

    def claims(self) -> ActivationClaims:
        """Neither monotone nor bounded above."""
        return ActivationClaims(
            range=(-SILU_DEPTH, float("inf")), lipschitz=SILU_STEEPEST, breaks=()
        )
