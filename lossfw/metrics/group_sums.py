"""GroupSumMetric: a metric of sums over groups of rows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from lossfw.errors import ShapeError
from lossfw.losses.inputs import as_array, check_same_index
from lossfw.losses.row_groups import find_groups
from lossfw.metrics.base import MetricOfSums, MetricRows, MetricUpdate
from lossfw.metrics.cell_sums import RowTerms, SumTerm
from lossfw.metrics.sums import TableMetric
from lossfw.numerics.arrays import NDArray


class GroupSumMetric(TableMetric, MetricOfSums):
    """A metric that is a function of sums over groups.

    Write `n_sums`, `group_sums` and `value`. Groups come whole: those of ``data.group_key``, or all
    rows as one group. The sums over groups are exact.

    Examples
    --------
    >>> class Span(GroupSumMetric):
    ...     "The mean range of the predictions of a group."
    ...
    ...     def n_sums(self, columns):
    ...         return 2
    ...
    ...     def group_sums(self, prediction, target, weight):
    ...         return [np.ptp(prediction), 1.0]
    ...
    ...     def value(self, sums, columns):
    ...         return sums[:, 0] / sums[:, 1]
    >>> Span()([1.0, 2.0, 5.0, 5.0], [0, 0, 0, 0], group=["a", "a", "b", "b"])
    0.5
    """

    takes_groups: ClassVar[bool] = True

    @abstractmethod
    def group_sums(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """Return what a group adds to the sums, `n_sums` numbers.

        Parameters
        ----------
        prediction : ndarray, shape (n, ...)
        target : ndarray, shape (n, ...)
        weight : ndarray of float64, shape (n,)
            Above 0; rows of weight 0 and masked rows are left out.
        """

    def sums_of_groups(
        self, prediction: NDArray, target: NDArray, weight: NDArray, groups: list[NDArray]
    ) -> Any:
        """Return `group_sums` of several groups, each an array of row numbers."""
        return [self.group_sums(prediction[own], target[own], weight[own]) for own in groups]

    def check_rows(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Raise an error for invalid rows."""

    def check_shapes(self, shape: tuple[int, ...], targets: NDArray) -> None:
        """Check that predictions of a shape fit the targets; see `Metric.check_shapes`."""
        self.check_rows(np.broadcast_to(np.float64(0.0), shape)[:0], targets[:0], 0)

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the terms of each group, at its first row; see `Metric.observe`."""
        y, t = as_array(rows.prediction, "prediction"), as_array(rows.target, "target")
        if len(y) != len(t):
            raise ShapeError(f"prediction has {len(y)} rows and target {len(t)}.")
        self.check_rows(y, t, rows.start)
        weight = np.ones(len(y)) if rows.sample_weight is None else np.asarray(rows.sample_weight)
        weight = weight.astype(np.float64)
        keep = weight > 0 if rows.where is None else (weight > 0) & np.asarray(rows.where, bool)
        kept = find_groups(rows.group, (len(y),))[0].select(keep)
        groups = [own for own in np.split(kept.rows, kept.starts[1:]) if own.size]
        columns = y.shape[-1] if y.ndim > 1 else 1
        n_sums = self.n_sums(columns)
        with np.errstate(all="ignore"):
            found = self.sums_of_groups(y, t, weight, groups)
        sums = np.asarray(found, np.float64).reshape(-1, n_sums)
        first = np.array([own[0] for own in groups], np.int64)
        every = [SumTerm(np.full(len(first), k), sums[:, k]) for k in range(n_sums)]
        return MetricUpdate(None, RowTerms.of(columns, n_sums, first, every))

    def partial(
        self,
        prediction: Any,
        target: Any,
        *,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
        group: Any = None,
    ) -> Any:
        """Return the mergeable sums over some rows, whose groups are whole."""
        return self._partial_of(MetricRows(prediction, target, start, sample_weight, where, group))

    def __call__(
        self,
        prediction: Any,
        target: Any,
        *,
        sample_weight: Any = None,
        where: Any = None,
        group: Any = None,
    ) -> Any:
        """Return the metric of these rows; rows of one id of `group` stand together."""
        check_same_index(
            prediction=prediction,
            target=target,
            sample_weight=sample_weight,
            where=where,
            group=group,
        )
        return self.result(
            self.partial(prediction, target, sample_weight=sample_weight, where=where, group=group)
        )
