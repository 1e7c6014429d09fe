"""The hinge loss of support vector machines."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import positive_part, zero_or_nan
from lossfw_std.parabolas import absolute_curvature


class Hinge(MarginLoss):
    """Hinge loss, max(0, margin - m) with m = t y.

    Use it when a binary classifier needs only the decision, not a probability.

    Prediction real, target in {-1, +1}, of one shape; one loss per element.

    Parameters
    ----------
    margin : float
        The loss is 0 from this margin on.

    Notes
    -----
    Calibrated, because it is convex and falls at m = 0 (Bartlett, Jordan and McAuliffe, *Convexity,
    classification, and risk bounds*, Journal of the American Statistical Association 101, 2006).
    With margin = 1 the best prediction is the more probable target, which is the mode. At the kink
    the derivative is taken from the right, 0. Source: Cortes and Vapnik, *Support-vector networks*,
    Machine Learning 20, 1995, doi:10.1007/BF00994018.

    See Also
    --------
    perceptron : the limit of margin towards 0, which is not calibrated.
    squared_hinge, smoothed_hinge : without the kink.

    Examples
    --------
    >>> Hinge()([0.25, 3.0], [1, 1], reduction="none")
    array([0.75, 0.  ])
    """

    margin: PositiveFloat = 1.0

    def formula(self, xp: Namespace, m: Array) -> Array:
        return xp.maximum(self.margin - m, xp.zeros_like(m))

    def value(self, xp: Namespace, m: Array) -> Array:
        """The same."""
        return positive_part(xp, self.margin - m)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-1 below the margin, 0 at and above it."""
        return 0.0 - xp.sign(self.value(xp, m))

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """0 on both sides of the kink."""
        return zero_or_nan(xp, m)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 / (2 |margin - m|), because the loss is |margin - m| / 2 plus a straight line."""
        return 0.5 * absolute_curvature(xp, self.margin - t * y)

    def claims(self) -> Claims:
        """Convex, with a kink at the margin."""
        return Claims(
            nonnegative=True,
            # At the target m is t^2 = 1.
            zero_at_target=self.margin <= 1 or None,
            convex=True,
            lipschitz=1.0,
            breaks=(self.margin,),
            monotone=True,
            calibrated=True,
            elicits="mode" if self.margin == 1 else None,
        )
