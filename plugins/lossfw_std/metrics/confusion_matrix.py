"""The confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np

from lossfw import NDArray
from lossfw.metrics import CellSums, SumMetric, SumTerm
from lossfw_std.metrics.classes import ClassMetric, class_count

# Intervals of a matrix compute all of it for each replicate: no more numbers than this.
_MOST_NUMBERS = 50_000_000


class ConfusionMatrix(ClassMetric, SumMetric):
    """Confusion matrix, the weight of rows of class i predicted as class j, at (i, j).

    Use it to see which classes are confused with which.

    Predictions and targets as for `accuracy`. The result is a list of K lists; without sample
    weights it has counts. NaN in a prediction makes the row of the target's class NaN.

    Parameters
    ----------
    threshold : float, optional
        For predictions of shape (N,) that are not probabilities: class 1 is chosen above it.

    Notes
    -----
    The interval of a cell is that of its fraction, times the weight of all rows. There are no
    intervals if replicates times K^2 exceeds fifty million.

    Examples
    --------
    >>> ConfusionMatrix()([0.1, 0.7, 0.8, 0.9], [0, 0, 1, 1])
    [[1.0, 1.0], [0.0, 2.0]]
    """

    latex: ClassVar[str | None] = r"M_{ij} = \sum_{n} w_{n}\,[c_{n} = i]\,[\hat{c_{n}} = j]"

    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    better: ClassVar[Literal["higher", "lower"] | None] = None
    weight_factor: ClassVar[Literal["ignored", "multiplies", "matters"]] = "multiplies"

    def n_sums(self, columns: int) -> int:
        """One sum for each pair, and for each class the rows that chose nothing."""
        classes = class_count(columns)
        return classes * (classes + 1)

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """Weight to the pair of the target's class and the chosen one."""
        chosen, true, known, classes = self.choose(prediction, target)
        yield SumTerm(true * (classes + 1) + np.where(known, chosen, classes), weight)

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the matrices, of shape (R, K, K)."""
        classes = class_count(columns)
        table = sums.reshape(-1, classes, classes + 1)
        return np.where(table[:, :, classes:] > 0, np.nan, table[:, :, :classes])

    def from_resamples(self, sums: CellSums, times: NDArray) -> NDArray:
        """Return the matrices of resamples, scaled to the weight of all rows."""
        if len(times) * sums.n_sums > _MOST_NUMBERS:
            return self._unknown_matrix(sums)
        return self._scale_matrix(super().from_resamples(sums, times), sums)

    def without_each(self, sums: CellSums, total: CellSums, units: int) -> NDArray:
        """Return the matrices without each unit, scaled to the weight of all rows."""
        if units * sums.n_sums > _MOST_NUMBERS:
            return self._unknown_matrix(sums)
        return self._scale_matrix(super().without_each(sums, total, units), sums)

    def _unknown_matrix(self, sums: CellSums) -> NDArray:
        classes = class_count(sums.columns)
        return np.full((1, classes, classes), np.nan)

    def _scale_matrix(self, matrix: NDArray, sums: CellSums) -> NDArray:
        whole = self.from_sums(sums).sum()
        with np.errstate(all="ignore"):
            scaled: NDArray = matrix * (whole / matrix.sum(axis=(1, 2), keepdims=True))
        return scaled
