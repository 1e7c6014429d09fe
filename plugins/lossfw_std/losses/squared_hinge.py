"""The squared hinge loss."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import positive_part, zero_or_nan


class SquaredHinge(MarginLoss):
    """Squared hinge loss, max(0, margin - m)^2 with m = t y.

    Use it in place of the hinge when the loss should be smooth, and large violations should count
    most.

    Prediction real, target in {-1, +1}, of one shape; one loss per element.

    Parameters
    ----------
    margin : float
        The loss is 0 from this margin on.

    Notes
    -----
    Calibrated, because it is convex and falls at m = 0. With margin = 1 the best prediction is the
    mean of the target. At the margin the second derivative is taken from the right, 0. Source:
    Cortes and Vapnik, *Support-vector networks*, Machine Learning 20, 1995, with sigma = 2,
    doi:10.1007/BF00994018.

    See Also
    --------
    hinge : its square root.
    modified_huber : the same down to m = -1, a line below.
    squared_error : the same for margins up to margin = 1.

    Examples
    --------
    >>> SquaredHinge()([0.5, 3.0], [1, 1], reduction="none")
    array([0.25, 0.  ])
    """

    margin: PositiveFloat = 1.0

    def formula(self, xp: Namespace, m: Array) -> Array:
        short = xp.maximum(self.margin - m, xp.zeros_like(m))
        return short * short

    def value(self, xp: Namespace, m: Array) -> Array:
        """The same."""
        short = self._shortfall(xp, m)
        return short * short

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-2 max(0, margin - m)."""
        return 0.0 - 2.0 * self._shortfall(xp, m)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """2 below the margin, 0 at and above it."""
        zero = zero_or_nan(xp, m)
        return xp.where(self._shortfall(xp, m) > 0, zero + 2.0, zero)

    def _shortfall(self, xp: Namespace, m: Array) -> Array:
        return positive_part(xp, self.margin - m)

    def claims(self) -> Claims:
        """Convex; the second derivative jumps at the margin."""
        return Claims(
            nonnegative=True,
            # At the target m is t^2 = 1.
            zero_at_target=self.margin <= 1 or None,
            convex=True,
            gradient_lipschitz=2.0,
            second_breaks=(self.margin,),
            monotone=True,
            calibrated=True,
            elicits="mean" if self.margin == 1 else None,
        )
