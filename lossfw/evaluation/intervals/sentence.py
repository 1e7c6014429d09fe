"""One sentence that describes the intervals of a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lossfw.evaluation.intervals.alike import ColumnCorrelation
from lossfw.evaluation.intervals.blocks import LEAST_MEMORIES, STILL_ALIKE
from lossfw.evaluation.intervals.left_out import LEAST_UNITS
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.slices import COLUMN

# Units of about equal size are worth nearly as many: below this share a reader has to know.
_NEARLY_ALL = 0.8
MORE_TIME = f"more time is needed, some {LEAST_MEMORIES:.0f} times as long as errors last"


def interval_sentence(intervals: Mapping[str, Any], condition: str = "the model") -> str:
    """Return the sentence about the intervals of a result; `intervals` is its ``intervals``.

    Examples
    --------
    >>> units = {"level": 0.95, "method": "jackknife", "resample": "column.patient", "count": 40}
    >>> interval_sentence(units | {"freedom": 11.4}, "the models")
    '95% intervals of 40 patients (column.patient), as good as 12 equal ones; given the models.'
    >>> interval_sentence({"level": 0.9, "method": "jackknife", "resample": "rows", "count": 1200})
    '90% intervals of 1,200 rows taken as independent; given the model.'
    """
    text = f"{100 * intervals['level']:.4g}% intervals"
    if "count" not in intervals:  # the result of an older lossfw, which took rows in folds
        return f"{text} of rows taken as independent; given {condition}."
    text += f" of {counted_units(intervals)}"
    if intervals["method"] == "bootstrap":
        text += f", by the bootstrap ({intervals['replicates']} draws, seed {intervals['seed']})"
    return f"{text}; given {condition}.{_neighbours_sentence(intervals)}"


def counted_units(intervals: Mapping[str, Any]) -> str:
    """Return the number of units, and the number of equal units that would be as good.

    Examples
    --------
    >>> counted_units({"resample": "column.day", "count": 7})
    '7 days (column.day)'
    """
    units, count = Units.read(intervals.get("resample", "rows")), intervals["count"]
    if units.kind == "groups":
        units = Units("groups", intervals.get("column", ""))
    sets = "sets of " if intervals.get("together") else ""
    number, _, rest = units.format_count(count).partition(" ")
    text = f"{number} {sets}{rest}"
    if units.kind == "rows":
        return f"{text} taken as independent"
    if intervals.get("freedom", count) + 1 < _NEARLY_ALL * count:
        text += f", as good as {intervals['freedom'] + 1:.0f} equal ones"
    return text


def unit_warnings(
    intervals: Mapping[str, Any], rows: int, correlations: Sequence[tuple[str, ColumnCorrelation]]
) -> Iterator[str]:
    """Yield warnings about the units of a number of rows.

    `correlations` are columns that should be units.
    """
    key = "evaluate.intervals.resample"
    units = Units.read(intervals.get("resample", "rows"))
    level = f"{100 * intervals['level']:.4g}%"
    for name, found in correlations:
        yield (
            f"Rows of one {Units('column', name).noun(1)} are alike (correlation "
            f"{found.correlation:.2f} within {found.values:,} values of {COLUMN}{name}): {level} "
            f"intervals of rows are {found.factor:.1f} times too narrow. Write {key}: "
            f"{COLUMN}{name}."
        )
    if units.kind == "column" and intervals["count"] == rows > LEAST_UNITS:
        yield (
            f"{COLUMN}{units.column} has another value in each of the {rows:,} rows, so its "
            f"intervals are those of independent rows: write {key}: rows if they are, or name the "
            "column whose rows belong together."
        )
    if units.kind == "time" and (why := short_series_reason(intervals)):
        yield f"{why}: the interval is too narrow; {MORE_TIME}."


def short_series_reason(intervals: Mapping[str, Any]) -> str:
    """Return why a series is too short for its interval; empty if it is long enough.

    Examples
    --------
    >>> short_series_reason({"count": 8, "alike": 0.02, "memories": 9.7})
    'the series is some 9.7 times as long as errors last'
    >>> short_series_reason({"count": 64, "alike": 0.02})
    ''
    """
    if intervals.get("alike", 0.0) >= STILL_ALIKE:
        return f"{intervals['count']} blocks of time are still alike ({intervals['alike']:.1f})"
    if intervals.get("memories", LEAST_MEMORIES) < LEAST_MEMORIES:
        return f"the series is some {intervals['memories']:.2g} times as long as errors last"
    return ""


def _neighbours_sentence(intervals: Mapping[str, Any]) -> str:
    if "neighbours" in intervals:
        return (
            f" Neighbouring rows are alike ({intervals['neighbours']:.2g}): see "
            "evaluate.intervals.resample."
        )
    return ""
