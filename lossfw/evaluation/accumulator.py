"""Accumulator: the sums of loss and metrics over the rows, and their results."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from lossfw.data import DataColumn
from lossfw.evaluation.baseline import Skill
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.intervals.alike import ColumnCorrelation, RowCorrelations
from lossfw.evaluation.intervals.blocks import LEAST_MEMORIES
from lossfw.evaluation.intervals.found import EstimatedInterval
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.unit_tables import UnitTables
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.metric_accumulator import MetricAccumulator, SliceCells
from lossfw.evaluation.predictor import outputs_for, squeeze_column
from lossfw.evaluation.result import Numbers
from lossfw.evaluation.slices import Slice
from lossfw.evaluation.stopwatch import Stopwatch
from lossfw.losses.engine.packing import pack_parts, unpack_part
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric, MetricRows, MetricUpdate
from lossfw.numerics.arrays import NDArray

# The stage whose time is that of the numbers of slices at the end.
_SLICES_STAGE = "slices"


class Accumulator:
    """Partials of the loss and of every metric, for all rows and for each slice.

    The loss has the form that takes `PredictedBatch.loss_input`. `rows` asks for the loss of
    each row also without intervals and slices; `independent` says that no row occurs twice,
    `alike_columns` names columns whose rows with one value may be alike, `columns` are those that
    slices use, `classes` are the labels in the names of slices, and `clock` measures the time
    of each.
    """

    def __init__(
        self,
        loss: Loss,
        metrics: Sequence[Metric],
        *,
        intervals: Intervals | None = None,
        slices: Sequence[Slice] = (),
        rows: bool = False,
        independent: bool = True,
        alike: Sequence[str] = (),
        clock: Stopwatch | None = None,
        columns: Mapping[str, DataColumn] | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        self.intervals, self.slices = intervals, tuple(slices)
        self.clock = clock or Stopwatch()
        self._cells = SliceCells(
            self.slices,
            with_units=intervals is not None,
            logits=loss._takes_raw_outputs,
            by_group=loss.takes_groups,
            columns=columns,
            classes=classes,
            metrics=1 + len(metrics),
        )
        if self._cells.is_needed:
            for metric in metrics:
                metric.require_row_terms()
        self.metrics = named_metrics(metrics)
        self._rows = rows or self._cells.is_needed
        self._of = LossMetric(of=loss)
        independent &= intervals is not None and (intervals.resample or Units()).kind == "rows"
        # Where rows are taken as independent: whether they are.
        self._alike = (
            RowCorrelations(columns or {}, alike) if independent and not loss.takes_groups else None
        )
        self._loss = MetricAccumulator(self._of, self._cells, moments=independent)
        self._by_metric = {
            name: MetricAccumulator(metric, self._cells, moments=independent)
            for name, metric in self.metrics.items()
        }

    def add(self, rows: PredictedBatch) -> PredictedBatch:
        """Add some rows, and return them with their losses if these are needed.

        The loss of a row is computed only here. It is also needed if the sum of the losses
        is NaN, because a warning names the first rows with NaN.
        """
        with_terms = self._cells.is_needed
        with self.clock.stage("loss"):
            given = _rows_for_metric(self._of, rows)
            partial, sums = self._of._partial_and_rows(given, with_rows=self._rows)
            if sums is None and math.isnan(partial.sum()):
                _, sums = self._of._partial_and_rows(given, with_rows=True)
            if sums is not None:
                rows = rows._replace(losses=sums.losses(), weights=sums.weights())
            self._cells.assign_cells(rows)
            if self._alike is not None and rows.losses is not None:
                self._alike.add(rows)
            terms = self._of.terms_of(sums, given) if with_terms else None
            self._loss.add(MetricUpdate(partial, terms), given)
        for name, accumulator in self._by_metric.items():
            with self.clock.stage(name):
                given = _rows_for_metric(accumulator.metric, rows)
                accumulator.add(accumulator.metric.observe(given, terms=with_terms), given)
        return rows

    def numbers(self) -> Numbers:
        """Return the results for all rows so far."""
        intervals = self.intervals
        loss, of_loss = self._loss.overall_result(intervals)
        loss.pop("curve", None)
        metrics = {}
        for name, accumulator in self._by_metric.items():
            with self.clock.stage(name):
                metrics[name], _ = accumulator.overall_result(intervals)
        return Numbers(
            loss=loss,
            metrics=metrics,
            masked=self._loss.partial().masked,
            slices=self._slice_results() if self.slices else None,
            intervals=None if intervals is None else self._describe_intervals(of_loss),
        )

    def _describe_intervals(self, found: EstimatedInterval | None) -> dict[str, Any]:
        """Return what intervals are of, for a result: the options, and the units of the loss."""
        assert self.intervals is not None
        assert found is not None
        described = self.intervals.to_dict() | {"count": found.units, "freedom": found.freedom}
        units = self.intervals.resample
        if units is not None and units.kind == "groups":
            described["column"] = units.column
        if found.together:
            described["together"] = True
        if found.alike:
            described["alike"] = found.alike
        if found.memories < LEAST_MEMORIES:
            described["memories"] = found.memories
        if self._alike is not None and (neighbours := self._alike.neighbours()):
            described["neighbours"] = neighbours
        return described

    def alike_columns(self) -> list[tuple[str, ColumnCorrelation]]:
        """Return the columns whose rows with one value are alike, not independent."""
        return [] if self._alike is None else self._alike.columns()

    def units(self) -> UnitTables | None:
        """Return the sums by unit of all results; None without intervals."""
        loss = self._loss.units()
        sizes = None if loss is None else self._cells.unit_sizes(0, of_groups=False)
        if loss is None or sizes is None:
            return None
        groups = self._cells.unit_sizes(0, of_groups=True)
        metrics = {name: own.units() for name, own in self._by_metric.items()}
        return UnitTables(
            sizes,
            None if groups is sizes else groups,
            loss,
            {name: table for name, table in metrics.items() if table is not None},
        )

    def _slice_results(self) -> tuple[Mapping[str, Any], ...]:
        parts = []
        with self.clock.stage(_SLICES_STAGE):
            for index, part in enumerate(self.slices):
                for number, name in self._cells.named_parts(index):
                    count, weight = self._cells.size(index, number)
                    parts.append(
                        {
                            "name": part.name,
                            "by": part.by,
                            "value": name,
                            "count": count,
                            "weight": weight,
                            "loss": self._loss.slice_result(index, number, self.intervals),
                            "metrics": {
                                metric: accumulator.slice_result(index, number, self.intervals)
                                for metric, accumulator in self._by_metric.items()
                            },
                        }
                    )
        return tuple(parts)

    def merge(self, other: Accumulator) -> None:
        """Add the sums over other rows, from an accumulator with the same parameters."""
        self._cells.merge(other._cells)
        self._loss.merge(other._loss)
        if self._alike is not None and other._alike is not None:
            self._alike.merge(other._alike)
        for name, accumulator in self._by_metric.items():
            accumulator.merge(other._by_metric[name])

    def pack(self) -> dict[str, NDArray]:
        """Return all sums as plain arrays of numbers, for `unpack`."""
        accumulators = enumerate((self._loss, *self._by_metric.values()))
        parts: dict[str, Any] = {
            f"kept{number}": accumulator for number, accumulator in accumulators
        }
        if self._alike is not None:
            parts["alike"] = self._alike
        return pack_parts(layout=self._cells, **parts)

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Continue from the arrays of an accumulator with the same parameters."""
        self._cells.unpack(unpack_part("layout", arrays))
        if self._alike is not None:
            self._alike.unpack(unpack_part("alike", arrays))
        for number, accumulator in enumerate((self._loss, *self._by_metric.values())):
            accumulator.unpack(unpack_part(f"kept{number}", arrays))


def named_metrics(metrics: Sequence[Metric]) -> dict[str, Metric]:
    """Return metrics by the names of their results.

    Two metrics of one name differ in their parameters, which are then part of the names.
    """
    names = [metric.label for metric in metrics]
    return {
        metric.label if names.count(metric.label) == 1 else name_with_parameters(metric): metric
        for metric in metrics
    }


def name_with_parameters(metric: Metric) -> str:
    """Return the name of a metric with its non-default parameters.

    Examples
    --------
    >>> import lossfw
    >>> name_with_parameters(lossfw.metric("ndcg", k=5, gain="linear"))
    'ndcg(k=5, gain=linear)'
    >>> name_with_parameters(lossfw.metric("ndcg"))
    'ndcg'
    """
    component = metric.of if isinstance(metric, LossMetric) else metric
    given = {key: value for key, value in component.to_config().items() if key != "name"}
    # As a configuration writes them: a name in a table has no quotation marks.
    texts = [
        f"{key}={value if isinstance(value, str) else _plain_value(value)}"
        for key, value in given.items()
    ]
    return f"{metric.label}({', '.join(texts)})" if texts else metric.label


def _plain_value(value: Any) -> str:
    return json.dumps(value).replace('"', "")


def _rows_for_metric(metric: Metric, rows: PredictedBatch) -> MetricRows:
    """Return the rows as a metric takes them: with predictions where there are any."""
    prediction, target = rows.loss_input, rows.targets
    if rows.predictions is not None and metric.accepts in ("any", "prediction"):
        prediction = rows.predictions
    prediction, target = shape_for_metric(metric, prediction, target)
    group = rows.group if metric.takes_groups else None
    weight, baseline = rows.sample_weight, rows.baseline
    return MetricRows(prediction, target, rows.start, weight, group=group, baseline=baseline)


def shape_for_metric(
    metric: Metric, prediction: NDArray, target: NDArray
) -> tuple[NDArray, NDArray]:
    """Return outputs and targets in the shapes that a metric takes, with or without one column."""
    if isinstance(metric, LossMetric | Skill):
        return outputs_for(metric.of, prediction, target), target
    if metric.takes_groups:
        return squeeze_column(prediction), squeeze_column(target)
    return prediction, target
