"""Metrics of predicted distributions: coverage of intervals, probability integral transform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, cast

import numpy as np
from pydantic import Field

from lossfw import COUNT, ArgumentError, DistributionLoss, Loss, Metric, NDArray
from lossfw.metrics import (
    Arguments,
    CellSums,
    NestedLoss,
    RowMetric,
    SumMetric,
    SumTerm,
    as_array,
    prepare,
)

_NEEDS = "a loss whose prediction names a distribution of a number, such as crps_normal"


class _DistributionMetric(Metric):
    """A metric of the distribution that a prediction names, as a loss understands it."""

    of: NestedLoss | None = None

    def for_loss(self, loss: Loss) -> Metric:
        """Return the metric of this loss, unless it has one of its own."""
        return self if self.of is not None else self.replace(of=loss)

    @property
    def comparison_key(self) -> Metric:
        """The metric of any distribution."""
        return self.replace(of=None)

    @property
    def loss(self) -> DistributionLoss:
        """The loss that gives quantiles and probabilities."""
        if not isinstance(self.of, DistributionLoss) or self.of.target_space.of_rows:
            actual = "None" if self.of is None else self.of.name
            raise ArgumentError(f"{self.name} of {actual}: expected {_NEEDS}.")
        return self.of

    def arguments(self, prediction: Any, target: Any) -> Arguments:
        """Return prediction and target, their shapes checked; single numbers as rows of one."""
        loss = self.loss
        if loss.takes_rows:
            spaces = loss.prediction_space, loss.target_space
            return prepare(prediction, target, rowwise=True, classes=False, spaces=spaces)
        y, t = as_array(prediction, "prediction"), as_array(target, "target")
        return prepare(y[..., np.newaxis], t[..., np.newaxis], rowwise=True, classes=False)

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Check prediction and target as the loss does."""
        self.loss.check_domain(*self._drop_single_axis(prediction, target), False, start)

    def _drop_single_axis(self, prediction: NDArray, target: NDArray) -> tuple[NDArray, NDArray]:
        if self.loss.takes_rows:
            return prediction, target
        return prediction[..., 0], target[..., 0]

    def distributions(self, prediction: NDArray, target: NDArray) -> tuple[Any, NDArray]:
        """Return predictions as the functions of the loss get them, and targets."""
        y, t = self._drop_single_axis(prediction, target)
        return self.loss.prediction_space.to_record(y), t


class IntervalCoverage(_DistributionMetric, RowMetric):
    """Interval coverage, the fraction of targets in the central interval of the prediction.

    Use it when a model predicts a distribution, to see whether its intervals contain as many
    targets as they promise.

    The prediction is that of a loss whose prediction names a distribution, such as `crps_normal`.
    The interval is from the quantile of (1 - level) / 2 to that of (1 + level) / 2, ends included.
    A good prediction has a coverage near the level. NaN in a prediction makes it NaN.

    Parameters
    ----------
    level : float
        The fraction of targets that the interval promises, between 0 and 1.
    of : Loss
        The loss whose predictions these are; in a configuration by default the loss of the run.

    Notes
    -----
    Source: Gneiting, Balabdaoui and Raftery, *Probabilistic forecasts, calibration and sharpness*,
    Journal of the Royal Statistical Society B 69, 2007, doi:10.1111/j.1467-9868.2007.00587.x.

    See Also
    --------
    quantile_coverage : for predicted ends of an interval.
    pit : for all levels.

    Examples
    --------
    >>> coverage = IntervalCoverage(of="crps_normal", level=0.9)
    >>> coverage([[0.0, 0.0], [0.0, 0.0]], [1.6, 1.7])
    0.5
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{\sum_{i} w_{i}} \sum_{i} w_{i}\,\left[q_{(1 - a)/2}(y_{i}) \le t_{i}"
        r" \le q_{(1 + a)/2}(y_{i})\right] \quad\text{with } a = \text{level}"
    )
    piecewise_constant: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    level: Annotated[float, Field(gt=0, lt=1)] = 0.9

    def rows(self, prediction: NDArray, target: NDArray) -> NDArray:
        """1.0 for a target that is covered, else 0.0; NaN where nothing is known."""
        y, t = self.distributions(prediction, target)
        outside = 0.5 * (1.0 - self.level)
        low, high = (
            self.loss.quantile(np, y, np.full_like(t, p)) for p in (outside, 1.0 - outside)
        )
        covered = np.asarray((low <= t) & (t <= high), np.float64)
        return np.where(np.isnan(low) | np.isnan(high) | np.isnan(t), np.nan, covered)


class Pit(_DistributionMetric, SumMetric):
    """Probability integral transform: whether targets are spread evenly over their distributions.

    Use it when a model predicts a distribution, to see how it is wrong: a sloping histogram shows a
    bias, a U shape distributions that are too narrow, and a hump those that are too wide.

    The transform of a row is the predicted probability of a target at or below the true one. If the
    predictions are right, it is uniform between 0 and 1 over many rows. The curve is the histogram:
    the middle of each bin and the fraction of rows in it.

    Parameters
    ----------
    statistic : {"distance", "mean"}
        The distance is the fraction of rows that would have to change bins for a flat histogram.
        The mean is 0.5 if predictions are neither too low nor too high.
    bins : int
        The number of bins of equal width.
    of : Loss
        The loss whose predictions these are; in a configuration by default the loss of the run.

    Notes
    -----
    Even right predictions have a distance of about sqrt(bins / (2 pi n)) for n rows by chance:
    compare models on the same rows. For counts the transform lies between the probabilities of less
    than the target and of at most the target, and a row is spread evenly over that range. Sources:
    Dawid, *Statistical theory: the prequential approach*, Journal of the Royal Statistical Society
    A 147, 1984, doi:10.2307/2981683; Czado, Gneiting and Held, *Predictive model assessment for
    count data*, Biometrics 65, 2009, doi:10.1111/j.1541-0420.2009.01191.x.

    See Also
    --------
    interval_coverage : of one interval.

    Examples
    --------
    >>> y, t = [[0.0, 0.0]] * 4, [-1.0, -0.1, 0.1, 1.0]
    >>> Pit(of="crps_normal", bins=4)(y, t), Pit(of="crps_normal", statistic="mean")(y, t)
    (0.0, 0.5)
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{2}\sum_{b} \left|\frac{W_{b}}{W} - \frac{1}{B}\right|"
        r" \quad\text{with bins of } F(t_{i};\, y_{i})"
    )
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    statistic: Literal["distance", "mean"] = "distance"
    bins: Annotated[int, Field(ge=1, le=10_000)] = 10

    def n_sums(self, columns: int) -> int:
        """A sum of weights for each bin, and one of weighted transforms."""
        return self.bins + 1

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        """The weight of a row goes to the bins of its transform."""
        y, t = self.distributions(prediction, target)
        high = np.asarray(self.loss.cdf(np, y, t), np.float64)
        low = high
        if self.loss.target_space is COUNT:
            low = np.asarray(self.loss.cdf(np, y, t - 1.0), np.float64)
        yield SumTerm(np.full(len(t), self.bins), weight * (0.5 * (low + high)))
        if low is high:
            place = np.clip(np.ceil(high * self.bins) - 1.0, 0.0, self.bins - 1.0)
            # The weight of an unknown transform makes every share unknown.
            unknown = np.isnan(place)
            yield SumTerm(np.where(unknown, 0.0, place).astype(np.int64), weight + 0.0 * place)
            return
        below = np.zeros_like(high)
        for number in range(self.bins):
            reached = _fraction_below((number + 1) / self.bins, low, high)
            yield SumTerm(np.full(len(t), number), weight * (reached - below))
            below = reached

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """The statistic of the sums."""
        weights = sums[:, : self.bins]
        total = weights.sum(axis=1, keepdims=True)
        if self.statistic == "mean":
            return cast(NDArray, sums[:, self.bins] / total[:, 0])
        return cast(NDArray, 0.5 * np.abs(weights / total - 1.0 / self.bins).sum(axis=1))

    def curve(self, partial: CellSums) -> dict[str, list[float]]:
        """Return the middles of the bins as ``pit``, and the ``fraction`` of each."""
        weights = self.to_table(partial.pool_cells(), 1)[0, : self.bins]
        with np.errstate(all="ignore"):
            share = weights / weights.sum()
        return {
            "pit": ((np.arange(self.bins) + 0.5) / self.bins).tolist(),
            "fraction": share.tolist(),
        }


def _fraction_below(edge: float, low: NDArray, high: NDArray) -> NDArray:
    """Return the fraction of a range that lies at or below an edge; a range may be a point."""
    width = high - low
    share = np.clip((edge - low) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    return np.where(width == 0, edge >= high, share)
