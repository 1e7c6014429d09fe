"""Metric: the base class of every metric, and the records that it takes and returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np

from lossfw.components.component import Component
from lossfw.components.spaces import LOGITS, Space
from lossfw.errors import ArgumentError
from lossfw.losses.engine.row_ranges import PartialOrigin, RowRanges
from lossfw.losses.inputs import check_same_index
from lossfw.metrics.cell_sums import CellSums, RowTerms
from lossfw.numerics.arrays import NDArray

# Values without a unit that are computed together where a metric does not say how.
_AT_ONCE = 128


class Mergeable(Protocol):
    """Protocol: the partial result of a metric for some rows."""

    def merge(self, other: Self) -> Self:
        """Return the merged partial, for the rows of both."""

    def pack(self) -> dict[str, NDArray]:
        """Return the partial as plain arrays, for the metric's `unpack`."""


class MetricRows(NamedTuple):
    """The arguments of a metric for some rows.

    Attributes
    ----------
    prediction, target : array_like
        Rows along axis 0.
    start : int
        Global number of the first row.
    sample_weight, where : array_like or None
        One weight and one bool (whether the row counts) per row.
    group : ndarray of int or None
        The number of each row's group, for a metric of groups. Groups are whole.
    baseline : array_like or None
        The predictions of a baseline, if there is one.
    """

    prediction: Any
    target: Any
    start: int = 0
    sample_weight: Any = None
    where: Any = None
    group: Any = None
    baseline: Any = None


@dataclass(frozen=True, slots=True)
class MetricUpdate:
    """The sums that some rows add to a metric.

    Attributes
    ----------
    partial : Mergeable or None
        The partial of all rows; None if it is the table of `terms`.
    terms : RowTerms or None
        The terms of each row; None if they were not requested.
    """

    partial: Any
    terms: RowTerms | None


class Metric(Component, ABC):
    """Base class of all metrics. Derive from one of its kinds.

    A metric may have a method ``formula(prediction, target, weight)``, or with ``group`` as last
    argument: its definition for whole float64 arrays. `lossfw check` compares results with it.

    Attributes
    ----------
    accepts : {"any", "prediction", "logits"}
        The outputs that the metric takes: ``"any"`` if logits and predictions give the same result.
    piecewise_constant : bool
        Whether the value of a row is piecewise constant in the prediction.
    prediction : Space
        The space of the predictions that it takes.
    bounds : tuple of float
        The smallest and the largest possible result. Confidence intervals stay inside these bounds;
        for a result between 0 and infinity they are symmetric on a logarithmic scale.
    most_units : int
        The largest number of units for intervals; if there are more, units are merged at random.
    better : {"higher", "lower"} or None
        Whether higher or lower results are better; None if neither, as for a bias.
    weight_factor : {"ignored", "multiplies", "matters"}
        The effect of multiplying all weights by a factor: ``"ignored"``, no effect, as for a mean;
        ``"multiplies"``, the result is multiplied too, as for a confusion matrix; ``"matters"``,
        any other effect, as for the lift of the first k rows.
    takes_groups : bool
        Whether rows belong together, such as those of a query; see `MetricRows.group`.
    needs_group : bool
        Whether groups are required. If not, all rows are one group by default.
    """

    kind: ClassVar[str] = "metric"
    accepts: ClassVar[Literal["any", "prediction", "logits"]] = "prediction"
    prediction: ClassVar[Space] = LOGITS
    piecewise_constant: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    most_units: ClassVar[int] = 1024
    better: ClassVar[Literal["higher", "lower"] | None] = None
    weight_factor: ClassVar[Literal["ignored", "multiplies", "matters"]] = "ignored"
    takes_groups: ClassVar[bool] = False
    needs_group: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The name under which the result is reported."""
        return self.name

    def for_loss(self, loss: Any) -> Metric:
        """Return the metric as it is reported next to a loss; itself by default.

        Parameters
        ----------
        loss : Loss
            The loss of the run.
        """
        return self

    @property
    def comparison_key(self) -> Metric:
        """What two runs must have in common so that their results can be subtracted."""
        return self

    @property
    def is_mean(self) -> bool:
        """Whether the metric is a weighted mean of one value per row."""
        return False

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
        """Return the partial of some rows, which can be merged with the partials of other rows.

        Parameters
        ----------
        prediction, target : array_like
            Rows along axis 0.
        start : int
            Global number of the first row.
        sample_weight, where : array_like, optional
            One weight and one bool (whether the row counts) per row.
        """

    @abstractmethod
    def result(self, partial: Any) -> Any:
        """Return the metric from the merged partials of all rows."""

    def unpack(self, arrays: Mapping[str, NDArray]) -> Any:
        """Return the partial from the arrays of its `pack`."""
        raise ArgumentError(f"the partials of {self.name} cannot be packed.")

    def curve(self, partial: Any) -> dict[str, list[float]] | None:
        """Return the curve behind the result, such as a ROC curve; None by default."""
        return None

    def check_shapes(self, shape: tuple[int, ...], targets: NDArray) -> None:
        """Check before a computation whether predictions of this shape fit the targets.

        Parameters
        ----------
        shape : tuple of int
            Of the predictions, rows included.
        targets : ndarray
            The targets of all rows; only shape and dtype are used.

        Raises
        ------
        ShapeError, DtypeError
            If they do not fit.
        """

    # For intervals and slices; the kinds of metrics write these ------------

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the partial of some rows and, on request, the terms of each row."""
        if terms:
            self.require_row_terms()
        prediction, target, start, weight, where, *_ = rows
        partial = self.partial(prediction, target, start=start, sample_weight=weight, where=where)
        return MetricUpdate(partial, None)

    def require_row_terms(self) -> None:
        """Raise `ArgumentError` if this metric has no terms per row."""
        if not isinstance(self, RowwiseMetric):
            raise ArgumentError(
                f"intervals and slices need a value per row, which {self.label} does not keep: "
                "derive it from RowMetric, ElementMetric, SumMetric or ScoreMetric."
            )

    def from_sums(self, sums: CellSums) -> NDArray:
        """Return the metric of the rows of all cells of `sums`."""
        raise NotImplementedError

    def from_resamples(self, sums: CellSums, times: NDArray) -> NDArray:
        """Return the metric of resamples, in which units occur a given number of times.

        Parameters
        ----------
        sums : CellSums
            Its cells are the units, from 0 on.
        times : ndarray, shape (R, units)
            How often each unit occurs in each of R resamples.

        Returns
        -------
        ndarray, shape (R, ...)
        """
        raise NotImplementedError

    def without_each(self, sums: CellSums, total: CellSums, units: int) -> NDArray:
        """Return the metric without each unit in turn, for the jackknife.

        Parameters
        ----------
        sums : CellSums
            Its cells are the units, from 0 on.
        total : CellSums
            The sums of all rows, in cell 0.
        units : int
            The number of units.

        Returns
        -------
        ndarray, shape (units, ...)
        """
        found = []
        for first in range(0, units, _AT_ONCE):
            own = np.arange(first, min(first + _AT_ONCE, units))
            times = np.ones((len(own), units))
            times[np.arange(len(own)), own] = 0.0
            found.append(self.from_resamples(sums, times))
        return np.concatenate(found)

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
        check_same_index(
            prediction=prediction, target=target, sample_weight=sample_weight, where=where
        )
        return self.result(
            self.partial(prediction, target, sample_weight=sample_weight, where=where)
        )


class RowwiseMetric(Metric):
    """A metric with sums to which each row adds terms; base class of the kinds."""

    @abstractmethod
    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the partial of some rows and, on request, the terms of each row."""

    def partial(
        self,
        prediction: Any,
        target: Any,
        *,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
    ) -> Any:
        """Return the mergeable sums over some rows; see `Metric.partial`."""
        return self._partial_of(MetricRows(prediction, target, start, sample_weight, where))

    def _partial_of(self, rows: MetricRows) -> Any:
        """Return the mergeable sums over some rows."""
        update = self.observe(rows, terms=False)
        if update.terms is None:
            return update.partial
        shape = np.shape(rows.prediction)
        seen = RowRanges.single(rows.start, rows.start + (shape[0] if shape else 1))
        return replace(update.terms.table(None), origin=PartialOrigin(str(self), seen))


class MetricOfSums(RowwiseMetric):
    """A metric that is a function of sums over rows."""

    most_units: ClassVar[int] = 2**16

    @abstractmethod
    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the metric from its sums.

        Parameters
        ----------
        sums : ndarray of float64, shape (R, n_sums)
            R times all sums.
        columns : int
            Columns of the predictions.

        Returns
        -------
        ndarray, shape (R, ...)
            NaN if the metric is undefined.
        """

    def to_table(self, sums: CellSums, units: int) -> NDArray:
        """Return the sums of each unit as floats, of shape (units, n_sums)."""
        return sums.to_table(sums.table.to_floats(), units)

    def from_sums(self, sums: CellSums) -> NDArray:
        """Return the metric of the rows of all cells; see `Metric.from_sums`."""
        with np.errstate(all="ignore"):
            found: NDArray = self.value(self.to_table(sums.pool_cells(), 1), sums.columns)[0]
        return found

    def from_resamples(self, sums: CellSums, times: NDArray) -> NDArray:
        """Return the metric of resamples of units; see `Metric.from_resamples`."""
        with np.errstate(all="ignore"):
            return self.value(sum_units(self.to_table(sums, times.shape[1]), times), sums.columns)

    def without_each(self, sums: CellSums, total: CellSums, units: int) -> NDArray:
        """Return the metric without each unit; see `Metric.without_each`."""
        with np.errstate(all="ignore"):
            rest = self.to_table(total, 1) - self.to_table(sums, units)
            return self.value(rest, sums.columns)


def sum_units(units: NDArray, times: NDArray) -> NDArray:
    """Return sums over units (G, n_sums), each counted a number of times (R, G), as (R, n_sums)."""
    totals = np.zeros((len(times), units.shape[1]))
    # One unit after the other: a product of matrices has other bits elsewhere.
    for number, unit in enumerate(units):
        totals += times[:, number, np.newaxis] * unit
    return totals
