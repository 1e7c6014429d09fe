"""The runs of a comparison that kept their rows, and notes about those without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lossfw.runs.compare.differences import KEEP_ROWS, NOT_LOADED
from lossfw.runs.compare.finished_run import FinishedRun
from lossfw.runs.compare.notes import Note, listed
from lossfw.runs.compare.paired import RunWithRows
from lossfw.runs.compare.rebuild_metrics import metrics_of
from lossfw.runs.compare.rows import read_rows


def runs_with_rows(runs: Sequence[FinishedRun]) -> tuple[dict[str, RunWithRows], list[Note]]:
    """Return the runs with kept rows that are those of the first such run, by name, and notes.

    Each note is about all runs that it holds for.

    Raises
    ------
    DataError
        If a file of rows is damaged.
    """
    with_rows: dict[str, RunWithRows] = {}
    notes: list[Note] = []
    rowless: list[str] = []
    faults: dict[str, str] = {}
    first: RunWithRows | None = None
    for run in runs:
        rows = read_rows(run.path)
        if rows is None:
            rowless.append(run.name)
            continue
        metrics, faults[run.name] = metrics_of(run)
        one = RunWithRows(run, rows.by_number(), metrics)
        first = first or one
        if _same_rows(one, first):
            with_rows[run.name] = one
        else:
            text = f"{run.name} has other rows than {first.run.name}, so it is not paired"
            notes.append(Note(text))
    if rowless:
        have = "has" if len(rowless) == 1 else "have"
        text = (
            f"{listed(rowless)} {have} no rows, so differences are not paired and have no interval"
        )
        notes.insert(0, Note(text, KEEP_ROWS))
    return with_rows, [*notes, *_missing_metrics(with_rows, faults)]


def _same_rows(one: RunWithRows, other: RunWithRows) -> bool:
    return np.array_equal(one.rows.row, other.rows.row) and np.array_equal(
        one.rows.target, other.rows.target
    )


def _missing_metrics(runs: dict[str, RunWithRows], faults: dict[str, str]) -> list[Note]:
    """Return a note for each cause that leaves metrics without intervals."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name, run in runs.items():
        missing = [metric for metric in run.run.result["metrics"] if metric not in run.metrics]
        files = listed(sorted({Path(file).name for file in run.run.not_imported} or {""}))
        text, cure = "the metric cannot be made again", faults[name]
        if files:
            text = NOT_LOADED
            cure = f"give --trust (in Python trust=True), which executes {files}"
        for metric in missing:
            found.setdefault((text, cure), {})[metric] = None
    return [
        Note(f"differences of {listed(list(metrics))} have no interval, because {text}", cure)
        for (text, cure), metrics in found.items()
    ]
