"""The exponential loss of boosting."""

from __future__ import annotations

from lossfw import Array, Claims, MarginLoss, Namespace


class Exponential(MarginLoss):
    """Exponential loss, exp(-m) with m = t y.

    Use it when a classifier is boosted on clean labels.

    Prediction real, target in {-1, +1}, of one shape; one loss per element.

    Notes
    -----
    Calibrated, because it is convex and falls at m = 0; the best prediction is half
    the log-odds of +1. No Lipschitz constant, and not strongly convex: the
    derivative grows without bound on one side, the curvature vanishes on the other.
    At the target it is 1/e, not 0. Source: Freund and Schapire, *A
    decision-theoretic generalization of on-line learning*, 1997,
    doi:10.1006/jcss.1997.1504; Friedman, Hastie and Tibshirani, *Additive
    logistic regression*, Annals of Statistics 28, 2000,
    doi:10.1214/aos/1016218223.

    See Also
    --------
    logistic : log(1 + this loss), which grows only linearly.

    Examples
    --------
    >>> Exponential()([0.0, 1000.0], [1, 1], reduction="none")
    array([1., 0.])
    """

    def value(self, xp: Namespace, m: Array) -> Array:
        """exp(-m)."""
        return xp.exp(-m)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-exp(-m)."""
        return -xp.exp(-m)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """exp(-m)."""
        return xp.exp(-m)

    def claims(self) -> Claims:
        """Strictly convex and smooth, with neither constant."""
        return Claims(
            nonnegative=True,
            strictly_convex=True,
            twice_smooth=True,
            monotone=True,
            calibrated=True,
        )
