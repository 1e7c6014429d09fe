"""Ranking losses with one softmax per group: of relevances, and ListNet."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from lossfw import NONNEGATIVE, Array, Claims, GroupLoss, Namespace, PromisedRange, Space
from lossfw.numerics import (
    computed_in_float64,
    largest_of_rows,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_and_gradient,
    softmax_cross_entropy_gradient,
    softmax_cross_entropy_hessian,
)
from lossfw_std.pairs import ABSENT, NEUTRAL

# Scores this near to their relevances, in each row, have nearly the same softmax.
_NEAR = 0.5


class _SoftmaxLoss(GroupLoss):
    """Base of -sum_i w_i log softmax(y)_i, with weights of the target."""

    neutral: ClassVar[tuple[Any, Any] | None] = NEUTRAL

    def weights(self, xp: Namespace, t: Array) -> Array:
        """Return the weight of each row."""
        return t

    def textbook_weights(self, xp: Namespace, t: Array) -> Array:
        """Return it by its definition."""
        return self.weights(xp, t)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        there = t > ABSENT
        share = xp.where(there, xp.exp(y), xp.zeros_like(y))
        log_share = y - xp.log(xp.sum(share, axis=-1, keepdims=True))
        weights = self.textbook_weights(xp, t)
        return -xp.sum(xp.where(there, weights * log_share, xp.zeros_like(y)), axis=-1)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same from the sum of the others, which keeps the digits of a row that leads."""
        return softmax_cross_entropy(xp, *self._logits(xp, y, t))

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The fraction of all weights that the scores give, less the weight."""
        return softmax_cross_entropy_gradient(xp, *self._logits(xp, y, t))

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same exponentials."""
        return softmax_cross_entropy_and_gradient(xp, *self._logits(xp, y, t))

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """p (1 - p) times the sum of the weights."""
        return softmax_cross_entropy_hessian(xp, *self._logits(xp, y, t))

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Half the sum of the weights: a variance of steps is at most that of two rows."""
        weights = self._logits(xp, y, t)[1]
        return 0.5 * xp.sum(weights, axis=-1, keepdims=True) + xp.zeros_like(y)

    def _logits(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Return scores and weights; a row that is absent has the score -inf and the weight 0."""
        gone = t == ABSENT
        logits = xp.where(gone, xp.full_like(y, -xp.inf), y)
        return logits, xp.where(gone, xp.zeros_like(y), self.weights(xp, t))


class SoftmaxRanking(_SoftmaxLoss):
    """Softmax ranking loss, -sum_i t_i log softmax(y)_i over the rows of a group.

    Use it when few rows of a group are relevant, such as clicked ones, and should rank first.

    Prediction real: a score for each row. Target: its relevance t, at or above 0. One loss per
    group; 0 if nothing is relevant.

    Notes
    -----
    Convex, and unchanged if a constant is added to all scores. Source: Bruch et al., *An
    analysis of the softmax cross entropy loss for learning-to-rank with binary relevance*, ICTIR
    2019, doi:10.1145/3341981.3344221.

    See Also
    --------
    listnet : the relevances also go through a softmax.
    cross_entropy : over classes instead of rows.

    Examples
    --------
    >>> SoftmaxRanking()([40.0, 0.0], [1, 0], group=["a", "a"])
    4.248354255291589e-18
    """

    latex: ClassVar[str | None] = r"-\sum_{i} t_{i} \left(y_{i} - \log\sum_{j} e^{y_{j}}\right)"

    target: ClassVar[Space] = NONNEGATIVE
    # Sums of larger relevances leave floats of single precision.
    target_range: ClassVar[PromisedRange] = PromisedRange(high=1e6)

    def claims(self) -> Claims:
        """Convex and smooth in all scores of a group."""
        return Claims(
            nonnegative=True,
            convex=True,
            twice_smooth=True,
            shift_invariant=True,
            row_order=True,
            zero_alone=True,
        )


class Listnet(_SoftmaxLoss):
    """ListNet, the cross-entropy of two softmaxes, -sum_i softmax(t)_i log softmax(y)_i.

    Use it when differences of relevances have a meaning, as for logarithms or ratings.

    Prediction real: a score for each row. Target real: its relevance. One loss for each group.

    Notes
    -----
    It is the top-one form. Convex; if the scores are the relevances, the loss is their entropy.
    Source: Cao et al., *Learning to rank: from pairwise approach to listwise approach*, ICML
    2007, doi:10.1145/1273496.1273513.

    See Also
    --------
    softmax_ranking : the relevances themselves are the weights.
    listmle : the probability of the whole order.

    Examples
    --------
    >>> round(Listnet()([1.0, 0.0, 0.0], [1.0, 0.0, 0.0], group=[3, 3, 3]), 6)
    0.975328
    """

    latex: ClassVar[str | None] = (
        r"-\sum_{i} \frac{e^{t_{i}}}{\sum_{j} e^{t_{j}}} \left(y_{i} - \log\sum_{j}"
        r" e^{y_{j}}\right)"
    )

    def weights(self, xp: Namespace, t: Array) -> Array:
        """The softmax of the relevances."""
        return softmax(xp, t)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """softmax(y) - softmax(t), whose digits cancel where all scores are near relevances."""
        logits, share = self._logits(xp, y, t)
        return _softmax_difference(
            xp, y, t, share, softmax_cross_entropy_gradient(xp, logits, share)
        )

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same exponentials."""
        logits, share = self._logits(xp, y, t)
        value, derivative = softmax_cross_entropy_and_gradient(xp, logits, share)
        return value, _softmax_difference(xp, y, t, share, derivative)

    def textbook_weights(self, xp: Namespace, t: Array) -> Array:
        """The same by its definition."""
        share = xp.exp(t)
        return share / xp.sum(share, axis=-1, keepdims=True)

    def claims(self) -> Claims:
        """Convex and smooth; the constants are those of cross-entropy from logits."""
        return Claims(
            nonnegative=True,
            convex=True,
            lipschitz=2.0**0.5,
            gradient_lipschitz=0.5,
            twice_smooth=True,
            shift_invariant=True,
            row_order=True,
            zero_alone=True,
        )


def _softmax_difference(
    xp: Namespace, y: Array, t: Array, probabilities: Array, difference: Array
) -> Array:
    """Return softmax(y) - softmax(t), which is a difference unless they are near each other."""
    d = xp.where(t == ABSENT, xp.zeros_like(y), y - t)
    near = largest_of_rows(xp, xp.abs(d)) < _NEAR
    if xp is np and not near.any():
        return difference
    # Beside the distance of a row that leads, which has all but its complement of the shares.
    leads = t == largest_of_rows(xp, t)
    d = d - largest_of_rows(xp, xp.where(leads, d, xp.full_like(y, -xp.inf)))
    more = xp.expm1(xp.where(near, d, xp.zeros_like(y)))
    mean = xp.sum(probabilities * more, axis=-1, keepdims=True)
    return xp.where(near, probabilities * (more - mean) / (1.0 + mean), difference)
