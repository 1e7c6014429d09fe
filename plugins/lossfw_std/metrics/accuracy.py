"""Accuracy."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from lossfw import RowMetric

NDArray = np.ndarray[Any, np.dtype[Any]]


class Accuracy(RowMetric):
    """Accuracy, the share of rows whose largest column is the target's class.

    Prediction of shape (N, K), probabilities or logits; target of class
    indices (N,), or one-hot or soft rows (N, K), of which the largest column is
    the class. The first of equal columns counts. A row with a NaN is wrong.

    Examples
    --------
    >>> Accuracy()([[0.9, 0.1], [0.2, 0.8]], [0, 0])
    0.5
    """

    accepts: ClassVar[Literal["any", "prediction", "logits"]] = "any"
    piecewise_constant: ClassVar[bool] = True

    def rows(self, prediction: NDArray, target: NDArray) -> NDArray:
        """1.0 for a row that is right, else 0.0."""
        classes = target if target.ndim == 1 else target.argmax(-1)
        # The position of a NaN is the argmax: without this it could be right.
        known = ~np.isnan(prediction).any(-1)
        right: NDArray = (prediction.argmax(-1) == classes) & known
        return right.astype(np.float64)
