"""Metric: a measure of predictions that merges from partials.

A metric is reported; a loss is learnt from, and reported too where it stands
among the metrics.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, Protocol, Self

from lossfw import engine
from lossfw.arguments import NDArray, prepare, set_weight, set_where
from lossfw.component import Component
from lossfw.parts import Part
from lossfw.reduce import Partial
from lossfw.spaces import CLASS_INDEX


class Mergeable(Protocol):
    """What a metric keeps of some rows."""

    def merge(self, other: Self) -> Self:
        """Return what is kept of the rows of both."""


class Metric(Component, ABC):
    """A measure of predictions against targets.

    Attributes
    ----------
    accepts : {"any", "prediction", "logits"}
        Which results of the network make sense to it: ``"any"`` where logits
        and predictions give the same answer.
    piecewise_constant : bool
        Whether what it gives for a row changes by jumps alone, so that its
        derivative is 0 wherever there is one.
    """

    kind: ClassVar[str] = "metric"
    accepts: ClassVar[Literal["any", "prediction", "logits"]] = "prediction"
    piecewise_constant: ClassVar[bool] = False

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


class RowMetric(Metric):
    """A metric that is a mean over rows of something that each row has.

    Write `rows`.
    """

    @abstractmethod
    def rows(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return one number for each row.

        Parameters
        ----------
        prediction : ndarray, shape (N, K)
        target : ndarray, shape (N,) for class indices, else (N, K)
        """

    def partial(
        self,
        prediction: Any,
        target: Any,
        *,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
    ) -> Partial:
        """Return the mergeable sum over some rows; see `Metric.partial`."""
        call = prepare(prediction, target, rowwise=True, classes=True)
        if sample_weight is not None:
            set_weight(call, sample_weight)
        if where is not None:
            set_where(call, where)
        call.start = start
        return engine.partial(_Rows(self), call)

    def result(self, partial: Partial) -> float:
        """Return the weighted mean."""
        return partial.mean()


class LossMetric(Metric):
    """A loss that is reported and not learnt from, under its own name.

    Parameters
    ----------
    of : Loss
        What is reported: its weighted mean.

    Examples
    --------
    >>> metric = LossMetric(of="squared_error")
    >>> metric.label, metric([1.0, 3.0], [0.0, 0.0])
    ('squared_error', 5.0)
    """

    of: Part

    @property
    def label(self) -> str:
        """The canonical name of the loss."""
        return self.of.name

    @property
    def accepts(self) -> Literal["prediction", "logits"]:  # type: ignore[override]  # by instance
        """What the loss takes."""
        return self.of.input_form

    def partial(
        self,
        prediction: Any,
        target: Any,
        *,
        start: int = 0,
        sample_weight: Any = None,
        where: Any = None,
    ) -> Partial:
        """Return the mergeable sum over some rows; see `Metric.partial`."""
        return self.of.partial(
            prediction, target, start=start, sample_weight=sample_weight, where=where
        )

    def result(self, partial: Partial) -> float:
        """Return the weighted mean."""
        return partial.mean()

    def to_config(self) -> dict[str, Any]:
        """Return the mapping of the loss, as it stands among the metrics of a configuration."""
        return self.of.to_config()

    def __str__(self) -> str:
        return str(self.of)


class _Rows:
    """A row metric as the engine runs it: a body of rows without derivatives."""

    takes_rows = True
    sums_rows = False

    def __init__(self, metric: RowMetric) -> None:
        self.metric = metric

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Check class indices; a metric takes any prediction."""
        if by_index:
            CLASS_INDEX.check_below(t, y.shape[-1], start=start)

    def values(self, xp: Any, y: NDArray, t: NDArray) -> NDArray:
        """Return the metric of each row."""
        return self.metric.rows(y, t)

    def values_at(self, xp: Any, y: NDArray, index: NDArray) -> NDArray:
        """Return the metric of each row for class indices."""
        return self.metric.rows(y, index)
