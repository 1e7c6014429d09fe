"""The Savage loss."""

from __future__ import annotations

import math

from lossfw import Array, Claims, MarginLoss, Namespace
from lossfw.numerics import sigmoid

# The derivative is -4 s^2 (1 - s) with s that probability, steepest at s = 2/3.
_STEEPEST = 16.0 / 27.0

# The curvature is 8 s^2 (1 - s) (2 - 3 s), greatest where its derivative by s,
# 8 s (4 - 15 s + 12 s^2), is 0.
_AT = (15.0 - math.sqrt(33.0)) / 24.0
_MOST_CURVED = 8.0 * _AT * _AT * (1.0 - _AT) * (2.0 - 3.0 * _AT)


class Savage(MarginLoss):
    """Savage loss, 1 / (1 + exp(2 m))^2 with m = t y.

    Use it when labels -1 and +1 are noisy and the loss must be smooth.

    Prediction real, target in {-1, +1}, of one shape; one loss per element,
    between 0 and 1.

    Notes
    -----
    Not convex, yet calibrated: with s = 1 / (1 + exp(2 y)) the expected loss is
    p s^2 + (1 - p) (1 - s)^2, the Brier score, which is least at s = 1 - p; the
    best prediction is half the log-odds of +1. Source: Masnadi-Shirazi and
    Vasconcelos, *On the design of loss functions for classification*, NeurIPS
    2008.

    See Also
    --------
    brier : of both probabilities, twice this loss.
    ramp : also bounded.

    Examples
    --------
    >>> Savage()([0.0, 400.0, -400.0], [1, 1, 1], reduction="none")
    array([0.25, 0.  , 1.  ])
    """

    def formula(self, xp: Namespace, m: Array) -> Array:
        return 1 / (1 + xp.exp(2 * m)) ** 2

    def value(self, xp: Namespace, m: Array) -> Array:
        """s^2, with the sigmoid s of -2 m."""
        s = sigmoid(xp, -2.0 * m)
        return s * s

    def derivative(self, xp: Namespace, m: Array) -> Array:
        """-4 s^2 (1 - s)."""
        return self.value_and_derivative(xp, m)[1]

    def value_and_derivative(self, xp: Namespace, m: Array) -> tuple[Array, Array]:
        """Both, from the same sigmoids."""
        s = sigmoid(xp, -2.0 * m)
        square = s * s
        return square, -4.0 * square * sigmoid(xp, 2.0 * m)

    def second_derivative(self, xp: Namespace, m: Array) -> Array:
        """8 s^2 (1 - s) (2 - 3 s)."""
        s, rest = sigmoid(xp, -2.0 * m), sigmoid(xp, 2.0 * m)
        return 8.0 * s * s * rest * (2.0 * rest - s)

    def claims(self) -> Claims:
        """Bounded, smooth and calibrated, though not convex."""
        return Claims(
            convex=False,
            nonnegative=True,
            bounded=1.0,
            lipschitz=_STEEPEST,
            gradient_lipschitz=_MOST_CURVED,
            twice_smooth=True,
            monotone=True,
            calibrated=True,
        )
