"""Metrics that are means over rows, over elements, or of a loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from lossfw.losses.base import Form
from lossfw.losses.engine import execute
from lossfw.losses.engine.execute import RowSums
from lossfw.losses.engine.partial import Partial
from lossfw.losses.inputs import Arguments, prepare
from lossfw.losses.nested import NestedLoss
from lossfw.metrics.base import MetricOfSums, MetricRows, MetricUpdate
from lossfw.metrics.cell_sums import RowTerms, SumTerm
from lossfw.metrics.engine_body import (
    MetricBody,
    as_single_column,
    columns_of,
    extend_call,
    placeholder,
)
from lossfw.numerics.arrays import NDArray

# The sums of a mean: of w times the number of each row or element, and of w.
_TOTAL, _WEIGHT = 0, 1
_MEAN_SUMS = 2


class _Mean(MetricOfSums):
    """A metric that is a mean, or a function of one; its partial is a sum of blocks."""

    def finish(self, mean: NDArray) -> NDArray:
        """Return the metric from the mean; the mean itself by default."""
        return mean

    @property
    def is_mean(self) -> bool:
        """Whether the mean is the metric itself."""
        return type(self).finish is _Mean.finish and not self.takes_groups

    def result(self, partial: Partial) -> float:
        """Return the metric of the weighted mean."""
        with np.errstate(all="ignore"):
            return float(self.finish(np.float64(partial.mean())))  # type: ignore[arg-type]  # an array of no axes

    def value(self, sums: NDArray, columns: int) -> NDArray:
        """Return the metric of sum(w l) / sum(w)."""
        return self.finish(sums[:, _TOTAL] / sums[:, _WEIGHT] + 0.0)

    def unpack(self, arrays: Mapping[str, NDArray]) -> Partial:
        """Return the partial from packed arrays."""
        return Partial.unpack(arrays)


def mean_terms(sums: RowSums | None, columns: int) -> RowTerms | None:
    """Return the terms of a mean from the sums over each row; None for None."""
    if sums is None:
        return None
    rows = np.flatnonzero(sums.weight)
    place = np.zeros(len(rows), np.int64)
    terms = [
        SumTerm(place + _TOTAL, sums.total[rows]),
        SumTerm(place + _WEIGHT, sums.weight[rows]),
    ]
    return RowTerms.of(columns, _MEAN_SUMS, rows, terms)


class _EngineMean(_Mean):
    """A mean of a number that the engine computes for each row or element."""

    @abstractmethod
    def arguments(self, prediction: Any, target: Any) -> Arguments:
        """Return prediction and target, their shapes checked."""

    def check_shapes(self, shape: tuple[int, ...], targets: NDArray) -> None:
        """Check that predictions of a shape fit the targets; see `Metric.check_shapes`."""
        call = self.arguments(placeholder(shape), targets)
        self.body(call).check_domain(call.y[:0], call.t[:0], call.by_index, 0)

    @abstractmethod
    def body(self, call: Arguments) -> MetricBody:
        """Return the body that the engine runs."""

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the partial and the terms of each row; see `Metric.observe`."""
        arguments = self.arguments(rows.prediction, rows.target)
        call = extend_call(arguments, rows.start, rows.sample_weight, rows.where)
        sums = RowSums.zeros(call) if terms else None
        partial = execute.partial(self.body(call), call, sums, origin=str(self))
        return MetricUpdate(partial, mean_terms(sums, columns_of(call)))


class RowMetric(_EngineMean):
    """Base class of metrics that are a mean of one value per row.

    Implement `rows`, and `check` if some predictions are invalid. A prediction
    and a target of shape (N,) are N rows of one column.
    """

    @abstractmethod
    def rows(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return one number for each row.

        Parameters
        ----------
        prediction : ndarray, shape (N, K)
        target : ndarray, shape (N,) for class indices, else (N, K)
        """

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Raise `DomainError` for the first invalid row; class indices are already checked."""

    def arguments(self, prediction: Any, target: Any) -> Arguments:
        """Return prediction and target, their shapes checked."""
        return prepare(*as_single_column(prediction, target), rowwise=True, classes=True)

    def body(self, call: Arguments) -> MetricBody:
        """Return the body that the engine runs."""
        return MetricBody(self.rows, self.check, takes_rows=True)


class ElementMetric(_EngineMean):
    """Base class of metrics that are a mean over elements, or a function of such a mean."""

    @abstractmethod
    def elements(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return one number for each element.

        Parameters
        ----------
        prediction, target : ndarray, shape (N,)
            Elements in any order.
        """

    def check(self, prediction: NDArray, target: NDArray, start: int) -> None:
        """Raise `DomainError` for the first invalid element."""

    def arguments(self, prediction: Any, target: Any) -> Arguments:
        """Return prediction and target, their shapes checked."""
        return prepare(prediction, target, rowwise=False, classes=False)

    def body(self, call: Arguments) -> MetricBody:
        """Return the body that the engine runs."""
        return MetricBody(self.elements, self.check, takes_rows=False)


class LossMetric(_Mean):
    """A loss as a metric: it is reported under its own name, not minimised.

    Parameters
    ----------
    of : Loss
        The loss whose weighted mean is reported.

    Examples
    --------
    >>> import lossfw
    >>> metric = LossMetric(of=lossfw.loss("squared_error"))
    >>> metric.label, metric([1.0, 3.0], [0.0, 0.0])
    ('squared_error', 5.0)
    """

    of: NestedLoss

    @property
    def label(self) -> str:
        """The canonical name of the loss."""
        return self.of.name

    @property
    def accepts(self) -> Form:  # type: ignore[override]  # by instance
        """The form of input that the loss takes."""
        return self.of._input_form

    @property
    def bounds(self) -> tuple[float, float]:  # type: ignore[override]  # by instance
        """The bounds that the loss claims."""
        claims = self.of.claims()
        low = 0.0 if claims.nonnegative else claims.lower_bound
        high = claims.bounded
        return (-np.inf if low is None else low, np.inf if high is None else high)

    @property
    def takes_groups(self) -> bool:  # type: ignore[override]  # by instance
        """Whether it is a loss of groups."""
        return self.of.takes_groups

    @property
    def needs_group(self) -> bool:  # type: ignore[override]  # by instance
        """Whether the loss needs to know which rows belong together."""
        return self.of.needs_group

    def unpack(self, arrays: Mapping[str, NDArray]) -> Partial:
        """Return the partial from packed arrays."""
        return self.of._unpack_partial(arrays)

    def observe(self, rows: MetricRows, *, terms: bool = True) -> MetricUpdate:
        """Return the partial and the terms of each row; see `Metric.observe`."""
        partial, sums = self._partial_and_rows(rows, with_rows=terms)
        return MetricUpdate(partial, self.terms_of(sums, rows))

    def _partial_and_rows(
        self, rows: MetricRows, *, with_rows: bool
    ) -> tuple[Partial, RowSums | None]:
        """Return the partial of the loss, and on request the sums over each row or group."""
        return self.of._partial_and_rows(
            rows.prediction,
            rows.target,
            start=rows.start,
            sample_weight=rows.sample_weight,
            where=rows.where,
            rows=with_rows,
            group=rows.group,
        )

    def terms_of(self, sums: RowSums | None, rows: MetricRows) -> RowTerms | None:
        """Return the terms of sums over each row; a group's first row has those of the group."""
        terms = mean_terms(sums, 1)
        if terms is None or rows.group is None or not self.takes_groups:
            return terms
        begins = np.flatnonzero(np.diff(rows.group, prepend=-1))
        return terms._replace(rows=begins[terms.rows])

    def to_config(self) -> dict[str, Any]:
        """Return the mapping of the loss as a configuration lists it among the metrics."""
        return self.of.to_config()

    def __str__(self) -> str:
        return str(self.of)
