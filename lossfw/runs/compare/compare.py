"""Compare runs: their differing settings, and their differences from the first run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lossfw.errors import ArgumentError, LossfwError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.runs.compare.comparison import Comparison, Difference
from lossfw.runs.compare.finished_run import LOSS, FinishedRun, RunNumber
from lossfw.runs.compare.paired import RunWithRows, own_interval, paired_interval
from lossfw.runs.compare.rebuild_metrics import metrics_of
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.compare.settings import differing, surroundings

_KEEP_ROWS = "write evaluate: {rows: true} in its configuration, and run it again"


def compare(
    runs: Sequence[FinishedRun], *, intervals: Intervals | None = None, side_by_side: bool = False
) -> Comparison:
    """Compare runs, each with the first.

    Parameters
    ----------
    runs : sequence of FinishedRun
        At least two.
    intervals : Intervals, optional
        Level and method of the intervals; by default as in the first run, or 95 percent.
    side_by_side : bool
        Allow runs on different data, without differences.

    Raises
    ------
    ArgumentError
        If there are fewer than two runs, or they have different data.
    """
    if len(runs) < 2:
        raise ArgumentError(f"a comparison needs at least two runs, got {len(runs)}.")
    same = all(run.rows_key == runs[0].rows_key for run in runs)
    known = bool((runs[0].record.get("data") or {}).get("digest"))
    if not (same and known) and not side_by_side:
        raise ArgumentError(_different(runs))
    intervals = intervals or _intervals_of(runs[0])
    notes: list[str] = []
    with_rows = _with_rows(runs, notes) if same else {}
    measures = tuple(dict.fromkeys(name for run in runs for name in run.numbers))
    numbers = {run.name: dict(_numbers(run, with_rows.get(run.name), intervals)) for run in runs}
    differences = {}
    if not side_by_side:
        for run in runs[1:]:
            pairs = _differences(run, runs[0], numbers, with_rows, intervals, notes)
            differences[run.name] = dict(pairs)
    return Comparison(
        runs=tuple(runs),
        given=tuple(runs),
        measures=measures,
        numbers=numbers,
        differences=differences,
        settings=differing([run.settings for run in runs]),
        surroundings=differing([surroundings(run.record) for run in runs]),
        intervals=intervals,
        paired=bool(differences) and len(with_rows) == len(runs),
        notes=tuple(dict.fromkeys(notes)),
    )


def _different(runs: Sequence[FinishedRun]) -> str:
    other = next((run for run in runs if run.rows_key != runs[0].rows_key), runs[-1])
    return (
        f"the runs have different data: {runs[0].name} has {runs[0].data}; {other.name} has "
        f"{other.data}. A difference between them would say nothing of what was changed. "
        "--side-by-side lists them without differences."
    )


def _intervals_of(run: FinishedRun) -> Intervals:
    options = run.result.get("intervals")
    return Intervals(**options) if isinstance(options, Mapping) else Intervals()


def _with_rows(runs: Sequence[FinishedRun], notes: list[str]) -> dict[str, RunWithRows]:
    """Return the runs with kept rows that are the same as those of the first such run."""
    with_rows: dict[str, RunWithRows] = {}
    first: RunWithRows | None = None
    for run in runs:
        rows = read_rows(run.path)
        if rows is None:
            notes.append(
                f"{run.name} has no rows, so its differences are not paired and have no "
                f"interval: {_KEEP_ROWS}."
            )
            continue
        try:
            metrics = metrics_of(run)
        except LossfwError as error:
            notes.append(
                f"{run.name}: its metrics cannot be made again, so it has none by row: {error}"
            )
            metrics = {}
        one = RunWithRows(run, rows.by_number(), metrics)
        first = first or one
        if _same_rows(one, first):
            with_rows[run.name] = one
        else:
            notes.append(f"{run.name} has other rows than {first.run.name}, so it is not paired.")
    return with_rows


def _same_rows(one: RunWithRows, other: RunWithRows) -> bool:
    return np.array_equal(one.rows.row, other.rows.row) and np.array_equal(
        one.rows.target, other.rows.target
    )


def _numbers(
    run: FinishedRun, rows: RunWithRows | None, intervals: Intervals
) -> Iterator[tuple[str, RunNumber]]:
    """Yield the numbers of a run, with these intervals if they are kept or can be computed."""
    kept = run.result.get("intervals") == intervals.to_dict()
    for name, number in run.numbers.items():
        if rows is None or (kept and number.interval is not None):
            yield name, number
        else:
            yield name, RunNumber(number.value, own_interval(rows, name, intervals))


def _differences(
    run: FinishedRun,
    base: FinishedRun,
    numbers: Mapping[str, Mapping[str, RunNumber]],
    with_rows: Mapping[str, RunWithRows],
    intervals: Intervals,
    notes: list[str],
) -> Iterator[tuple[str, Difference]]:
    both = (name for name in numbers[run.name] if name in numbers[base.name])
    for name in both:
        why = _incomparable(name, run, base, with_rows)
        if why:
            notes.append(why)
            yield name, Difference(None)
            continue
        value = _minus(numbers[run.name][name].value, numbers[base.name][name].value)
        interval = None
        if run.name in with_rows and base.name in with_rows:
            one, other = with_rows[run.name], with_rows[base.name]
            interval = paired_interval(one, other, name, intervals)
            lacking = next((s for s in (one, other) if s.estimated(name) is None), None)
            if lacking is not None:
                notes.append(
                    f"{name}: the rows of {lacking.run.name} do not give its number again, so "
                    "its differences have no interval."
                )
        yield name, Difference(value, interval)


def _incomparable(
    name: str, run: FinishedRun, base: FinishedRun, with_rows: Mapping[str, RunWithRows]
) -> str:
    """Return why a measure of two runs cannot be compared, or an empty text."""
    if name == LOSS:
        if run.loss_name != base.loss_name:
            return (
                f"the losses of {base.name} ({base.loss_name}) and {run.name} ({run.loss_name}) "
                "are different things: name one loss among evaluate.metrics of both to compare it."
            )
        return ""
    if run.name not in with_rows or base.name not in with_rows:
        return ""
    mine, theirs = (with_rows[r.name].metrics.get(name) for r in (run, base))
    if mine is not None and theirs is not None and mine != theirs:
        return (
            f"{name} is {theirs} in {base.name} and {mine} in {run.name}: no difference is shown."
        )
    return ""


def _minus(mine: Any, theirs: Any) -> Any:
    """Return the difference of two numbers or nested lists, None if it is not defined."""
    if mine is None or theirs is None:
        return None
    if isinstance(mine, list) and isinstance(theirs, list):
        same = len(mine) == len(theirs)
        return [_minus(a, b) for a, b in zip(mine, theirs, strict=True)] if same else None
    if isinstance(mine, list) or isinstance(theirs, list):
        return None
    with np.errstate(all="ignore"):
        return float(np.float64(mine) - np.float64(theirs))
