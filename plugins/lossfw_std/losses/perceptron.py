"""The perceptron loss."""

from __future__ import annotations

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import positive_part, zero_or_nan
from lossfw_std.parabolas import absolute_curvature


class Perceptron(MarginLoss):
    """Perceptron loss, max(0, -m) with m = t y.

    Use it when only mistakes should move a linear classifier.

    Prediction real, target in {-1, +1}, of one shape; one loss per element.

    Notes
    -----
    Convex but not calibrated: the loss of a prediction of 0 is 0 for any target. At the kink the
    derivative is taken from the right, 0, so that a prediction of 0 is not improved. Source:
    Rosenblatt, *The perceptron*, Psychological Review 65, 1958, doi:10.1037/h0042519.

    See Also
    --------
    hinge : the same with a margin, and calibrated.

    Examples
    --------
    >>> Perceptron()([-2.0, 0.5], [1, 1], reduction="none")
    array([2., 0.])
    """

    def formula(self, xp: Namespace, m: Array) -> Array:
        return xp.maximum(-m, xp.zeros_like(m))

    def value(self, xp: Namespace, m: Array) -> Array:
        """max(0, -m)."""
        return positive_part(xp, -m)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-1 for negative m, 0 from there on."""
        return 0.0 - xp.sign(positive_part(xp, -m))

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """0 on both sides of the kink."""
        return zero_or_nan(xp, m)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 / (2 |y|), because the loss is |y| / 2 plus a straight line; infinite at the kink."""
        return 0.5 * absolute_curvature(xp, y)

    def claims(self) -> Claims:
        """Convex, with a kink at 0."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            lipschitz=1.0,
            breaks=(0.0,),
            monotone=True,
        )
