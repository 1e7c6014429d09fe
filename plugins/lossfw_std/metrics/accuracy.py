"""Accuracy and top-k accuracy."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveInt

from lossfw import NDArray, RowMetric, ShapeError
from lossfw_std.metrics.classes import ClassMetric, check_targets, true_classes


class Accuracy(ClassMetric, RowMetric):
    """Accuracy, the fraction of rows whose chosen class is the target's.

    Use it when classes are balanced and every mistake costs the same.

    Prediction of shape (N, K), probabilities or logits; target of class indices (N,), or one-hot or
    soft rows (N, K), of which the largest column is the class. The first of equal columns counts.
    Or prediction and target of shape (N,): the probability of class 1, and 0 or 1 (or -1 and +1).
    NaN in a prediction makes it NaN.

    Parameters
    ----------
    threshold : float, optional
        For predictions of shape (N,) that are not probabilities: class 1 is chosen above it.

    Examples
    --------
    >>> Accuracy()([[0.9, 0.1], [0.2, 0.8]], [0, 0])
    0.5
    >>> Accuracy(threshold=0.0)([-0.3, 2.0, 1.0], [-1, 1, -1])
    0.6666666666666666
    """

    latex: ClassVar[str | None] = r"\frac{\sum_{i} w_{i}\,[\hat{c_{i}} = c_{i}]}{\sum_{i} w_{i}}"

    def rows(self, prediction: NDArray, target: NDArray) -> NDArray:
        """1.0 for a row that is right, else 0.0; NaN for one with a NaN."""
        found = self.choose(prediction, target)
        return np.where(found.known, (found.chosen == found.true).astype(np.float64), np.nan)


class TopK(RowMetric):
    """Top-k accuracy, the fraction of rows whose class is among the k largest columns.

    Use it when several guesses are allowed.

    Prediction of shape (N, K), probabilities or logits; target of class indices (N,), or one-hot or
    soft rows (N, K). The first of equal columns counts as the larger one. NaN in a prediction makes
    it NaN.

    Parameters
    ----------
    k : int
        From 1, which is accuracy, to K, which is always 1.

    Notes
    -----
    In scikit-learn the last of equal columns counts as the larger one.

    Examples
    --------
    >>> TopK(k=2)([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], [1, 2])
    0.5
    """

    latex: ClassVar[str | None] = (
        r"\frac{\sum_{i} w_{i}\,[c_{i} \text{ among the } k \text{ largest of } y_{i}]}"
        r"{\sum_{i} w_{i}}"
    )

    accepts: ClassVar[Literal["any", "prediction", "logits"]] = "any"
    piecewise_constant: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "higher"

    k: PositiveInt = 5

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Refuse a k that makes every row right."""
        columns = prediction.shape[-1]
        if self.k > columns or columns < 2:
            raise ShapeError(
                f"top_k with k = {self.k} needs predictions with at least {max(self.k, 2)} "
                f"columns, got {columns}: lower k."
            )
        check_targets(prediction, target, start)

    def rows(self, prediction: NDArray, target: NDArray) -> NDArray:
        """1.0 for a row whose class is among the best, else 0.0; NaN for one with a NaN."""
        true = true_classes(target).astype(np.intp)[:, np.newaxis]
        own = np.take_along_axis(prediction, true, axis=1)
        earlier = np.arange(prediction.shape[1]) < true
        better = ((prediction > own) | ((prediction == own) & earlier)).sum(axis=1)
        known = ~np.isnan(prediction).any(axis=1)
        return np.where(known, (better < self.k).astype(np.float64), np.nan)
