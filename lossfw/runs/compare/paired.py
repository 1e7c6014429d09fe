"""Paired differences of two runs on the same rows, with intervals.

Two runs on the same rows have correlated errors. So the interval of a difference comes from the
difference itself, leaving out each unit from both (`lossfw.evaluation.intervals.paired`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from lossfw.errors import LossfwError
from lossfw.evaluation.accumulator import shape_for_metric
from lossfw.evaluation.baseline import BaselineLoss, Skill
from lossfw.evaluation.intervals.apart import have_shared_groups, shared_group_terms
from lossfw.evaluation.intervals.found import EstimatedInterval
from lossfw.evaluation.intervals.freedom import size_terms
from lossfw.evaluation.intervals.interval import metric_interval
from lossfw.evaluation.intervals.moments import moment_sums
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.paired import MeasuredNumber, difference_interval
from lossfw.evaluation.intervals.unit_sums import NO_LIMIT, TableLimits, UnitCells, UnitSums
from lossfw.evaluation.intervals.unit_tables import NumberTable
from lossfw.evaluation.intervals.units import Units
from lossfw.metrics import Metric, MetricRows, RowMetric, SumTerm
from lossfw.metrics.cell_sums import CellSums, RowTerms
from lossfw.numerics.arrays import NDArray
from lossfw.runs.compare.finished import LOSS, FinishedRun
from lossfw.runs.compare.row_keys import keys_of
from lossfw.runs.rows import RowRecords
from lossfw.runs.units_file import StoredUnits

# A metric of the written rows agrees with that of the run up to the rounding of float32; a
# number that is farther off was computed from something else.
_SAME = 1e-4


class MeanOfRows(RowMetric):
    """The mean of the stored losses of rows, if the loss cannot be rebuilt."""

    def rows(self, prediction: NDArray, target: NDArray) -> NDArray:
        """Return the losses."""
        found: NDArray = prediction[:, 0]
        return found


def to_metric_rows(metric: Metric, rows: RowRecords, weight: NDArray | None) -> MetricRows:
    """Return stored rows in the form for a metric."""
    prediction, target = shape_for_metric(metric, rows.prediction, rows.target)
    group = group_of(rows) if metric.takes_groups else None
    return MetricRows(prediction, target, sample_weight=weight, group=group)


def group_of(rows: RowRecords) -> NDArray:
    """Return the number of each row's group; without groups, all rows form one."""
    begins = rows.group_starts if rows.group is not None else rows.group_starts[:1]
    return np.repeat(np.arange(len(begins)), np.diff(begins, append=len(rows.row)))


@dataclass(eq=False)
class RunWithRows:
    """A run with its rows, sorted by number, and its metrics by their names in its results.

    The loss is among the metrics. Intervals treat `units` as independent, and `keys` has those of
    the rows. For a part of the rows, `whole` has all of them.
    """

    run: FinishedRun
    rows: RowRecords
    metrics: Mapping[str, Metric]
    units: Units
    keys: NDArray | None = None
    whole: RunWithRows | None = None
    # Its sums by the same units: rows have no predictions of a baseline.
    sums: RunWithSums | None = None
    _known: dict[str, MeasuredNumber | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.keys is None:
            self.keys = keys_of(self.run, self.rows, self.units)
        self._cells = UnitCells.of(self.keys)
        self._moments: dict[str, CellSums] = {}
        # The metrics whose number is that of the rows without their weights.
        self._unweighted: set[str] = set()

    def select_part(self, positions: NDArray) -> RunWithRows:
        """Return the rows at these positions as a run, with their units."""
        assert self.keys is not None
        rows = self.rows.take(positions)
        return RunWithRows(self.run, rows, self.metrics, self.units, self.keys[positions], self)

    def estimate_metric(self, name: str) -> MeasuredNumber | None:
        """Return a loss or a metric; None if the rows do not reproduce its number."""
        if name not in self._known:
            whole = self.whole
            if whole is not None:
                found = self._estimate_part(whole, name)
            elif isinstance(self.metrics.get(name), BaselineLoss | Skill):
                found = None if self.sums is None else self.sums.estimate_metric(name)
            else:
                found = self._find_agreeing(name)
            self._known[name] = found
        return self._known[name]

    def own_interval(self, name: str, options: Intervals) -> EstimatedInterval:
        """Return the interval of a loss or a metric."""
        one = self.estimate_metric(name)
        if one is None:
            return EstimatedInterval()
        asked, moments = options.with_units(self.units), self._moments.get(name)
        return metric_interval(one.metric, one.table, one.sizes, one.value.tolist(), asked, moments)

    def weight_of(self, name: str) -> NDArray | None:
        """Return the weights of the rows in a loss or a metric; None if all are equal."""
        whole = self.whole or self
        whole.estimate_metric(name)
        return None if name in whole._unweighted else self.rows.weight

    def _find_agreeing(self, name: str) -> MeasuredNumber | None:
        reported = self.run.numbers[name].value
        # The written weights may be those of the loss only.
        weights = [self.rows.weight] if self.rows.weight is None else [self.rows.weight, None]
        for weight in weights:
            found = self._estimate_metric(name, weight)
            if found is not None and _is_close(found.value, reported):
                if weight is None:
                    self._unweighted.add(name)
                return found
        return None

    def _estimate_part(self, whole: RunWithRows, name: str) -> MeasuredNumber | None:
        """Return the number of a part of the rows, computed as that of all of them is."""
        if whole.estimate_metric(name) is None:
            return None
        return self._estimate_metric(name, self.weight_of(name))

    def _estimate_metric(self, name: str, weight: NDArray | None) -> MeasuredNumber | None:
        try:
            with np.errstate(all="ignore"):
                own = name == LOSS and name not in self.run.scores
                return self._measure_loss() if own else self._measure_metric(name, weight)
        except (LossfwError, KeyError, NotImplementedError):
            return None

    def _measure_loss(self) -> MeasuredNumber:
        rows, metric = self.rows, self.metrics.get(LOSS)
        if rows.of_groups and metric is not None and self._has_shared_groups(group_of(rows)):
            return self._measure_metric(LOSS, rows.weight)
        begins = rows.group_starts if rows.of_groups else np.arange(len(rows.row))
        weight = np.ones(len(begins)) if rows.weight is None else rows.weight[begins]
        weighted = np.where(weight > 0, weight * rows.loss[begins], 0.0)
        counts = np.flatnonzero(weight > 0)
        place = np.zeros(len(counts), np.int64)
        every = [SumTerm(place, weighted[counts]), SumTerm(place + 1, weight[counts])]
        terms = RowTerms.of(1, 2, begins[counts], every)
        table = UnitSums.of(terms, self._cells, None, TableLimits(sums=NO_LIMIT))
        mean = np.asarray(weighted.sum() / weight.sum())
        found = metric or MeanOfRows()
        self._keep_moments(LOSS, found, terms)
        return MeasuredNumber(found, mean, table, self._sizes(begins, weight))

    def _measure_metric(self, name: str, weight: NDArray | None) -> MeasuredNumber:
        metric, rows = self.metrics[name], self.rows
        seen = to_metric_rows(metric, rows, weight)
        terms = metric.observe(seen).terms
        assert terms is not None
        limit = TableLimits(metric.most_units, NO_LIMIT)
        of_row = np.ones(len(rows.row)) if weight is None else weight
        counted = np.arange(len(rows.row))
        if have_shared_groups(seen, self._cells):
            apart, cells, rest = shared_group_terms(metric, seen, terms, self._cells, None)
            table = UnitSums.of(apart, cells, None, limit, rest)
        else:
            table = UnitSums.of(terms, self._cells, None, limit)
            counted = rows.group_starts if metric.takes_groups else counted
        self._keep_moments(name, metric, terms)
        sizes = self._sizes(counted, of_row[counted])
        return MeasuredNumber(metric, metric.from_sums(table.total()), table, sizes)

    def _has_shared_groups(self, group: NDArray) -> bool:
        return have_shared_groups(MetricRows(None, None, group=group), self._cells)

    def _sizes(self, rows: NDArray, weight: NDArray) -> UnitSums:
        counts = weight > 0
        terms = size_terms(rows[counts], weight[counts])
        return UnitSums.of(terms, self._cells, None, TableLimits(sums=NO_LIMIT))

    def _keep_moments(self, name: str, metric: Metric, terms: RowTerms) -> None:
        if self.units.kind == "rows" and metric.is_mean:
            self._moments[name] = moment_sums(terms, None)


@dataclass(eq=False)
class RunWithSums:
    """A run with its stored sums by unit, instead of its rows.

    A metric without stored sums is computed from the rows, if there are any.
    """

    run: FinishedRun
    stored: StoredUnits
    metrics: Mapping[str, Metric]
    from_rows: Callable[[], RunWithRows | None]

    @property
    def units(self) -> Units:
        """The units of the sums."""
        return self.stored.units

    def table(self, name: str) -> NumberTable | None:
        """Return the sums of a measure by unit."""
        tables = self.stored.tables
        return tables.loss if name == LOSS else tables.metrics.get(name.removeprefix("metric "))

    def estimate_metric(self, name: str) -> MeasuredNumber | None:
        """Return a loss or a metric; None if it cannot be rebuilt."""
        table, metric = self.table(name), self.metrics.get(name)
        metric = MeanOfRows() if metric is None and name == LOSS else metric
        if table is None or metric is None:
            rows = None if metric is None else self._rows
            return None if rows is None else rows.estimate_metric(name)
        sizes = self.stored.tables.sizes_for(table.sums, takes_groups=metric.takes_groups)
        try:
            value = np.array(self.run.numbers[name].value, np.float64)
        except (TypeError, ValueError):
            return None
        return MeasuredNumber(metric, value, table.sums, sizes)

    def own_interval(self, name: str, options: Intervals) -> EstimatedInterval:
        """Return the interval of a loss or a metric."""
        one, table = self.estimate_metric(name), self.table(name)
        if one is None:
            return EstimatedInterval()
        asked, moments = options.with_units(self.units), None if table is None else table.moments
        return metric_interval(one.metric, one.table, one.sizes, one.value.tolist(), asked, moments)

    @functools.cached_property
    def _rows(self) -> RunWithRows | None:
        return self.from_rows()


RunWithUnits: TypeAlias = RunWithRows | RunWithSums


def _is_close(value: NDArray, reported: Any) -> bool:
    try:
        expected = np.array(reported, np.float64)
    except (TypeError, ValueError):
        return False
    return value.shape == expected.shape and bool(
        np.allclose(value, expected, rtol=_SAME, atol=_SAME**2, equal_nan=True)
    )


def own_interval(run: RunWithUnits, name: str, options: Intervals) -> Any:
    """Return the interval of a loss or a metric of one run; None if it is undefined."""
    return run.own_interval(name, options).interval


def paired_interval(
    one: RunWithUnits, base: RunWithUnits, name: str, options: Intervals
) -> EstimatedInterval:
    """Return the interval of the difference of two runs on the same rows.

    A difference that is the same for every choice of rows has no interval.
    """
    mine, theirs = one.estimate_metric(name), base.estimate_metric(name)
    if mine is None or theirs is None or mine.value.shape != theirs.value.shape:
        return EstimatedInterval()
    return difference_interval(mine, theirs, options.with_units(one.units))
