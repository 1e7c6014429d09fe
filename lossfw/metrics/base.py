"""What every metric has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np

from lossfw.components.component import Component
from lossfw.components.spaces import LOGITS, Space
from lossfw.errors import ArgumentError
from lossfw.metrics.grouped_sums import GroupedSums, RowTerms
from lossfw.numerics.arrays import NDArray


class Mergeable(Protocol):
    """What a metric keeps of some rows."""

    def merge(self, other: Self) -> Self:
        """Return what is kept of the rows of both."""

    def pack(self) -> dict[str, NDArray]:
        """Return it as plain arrays, which the metric's `unpack` takes."""


@dataclass(frozen=True, slots=True)
class MetricUpdate:
    """What a metric saw in some rows.

    Attributes
    ----------
    partial : Mergeable or None
        What it keeps, where that is more than the sums of its entries.
    entries : RowTerms or None
        What each row adds to its sums; None where nobody asked.
    """

    partial: Any
    entries: RowTerms | None


class Metric(Component, ABC):
    """A measure of predictions against targets; derive from one of its kinds.

    Attributes
    ----------
    accepts : {"any", "prediction", "logits"}
        Which results of the network make sense to it: ``"any"`` where logits
        and predictions give the same answer.
    piecewise_constant : bool
        Whether what it gives for a row changes by jumps alone, so that its
        derivative is 0 wherever there is one.
    prediction : Space
        Where the predictions live that it takes.
    bounds : tuple of float
        Between which its results lie: no interval goes beyond.
    """

    kind: ClassVar[str] = "metric"
    accepts: ClassVar[Literal["any", "prediction", "logits"]] = "prediction"
    prediction: ClassVar[Space] = LOGITS
    piecewise_constant: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (-np.inf, np.inf)

    @property
    def label(self) -> str:
        """What its result is called: its name."""
        return self.name

    @abstractmethod
    def partial(
        self,
        prediction: Any,
        target: Any,
        *,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
    ) -> Any:
        """Return what is kept of some rows, mergeable with that of others.

        Parameters
        ----------
        prediction, target : array_like
            Rows along axis 0.
        start : int
            Global number of the first row.
        sample_weight, where : array_like, optional
            One weight, one answer whether it counts, for each row.
        """

    @abstractmethod
    def result(self, partial: Any) -> Any:
        """Return the metric of all rows whose partials were merged."""

    def unpack(self, arrays: Mapping[str, NDArray]) -> Any:
        """Return the partial whose `pack` gave these arrays."""
        raise ArgumentError(f"what {self.name} keeps of its rows cannot be packed.")

    def curve(self, partial: Any) -> dict[str, list[float]] | None:
        """Return lists of numbers that show more than the result; None where there are none."""
        return None

    def check_shapes(self, shape: tuple[int, ...], targets: NDArray) -> None:
        """See before a computation whether predictions of a shape fit the targets.

        Parameters
        ----------
        shape : tuple of int
            Of the predictions, rows included.
        targets : ndarray
            Of all rows; only shape and dtype are looked at.

        Raises
        ------
        ShapeError, DtypeError
            If they do not fit.
        """

    # What intervals and slices ask of a metric; the kinds answer ------------

    def observe(
        self,
        prediction: Any,
        target: Any,
        *,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
        entries: bool = True,
    ) -> MetricUpdate:
        """Return the partial of some rows, and with `entries` what each row adds to it."""
        if entries:
            self.check_kind()
        part = self.partial(
            prediction, target, start=start, sample_weight=sample_weight, where=where
        )
        return MetricUpdate(part, None)

    def check_kind(self) -> None:
        """Raise `ArgumentError` if this metric keeps nothing of single rows."""
        if type(self).observe is Metric.observe:
            raise ArgumentError(
                f"the metric {self.label} keeps nothing of single rows, which intervals and slices "
                "need: derive it from RowMetric, ElementMetric, SumMetric or ScoreMetric."
            )

    def estimate(self, sums: GroupedSums) -> NDArray:
        """Return the metric of the rows of all cells of `sums`, an array without or with axes."""
        raise NotImplementedError

    def estimates(self, sums: GroupedSums, times: NDArray) -> NDArray:
        """Return the metric where each group of rows is taken a number of times.

        Parameters
        ----------
        sums : GroupedSums
            Its cells are the groups, from 0 on.
        times : ndarray, shape (R, groups)
            How often.

        Returns
        -------
        ndarray, shape (R, ...)
        """
        raise NotImplementedError

    def __call__(
        self, prediction: Any, target: Any, *, sample_weight: Any = None, where: Any = None
    ) -> Any:
        """Return the metric of these rows.

        Examples
        --------
        >>> import lossfw
        >>> accuracy = lossfw.registry().create("metric", "accuracy")
        >>> accuracy([[0.9, 0.1], [0.2, 0.8]], [0, 0])
        0.5
        """
        return self.result(
            self.partial(prediction, target, sample_weight=sample_weight, where=where)
        )


class MetricOfSums(Metric):
    """A metric that is a function of sums over rows, the same for any rows."""

    @abstractmethod
    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the metric from its sums.

        Parameters
        ----------
        sums : ndarray of float64, shape (R, places)
            R times all sums.
        columns : int
            Columns of the predictions.

        Returns
        -------
        ndarray, shape (R, ...)
            NaN where nothing can be said.
        """

    def dense(self, sums: GroupedSums, groups: int) -> NDArray:
        """Return the sums of each group as floats, of shape (groups, places)."""
        return sums.dense(sums.table.rounded(), groups)

    def estimate(self, sums: GroupedSums) -> NDArray:
        """Return the metric of the rows of all cells; see `Metric.estimate`."""
        with np.errstate(all="ignore"):
            found: NDArray = self.value(self.dense(sums.pooled(), 1), sums.columns)[0]
        return found

    def estimates(self, sums: GroupedSums, times: NDArray) -> NDArray:
        """Return the metric of weighted groups; see `Metric.estimates`."""
        with np.errstate(all="ignore"):
            return self.value(taken(self.dense(sums, times.shape[1]), times), sums.columns)


def taken(groups: NDArray, times: NDArray) -> NDArray:
    """Return the sums over groups, each of them taken a number of times.

    Parameters
    ----------
    groups : ndarray, shape (G, places)
    times : ndarray, shape (R, G)

    Returns
    -------
    ndarray, shape (R, places)
    """
    totals = np.zeros((len(times), groups.shape[1]))
    # One group after the other: a product of matrices has other bits elsewhere.
    for number, group in enumerate(groups):
        totals += times[:, number, np.newaxis] * group
    return totals
