"""Accumulator: the sums of loss and metrics over the rows, and their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.metric_accumulator import MetricAccumulator, SliceCells
from lossfw.evaluation.result import Numbers
from lossfw.evaluation.slices import Slice
from lossfw.evaluation.stopwatch import Stopwatch
from lossfw.losses.engine.exact_sum import below, prefixed
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric, MetricUpdate
from lossfw.numerics.arrays import NDArray

# Of the time that the numbers of slices take at the end.
_SLICES_STAGE = "slices"


class Accumulator:
    """Partials of the loss and of every metric, for all rows and for each part of them.

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
    clock : Stopwatch, optional
        Counts the time of each.

    Raises
    ------
    ArgumentError
        If intervals or slices are asked for of a metric that keeps nothing of single rows.
    """

    def __init__(
        self,
        loss: Loss,
        metrics: Sequence[Metric],
        *,
        intervals: Intervals | None = None,
        slices: Sequence[Slice] = (),
        clock: Stopwatch | None = None,
    ) -> None:
        self.intervals, self.slices = intervals, tuple(slices)
        self.clock = clock or Stopwatch()
        self._layout = SliceCells(
            self.slices, grouped=intervals is not None, logits=loss.input_form == "logits"
        )
        if self._layout.wanted:
            for metric in metrics:
                metric.check_kind()
        names = [metric.label for metric in metrics]
        # Two metrics of one name differ in their parameters, which their text shows.
        self.metrics = {
            metric.label if names.count(metric.label) == 1 else str(metric): metric
            for metric in metrics
        }
        self._loss = MetricAccumulator(LossMetric(of=loss), self._layout)
        self._kept = {
            name: MetricAccumulator(metric, self._layout) for name, metric in self.metrics.items()
        }

    def add(self, rows: PredictedBatch) -> None:
        """Take some rows into account."""
        with self.clock.stage("loss"):
            seen = self._observe(self._loss.metric, rows)
            self._layout.place(rows, seen.entries)
            self._loss.add(seen)
        for name, kept in self._kept.items():
            with self.clock.stage(name):
                kept.add(self._observe(kept.metric, rows))

    def _observe(self, metric: Metric, rows: PredictedBatch) -> MetricUpdate:
        shown = rows.loss_input
        of_loss = metric is self._loss.metric
        if rows.predictions is not None and metric.accepts != "logits" and not of_loss:
            shown = rows.predictions
        return metric.observe(
            shown,
            rows.targets,
            start=rows.start,
            sample_weight=rows.sample_weight,
            entries=self._layout.wanted,
        )

    def numbers(self) -> Numbers:
        """Return what the rows come to."""
        asked = self.intervals
        loss = self._loss.whole(asked)
        loss.pop("curve", None)
        metrics = {}
        for name, kept in self._kept.items():
            with self.clock.stage(name):
                metrics[name] = kept.whole(asked)
        return Numbers(
            loss=loss,
            metrics=metrics,
            masked=self._loss.partial().masked,
            slices=self._parts() if self.slices else None,
            intervals=None if asked is None else asked.to_dict(),
        )

    def _parts(self) -> tuple[Mapping[str, Any], ...]:
        parts = []
        with self.clock.stage(_SLICES_STAGE):
            for index, part in enumerate(self.slices):
                for number, name in self._layout.named(index):
                    count, weight = self._layout.size(index, number)
                    parts.append(
                        {
                            "name": part.name,
                            "by": part.by,
                            "value": name,
                            "count": count,
                            "weight": weight,
                            "loss": self._loss.part(index, number, self.intervals),
                            "metrics": {
                                metric: kept.part(index, number, self.intervals)
                                for metric, kept in self._kept.items()
                            },
                        }
                    )
        return tuple(parts)

    def pack(self) -> dict[str, NDArray]:
        """Return all that is kept as plain arrays of numbers, for `unpack`."""
        arrays = prefixed("layout", self._layout.pack())
        for number, kept in enumerate((self._loss, *self._kept.values())):
            arrays |= prefixed(f"kept{number}", kept.pack())
        return arrays

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Go on from what a tally of the same loss, metrics, intervals and slices packed."""
        self._layout.unpack(below("layout", arrays))
        for number, kept in enumerate((self._loss, *self._kept.values())):
            kept.unpack(below(f"kept{number}", arrays))
