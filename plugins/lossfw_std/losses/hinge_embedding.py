"""The hinge of distances of pairs."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveFloat

from lossfw import NONNEGATIVE, SIGN, Array, Claims, Namespace, PointwiseLoss, Space
from lossfw.numerics import positive_part, zero_or_nan


class HingeEmbedding(PointwiseLoss):
    """Hinge embedding loss, y for alike pairs and max(0, margin - y) for others.

    Use it to train on distances of pairs that are either alike or not.

    Prediction and target of one shape; one loss per element. The prediction is a distance, at or
    above 0. The target is +1 for a pair that is alike and -1 for one that is not.

    Parameters
    ----------
    margin : float
        From this distance on, above 0, the loss of a pair that is not alike is 0.

    Notes
    -----
    As ``torch.nn.HingeEmbeddingLoss``, which also accepts numbers below 0, where the loss of alike
    pairs is unbounded below. At the kink the derivative is taken from the right, 0. Source:
    Hadsell, Chopra and LeCun, *Dimensionality reduction by learning an invariant mapping*, CVPR
    2006, doi:10.1109/CVPR.2006.100, who square both parts.

    See Also
    --------
    hinge : of a score and a label, for classifiers.
    cosine_distance : a distance of two rows.

    Examples
    --------
    >>> HingeEmbedding()([0.25, 0.25, 3.0], [1, -1, -1], reduction="none")
    array([0.25, 0.75, 0.  ])
    """

    prediction: ClassVar[Space] = NONNEGATIVE
    target: ClassVar[Space] = SIGN

    margin: PositiveFloat = 1.0

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        return xp.where(t > 0, y, xp.maximum(self.margin - y, xp.zeros_like(y)))

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same."""
        apart = positive_part(xp, self.margin - y)
        return xp.where(t > 0.0, y, apart) + zero_or_nan(xp, t)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1 for pairs that are alike, -1 for others up to the margin."""
        apart = 0.0 - xp.sign(positive_part(xp, self.margin - y))
        alike = xp.ones_like(y) + zero_or_nan(xp, y)
        return xp.where(t > 0.0, alike, apart) + zero_or_nan(xp, t)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """0 on both sides of the kink."""
        return zero_or_nan(xp, y) + zero_or_nan(xp, t)

    def claims(self) -> Claims:
        """Convex and piecewise linear."""
        return Claims(nonnegative=True, convex=True, lipschitz=1.0)
