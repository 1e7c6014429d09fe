"""GroupMetric: a metric that is a mean over groups of rows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from lossfw.errors import ArgumentError, DomainError, ShapeError
from lossfw.metrics.base import MetricRows, MetricUpdate
from lossfw.metrics.group_sums import GroupSumMetric
from lossfw.numerics.arrays import NDArray


class GroupMetric(GroupSumMetric):
    """A metric that is the weighted mean of one number per group.

    Write `groups`. A call needs ``group=``, one id per row; the rows of a group are adjacent, all
    there, and have one weight. In a run ``data.group_key`` names the column of the ids. Groups
    whose number is NaN do not count; if there are no others, the result is NaN. The sums over
    groups are exact, so their order does not change a bit.

    Examples
    --------
    >>> class BestIsRight(GroupMetric):
    ...     "In how many groups the row of the highest score has the highest target."
    ...
    ...     def groups(self, prediction, target):
    ...         return 1.0 * (prediction.argmax(axis=-1) == target.argmax(axis=-1))
    >>> BestIsRight()([0.1, 0.7, 0.4, 0.9], [0, 1, 1, 0], group=["a", "a", "b", "b"])
    0.5
    """

    needs_group: ClassVar[bool] = True

    @abstractmethod
    def groups(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return one number per group, NaN if it is undefined.

        Parameters
        ----------
        prediction, target : ndarray, shape (g, n)
            Groups of one size, as float64. No prediction is NaN.
        """

    def n_sums(self, columns: int) -> int:
        """Return 2, for the sums of w times the number of a group and of w."""
        return 2

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the mean."""
        mean: NDArray = sums[:, 0] / sums[:, 1] + 0.0
        return mean

    def check_rows(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Check that prediction and target are single numbers."""
        for role, rows in (("prediction", prediction), ("target", target)):
            if rows.ndim > 2 or (rows.ndim == 2 and rows.shape[1] != 1):
                raise ShapeError(
                    f"{role} has shape {rows.shape}; expected one number for each row."
                )

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the terms of each group; see `Metric.observe`."""
        if rows.group is None:
            raise ArgumentError(
                f"{self.name} is a metric of groups of rows: pass group=, one id for each row, "
                "such as the number of its query; in a run, name the column by data.group_key."
            )
        return super().observe(rows, terms=terms)

    def group_sums(self, prediction: NDArray, target: NDArray, weight: NDArray) -> Any:
        """Return the sums of one group."""
        return self.sums_of_groups(prediction, target, weight, [np.arange(len(weight))])[0]

    def sums_of_groups(
        self, prediction: NDArray, target: NDArray, weight: NDArray, groups: list[NDArray]
    ) -> NDArray:
        """Return the sums of several groups; groups of one size are computed together."""
        y, t = (x.reshape(len(x)).astype(np.float64) for x in (prediction, target))
        sizes = np.array([len(own) for own in groups], np.int64)
        sums = np.zeros((len(groups), 2))
        for size in np.unique(sizes).tolist():
            some = np.flatnonzero(sizes == size)
            rows = np.stack([groups[number] for number in some])
            weights = weight[rows]
            if (weights != weights[:, :1]).any():
                row = rows[(weights != weights[:, :1]).any(axis=1)][0, 0]
                raise DomainError(
                    f"rows of the group that begins at row {row} have different weights: all rows "
                    "of a group have the same weight."
                )
            unknown = np.isnan(y[rows]).any(axis=1) | np.isnan(t[rows]).any(axis=1)
            values = self.groups(np.where(unknown[:, np.newaxis], 0.0, y[rows]), t[rows])
            # A prediction that is NaN has to be seen in the result.
            counts = unknown | ~np.isnan(values)
            values = np.where(unknown, np.nan, np.where(counts, values, 0.0))
            sums[some, 0], sums[some, 1] = values * weights[:, 0], counts * weights[:, 0]
        return sums
