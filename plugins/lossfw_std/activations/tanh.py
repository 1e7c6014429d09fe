"""The hyperbolic tangent."""

from __future__ import annotations

from lossfw import Activation, ActivationClaims, Array, Namespace
from lossfw.numerics import computed_in_float64


class Tanh(Activation):
    """Hyperbolic tangent, (exp(x) - exp(-x)) / (exp(x) + exp(-x)).

    Use it when hidden units should be bounded, with a mean near 0.

    Any real x, infinite ones included; results in [-1, 1].

    Notes
    -----
    tanh(x) = 2 sigmoid(2 x) - 1. Source: LeCun, Bottou, Orr and Müller, *Efficient backprop*, 1998,
    doi:10.1007/3-540-49430-8_2.

    See Also
    --------
    softsign : also odd and bounded by 1, with heavier tails.

    Examples
    --------
    >>> Tanh()([-1.0, 0.0, 1000.0])
    array([-0.76159416,  0.        ,  1.        ])
    """

    def value(self, xp: Namespace, x: Array) -> Array:
        """(exp(x) - exp(-x)) / (exp(x) + exp(-x)), by a function of its own."""
        return xp.tanh(x)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """1 / cosh(x)^2 = 4 e / (1 + e)^2 with e = exp(-2 abs(x)): no overflow, no 1 - 1."""
        e = xp.exp(-2 * xp.abs(x))
        # The square of the sum would have the sum's rounding error twice.
        return 4 * e / (1 + e * (2 + e))

    @computed_in_float64
    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """-2 tanh(x) / cosh(x)^2."""
        return -2 * xp.tanh(x) * self.derivative(xp, x)

    def claims(self) -> ActivationClaims:
        """Odd and steepest at 0."""
        return ActivationClaims(
            monotone=True, odd=True, range=(-1.0, 1.0), lipschitz=1.0, breaks=()
        )
