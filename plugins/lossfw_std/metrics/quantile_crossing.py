"""The fraction of rows in which predicted quantiles cross."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from lossfw import REAL, VECTOR, NDArray
from lossfw.metrics import Arguments, RowMetric, prepare


class QuantileCrossing(RowMetric):
    """Quantile crossing, the fraction of rows in which a predicted quantile lies below a lower one.

    Use it when a model predicts several quantiles or the ends of an interval: their loss does not
    keep them in order.

    The prediction has shape (N, L), quantiles of increasing levels, and the target (N,). Equal
    quantiles do not cross. NaN in a prediction makes it NaN.

    See Also
    --------
    multi_quantile, interval_score : losses of several quantiles.

    Examples
    --------
    >>> QuantileCrossing()([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], [0.0, 0.0])
    0.5
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{\sum_{i} w_{i}} \sum_{i} w_{i}\,\left[\min_{k} (y_{i,k+1} - y_{i,k}) < 0\right]"
    )
    piecewise_constant: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "lower"

    def arguments(self, prediction: Any, target: Any) -> Arguments:
        """Return rows of quantiles, and one target for each."""
        return prepare(prediction, target, rowwise=True, classes=False, spaces=(VECTOR, REAL))

    def rows(self, prediction: NDArray, target: NDArray) -> NDArray:
        """1.0 for a row that crosses, else 0.0; NaN where nothing is known."""
        crosses = (prediction[:, 1:] < prediction[:, :-1]).any(axis=1)
        return np.where(np.isnan(prediction).any(axis=1), np.nan, crosses.astype(np.float64))
