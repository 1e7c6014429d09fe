"""Calibration error of the winning probability, with the reliability curve."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lossfw import SIMPLEX, UNIT, Metric, NDArray, Space
from lossfw.metrics import (
    CellSums,
    MetricRows,
    MetricUpdate,
    RowwiseMetric,
    ScoreMetric,
    SumMetric,
    SumTerm,
)
from lossfw_std.metrics.classes import check_targets, true_classes

# The sums of a bin: of w, of w times the winning probability, and of w where it was right.
_WEIGHT, _CONFIDENCE, _RIGHT = range(3)
_SUMS = 3


class CalibrationError(RowwiseMetric):
    """Calibration error, mean over bins of |fraction right - mean winning probability|.

    Use it when decisions depend on predicted probabilities.

    Prediction of shape (N, K), distributions, with class indices (N,) or rows (N, K); or (N,), the
    probability of class 1, with targets 0 and 1 (or -1 and +1), which means the row (1 - p, p). The
    winning probability is the largest of a row, the first of equal ones. Bins are weighted by their
    rows.

    For each non-empty bin, the curve has its mean winning probability, its fraction right, and its
    weight.

    Parameters
    ----------
    bins : int
        The number of bins.
    strategy : {"uniform", "quantile"}
        Bins of equal width from 0 to 1; or bins of equal weight, whose edges are quantiles of the
        winning probability. A probability at an edge is in the lower bin.

    Notes
    -----
    It is not a proper score, and estimates are biased upwards by the noise in each bin: compare
    models on the same rows and bins. Quantile bins store one weight per distinct probability, about
    40 bytes each; uniform bins store three sums per bin. Sources: Naeini, Cooper and Hauskrecht,
    *Obtaining well calibrated probabilities using Bayesian binning*, 2015,
    doi:10.1609/aaai.v29i1.9602; Guo et al., *On calibration of modern neural networks*, 2017,
    doi:10.48550/arXiv.1706.04599.

    Examples
    --------
    >>> y, t = [[0.8, 0.2], [0.7, 0.3], [0.4, 0.6]], [0, 0, 0]
    >>> round(CalibrationError(bins=2)(y, t), 4)
    0.0333
    """

    latex: ClassVar[str | None] = (
        r"\sum_{b} \frac{W_{b}}{W}\,\left|\mathrm{right}_{b} - \mathrm{confidence}_{b}\right|"
    )

    prediction: ClassVar[Space] = SIMPLEX
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "lower"

    bins: Annotated[int, Field(ge=1, le=100_000)] = 15
    strategy: Literal["uniform", "quantile"] = "uniform"

    @property
    def _strategy_metric(self) -> _UniformBins | _QuantileBins:
        return (
            _UniformBins(bins=self.bins)
            if self.strategy == "uniform"
            else _QuantileBins(bins=self.bins)
        )

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the terms of each row; see `Metric.observe`."""
        return self._strategy_metric.observe(rows, terms=terms)

    def check_shapes(self, shape: tuple[int, ...], targets: NDArray) -> None:
        """See whether predictions of a shape fit the targets; see `Metric.check_shapes`."""
        self._strategy_metric.check_shapes(shape, targets)

    def result(self, partial: CellSums) -> Any:
        """Return the error."""
        return self._strategy_metric.result(partial)

    def unpack(self, arrays: Mapping[str, NDArray]) -> CellSums:
        """Return the sums that were packed."""
        return CellSums.unpack(arrays)

    def from_sums(self, sums: CellSums) -> NDArray:
        """Return the error of the rows of all cells."""
        return self._strategy_metric.from_sums(sums)

    def from_resamples(self, sums: CellSums, times: NDArray) -> NDArray:
        """Return the error of units each taken some times."""
        return self._strategy_metric.from_resamples(sums, times)

    def without_each(self, sums: CellSums, total: CellSums, units: int) -> NDArray:
        """Return the error without each unit."""
        return self._strategy_metric.without_each(sums, total, units)

    def curve(self, partial: CellSums) -> dict[str, list[float]]:
        """Return the reliability curve: ``confidence``, ``accuracy`` and ``weight`` of bins."""
        with np.errstate(all="ignore"):
            sums = self._strategy_metric.bin_sums(partial.pool_cells())
            sums = sums[:, sums[_WEIGHT] != 0]
            return {
                "confidence": (sums[_CONFIDENCE] / sums[_WEIGHT]).tolist(),
                "accuracy": (sums[_RIGHT] / sums[_WEIGHT]).tolist(),
                "weight": sums[_WEIGHT].tolist(),
            }


class _BinnedMetric(Metric):
    """What both strategies share."""

    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    better: ClassVar[Literal["higher", "lower"] | None] = "lower"

    bins: int

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Raise `DomainError` for the first row that is not a distribution, or has no class."""
        if prediction.shape[-1] == 1:
            UNIT.check(prediction[..., 0], "prediction", start=start)
        else:
            SIMPLEX.check(prediction, "prediction", start=start)
        check_targets(prediction, target, start)

    @abstractmethod
    def bin_sums(self, sums: CellSums) -> NDArray:
        """Return the three sums of each bin, of shape (3, bins)."""


class _UniformBins(_BinnedMetric, SumMetric):
    """Bins of equal width: three sums for each."""

    def n_sums(self, columns: int) -> int:
        return _SUMS * self.bins

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        confidence, right = _winning_probability(prediction, target)
        edges = np.linspace(0.0, 1.0, self.bins + 1)[1:-1]
        number = np.searchsorted(edges, confidence, side="left")
        yield SumTerm(_WEIGHT * self.bins + number, weight)
        yield SumTerm(_CONFIDENCE * self.bins + number, weight * confidence)
        yield SumTerm(_RIGHT * self.bins + number, weight * right)

    def value(self, sums: NDArray, columns: int) -> NDArray:
        return _error(sums.reshape(-1, _SUMS, self.bins))

    def bin_sums(self, sums: CellSums) -> NDArray:
        return self.to_table(sums, 1).reshape(_SUMS, self.bins)


class _QuantileBins(_BinnedMetric, ScoreMetric):
    """Bins of equal weight: the weights of wrong and of right rows for each probability."""

    def n_sums(self, columns: int) -> int:
        return 2

    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterator[SumTerm]:
        confidence, right = _winning_probability(prediction, target)
        yield SumTerm(right.astype(np.int64), weight, confidence)

    def from_scores(
        self, columns: int, sum_index: NDArray, scores: NDArray, weights: NDArray
    ) -> NDArray:
        return _error(self._bin_sums(sum_index, scores, weights))

    def bin_sums(self, sums: CellSums) -> NDArray:
        order = np.argsort(sums.table.keys[:, 1], kind="stable")
        weights = sums.table.to_floats()[np.newaxis, order]
        binned: NDArray = self._bin_sums(sums.sum_index[order], sums.scores[order], weights)[0]
        return binned

    def _bin_sums(self, sum_index: NDArray, scores: NDArray, weights: NDArray) -> NDArray:
        """Return the sums of bins, of shape (R, 3, bins)."""
        before = np.cumsum(weights, axis=1) - weights
        # The weight below a probability, the same for all that are equal to it.
        below = before[:, np.searchsorted(scores, scores, side="left")]
        share = below * self.bins / weights.sum(axis=1, keepdims=True)
        number = np.clip(np.nan_to_num(share), 0, self.bins - 1).astype(np.int64)
        line = np.arange(len(weights))[:, np.newaxis] * self.bins
        at = (line + number).ravel()
        size = len(weights) * self.bins
        sums = [
            np.bincount(at, terms.ravel(), size).reshape(len(weights), self.bins)
            for terms in (weights, weights * scores, weights * sum_index)
        ]
        return np.stack(sums, axis=1)


def _winning_probability(prediction: NDArray, target: NDArray) -> tuple[NDArray, NDArray]:
    """Return the winning probability of each row, and whether it was right."""
    rows = prediction.astype(np.float64)
    if rows.shape[1] == 1:
        rows = np.concatenate([1.0 - rows, rows], axis=1)
    return rows.max(axis=1), rows.argmax(axis=1) == true_classes(target)


def _error(sums: NDArray) -> NDArray:
    """Return the error from sums of shape (R, 3, bins)."""
    difference = np.abs(sums[:, _RIGHT] - sums[:, _CONFIDENCE]).sum(axis=1)
    error: NDArray = difference / sums[:, _WEIGHT].sum(axis=1)
    return error
