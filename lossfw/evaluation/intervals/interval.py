"""The interval of one result of an evaluation, or why it has none."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.evaluation.intervals.found import Found, too_few
from lossfw.evaluation.intervals.left_out import ends_of, pairs_of
from lossfw.evaluation.intervals.moments import mean_spread
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.paired import Measured, found_of
from lossfw.evaluation.intervals.unit_sums import UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.metrics import Metric
from lossfw.metrics.cell_sums import CellSums


def interval(
    metric: Metric,
    table: UnitSums | None,
    sizes: UnitSums | None,
    value: Any,
    asked: Intervals,
    moments: CellSums | None = None,
) -> Found:
    """Return the interval of a metric from its sums by unit.

    `moments` are those of a mean over independent rows; see `lossfw.evaluation.intervals.moments`.
    """
    units, middle = asked.resample or Units(), np.asarray(value, np.float64)
    nothing = pairs_of(np.full((2, *middle.shape), np.nan))
    if table is None or sizes is None or not len(table.sums.table):
        return Found(nothing, too_few(units, 0, 0.0))
    if moments is not None and asked.method == "jackknife":
        spread = mean_spread(moments)
        if spread is not None:
            error, freedom = np.asarray(spread.error), spread.freedom
            why = too_few(units, spread.rows, freedom)
            ends = ends_of(middle, error, freedom, asked.level, metric.bounds)
            return Found(nothing if why else pairs_of(ends), why, spread.rows, freedom)
    return found_of([Measured(metric, middle, table, sizes)], asked, metric.bounds)
