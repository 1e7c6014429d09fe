"""Metrics of rankings: how good the order of the rows in each group is."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveInt

from lossfw import NDArray
from lossfw.metrics import GroupMetric


class _RankingMetric(GroupMetric):
    """A metric of the order of scores, between 0 and 1."""

    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"
    piecewise_constant: ClassVar[bool] = True


class Ndcg(_RankingMetric):
    """Normalised discounted cumulative gain, the gain of the order over that of the best order.

    Use it when relevance has grades, and the first positions count most.

    One score and one relevance at or above 0 per row; the rows of a group are one ranking. With
    gains g at positions i, the gain of an order is the sum of g_i / log2(1 + i). Groups without a
    relevant row do not count.

    Parameters
    ----------
    k : int, optional
        Only the first k positions count; by default all.
    gain : {"exponential", "linear"}
        2^relevance - 1, as LightGBM, XGBoost and `lambda_ndcg` have it, or the relevance itself,
        as scikit-learn and ranx have it.

    Notes
    -----
    Rows of equal scores share the mean of their gains, as in ``sklearn.metrics.ndcg_score``.
    LightGBM and XGBoost count a group without a relevant row as 1, scikit-learn as 0. Source:
    Järvelin and Kekäläinen, *Cumulated gain-based evaluation of IR techniques*, ACM Transactions
    on Information Systems 20, 2002, doi:10.1145/582415.582418; exponential gains: Burges et al.,
    *Learning to rank using gradient descent*, ICML 2005, doi:10.1145/1102351.1102363.

    See Also
    --------
    lambda_ndcg : a loss for it.
    mrr, average_precision_at, precision_at : of rows that are relevant or not.

    Examples
    --------
    >>> Ndcg()([3.0, 1.0, 2.0], [2, 0, 0], group=["a", "a", "a"])
    1.0
    >>> round(Ndcg(k=2)([3.0, 1.0, 2.0], [0, 3, 1], group=["a", "a", "a"]), 4)
    0.0827
    """

    k: PositiveInt | None = None
    gain: Literal["exponential", "linear"] = "exponential"

    def groups(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return the gain of the order over that of the best order."""
        gains = np.exp2(target) - 1.0 if self.gain == "exponential" else target
        discounts = 1.0 / np.log2(np.arange(target.shape[1]) + 2.0)
        discounts[len(discounts) if self.k is None else self.k :] = 0.0
        best = (-np.sort(-gains, axis=1) * discounts).sum(axis=1)
        order = _order(prediction)
        gains = _mean_of_ties(
            np.take_along_axis(prediction, order, axis=1), np.take_along_axis(gains, order, axis=1)
        )
        found: NDArray = (gains * discounts).sum(axis=1) / np.where(best > 0, best, np.nan)
        return np.minimum(found, 1.0)


class AveragePrecisionAt(_RankingMetric):
    """Average precision of the first k positions, the mean precision at the relevant rows.

    Use it when all relevant rows should rank above the others, and the first positions count most.

    One score per row, and a target above 0 for a relevant one; the rows of a group are one ranking.
    It is the sum of the precisions at the relevant rows among the first k, over the number of
    relevant rows. Groups without a relevant row do not count.

    Parameters
    ----------
    k : int
        The number of positions.

    Notes
    -----
    The mean over groups is known as MAP. Among equal scores the first row ranks higher, as in ranx,
    which calls it ``map@k``. Source: Voorhees and Harman, *TREC: experiment and evaluation in
    information retrieval*, MIT Press, 2005.

    See Also
    --------
    ndcg : of graded relevance.
    average_precision : of all rows as one ranking.

    Examples
    --------
    >>> AveragePrecisionAt(k=3)([3.0, 2.0, 1.0], [1, 0, 1], group=[1, 1, 1])
    0.8333333333333333
    """

    k: PositiveInt = 10

    def groups(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return the sum of the precisions over the number of relevant rows."""
        relevant = _is_relevant(prediction, target)
        first = relevant[:, : self.k]
        precision = np.cumsum(first, axis=1) / np.arange(1, first.shape[1] + 1)
        number = relevant.sum(axis=1)
        found: NDArray = (precision * first).sum(axis=1) / np.where(number > 0, number, np.nan)
        return found


class Mrr(_RankingMetric):
    """Mean reciprocal rank of the first relevant row of each group.

    Use it when one relevant row is enough, as for a question with one answer.

    A score for each row, and a target above 0 for a relevant one; rows of a group are one
    ranking. Groups without a relevant row do not count.

    Parameters
    ----------
    k : int, optional
        A first relevant row after position k counts 0; by default every position counts.

    Notes
    -----
    Among equal scores the first row ranks higher, as in ranx. Source: Voorhees, *The TREC-8
    question answering track report*, NIST, 1999.

    See Also
    --------
    average_precision_at : all relevant rows count.

    Examples
    --------
    >>> Mrr()([3.0, 2.0, 1.0, 2.0], [0, 1, 1, 1], group=[1, 1, 1, 2])
    0.75
    """

    k: PositiveInt | None = None

    def groups(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return 1 over the position of the first relevant row."""
        relevant = _is_relevant(prediction, target)
        place = relevant.argmax(axis=1)
        beyond = place >= (relevant.shape[1] if self.k is None else self.k)
        found = np.where(beyond, 0.0, 1.0 / (place + 1.0))
        return np.where(relevant.any(axis=1), found, np.nan)


class PrecisionAt(_RankingMetric):
    """Precision of the first k positions, the fraction of relevant rows among them.

    Use it when a page shows k rows, and their order does not count.

    A score for each row, and a target above 0 for a relevant one; rows of a group are one
    ranking. Positions that a smaller group does not fill count as not relevant.

    Parameters
    ----------
    k : int
        The number of positions.

    Notes
    -----
    Among equal scores the first row ranks higher, as in ranx. Source: Manning, Raghavan and
    Schütze, *Introduction to information retrieval*, 2008, doi:10.1017/CBO9780511809071.

    See Also
    --------
    average_precision_at : the order counts.
    precision : of classes.

    Examples
    --------
    >>> PrecisionAt(k=2)([3.0, 2.0, 1.0], [1, 0, 1], group=[1, 1, 1])
    0.5
    """

    k: PositiveInt = 10

    def groups(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return the number of relevant rows among the first k, over k."""
        found: NDArray = _is_relevant(prediction, target)[:, : self.k].sum(axis=1) / self.k
        return found


def _order(prediction: NDArray) -> NDArray:
    """Return the order of falling scores; among equal ones the first is above."""
    return np.argsort(-prediction, axis=1, kind="stable")


def _is_relevant(prediction: NDArray, target: NDArray) -> NDArray:
    """Return whether the row at each place is relevant."""
    return np.take_along_axis(target, _order(prediction), axis=1) > 0


def _mean_of_ties(scores: NDArray, gains: NDArray) -> NDArray:
    """Return the gains of places, the mean of them where scores are equal."""
    begins = np.ones(scores.shape, bool)
    begins[:, 1:] = scores[:, 1:] != scores[:, :-1]
    run = np.cumsum(begins.ravel()) - 1
    means = np.bincount(run, gains.ravel()) / np.bincount(run)
    found: NDArray = means[run].reshape(gains.shape)
    return found
