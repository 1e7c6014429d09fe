"""Means of errors, and their square roots."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from lossfw import NDArray
from lossfw.metrics import ElementMetric


class Mse(ElementMetric):
    """Mean squared error, mean of (y - t)^2.

    Use it when large errors count most.

    Prediction and target of one shape, both real; the mean is over all elements. The loss of this
    name is called `squared_error`.

    Examples
    --------
    >>> Mse()([1.0, 3.0], [0.0, 0.0])
    5.0
    """

    latex: ClassVar[str | None] = (
        r"\frac{\sum_{i} w_{i}\,\left(y_{i} - t_{i}\right)^{2}}{\sum_{i} w_{i}}"
    )

    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    better: ClassVar[Literal["higher", "lower"] | None] = "lower"

    def formula(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """The mean square."""
        return _mean(np.square(prediction - target), weight)

    def elements(self, prediction: NDArray, target: NDArray) -> NDArray:
        """(y - t)^2."""
        squares: NDArray = np.square(prediction - target)
        return squares


class Rmse(Mse):
    """Root of the mean squared error, sqrt(mean of (y - t)^2), in the units of the target.

    Use it when large errors count most, and the result should be in units of the target.

    Prediction and target of one shape, both real; the mean is over all elements, of whatever
    column.

    Examples
    --------
    >>> Rmse()([3.0, 4.0], [0.0, 0.0])
    3.5355339059327378
    """

    latex: ClassVar[str | None] = (
        r"\sqrt{\frac{\sum_{i} w_{i}\,\left(y_{i} - t_{i}\right)^{2}}{\sum_{i} w_{i}}}"
    )

    def formula(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """The root of the mean square."""
        return np.sqrt(super().formula(prediction, target, weight))

    def finish(self, mean: NDArray) -> NDArray:
        """The root."""
        root: NDArray = np.sqrt(mean)
        return root


class Mae(ElementMetric):
    """Mean absolute error, mean of |y - t|.

    Use it when the error should be in units of the target, and outliers should not dominate.

    Prediction and target of one shape, both real; the mean is over all elements. The loss of this
    name is called `absolute_error`.

    Examples
    --------
    >>> Mae()([1.0, -3.0], [0.0, 0.0])
    2.0
    """

    latex: ClassVar[str | None] = (
        r"\frac{\sum_{i} w_{i}\,\left|y_{i} - t_{i}\right|}{\sum_{i} w_{i}}"
    )

    bounds: ClassVar[tuple[float, float]] = (0.0, np.inf)
    better: ClassVar[Literal["higher", "lower"] | None] = "lower"

    def formula(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """The mean size."""
        return _mean(np.abs(prediction - target), weight)

    def elements(self, prediction: NDArray, target: NDArray) -> NDArray:
        """|y - t|."""
        sizes: NDArray = np.abs(prediction - target)
        return sizes


def _mean(errors: NDArray, weight: NDArray) -> Any:
    """Return the mean over elements, each with the weight of its row."""
    return np.average(errors.reshape(len(weight), -1).mean(axis=1), weights=weight)
