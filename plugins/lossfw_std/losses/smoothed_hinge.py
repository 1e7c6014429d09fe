"""The smoothed hinge loss."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import clip_above, positive_part, zero_or_nan


class SmoothedHinge(MarginLoss):
    """Smoothed hinge, 0 for m >= 1, (1-m)^2 / (2 gamma) for m >= 1 - gamma, 1 - gamma/2 - m below.

    Use it in place of the hinge when the derivative must exist everywhere.

    Prediction real, target in {-1, +1}, of one shape; one loss per element. m = t y.

    Parameters
    ----------
    gamma : float
        Length, below m = 1, over which the kink of the hinge is rounded.

    Notes
    -----
    Calibrated, because it is convex and falls at m = 0. At both ends of the square the second
    derivative is 0, taken from outside. Source: Rennie and Srebro, *Loss functions for preference
    levels: regression with discrete ordered labels*, 2005 (gamma = 1); Shalev-Shwartz and Zhang,
    *Stochastic dual coordinate ascent methods for regularized loss minimization*, Journal of
    Machine Learning Research 14, 2013.

    See Also
    --------
    hinge : the limit of gamma towards 0; at most gamma / 2 above this loss.
    huber : with delta = gamma, of max(0, 1 - m), gamma times this loss.

    Examples
    --------
    >>> SmoothedHinge(gamma=0.5)([-1.0, 0.75, 3.0], [1, 1, 1], reduction="none")
    array([1.75  , 0.0625, 0.    ])
    """

    gamma: PositiveFloat = 1.0

    def formula(self, xp: Namespace, m: Array) -> Array:
        """The definition, with its three cases."""
        below = 1 - m <= self.gamma
        square = (1 - m) ** 2 / (2 * self.gamma)
        rounded = xp.where(below, square, 1 - m - self.gamma / 2)
        return xp.where(m >= 1, xp.zeros_like(m), rounded)

    def value(self, xp: Namespace, m: Array) -> Array:
        """w^2 / (2 gamma) + (s - w), with s = max(0, 1 - m) and w = min(s, gamma)."""
        short = positive_part(xp, 1.0 - m)
        w = clip_above(xp, short, self.gamma)
        return 0.5 * w * (w / self.gamma) + (short - w)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-1 below the square, 0 above it, a line between."""
        return 0.0 - clip_above(xp, positive_part(xp, 1.0 - m), self.gamma) / self.gamma

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """1 / gamma within the square, 0 outside."""
        within = (m < 1.0) & (m > 1.0 - self.gamma)
        zero = zero_or_nan(xp, m)
        return xp.where(within, zero + 1.0 / self.gamma, zero)

    def claims(self) -> Claims:
        """Convex; the second derivative jumps at both ends of the square."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            lipschitz=1.0,
            gradient_lipschitz=1.0 / self.gamma,
            second_breaks=(1.0 - self.gamma, 1.0),
            monotone=True,
            calibrated=True,
        )
