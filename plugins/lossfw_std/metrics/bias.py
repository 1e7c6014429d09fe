"""Bias: the sum of predictions over the sum of targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from lossfw import NDArray
from lossfw.metrics import SumMetric, SumTerm


class Bias(SumMetric):
    """Multiplicative bias: the sum of the predictions over the sum of the targets.

    Use it when the level of predicted costs, counts or sales must be right.

    1 is right, 1.05 is 5 % too high. Prediction and target of one shape, (N,) or (N, D), both real;
    sums over rows and columns, by weight. Where the targets sum to 0, it is infinite or NaN.

    Notes
    -----
    Actuaries use its inverse, actual over expected. Slices by a column show it by segment. A model
    with an intercept that is fitted by maximum likelihood with the canonical output activation has
    bias 1 on its own rows (the *balance property*). Source: the multiplicative bias of forecast
    verification, WMO/WWRP 2017-1, https://www.cawcr.gov.au/projects/verification/.

    Examples
    --------
    >>> Bias()([1.0, 2.0, 4.0], [1.0, 2.0, 2.0])
    1.4
    """

    latex: ClassVar[str | None] = r"\frac{\sum_{i} w_{i}\,y_{i}}{\sum_{i} w_{i}\,t_{i}}"

    classes: ClassVar[bool] = False

    def n_sums(self, columns: int) -> int:
        """The sum of w y, and that of w t."""
        return 2

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """w y and w t of each column."""
        place = np.zeros(len(weight), np.int64)
        for column in range(target.shape[1]):
            yield SumTerm(place, weight * prediction[:, column].astype(np.float64))
            yield SumTerm(place + 1, weight * target[:, column].astype(np.float64))

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the quotient of the sums."""
        found: NDArray = sums[:, 0] / sums[:, 1]
        return found
