"""Metrics of sums over rows, and of sums per score."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from lossfw.errors import EmptyReductionError
from lossfw.losses.engine.read_only import raise_for_writing
from lossfw.losses.engine.tiling import make_tile
from lossfw.losses.inputs import Arguments, prepare
from lossfw.metrics.base import MetricOfSums, MetricRows, MetricUpdate, RowwiseMetric, sum_units
from lossfw.metrics.cell_sums import CellSums, RowTerms, SumTerm
from lossfw.metrics.engine_body import (
    MetricBody,
    as_single_column,
    columns_of,
    extend_call,
    placeholder,
)
from lossfw.metrics.exact_sums import from_ordered_keys
from lossfw.numerics.arrays import NDArray

# Replicates rank no more scores than this, times the number of sums; beyond, neighbours share
# one. That moves the spread of a metric by a part in some thousands.
_MOST_COLUMNS = 16_384
_FEWEST_BINS = 256

# Numbers in one piece of the work on replicates: some tens of megabytes.
_AT_ONCE = 4_000_000


class TableMetric(RowwiseMetric):
    """A metric whose partial is a table of sums."""

    @abstractmethod
    def n_sums(self, columns: int) -> int:
        """Return the number of sums for predictions with so many columns."""

    def result(self, partial: CellSums) -> Any:
        """Return the metric as a float, or as lists of them."""
        if not len(partial.table):
            raise EmptyReductionError(
                f"nothing is left for {self.name}: no row, all masked, or all weights 0."
            )
        return self.from_sums(partial).tolist()

    def unpack(self, arrays: Mapping[str, NDArray]) -> CellSums:
        """Return the sums that were packed."""
        return CellSums.unpack(arrays)


class _TermsMetric(TableMetric):
    """A metric whose sums are those of the terms of its rows."""

    # Whether the target may be class indices, with one dimension less.
    classes: ClassVar[bool] = True

    @abstractmethod
    def terms(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Iterable[SumTerm]:
        """Return the terms that the rows add to the sums, one or more for all rows.

        Parameters
        ----------
        prediction : ndarray, shape (N, K)
            float64, or float32 as it was given.
        target : ndarray, shape (N,) for class indices, else (N, K)
        weight : ndarray of float64, shape (N,)
            Above 0.
        """

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Raise `DomainError` for the first invalid row; class indices are already checked."""

    def arguments(self, prediction: Any, target: Any) -> Arguments:
        """Return prediction and target, their shapes checked."""
        return prepare(*as_single_column(prediction, target), rowwise=True, classes=self.classes)

    def check_shapes(self, shape: tuple[int, ...], targets: NDArray) -> None:
        """Check that predictions of a shape fit the targets; see `Metric.check_shapes`."""
        call = self.arguments(placeholder(shape), targets)
        self.check(call.y[:0], call.t[:0], 0)

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the terms of each row, also unasked; see `Metric.observe`."""
        arguments = self.arguments(rows.prediction, rows.target)
        call = extend_call(arguments, rows.start, rows.sample_weight, rows.where)
        tile = make_tile(MetricBody(None, self.check, takes_rows=True), call, 0, call.y.shape[0])
        inner = int(np.prod(call.shape[1:]))
        number = np.arange(len(tile.y)) if tile.where is None else np.flatnonzero(tile.where)
        weight = np.ones(len(tile.y)) if tile.weight is None else tile.weight
        columns = columns_of(call)
        try:
            with np.errstate(all="ignore"):
                every = self.terms(tile.y, tile.t, weight)
                return MetricUpdate(
                    None, RowTerms.of(columns, self.n_sums(columns), number // inner, every)
                )
        except ValueError as error:
            raise_for_writing(error, self.terms)


class SumMetric(_TermsMetric, MetricOfSums):
    """Base class of metrics that are functions of a few sums over rows.

    Implement `n_sums`, `terms` and `value`. The sums are exact.

    Examples
    --------
    >>> class Bias(SumMetric):
    ...     classes = False
    ...
    ...     def n_sums(self, columns):
    ...         return 2
    ...
    ...     def terms(self, prediction, target, weight):
    ...         index = np.zeros(len(weight), int)
    ...         yield SumTerm(index, weight * (prediction - target).mean(-1))
    ...         yield SumTerm(index + 1, weight)
    ...
    ...     def value(self, sums, columns):
    ...         return sums[:, 0] / sums[:, 1]
    >>> Bias()([1.0, 2.0], [0.0, 0.0])
    1.5
    """


class ScoreMetric(_TermsMetric):
    """Base class of metrics that rank rows by a score, such as the area under the ROC curve.

    Write `n_sums`, `terms` and `from_scores`. One sum is stored for each distinct score: about 40
    bytes each, at most one per row.
    """

    @abstractmethod
    def from_scores(
        self, columns: int, sum_index: NDArray, scores: NDArray, weights: NDArray
    ) -> NDArray:
        """Return the metric from the weights of all scores.

        Parameters
        ----------
        columns : int
            Columns of the predictions.
        sum_index, scores : ndarray, shape (D,)
            In ascending order of the scores; NaN comes last.
        weights : ndarray of float64, shape (R, D)
            R times the sums.

        Returns
        -------
        ndarray, shape (R, ...)
        """

    def from_sums(self, sums: CellSums) -> NDArray:
        """Return the metric of the rows of all cells; see `Metric.from_sums`."""
        pooled = sums.pool_cells()
        found: NDArray = self._from_sorted_weights(pooled, pooled.table.to_floats()[np.newaxis])[0]
        return found

    def from_resamples(self, sums: CellSums, times: NDArray) -> NDArray:
        """Return the metric of resamples of units; see `Metric.from_resamples`.

        Many distinct scores are binned first, and the results are corrected by the effect of the
        bins on the metric of all rows.
        """
        return self._from_weights(
            sums, times.shape[1], len(times), lambda units, some: sum_units(units, times[some])
        )

    def without_each(self, sums: CellSums, total: CellSums, units: int) -> NDArray:
        """Return the metric without each unit, with the bins of `estimates`."""
        return self._from_weights(
            sums, units, units, lambda by_unit, some: by_unit.sum(axis=0) - by_unit[some]
        )

    def _from_weights(
        self,
        sums: CellSums,
        units: int,
        count: int,
        weights_of: Callable[[NDArray, slice], NDArray],
    ) -> NDArray:
        """Return `count` metrics, of the weights that are made of those of each unit."""
        sum_index, scores, column, gathered = _sort_by_score(sums, units)
        by_unit = np.zeros((units, len(sum_index)))
        np.add.at(by_unit, (sums.cells, column), sums.table.to_floats())
        change = 0.0
        with np.errstate(all="ignore"):
            if gathered:
                rough = self.from_scores(
                    sums.columns, sum_index, scores, by_unit.sum(axis=0)[np.newaxis]
                )
                change = self.from_sums(sums) - rough[0]
            at_once = max(1, _AT_ONCE // max(1, len(sum_index)))
            found = [
                self.from_scores(
                    sums.columns,
                    sum_index,
                    scores,
                    weights_of(by_unit, slice(first, first + at_once)),
                )
                for first in range(0, count, at_once)
            ]
        return np.concatenate(found) + change

    def _from_sorted_weights(self, sums: CellSums, weights: NDArray) -> NDArray:
        order = np.argsort(sums.table.keys[:, 1], kind="stable")
        with np.errstate(all="ignore"):
            return self.from_scores(
                sums.columns, sums.sum_index[order], sums.scores[order], weights[:, order]
            )


def _sort_by_score(sums: CellSums, units: int) -> tuple[NDArray, NDArray, NDArray, bool]:
    """Return sum indices and scores of all units in the order of the scores, each (U,).

    Then the number (D,) of the score of each sum, and whether they are bins, each with its mean
    score.
    """
    where, weights = sums.sum_index, sums.table.to_floats()
    keys, rank = np.unique(sums.table.keys[:, 1], return_inverse=True)
    scores = from_ordered_keys(keys)
    bins = max(_FEWEST_BINS, min(_MOST_COLUMNS, _AT_ONCE // max(1, units)) // sums.n_sums)
    gathered = len(keys) > bins
    if gathered:
        rank = rank * bins // len(keys)
        scores = np.bincount(rank, weights * sums.scores) / np.bincount(rank, weights)
    found, column = np.unique(rank * sums.n_sums + where, return_inverse=True)
    return found % sums.n_sums, scores[found // sums.n_sums], column, gathered
