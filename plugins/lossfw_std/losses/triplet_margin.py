"""The triplet margin loss."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from pydantic import NonNegativeFloat

from lossfw import REAL, VECTOR, Array, Claims, Columns, Namespace, PointwiseLoss, Space
from lossfw.numerics import (
    apply_where_rows,
    computed_in_float64,
    positive_part,
    two_diff,
    two_prod,
    zero_or_nan,
)
from lossfw_std.angles import middle_scale, one_minus_square

# A difference of squared distances below this share of its terms may have no digit.
_LOST = 1e-13


class TripletMargin(PointwiseLoss):
    """Triplet margin loss, max(0, |anchor - positive| - |anchor - negative| + margin).

    Use it when each example is an anchor with a vector that should be near and one that should be
    far.

    The prediction has the columns anchor, positive and negative, three vectors of one size: an
    array (..., 3, D). One loss for each triplet. The target plays no part: any numbers of the
    shape (...) will do, such as zeros.

    Parameters
    ----------
    margin : float
        By how much the negative has to be farther from the anchor than the positive.
    eps : float
        Is added to each number of both differences. PyTorch has 1e-6 there.

    Notes
    -----
    The distances are Euclidean. Where one is 0 its derivative is 0, and where the loss begins to
    be above 0 the derivative is the mean of both sides. Source: Schroff, Kalenichenko and
    Philbin, *FaceNet: a unified embedding for face recognition and clustering*, CVPR 2015,
    doi:10.1109/CVPR.2015.7298682; with distances that are not squared, Balntas et al., *Learning
    local feature descriptors with triplets and shallow convolutional neural networks*, BMVC 2016,
    doi:10.5244/C.30.119.

    See Also
    --------
    cosine_embedding : of directions, in pairs.
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
        active = self._active(xp, d)
        near, far = active * d.near, active * d.far
        return near - far, -near, far

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array, Array]:
        """(1 - u^2) over the distance, with u a unit vector; 0 at a distance of 0."""
        d = _distances(xp, y, self.eps)
        active = self._active(xp, d)
        near = active * one_minus_square(xp, d.near) * d.over_near
        far = active * one_minus_square(xp, d.far) * d.over_far
        return near - far, near, -far

    def claims(self) -> Claims:
        """At least 0."""
        return Claims(nonnegative=True)

    def _active(self, xp: Namespace, d: _Distances) -> Array:
        """Return 1 where the loss is above 0, with a last axis of 1; in between 1/2."""
        return (0.5 * (1.0 + xp.sign(d.difference + self.margin)))[..., None]


def _difference_of_squares(xp: Namespace, anchor: Array, positive: Array, negative: Array) -> Array:
    """Return |a|^2 - |b|^2, the sum of (negative - positive) (2 anchor - positive - negative)."""
    c, c_low = two_diff(xp, negative, positive)
    total, low = two_diff(xp, 2.0 * anchor, negative)
    total, lower = two_diff(xp, total, positive)
    low = low + lower
    product, error = two_prod(xp, c, total)
    rest = xp.sum(error + (c * low + c_low * total), axis=-1)
    # Halves are added, by which a row of any size takes few steps.
    while product.shape[-1] > 1:
        half = product.shape[-1] // 2
        odd = product[..., 2 * half :]
        product, errors = two_diff(xp, product[..., :half], -product[..., half : 2 * half])
        rest = rest + xp.sum(errors, axis=-1)
        product = xp.concat([product, odd], axis=-1)
    return product[..., 0] + rest


class _Distances(NamedTuple):
    """Positive and negative as seen from the anchor."""

    difference: Array  # of the distances
    apart: Array  # how far positive and negative are from each other
    near: Array  # the unit vector from the positive to the anchor, 0 at a distance of 0
    far: Array
    over_near: Array  # 1 over the distance, 0 at a distance of 0
    over_far: Array


def _distances(xp: Namespace, y: Any, eps: float) -> _Distances:
    a, b = (y.anchor - other + eps for other in (y.positive, y.negative))
    c = y.negative - y.positive
    largest = xp.maximum(*(xp.max(xp.abs(x), axis=-1, keepdims=True) for x in (a, b)))
    scale = middle_scale(xp, xp.where(largest == 0, xp.ones_like(largest), largest))
    a, b, c = a * scale, b * scale, c * scale
    norms = [xp.sqrt(xp.sum(x * x, axis=-1, keepdims=True)) for x in (a, b)]
    near, far = (xp.where(norm == 0, xp.ones_like(norm), norm) for norm in norms)
    # |a| - |b| is (a - b) . (a + b) / (|a| + |b|).
    both = norms[0] + norms[1]
    both = xp.where(both == 0, xp.ones_like(both), both)
    difference = xp.sum(c * (a + b), axis=-1)
    apart = xp.sqrt(xp.sum(c * c, axis=-1))
    # Beside large numbers the small ones decide which is nearer.
    is_lost = xp.abs(difference) < _LOST * apart * both[..., 0]
    vectors = (x * scale for x in (y.anchor + eps, y.positive, y.negative))
    difference = apply_where_rows(xp, difference, is_lost, _difference_of_squares, *vectors)
    difference, apart = difference / both[..., 0] / scale[..., 0], apart / scale[..., 0]
    is_near, is_far = (xp.astype(norm > 0, norm.dtype) for norm in norms)
    return _Distances(
        difference, apart, a / near, b / far, is_near * scale / near, is_far * scale / far
    )
