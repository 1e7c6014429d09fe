"""The sigmoid linear unit."""

from __future__ import annotations

from lossfw import Activation, ActivationClaims, Array, Namespace
from lossfw.numerics import clip_below, computed_in_float64
from lossfw_std.sigmoid_gate import gated_derivative, gated_second_derivative

# Beyond it exp(-abs(x)) is 0 in every float format; infinity times it is NaN.
_FAR = 1000.0

# W(1/e), where 1 + x + exp(x) = 0 for x = -1 - W(1/e) = -1.278...: the least value
# is minus this.
SILU_DEPTH = 0.27846454276107379510935873902298015543947748861974576545317811

# s (1 + x (1 - s)) at the root x = 2.3993572805154676678... of x tanh(x/2) = 2.
SILU_STEEPEST = 1.0998393201288669169581849243205709721307293942093036044577389


class Silu(Activation):
    """Sigmoid linear unit, x / (1 + exp(-x)).

    Use it when hidden units need a smooth rectifier, as in many vision networks.

    Any real x, infinite ones included; 0 at -inf. Also known as swish.

    Notes
    -----
    Its least value is -W(1/e) = -0.2784645427610737951..., W being Lambert's function, at x = -1 -
    W(1/e); it decreases below that point. Its derivative crosses 0 there and reaches
    1.0998393201288669169... at the positive root of x tanh(x/2) = 2. The digits were found with
    60-digit arithmetic. Source: Elfwing, Uchibe and Doya, *Sigmoid-weighted linear units for neural
    network function approximation in reinforcement learning*, 2018,
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
        """The same, 0 at -inf."""
        return clip_below(xp, x, -_FAR) / (1.0 + xp.exp(-x))

    @computed_in_float64
    def derivative(self, xp: Namespace, x: Array) -> Array:
        """s(x) (1 + x s(-x)), s the sigmoid."""
        x = xp.clip(x, -_FAR, _FAR)
        return gated_derivative(xp, x, x)

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        """Both, with one exponential."""
        return self.value(xp, x), self.derivative(xp, x)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """s(x) s(-x) (2 - x tanh(x / 2))."""
        x = xp.clip(x, -_FAR, _FAR)
        return gated_second_derivative(xp, x, 1.0, x, 0.0)

    def claims(self) -> ActivationClaims:
        """Neither monotone nor bounded above."""
        return ActivationClaims(
            range=(-SILU_DEPTH, float("inf")), lipschitz=SILU_STEEPEST, breaks=()
        )
