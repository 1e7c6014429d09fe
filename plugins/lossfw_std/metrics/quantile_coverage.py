"""Coverage of predicted quantiles."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from lossfw import REAL, NDArray, Vector
from lossfw.metrics import Arguments, ElementMetric, MetricBody, as_array, prepare

_ENDS = 2
_INTERVAL = Vector.of(REAL, size=_ENDS)


class QuantileCoverage(ElementMetric):
    """Coverage, the fraction of targets that are at or below the predicted quantile.

    Use it when a model predicts quantiles or intervals, to see how often they hold.

    Prediction and target of one shape: the fraction of elements with t <= y, which for a good
    prediction of the quantile of probability q is q. Or a prediction with one more axis, of length
    2: the fraction of targets with y[0] <= t <= y[1], which for the quantiles of 0.05 and 0.95
    should be 0.9. NaN in a prediction makes it NaN.

    Examples
    --------
    >>> QuantileCoverage()([1.0, 2.0, 3.0, 4.0], [0.5, 2.0, 3.5, 1.0])
    0.75
    >>> QuantileCoverage()([[0.0, 1.0], [0.0, 1.0]], [0.5, 2.0])
    0.5
    """

    latex: ClassVar[str | None] = r"\frac{\sum_{i} w_{i}\,[t_{i} \le y_{i}]}{\sum_{i} w_{i}}"

    piecewise_constant: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def arguments(self, prediction: Any, target: Any) -> Arguments:
        """Return prediction and target, their shapes checked."""
        y, t = as_array(prediction, "prediction"), as_array(target, "target")
        if y.ndim == t.ndim + 1 and y.shape[-1] == _ENDS:
            return prepare(y, t, rowwise=True, classes=False, spaces=(_INTERVAL, REAL))
        return super().arguments(y, t)

    def body(self, call: Arguments) -> MetricBody:
        """Return what the engine runs: rows are intervals."""
        return MetricBody(self.elements, self.check, takes_rows=call.y.ndim > call.t.ndim)

    def elements(self, prediction: NDArray, target: NDArray) -> NDArray:
        """1.0 for a target that is covered, else 0.0; NaN for a prediction with a NaN."""
        if prediction.ndim > target.ndim:
            covered = (prediction[:, 0] <= target) & (target <= prediction[:, 1])
            known = ~np.isnan(prediction).any(axis=1)
        else:
            covered, known = target <= prediction, ~np.isnan(prediction)
        return np.where(known, covered.astype(np.float64), np.nan)
