"""Compare runs on parts of their rows: by the target, or by a column of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lossfw.data import DataColumn
from lossfw.errors import ArgumentError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.slice_parts import SliceParts
from lossfw.evaluation.slices import BY, COLUMN, Slice, default_slice_name
from lossfw.numerics.arrays import NDArray
from lossfw.runs.compare.comparison import ComparedSlice
from lossfw.runs.compare.differences import KEEP_ROWS, differences, list_names
from lossfw.runs.compare.finished import FinishedRun, RunNumber
from lossfw.runs.compare.paired import RunWithRows, own_interval
from lossfw.runs.compare.row_keys import column_of
from lossfw.runs.compare.stars import StarCandidate, Stars, star_all, star_candidates

# What is the same for a row in every run.
_BY_TARGET = "target"


def slice_of_runs(by: str, bins: Sequence[float] = ()) -> Slice:
    """Return a slice with the same rows in every run."""
    if by != _BY_TARGET and not by.startswith(COLUMN):
        name = "region" if by in BY else by
        raise ArgumentError(
            f"--by {by}: parts of the rows are compared by {_BY_TARGET}, or by a column of the "
            f"data, as {COLUMN}{name}, in which all runs agree."
        )
    return Slice(default_slice_name(by), by, tuple(bins))


def compare_slices(
    runs: Sequence[FinishedRun],
    with_rows: Mapping[str, RunWithRows],
    by: Slice,
    intervals: Intervals,
    stars: Stars = "all",
) -> tuple[tuple[ComparedSlice, ...], int]:
    """Compare each part of the rows, each run with the first.

    Returns
    -------
    tuple of ComparedSlice
    int
        The number of differences of a measure that a star accounts for.
    """
    rowless = [run.name for run in runs if run.name not in with_rows]
    if rowless:
        raise ArgumentError(
            f"--by {by.by} compares parts of the rows, but those of {list_names(rowless)} were not "
            f"kept, or are different ones: {KEEP_ROWS}."
        )
    kept = [with_rows[run.name] for run in runs]
    parts, counts, names = _number_parts(by, kept, runs[0].classes)
    chosen = {name: np.flatnonzero((parts == number) & counts) for number, name in names}
    parts_of = {
        name: {run.name: one.select_part(rows) for run, one in zip(runs, kept, strict=True)}
        for name, rows in chosen.items()
        if rows.size
    }
    found = [_compare_slice(name, runs, part, intervals) for name, part in parts_of.items()]
    return _add_stars(found, runs[0].name, parts_of, intervals, stars)


def _add_stars(
    slices: Sequence[ComparedSlice],
    base: str,
    parts_of: Mapping[str, Mapping[str, RunWithRows]],
    intervals: Intervals,
    stars: Stars,
) -> tuple[tuple[ComparedSlice, ...], int]:
    """Return the parts with the stars of their differences, which hold for all parts together."""

    def has_star(name: str) -> list[StarCandidate]:
        return [
            one
            for part in slices
            for run, less in part.differences.items()
            if name in less
            for one in star_candidates(
                (part.value, run), less[name], parts_of[part.value], run, base, name
            )
        ]

    names = list(
        dict.fromkeys(n for part in slices for of in part.differences.values() for n in of)
    )
    marked, size = star_all(names, has_star, intervals, stars)
    with_stars = [
        replace(
            part,
            differences={
                run: {n: marked.get((n, (part.value, run)), one) for n, one in less.items()}
                for run, less in part.differences.items()
            },
        )
        for part in slices
    ]
    return tuple(with_stars), size


def _compare_slice(
    value: str,
    runs: Sequence[FinishedRun],
    with_rows: Mapping[str, RunWithRows],
    intervals: Intervals,
) -> ComparedSlice:
    numbers = {
        run.name: {
            name: _number_of_part(with_rows[run.name], name, intervals) for name in run.numbers
        }
        for run in runs
    }
    less = {
        run.name: {
            name: judged.difference
            for name, judged in differences(run, runs[0], numbers, with_rows, intervals)
        }
        for run in runs[1:]
    }
    return ComparedSlice(value, len(with_rows[runs[0].name].rows.row), numbers, less)


def _number_of_part(part: RunWithRows, name: str, intervals: Intervals) -> RunNumber:
    estimated = part.estimate_metric(name)
    if estimated is None:
        return RunNumber(None)
    # What is not defined for so few rows, such as a ranking of one class, is NaN.
    value = estimated.value.tolist()
    if isinstance(value, float) and np.isnan(value):
        return RunNumber(None)
    return RunNumber(value, own_interval(part, name, intervals))


def _number_parts(
    by: Slice, runs: Sequence[RunWithRows], classes: Sequence[str]
) -> tuple[NDArray, NDArray, list[tuple[int, str]]]:
    """Return the part of each row, which rows count, and the parts in order with their names.

    As in a run, a row of weight 0 is in no part.
    """
    rows = runs[0].rows
    columns = _slice_columns(by, runs) if by.column else {}
    column = columns[by.column].values if by.column else None
    parts = SliceParts(by, columns)
    weight = np.ones(len(rows.row)) if rows.weight is None else rows.weight
    numbers = parts.number_rows(rows.prediction, rows.target, rows.loss, weight, 0, column)
    labels = () if by.column else classes
    counts = weight > 0
    return numbers, counts, parts.named_parts(np.unique(numbers[counts]).tolist(), labels=labels)


def _slice_columns(by: Slice, runs: Sequence[RunWithRows]) -> Mapping[str, DataColumn]:
    """Return the columns of a run that has the one that is asked for, or that of its data."""
    for one in runs:
        if by.column in one.rows.columns:
            return one.rows.columns
    return {by.column: column_of(runs[0].run, runs[0].rows, by.column, f"--by {by.by}")}
