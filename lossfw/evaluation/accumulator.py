"""Accumulator: the sums of loss and metrics over the rows, and their numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.data import DataColumn
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.metric_accumulator import MetricAccumulator, SliceCells
from lossfw.evaluation.result import Numbers
from lossfw.evaluation.slices import Slice
from lossfw.evaluation.stopwatch import Stopwatch
from lossfw.losses.engine.execute import RowSums
from lossfw.losses.engine.packing import pack_parts, packed_part
from lossfw.losses.engine.partial import Partial
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric, MetricRows, MetricUpdate
from lossfw.metrics.means import mean_terms
from lossfw.numerics.arrays import NDArray

# The stage whose time is that of the numbers of slices at the end.
_SLICES_STAGE = "slices"


class Accumulator:
    """Partials of the loss and of every metric, for all rows and for each part of them.

    The loss is in the form that takes `PredictedBatch.loss_input`. With `rows` there is a loss of
    each row also without intervals and slices; `columns` are those of the data that slices are by,
    `classes` the labels in the names of slices, and `clock` counts the time of each.
    """

    def __init__(
        self,
        loss: Loss,
        metrics: Sequence[Metric],
        *,
        intervals: Intervals | None = None,
        slices: Sequence[Slice] = (),
        rows: bool = False,
        clock: Stopwatch | None = None,
        columns: Mapping[str, DataColumn] | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        self.intervals, self.slices = intervals, tuple(slices)
        self.clock = clock or Stopwatch()
        self._layout = SliceCells(
            self.slices,
            grouped=intervals is not None,
            logits=loss.input_form == "logits",
            columns=columns,
            classes=classes,
        )
        if self._layout.wanted:
            for metric in metrics:
                metric.check_kind()
        self.metrics = named_metrics(metrics)
        self._rows = rows or self._layout.wanted
        self._of = loss
        self._loss = MetricAccumulator(LossMetric(of=loss), self._layout)
        self._kept = {
            name: MetricAccumulator(metric, self._layout) for name, metric in self.metrics.items()
        }

    def add(self, rows: PredictedBatch) -> PredictedBatch:
        """Take some rows into account, and return them with their losses, where these are wanted.

        The loss of a row is computed here and nowhere else. It is wanted too where the sum of
        the losses is NaN: a warning names the first rows behind it.
        """
        wanted = self._layout.wanted
        with self.clock.stage("loss"):
            partial, sums = self._sums(rows, each=self._rows)
            if sums is None and math.isnan(partial.sum()):
                _, sums = self._sums(rows, each=True)
            if sums is not None:
                rows = rows._replace(losses=sums.losses(), weights=sums.weights())
            self._layout.place(rows)
            self._loss.add(MetricUpdate(partial, mean_terms(sums, 1) if wanted else None))
        for name, kept in self._kept.items():
            with self.clock.stage(name):
                kept.add(kept.metric.observe(_shown(kept.metric, rows), terms=wanted))
        return rows

    def _sums(self, rows: PredictedBatch, *, each: bool) -> tuple[Partial, RowSums | None]:
        """Return the partial of the loss, and on request the sums over each row."""
        return self._of.partial_and_rows(
            rows.loss_input,
            rows.targets,
            start=rows.start,
            sample_weight=rows.sample_weight,
            rows=each,
        )

    def numbers(self) -> Numbers:
        """Return the numbers of all rows so far."""
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

    def merge(self, other: Accumulator) -> None:
        """Add the sums over other rows, from an accumulator with the same parameters."""
        self._layout.merge(other._layout)
        self._loss.merge(other._loss)
        for name, kept in self._kept.items():
            kept.merge(other._kept[name])

    def pack(self) -> dict[str, NDArray]:
        """Return all sums as plain arrays of numbers, for `unpack`."""
        accumulators = enumerate((self._loss, *self._kept.values()))
        kept = {f"kept{number}": accumulator for number, accumulator in accumulators}
        return pack_parts(layout=self._layout, **kept)

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Go on from the arrays of an accumulator with the same parameters."""
        self._layout.unpack(packed_part("layout", arrays))
        for number, kept in enumerate((self._loss, *self._kept.values())):
            kept.unpack(packed_part(f"kept{number}", arrays))


def named_metrics(metrics: Sequence[Metric]) -> dict[str, Metric]:
    """Return metrics by the names of their results.

    Two metrics of one name differ in their parameters, which their text shows.
    """
    names = [metric.label for metric in metrics]
    return {
        metric.label if names.count(metric.label) == 1 else str(metric): metric
        for metric in metrics
    }


def _shown(metric: Metric, rows: PredictedBatch) -> MetricRows:
    """Return the rows as a metric takes them: with predictions where there are any."""
    prediction = rows.loss_input
    if rows.predictions is not None and metric.accepts != "logits":
        prediction = rows.predictions
    return MetricRows(prediction, rows.targets, rows.start, rows.sample_weight)
