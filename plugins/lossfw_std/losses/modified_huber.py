"""The modified Huber loss of margins."""

from __future__ import annotations

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import clip_above, positive_part, zero_or_nan


class ModifiedHuber(MarginLoss):
    """Modified Huber loss, max(0, 1 - m)^2 for m >= -1, -4 m below, with m = t y.

    Use it when labels are -1 and +1, some of them wrong, and you need probabilities.

    Prediction real, target in {-1, +1}, of one shape; one loss per element.

    Notes
    -----
    Calibrated, because it is convex and falls at m = 0; the best prediction is the mean of the
    target. At m = -1 and m = 1 the second derivative is 0, taken from outside. Source: Zhang,
    *Solving large scale linear prediction problems using stochastic gradient descent algorithms*,
    ICML 2004, doi:10.1145/1015330.1015332.

    See Also
    --------
    squared_hinge : the same for m >= -1.
    huber : with delta = 2, of max(0, 1 - m), half this loss.

    Examples
    --------
    >>> ModifiedHuber()([-3.0, 0.5, 3.0], [1, 1, 1], reduction="none")
    array([12.  ,  0.25,  0.  ])
    """

    def formula(self, xp: Namespace, m: Array) -> Array:
        """The definition, with its cases."""
        short = xp.maximum(1 - m, xp.zeros_like(m))
        return xp.where(m >= -1, short * short, -4 * m)

    def value(self, xp: Namespace, m: Array) -> Array:
        """w^2 + 4 (s - w), with s = max(0, 1 - m) and w = min(s, 2): all cases in one."""
        short = positive_part(xp, 1.0 - m)
        w = clip_above(xp, short, 2.0)
        return w * w + 4.0 * (short - w)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-2 (1 - m), kept within [-4, 0]."""
        return 0.0 - 2.0 * clip_above(xp, positive_part(xp, 1.0 - m), 2.0)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """2 between -1 and 1, 0 outside."""
        zero = zero_or_nan(xp, m)
        return xp.where((m > -1) & (m < 1), zero + 2.0, zero)

    def claims(self) -> Claims:
        """Convex; the second derivative jumps at both ends of the square."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            lipschitz=4.0,
            gradient_lipschitz=2.0,
            second_breaks=(-1.0, 1.0),
            monotone=True,
            calibrated=True,
            elicits="mean",
        )
