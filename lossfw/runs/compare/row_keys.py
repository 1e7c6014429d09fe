"""The units of the stored rows of a run, which its intervals treat as independent."""

from __future__ import annotations

import numpy as np

from lossfw.components.naming import did_you_mean
from lossfw.config.plan.evaluation import build_data
from lossfw.config.text.source import ConfigSource
from lossfw.config.text.writing import format_in_one_line
from lossfw.data import DataColumn
from lossfw.data.times import NotTimesError
from lossfw.errors import ArgumentError, DataError, LossfwError
from lossfw.evaluation.intervals.unit_keys import (
    ColumnKeys,
    MissingUnitError,
    TimeKeys,
    block_keys,
    hashed_numbers,
)
from lossfw.evaluation.intervals.units import Units
from lossfw.numerics.arrays import NDArray
from lossfw.runs.compare.finished import FinishedRun
from lossfw.runs.folder import CONFIG_FILE
from lossfw.runs.rows import RowRecords

HOLD_OUT_GROUPS = "train.hold_out.keep_together"
HOLD_OUT_TIME = "train.hold_out.time"
GROUP_KEY = "data.group_key"


def units_of_run(run: FinishedRun, rows: RowRecords | None = None) -> Units:
    """Return the units of the intervals of a run, or those that they would have."""
    if run.intervals is not None and run.intervals.resample is not None:
        units = run.intervals.resample
        column = str((run.result.get("intervals") or {}).get("column", ""))
        return Units("groups", column) if units.kind == "groups" else units
    if run.settings.get(HOLD_OUT_GROUPS):
        return Units.read(run.settings[HOLD_OUT_GROUPS])
    if time := run.settings.get(HOLD_OUT_TIME):
        units = Units.read({"time": time})
        if rows is None:
            return units
        # Blocks are of numbers; of dates each one is a unit.
        times = column_of(run, rows, units.column, f"--resample {units.text}")
        return Units("column", units.column) if times.holds_strings else units
    if rows is not None and has_groups(rows):
        return Units("groups", str(run.settings.get(GROUP_KEY) or ""))
    return Units()


def has_groups(rows: RowRecords) -> bool:
    """Tell whether rows are in named groups; a single group of all rows has no name."""
    ids = rows.ids
    return ids is not None and (ids.holds_strings or not bool(np.isnan(ids.values).any()))


def keys_of(run: FinishedRun, rows: RowRecords, units: Units) -> NDArray:
    """Return the key of the unit of each row."""
    try:
        if units.kind == "groups":
            if rows.ids is None or not has_groups(rows):
                raise ArgumentError(
                    f"the rows of {run.name} have no groups, which resample: groups takes: name a "
                    "column, as --resample column.NAME."
                )
            return ColumnKeys(rows.ids.labels).of(np.asarray(rows.ids.values))
        if units.column:
            column = column_of(run, rows, units.column, f"--resample {units.text}")
            values = np.asarray(column.values, np.float64)
            if units.kind == "time":
                return TimeKeys(column, units.short_blocks).of(values)
            return ColumnKeys(column.labels).of(values)
    except NotTimesError as error:
        raise ArgumentError(
            f"--resample {units.text}: the column {units.column!r} {error.what}, but blocks of "
            f"time are made of it; {error.hint}."
        ) from None
    except MissingUnitError as error:
        raise DataError(
            f"the row {int(rows.row[error.place])} of {run.name} has no value of "
            f"{units.column or 'its group'}, but every row needs its unit: name another column by "
            "--resample, or write --resample rows."
        ) from None
    if units.kind == "time":
        count, blocks = int((run.record.get("data") or {}).get("rows") or 0), units.short_blocks
        return block_keys(rows.row * blocks // max(count, int(rows.row.max()) + 1), blocks)
    return hashed_numbers(rows.row)


def column_of(run: FinishedRun, rows: RowRecords, name: str, option: str) -> DataColumn:
    """Return a column of the rows of a run, read from its data if it is not stored."""
    if name in rows.columns:
        return rows.columns[name]
    there = sorted(rows.columns)
    try:
        return _column_of_data(run, rows, name)
    except (LossfwError, OSError) as error:
        guess = did_you_mean(name, there)
        have = f"they have {', '.join(there)}. {guess}".rstrip() if there else "they have none."
        why = str(error).partition("\n")[0].removesuffix(".")
        raise ArgumentError(
            f"{option}: the rows of these runs have no column {name!r}; {have} "
            f"Nor can it be read from the data of {run.name}: {why}. Runs keep it with "
            f"evaluate: {{columns: [{name}]}}."
        ) from None


def _column_of_data(run: FinishedRun, rows: RowRecords, name: str) -> DataColumn:
    """Return a column of the data of a run, which are read again, in the order of its rows."""
    keep = f"evaluate.columns={format_in_one_line([name])}"
    source = ConfigSource(str(run.path / CONFIG_FILE), (keep,), run.plugins)
    data, then = build_data(source), run.record.get("data") or {}
    if (data.name, data.digest) != (then.get("name"), then.get("digest")):
        raise DataError(f"data {data.name!r} have changed since the run.")
    if name not in data.columns:
        raise DataError(f"data {data.name!r} have no column {name!r}.")
    return data.columns[name].take(rows.row)
