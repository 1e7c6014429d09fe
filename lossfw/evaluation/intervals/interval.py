"""The interval of one result of an evaluation, or why it has none."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.evaluation.intervals.found import EstimatedInterval, too_few_reason
from lossfw.evaluation.intervals.left_out import ends_of, pairs_of
from lossfw.evaluation.intervals.moments import mean_spread
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.paired import MeasuredNumber, estimate_interval
from lossfw.evaluation.intervals.unit_sums import UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.metrics import Metric
from lossfw.metrics.cell_sums import CellSums


def metric_interval(
    metric: Metric,
    table: UnitSums | None,
    sizes: UnitSums | None,
    value: Any,
    options: Intervals,
    moments: CellSums | None = None,
) -> EstimatedInterval:
    """Return the interval of a metric from its sums by unit.

    `moments` are those of a mean over independent rows; see `lossfw.evaluation.intervals.moments`.
    """
    units, middle = options.resample or Units(), np.asarray(value, np.float64)
    nothing = pairs_of(np.full((2, *middle.shape), np.nan))
    if table is None or sizes is None or not len(table.sums.table):
        return EstimatedInterval(nothing, too_few_reason(units, 0, 0.0))
    if moments is not None and options.method == "jackknife":
        spread = mean_spread(moments)
        if spread is not None:
            error, freedom = np.asarray(spread.error), spread.freedom
            why = too_few_reason(units, spread.rows, freedom)
            ends = ends_of(middle, error, freedom, options.level, metric.bounds)
            return EstimatedInterval(nothing if why else pairs_of(ends), why, spread.rows, freedom)
    return estimate_interval([MeasuredNumber(metric, middle, table, sizes)], options, metric.bounds)
