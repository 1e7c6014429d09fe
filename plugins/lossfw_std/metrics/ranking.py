"""Metrics of how well scores rank the rows of a class above the others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lossfw import UNIT, NDArray
from lossfw.metrics import ScoreMetric, SumTerm
from lossfw_std.metrics.classes import check_targets, true_classes

# More bins than this take more memory than the scores of most data.
MAX_BINS = 2**24


class RankingMetric(ScoreMetric):
    """A metric of the rows of one class against the others, the mean over the classes.

    With two classes, in two columns or as a single number, only class 1 is ranked.
    """

    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"

    bins: Annotated[int, Field(ge=2, le=MAX_BINS)] | None = None

    def n_sums(self, columns: int) -> int:
        """For each ranked class, the weight of the others and its own."""
        return 2 * len(_ranked_columns(columns))

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Raise `DomainError` for a target that is not a class, or a score outside the bins."""
        check_targets(prediction, target, start)
        if self.bins is not None:
            UNIT.check(prediction, "prediction", start=start)

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """The weight of each row at its score for a class, apart for the class and others."""
        true = true_classes(target)
        for number, (column, of_class) in enumerate(_ranked_columns(prediction.shape[1])):
            own = (true == of_class).astype(np.int64)
            yield SumTerm(2 * number + own, weight, self._bin_scores(prediction[:, column]))

    def _bin_scores(self, scores: NDArray) -> NDArray:
        """Return the middle of the bin of each score, where there are bins."""
        if self.bins is None:
            return scores
        bins: NDArray = np.minimum(np.floor(scores.astype(np.float64) * self.bins), self.bins - 1)
        return (bins + 0.5) / self.bins

    def from_scores(
        self, columns: int, sum_index: NDArray, scores: NDArray, weights: NDArray
    ) -> NDArray:
        """Return the mean over the classes; NaN if a score is NaN, or a class has no rows."""
        if np.isnan(scores).any():
            return np.full(len(weights), np.nan)
        found = []
        for number in range(len(_ranked_columns(columns))):
            own, others = sum_index == 2 * number + 1, sum_index == 2 * number
            found.append(
                self.from_class_scores(
                    scores[own], weights[:, own], scores[others], weights[:, others]
                )
            )
        mean: NDArray = np.mean(found, axis=0)
        return mean

    @abstractmethod
    def from_class_scores(
        self, own: NDArray, own_weights: NDArray, others: NDArray, weights: NDArray
    ) -> NDArray:
        """Return the metric of one class.

        `own` and `others` are the ascending scores, (D,), of its rows and of the others; there
        are R weights for each of them, (R, D).
        """


class RocAuc(RankingMetric):
    """Area under the ROC curve: how often a row of the class has a higher score than another.

    Use it when a model ranks rows, and the threshold is not chosen yet.

    Prediction of shape (N,), the score of class 1, with targets 0 and 1 (or -1 and +1); or (N, K)
    with class indices, one-hot or soft rows. With two columns the second is the score; with more
    each column ranks its class against all others, and the result is the mean over the classes.
    Ties count one half. NaN if a prediction is NaN, or if a class or its complement has no rows.

    Parameters
    ----------
    bins : int, optional
        Number of bins of equal width for scores from 0 to 1, instead of the scores themselves.
        Pairs within a bin count one half, so the error of the area is at most half the fraction of
        pairs that share a bin. It takes about 150 bytes per bin, class and side, for any number of
        rows.

    Notes
    -----
    Exact without bins: sum over rows i of the class and j of the others of w_i w_j ([y_i > y_j] +
    [y_i = y_j] / 2), over sum w_i times sum w_j, which is the statistic of Mann and Whitney. It
    stores one weight per distinct score, class and side, 140 to 180 bytes each during a merge: 1.8
    GB for ten million distinct scores of two classes. Sources: Hanley and McNeil, *The meaning and
    use of the area under a receiver operating characteristic (ROC) curve*, 1982,
    doi:10.1148/radiology.143.1.7063747; for more than two classes Provost and Domingos, 2000,
    without their weighting of classes.

    Examples
    --------
    >>> RocAuc()([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """

    latex: ClassVar[str | None] = (
        r"P\left(s^{+} > s^{-}\right) + \tfrac{1}{2}\,P\left(s^{+} = s^{-}\right)"
    )

    def formula(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """The definition, by all pairs of rows of a class and of others."""
        y = prediction.reshape(len(weight), -1)
        true = true_classes(target.reshape(y.shape) if target.size == y.size else target)
        areas = []
        for column, of_class in _ranked_columns(y.shape[1]):
            own, score = true == of_class, self._bin_scores(y[:, column])
            pairs = np.outer(weight[own], weight[~own])
            distance = score[own, np.newaxis] - score[~own]
            areas.append(np.sum(pairs * ((distance > 0) + 0.5 * (distance == 0))) / np.sum(pairs))
        return np.mean(areas)

    def from_class_scores(
        self, own: NDArray, own_weights: NDArray, others: NDArray, weights: NDArray
    ) -> NDArray:
        """Weight of pairs in the right order, over that of all pairs."""
        below = _sums_before(weights)
        pairs = own_weights * (
            below[:, np.searchsorted(others, own, "left")]
            + below[:, np.searchsorted(others, own, "right")]
        )
        area: NDArray = 0.5 * pairs.sum(axis=1) / (own_weights.sum(axis=1) * below[:, -1])
        return area


class AveragePrecision(RankingMetric):
    """Average precision: the mean, over the rows of the class, of the precision at their score.

    Use it when a model ranks rows, and the class of interest is rare.

    Predictions and targets as for `roc_auc`; with more than two classes the mean over the classes.
    NaN if a prediction is NaN, or if a class has no rows (scikit-learn warns and returns 0).

    Parameters
    ----------
    bins : int, optional
        As for `roc_auc`. All rows of a bin get the precision at its lower edge, so the error per
        row is at most the change of precision within its bin.

    Notes
    -----
    Exact without bins: sum over the distinct scores s of (R(s) - R(s+)) P(s), with recall R and
    precision P of the rows whose score is at least s, and s+ the next higher score. There is no
    interpolation. It stores the same sums as `roc_auc`. Source: Davis and Goadrich, *The
    relationship between precision-recall and ROC curves*, 2006, doi:10.1145/1143844.1143874, who
    show why linear interpolation is too optimistic.

    Examples
    --------
    >>> AveragePrecision()([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.8333333333333333
    """

    latex: ClassVar[str | None] = r"\sum_{s} \left(R(s) - R(s^{+})\right)\,P(s)"

    def from_class_scores(
        self, own: NDArray, own_weights: NDArray, others: NDArray, weights: NDArray
    ) -> NDArray:
        """Mean of right / chosen over the rows of the class."""
        right = _sums_from(own_weights)[:, np.searchsorted(own, own, "left")]
        wrong = _sums_from(weights)[:, np.searchsorted(others, own, "left")]
        # A row that a replicate leaves out has no say, though nothing may be chosen at it.
        precision = np.where(own_weights > 0, right / (right + wrong), 0.0)
        mean: NDArray = (own_weights * precision).sum(axis=1) / own_weights.sum(axis=1)
        return mean


def _ranked_columns(columns: int) -> list[tuple[int, int]]:
    """Return the columns that rank, each with its class."""
    if columns <= 2:
        return [(columns - 1, 1)]
    return [(column, column) for column in range(columns)]


def _sums_before(weights: NDArray) -> NDArray:
    """Return the sums of the first 0, 1, ... weights of each line."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _sums_from(weights: NDArray) -> NDArray:
    """Return the sums of all weights of each line but the first 0, 1, ..."""
    return _sums_before(weights[:, ::-1])[:, ::-1]
