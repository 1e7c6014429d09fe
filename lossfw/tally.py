"""Tally: what is kept of the rows of an evaluation, and the numbers that it comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lossfw.clock import Clock
from lossfw.intervals import Intervals
from lossfw.loss import Loss
from lossfw.metrics import Metric
from lossfw.slices import Slice
from lossfw.stream import Scored


@dataclass(frozen=True)
class Numbers:
    """What a tally comes to.

    Attributes
    ----------
    loss : mapping
        ``value``, and ``interval`` where one was asked for.
    metrics : mapping of str to mapping
        By name: ``value``, and ``interval`` and ``curve`` where there is one.
    masked : int
        Losses that a mask leaves out.
    slices : tuple of mapping
        One for each part of the rows: ``name``, ``by``, ``value``, ``count``,
        ``weight``, ``loss`` and ``metrics``; None where none were asked for.
    intervals : mapping or None
        How the intervals were made; None where none were asked for.
    """

    loss: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    masked: int = 0
    slices: tuple[Mapping[str, Any], ...] | None = None
    intervals: Mapping[str, Any] | None = None


class Tally:
    """Partials of the loss and of every metric.

    Parameters
    ----------
    loss : Loss
        In the form that fits what reaches it.
    metrics : sequence of Metric
        In the order of the result.
    intervals : Intervals, optional
        Asks for confidence intervals.
    slices : sequence of Slice
        Ask for the numbers of parts of the rows.
    clock : Clock, optional
        Counts the time of each.
    """

    def __init__(
        self,
        loss: Loss,
        metrics: Sequence[Metric],
        *,
        intervals: Intervals | None = None,
        slices: Sequence[Slice] = (),
        clock: Clock | None = None,
    ) -> None:
        self.loss, self.clock = loss, clock or Clock()
        names = [metric.label for metric in metrics]
        # Two metrics of one name differ in their parameters, which their text shows.
        self.metrics = {
            metric.label if names.count(metric.label) == 1 else str(metric): metric
            for metric in metrics
        }
        self._lost: Any = None
        self._partials: dict[str, Any] = {}

    def add(self, rows: Scored) -> None:
        """Take some rows into account."""
        weight = rows.sample_weight
        with self.clock.stage("loss"):
            part = self.loss.partial(
                rows.reaching, rows.targets, start=rows.start, sample_weight=weight
            )
            self._lost = part if self._lost is None else self._lost.merge(part)
        for name, metric in self.metrics.items():
            with self.clock.stage(name):
                shown = rows.reaching
                if rows.predictions is not None and metric.accepts != "logits":
                    shown = rows.predictions
                part = metric.partial(shown, rows.targets, start=rows.start, sample_weight=weight)
                before = self._partials.get(name)
                self._partials[name] = part if before is None else before.merge(part)

    def numbers(self) -> Numbers:
        """Return what the rows come to."""
        metrics = {
            name: {"value": metric.result(self._partials[name])}
            for name, metric in self.metrics.items()
        }
        return Numbers({"value": self._lost.mean()}, metrics, self._lost.masked)
