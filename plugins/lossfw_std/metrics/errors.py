"""Means of errors, each with its square root where that is asked for."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lossfw import NDArray
from lossfw.metrics import ElementMetric


class Mse(ElementMetric):
    """Mean squared error, mean of (y - t)^2.

    Use it when large errors count most.

    Prediction and target of one shape, both real; the mean is over all
    elements. The loss of this name is called `squared_error`.

    Examples
    --------
    >>> Mse()([1.0, 3.0], [0.0, 0.0])
    5.0
    """

    latex: ClassVar[str | None] = (
        r"\frac{\sum_{i} w_{i}\,\left(y_{i} - t_{i}\right)^{2}}{\sum_{i} w_{i}}"
    )

    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def elements(self, prediction: NDArray, target: NDArray) -> NDArray:
        """(y - t)^2."""
        squares: NDArray = np.square(prediction - target)
        return squares


class Rmse(Mse):
    """Root of the mean squared error, sqrt(mean of (y - t)^2), in the units of the target.

    Use it when large errors count most, and the result should be in units of the
    target.

    Prediction and target of one shape, both real; the mean is over all
    elements, of whatever column.

    Examples
    --------
    >>> Rmse()([3.0, 4.0], [0.0, 0.0])
    3.5355339059327378
    """

    latex: ClassVar[str | None] = (
        r"\sqrt{\frac{\sum_{i} w_{i}\,\left(y_{i} - t_{i}\right)^{2}}{\sum_{i} w_{i}}}"
    )

    def finish(self, mean: NDArray) -> NDArray:
        """The root."""
        root: NDArray = np.sqrt(mean)
        return root


class Mae(ElementMetric):
    """Mean absolute error, mean of |y - t|.

    Use it when the error is wanted in units of the target and outliers should not
    dominate.

    Prediction and target of one shape, both real; the mean is over all
    elements. The loss of this name is called `absolute_error`.

    Examples
    --------
    >>> Mae()([1.0, -3.0], [0.0, 0.0])
    2.0
    """

    latex: ClassVar[str | None] = (
        r"\frac{\sum_{i} w_{i}\,\left|y_{i} - t_{i}\right|}{\sum_{i} w_{i}}"
    )

    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def elements(self, prediction: NDArray, target: NDArray) -> NDArray:
        """|y - t|."""
        sizes: NDArray = np.abs(prediction - target)
        return sizes
