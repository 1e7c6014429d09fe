"""The logistic loss of margins."""

from __future__ import annotations

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import sigmoid, softplus
from lossfw_std.parabolas import logistic_curvature


class Logistic(MarginLoss):
    """Logistic loss, log(1 + exp(-m)) with m = t y.

    Use it when labels are -1 and +1, and scores should become probabilities.

    Prediction real, target in {-1, +1}, of one shape; one loss per element.

    Notes
    -----
    Calibrated, because it is convex and falls at m = 0; the best prediction is the log-odds of +1.
    Strictly convex, but not strongly: far out it is as good as a straight line, or as 0. At the
    target it is log(1 + 1/e), not 0. Source: Cox, *The regression analysis of binary sequences*,
    Journal of the Royal Statistical Society B 20, 1958, doi:10.1111/j.2517-6161.1958.tb00292.x.

    See Also
    --------
    binary_cross_entropy : from logits and targets in {0, 1} the same loss.
    exponential : it is log(1 + that).

    Examples
    --------
    >>> Logistic()([0.0, 800.0, -800.0], [1, 1, 1], reduction="none")
    array([6.93147181e-01, 0.00000000e+00, 8.00000000e+02])
    """

    def formula(self, xp: Namespace, m: Array) -> Array:
        """The definition; log1p, for with 60 digits 1 + exp(-200) is still 1."""
        return xp.log1p(xp.exp(-m))

    def value(self, xp: Namespace, m: Array) -> Array:
        """The same without overflow."""
        return softplus(xp, -m)

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-1 / (1 + exp(m))."""
        return -sigmoid(xp, -m)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """The product of both probabilities, which are 1 / (1 + exp(m)) and 1 / (1 + exp(-m))."""
        return sigmoid(xp, m) * sigmoid(xp, -m)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """tanh(y/2) / (2 y), of the parabola that touches at y and at -y."""
        return logistic_curvature(xp, y)

    def claims(self) -> Claims:
        """Strictly convex and smooth; steepest far out, most curved at 0."""
        return Claims(
            nonnegative=True,
            strictly_convex=True,
            lipschitz=1.0,
            gradient_lipschitz=0.25,
            twice_smooth=True,
            monotone=True,
            calibrated=True,
        )
