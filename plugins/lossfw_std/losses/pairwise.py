"""Ranking losses of pairs of rows: logistic and hinge."""

from __future__ import annotations

from typing import ClassVar

from lossfw import Array, Claims, Namespace
from lossfw.numerics import positive_part, sigmoid, softplus, unit_step
from lossfw_std.pairs import PairLoss, is_more_relevant, pairs
from lossfw_std.parabolas import absolute_curvature, logistic_curvature


class LogisticPairs(PairLoss):
    """Base class of losses in which a pair costs log(1 + exp(s_j - s_i))."""

    def textbook_cost(self, xp: Namespace, d: Array) -> Array:
        """log(1 + exp(s_j - s_i))."""
        return xp.log1p(xp.exp(d))

    def cost(self, xp: Namespace, d: Array) -> Array:
        """The same without overflow."""
        return softplus(xp, d)

    def cost_derivative(self, xp: Namespace, d: Array) -> Array:
        """1 / (1 + exp(s_i - s_j))."""
        return sigmoid(xp, d)

    def cost_and_derivative(self, xp: Namespace, d: Array) -> tuple[Array, Array]:
        """Both from one exponential."""
        e = xp.exp(-xp.abs(d))
        cost = positive_part(xp, d) + xp.log1p(e)
        return cost, xp.maximum(e, unit_step(xp, d)) / (1.0 + e)

    def cost_second_derivative(self, xp: Namespace, d: Array) -> Array:
        """The product of the shares of both."""
        return sigmoid(xp, d) * sigmoid(xp, -d)


class PairwiseLogistic(LogisticPairs):
    """Pairwise logistic loss (RankNet), the sum over t_i > t_j of log(1 + exp(y_j - y_i)).

    Use it when the order of the rows in a group counts, such as documents for a query, and the
    relevance says which row should rank higher.

    Prediction real: a score for each row. Target real: its relevance. One loss per group; rows of
    equal relevance do not form a pair, and the loss of a group without pairs is 0.

    Notes
    -----
    Convex, and unchanged if a constant is added to all scores. Source: Burges et al.,
    *Learning to rank using gradient descent*, ICML 2005, doi:10.1145/1102351.1102363.

    See Also
    --------
    lambda_ndcg : pairs weighted by the change of the NDCG.
    pairwise_hinge : 0 for pairs that are far enough apart.
        softmax_ranking : one sum per group instead of pairs.

    Examples
    --------
    >>> loss = PairwiseLogistic()
    >>> loss([0.0, 1.0, 5.0], [0, 1, 1], group=["a", "a", "b"], reduction="none")
    array([0.31326169, 0.        ])
    """

    latex: ClassVar[str | None] = r"\sum_{t_{i} > t_{j}} \log\left(1 + e^{y_{j} - y_{i}}\right)"

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Twice the sum of the pairs' bounds, because (a - b)^2 is at most 2 a^2 + 2 b^2."""
        si, sj = pairs(y)
        return _doubled_row_sums(xp, is_more_relevant(xp, t), logistic_curvature(xp, sj - si))

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


class PairwiseHinge(PairLoss):
    """Pairwise hinge loss, the sum over t_i > t_j of max(0, 1 - (y_i - y_j)).

    Use it when pairs of rows should differ by at least 1 in the right order, and those that do
    should no longer count.

    Prediction real: a score for each row. Target real: its relevance. One loss per group; rows of
    equal relevance do not form a pair, and the loss of a group without pairs is 0.

    Notes
    -----
    Convex, with a kink where a pair differs by 1; there the derivative is the mean of both sides.
    Source: Joachims, *Optimizing search engines using clickthrough data*, KDD 2002,
    doi:10.1145/775047.775067.

    See Also
    --------
    pairwise_logistic : without the kink.

    Examples
    --------
    >>> PairwiseHinge()([0.0, 0.25, 5.0], [0, 1, 2], group=[7, 7, 7])
    0.75
    """

    latex: ClassVar[str | None] = r"\sum_{t_{i} > t_{j}} \max\left(0,\, 1 - (y_{i} - y_{j})\right)"

    def textbook_cost(self, xp: Namespace, d: Array) -> Array:
        """max(0, 1 - (s_i - s_j))."""
        return xp.maximum(1 + d, xp.zeros_like(d))

    def cost(self, xp: Namespace, d: Array) -> Array:
        """The same."""
        return positive_part(xp, 1.0 + d)

    def cost_derivative(self, xp: Namespace, d: Array) -> Array:
        """1 below the kink, 0 above."""
        return 0.5 * (1.0 + xp.sign(1.0 + d))

    def cost_second_derivative(self, xp: Namespace, d: Array) -> Array:
        """0 on both sides of the kink."""
        return xp.zeros_like(d)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Twice the sum of the pairs' bounds, each 1 / (2 |1 - (y_i - y_j)|)."""
        si, sj = pairs(y)
        return _doubled_row_sums(
            xp, is_more_relevant(xp, t), 0.5 * absolute_curvature(xp, 1.0 + (sj - si))
        )

    def claims(self) -> Claims:
        """Convex, with kinks."""
        return Claims(
            nonnegative=True, convex=True, shift_invariant=True, row_order=True, zero_alone=True
        )


def _doubled_row_sums(xp: Namespace, counts: Array, bounds: Array) -> Array:
    """Return for each row twice the sum of the bounds of its pairs."""
    bounds = xp.where(counts, bounds, xp.zeros_like(bounds))
    return 2.0 * (xp.sum(bounds, axis=-2) + xp.sum(bounds, axis=-1))
