"""The rectified linear unit, and its leaky form."""

from __future__ import annotations

from typing import ClassVar

from pydantic import NonNegativeFloat

from lossfw import NONNEGATIVE, Activation, ActivationClaims, Array, Namespace, Space
from lossfw.numerics import clip_above, positive_part, select, with_nan_of


class Relu(Activation):
    """Rectified linear unit, max(0, x).

    Use it by default for hidden units: it is cheap, and the usual first choice.

    Any real x, infinite ones included. Its derivative at 0 is set to 0, one of the subgradients [0,
    1]. Source: Nair and Hinton, *Rectified linear units improve restricted Boltzmann machines*,
    2010.

    See Also
    --------
    leaky_relu : the same with ``negative_slope=0``.

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
        return with_nan_of(xp, x, xp.astype(x > 0, x.dtype))

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """0 wherever it exists."""
        return with_nan_of(xp, x, xp.zeros_like(x))

    def claims(self) -> ActivationClaims:
        """Piecewise linear with one break."""
        return ActivationClaims(
            monotone=True, range=(0.0, float("inf")), lipschitz=1.0, breaks=(0.0,)
        )


class LeakyRelu(Activation):
    """Leaky rectified linear unit, x for x > 0, else negative_slope x.

    Use it when rectified units would die: its derivative is not 0 below 0.

    Any real x, infinite ones included. Its derivative at 0 is set to `negative_slope`, one of the
    subgradients.

    Parameters
    ----------
    negative_slope : float
        Derivative below 0, at least 0. With 0 it is `relu`, with 1 the `identity`.

    Notes
    -----
    It is odd only with ``negative_slope=1``, the identity. Source: Maas, Hannun and Ng, *Rectifier
    nonlinearities improve neural network acoustic models*, 2013.

    Examples
    --------
    >>> LeakyRelu(negative_slope=0.5)([-1.0, 2.0])
    array([-0.5,  2. ])
    """

    negative_slope: NonNegativeFloat = 0.01

    def value(self, xp: Namespace, x: Array) -> Array:
        """x above 0, negative_slope x below; derivative 0 makes 0 of -inf too."""
        above = positive_part(xp, x)
        # One of both terms is 0, and + 0 makes a plain 0 of two -0.
        below = self.negative_slope * clip_above(xp, x, 0.0) if self.negative_slope else 0.0
        return (above + below) + 0.0

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """1 above 0, else negative_slope."""
        derivative = select(xp, x > 0, xp.ones_like(x), xp.full_like(x, self.negative_slope))
        return with_nan_of(xp, x, derivative)

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """0 wherever it exists."""
        return with_nan_of(xp, x, xp.zeros_like(x))

    def claims(self) -> ActivationClaims:
        """Piecewise linear; the break goes where both derivatives are 1."""
        straight = self.negative_slope == 1
        low = float("-inf") if self.negative_slope else 0.0
        return ActivationClaims(
            monotone=True,
            odd=straight,
            range=(low, float("inf")),
            lipschitz=max(1.0, self.negative_slope),
            breaks=() if straight else (0.0,),
        )
