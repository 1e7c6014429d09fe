"""The triplet margin loss."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from pydantic import NonNegativeFloat

from lossfw import REAL, VECTOR, Array, Claims, Columns, Namespace, PointwiseLoss, Space
from lossfw.numerics import (
    computed_in_float64,
    positive_part,
    zero_or_nan,
)
from lossfw_std.angles import one_minus_square


class TripletMargin(PointwiseLoss):
    """Triplet margin loss, max(0, |anchor - positive| - |anchor - negative| + margin).

    Use it when each example is an anchor with a vector that should be near and one that should be
    far.

    The prediction has the columns anchor, positive and negative, three vectors of one size: an
    array (..., 3, D). One loss for each triplet. The target is ignored: any numbers of shape (...)
    will do, such as zeros.

    Parameters
    ----------
    margin : float
        How much farther the negative must be from the anchor than the positive.
    eps : float
        Added to each number of both differences. PyTorch uses 1e-6.

    Notes
    -----
    The distances are Euclidean. The derivative of a distance of 0 is 0; where the loss starts to
    exceed 0, the derivative is the mean of both sides. Source: Schroff, Kalenichenko and Philbin,
    *FaceNet: a unified embedding for face recognition and clustering*, CVPR 2015,
    doi:10.1109/CVPR.2015.7298682; with distances that are not squared, Balntas et al., *Learning
    local feature descriptors with triplets and shallow convolutional neural networks*, BMVC 2016,
    doi:10.5244/C.30.119.

    See Also
    --------
    cosine_embedding : for directions, in pairs.
    info_nce : all other rows of a batch are negatives.

    Examples
    --------
    >>> triplet = [[0.0, 0.0], [3.0, 4.0], [0.0, 5.5]]
    >>> TripletMargin()([triplet], [0])
    0.5
    """

    prediction: ClassVar[Space] = Columns.of(anchor=VECTOR, positive=VECTOR, negative=VECTOR)
    target: ClassVar[Space] = REAL

    margin: NonNegativeFloat = 1.0
    eps: NonNegativeFloat = 0.0

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        near, far = (
            xp.sqrt(xp.sum((y.anchor - other + self.eps) ** 2, axis=-1))
            for other in (y.positive, y.negative)
        )
        loss = near - far + self.margin
        return xp.maximum(loss, xp.zeros_like(loss))

    @computed_in_float64
    def value(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The same; the difference of the distances is not one."""
        result = positive_part(xp, _distances(xp, y, self.eps).difference + self.margin)
        return result + zero_or_nan(xp, t)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array, Array]:
        """The unit vectors from positive and negative to the anchor."""
        d = _distances(xp, y, self.eps)
        active = self._activity(xp, d)
        near, far = active * d.near, active * d.far
        return near - far, -near, far

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array, Array]:
        """(1 - u^2) over the distance, with u a unit vector; 0 at a distance of 0."""
        d = _distances(xp, y, self.eps)
        active = self._activity(xp, d)
        near = active * one_minus_square(xp, d.near) * d.over_near
        far = active * one_minus_square(xp, d.far) * d.over_far
        return near - far, near, -far

    def claims(self) -> Claims:
        """At least 0."""
        return Claims(nonnegative=True)

    def _activity(self, xp: Namespace, d: _Distances) -> Array:
        """Return 1 where the loss is above 0, with a last axis of 1; in between 1/2."""
        return (0.5 * (1.0 + xp.sign(d.difference + self.margin)))[..., None]


class _Distances(NamedTuple):
    """Positive and negative as seen from the anchor."""

    difference: Array  # of the distances
    near: Array  # the unit vector from the positive to the anchor, 0 at a distance of 0
    far: Array
    over_near: Array  # 1 over the distance, 0 at a distance of 0
    over_far: Array


def _distances(xp: Namespace, y: Any, eps: float) -> _Distances:
    a, b = (y.anchor - other + eps for other in (y.positive, y.negative))
    norms = [xp.sqrt(xp.sum(x * x, axis=-1, keepdims=True)) for x in (a, b)]
    near, far = (xp.where(norm == 0, xp.ones_like(norm), norm) for norm in norms)
    # |a| - |b| is (a - b) . (a + b) / (|a| + |b|).
    both = (norms[0] + norms[1])[..., 0]
    both = xp.where(both == 0, xp.ones_like(both), both)
    difference = xp.sum((y.negative - y.positive) * (a + b), axis=-1) / both
    is_near, is_far = (xp.astype(norm > 0, norm.dtype) for norm in norms)
    return _Distances(difference, a / near, b / far, is_near / near, is_far / far)
