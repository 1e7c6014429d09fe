"""The pairwise logistic loss weighted by changes of the NDCG."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from lossfw import NONNEGATIVE, Array, Claims, Namespace, PromisedRange, Space
from lossfw_std.discounts import discount_differences, discounts, gain_differences, ideal_gain
from lossfw_std.losses.pairwise import LogisticPairs
from lossfw_std.pairs import ABSENT, pairs


class LambdaNdcg(LogisticPairs):
    """Lambda loss of the NDCG, the sum over t_i > t_j of w_ij log(1 + exp(y_j - y_i)).

    Use it when a ranking is judged by its NDCG, in which the first positions count most.

    Prediction real: a score for each row. Target: its relevance t, at or above 0, with the gain
    2^t - 1. One loss per group; 0 if nothing is relevant. Boosting libraries call it lambdarank or
    rank:ndcg.

    Parameters
    ----------
    k : int, optional
        Only the first k positions count; by default all.

    Notes
    -----
    The weight w_ij is how much the NDCG changes if both rows change places, |2^t_i - 2^t_j| |D_i -
    D_j| / ideal, with D = 1 / log2(1 + rank). It jumps where the order of the scores changes and is
    constant in between, so the derivatives are exact there. Among equal scores the first row ranks
    higher, so the loss depends on the order of the rows. It is not convex. Source: Burges, *From
    RankNet to LambdaRank to LambdaMART: an overview*, Microsoft Research technical report
    MSR-TR-2010-82, 2010; Wang et al., *The LambdaLoss framework for ranking metric optimization*,
    CIKM 2018, doi:10.1145/3269206.3271784.

    See Also
    --------
    pairwise_logistic : all pairs count the same.
    approx_ndcg : smooth ranks instead of weights.

    Examples
    --------
    >>> loss = LambdaNdcg()
    >>> round(loss([0.0, 2.0, 1.0], [2, 0, 1], group=[1, 1, 1]), 6)
    1.10687
    """

    latex: ClassVar[str | None] = (
        r"\sum_{t_{i} > t_{j}} \frac{\left(2^{t_{i}} - 2^{t_{j}}\right)\left|D_{i} -"
        r" D_{j}\right|}{\mathrm{DCG}_{\mathrm{best}}}"
        r"\log\left(1 + e^{y_{j} - y_{i}}\right)\quad\text{with } D_{i} ="
        r" \frac{1}{\log_{2}\left(1 + \mathrm{rank}_{i}\right)}"
    )

    target: ClassVar[Space] = NONNEGATIVE
    # 2^t overflows beyond.
    target_range: ClassVar[PromisedRange] = PromisedRange(high=1000.0)

    k: PositiveInt | None = None

    def order(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The largest score first; rows that are absent come last."""
        return xp.argsort(xp.where(t > ABSENT, -y, xp.full_like(y, xp.inf)), axis=-1, stable=True)

    def textbook_weights(self, xp: Namespace, t: Array) -> Array:
        """|2^t_i - 2^t_j| |D_i - D_j| / ideal."""
        (gi, gj), (ti, tj) = pairs(xp.exp2(t)), pairs(t)
        di, dj = pairs(discounts(xp, t, self.k))
        weights = (gi - gj) * xp.abs(di - dj) / ideal_gain(xp, t, self.k)[..., None]
        return xp.where((ti > tj) & (tj > ABSENT), weights, xp.zeros_like(weights))

    def weights(self, xp: Namespace, t: Array) -> Array:
        """The same, by differences that do not cancel."""
        away = discount_differences(xp, t, self.k)
        return gain_differences(xp, t) * away / ideal_gain(xp, t, self.k)[..., None]

    def claims(self) -> Claims:
        """It jumps where the order of the scores changes."""
        return Claims(nonnegative=True, shift_invariant=True, zero_alone=True)
