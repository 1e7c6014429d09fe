"""The cosine embedding loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from lossfw import SIGN, Array, Claims, Columns, Namespace, PointwiseLoss, Space
from lossfw.numerics import multiply_or_zero, positive_part
from lossfw_std.angles import cosine_minus, derivative, distance, second_derivative
from lossfw_std.directions import DIRECTION


class CosineEmbedding(PointwiseLoss):
    """Cosine embedding loss, 1 - cos for alike pairs and max(0, cos - margin) for others.

    Use it when it is known which pairs of vectors are alike, and only their directions count.

    The prediction has the columns first and second, two vectors of one size, not all zeros: an
    array (..., 2, D). Target: +1 for a pair that is alike, -1 for one that is not. One loss for
    each pair, from 0 to 2.

    Parameters
    ----------
    margin : float
        Up to this cosine, from -1 to 1, the loss of a pair that is not alike is 0.

    Notes
    -----
    For alike pairs it is `cosine_distance`, with all digits of the smallest angle. Where the
    cosine is the margin there is a kink: the derivative is the mean of both sides. Source:
    Bromley et al., *Signature verification using a "siamese" time delay neural network*, NIPS
    1993, doi:10.1142/S0218001493000339.

    See Also
    --------
    cosine_distance : of a prediction and a target.
    triplet_margin : by distances, with an anchor.

    Examples
    --------
    >>> pair = [[1.0, 0.0], [1.0, 1e-9]]
    >>> CosineEmbedding()([pair, pair], [1, -1], reduction="none")
    array([5.e-19, 1.e+00])
    """

    prediction: ClassVar[Space] = Columns.of(first=DIRECTION, second=DIRECTION)
    target: ClassVar[Space] = SIGN

    margin: Annotated[float, Field(ge=-1, le=1)] = 0.0

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        a, b = y
        norms = xp.sqrt(xp.sum(a * a, axis=-1)) * xp.sqrt(xp.sum(b * b, axis=-1))
        cosine = xp.sum(a * b, axis=-1) / norms
        other = xp.maximum(cosine - self.margin, xp.zeros_like(cosine))
        return xp.where(t > 0, 1 - cosine, other)

    def value(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The same by 1 - cos, which has its digits where it is small."""
        gap = distance(xp, y.first, y.second, math.nan)
        above = cosine_minus(xp, y.first, y.second, self.margin)
        return xp.where(t > 0, gap, positive_part(xp, above))

    def derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array]:
        """Towards each other for alike pairs; for others away, above the margin."""
        return self._apply_sign(xp, derivative, y, t)

    def second_derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array]:
        """That of 1 - cos, with the sign of the target above the margin."""
        return self._apply_sign(xp, second_derivative, y, t)

    def claims(self) -> Claims:
        """Bounded."""
        return Claims(nonnegative=True, bounded=2.0)

    def _apply_sign(
        self, xp: Namespace, derivative: Callable[..., Array], y: Any, t: Array
    ) -> tuple[Array, Array]:
        """Return a derivative of 1 - cos by both vectors with the sign of the target.

        Below the margin it is 0, also where that of 1 - cos is beyond the largest float.
        """
        above = 0.5 * (1.0 + xp.sign(cosine_minus(xp, y.first, y.second, self.margin)))
        sign = xp.where(t > 0, xp.ones_like(above), -above)[..., None]
        of_first, of_second = derivative(xp, *y), derivative(xp, y.second, y.first)
        return multiply_or_zero(xp, sign, of_first), multiply_or_zero(xp, sign, of_second)
