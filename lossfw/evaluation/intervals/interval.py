"""The interval of one number of an evaluation, or why it has none."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lossfw.evaluation.intervals.left_out import (
    LEAST_FREEDOM,
    LEAST_UNITS,
    LeftOut,
    ends_of,
    pairs_of,
)
from lossfw.evaluation.intervals.moments import mean_spread
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.resampling import BOOTSTRAP_UNITS, bootstrap_ends, left_out
from lossfw.evaluation.intervals.unit_sums import KEY_BITS, UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.metrics import Metric
from lossfw.metrics.cell_sums import CellSums


class Found(NamedTuple):
    """An interval, and what it is of.

    Attributes
    ----------
    interval : list or None
        Two floats in place of each float of the number; None where there is no interval.
    why : str
        Why there is none: too few units; empty where nothing varies, too.
    units : int
        How many units there are.
    freedom : float
        The degrees of freedom of their spread.
    together : bool
        Whether some units were put together, because there are very many.
    alike : float
        The correlation of neighbouring blocks of time.
    """

    interval: Any = None
    why: str = ""
    units: int = 0
    freedom: float = 0.0
    together: bool = False
    alike: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return interval and reason as they stand beside a value."""
        why = {"why": self.why} if self.why else {}
        return {"interval": self.interval, **why}


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
    units, middle = asked.units or Units(), np.asarray(value, np.float64)
    nothing = pairs_of(np.full((2, *middle.shape), np.nan))
    if table is None or sizes is None or not len(table.sums.table):
        return Found(nothing, too_few(units, 0, 0.0))
    if moments is not None and asked.method == "jackknife":
        spread = mean_spread(moments)
        if spread is not None:
            counted, freedom = spread.rows, spread.freedom
            error = np.asarray(spread.error)
            why = too_few(units, counted, freedom)
            ends = ends_of(middle, error, freedom, asked.level, metric.bounds)
            return Found(nothing if why else pairs_of(ends), why, counted, freedom)
    draws = asked.method == "bootstrap"
    table = table.at_most(BOOTSTRAP_UNITS) if draws else table
    found = left_out(metric, table, sizes, middle, pools=units.pools)
    why = too_few(units, found.units, found.freedom)
    if draws and not why:
        ends = np.clip(bootstrap_ends(metric, pooled(table, found), found, asked), *metric.bounds)
    else:
        ends = found.ends(asked.level, metric.bounds)
    return Found(
        nothing if why else pairs_of(ends),
        why,
        found.units,
        found.freedom,
        table.bits < KEY_BITS and units.kind != "time",
        found.alike,
    )


def pooled(table: UnitSums, found: LeftOut) -> UnitSums:
    """Return a table with the units of the values without each of them."""
    while len(table.present) > found.units:
        table = table.at(table.bits - 1)
    return table


def too_few(units: Units, count: int, freedom: float) -> str:
    """Return why so many units have no interval; empty if they have one.

    Examples
    --------
    >>> too_few(Units("column", "patient"), 4, 3.0), too_few(Units("column", "patient"), 40, 1.4)
    ('too few patients (4)', 'too few patients (as good as 2 equal ones)')
    >>> too_few(Units(), 40, 39.0)
    ''
    """
    if count < LEAST_UNITS:
        return f"too few {units.noun(2)} ({count})"
    if freedom < LEAST_FREEDOM:
        return f"too few {units.noun(2)} (as good as {freedom + 1:.0f} equal ones)"
    return ""
