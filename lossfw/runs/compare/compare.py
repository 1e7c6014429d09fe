"""Compare: what differs between runs, and how much each has more than the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lossfw.errors import ArgumentError, LossfwError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.runs.compare.comparison import Comparison, Difference
from lossfw.runs.compare.finished_run import LOSS, FinishedRun, RunNumber
from lossfw.runs.compare.paired import Sampled, own_interval, paired_interval
from lossfw.runs.compare.rebuild_metrics import metrics_of
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.compare.settings import differing, surroundings

_KEEP_ROWS = "write evaluate: {rows: true} in its configuration, and run it again"


def compare(
    runs: Sequence[FinishedRun], *, asked: Intervals | None = None, side_by_side: bool = False
) -> Comparison:
    """Compare runs, each with the first.

    Parameters
    ----------
    runs : sequence of FinishedRun
        At least two.
    asked : Intervals, optional
        How sure intervals are to be; as in the first run, or 95 percent, unless given.
    side_by_side : bool
        Allow runs on different data, and show no differences.

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
    asked = asked or _asked_by(runs[0])
    notes: list[str] = []
    sampled = _sampled(runs, notes) if same else {}
    measures = tuple(dict.fromkeys(name for run in runs for name in run.numbers))
    numbers = {run.name: dict(_numbers(run, sampled.get(run.name), asked)) for run in runs}
    differences = {}
    if not side_by_side:
        for run in runs[1:]:
            found = _differences(run, runs[0], numbers, sampled, asked, notes)
            differences[run.name] = dict(found)
    around = differing([surroundings(run.record) for run in runs])
    settings = differing([run.settings for run in runs])
    paired = bool(differences) and len(sampled) == len(runs)
    return Comparison(
        tuple(runs),
        tuple(runs),
        measures,
        numbers,
        differences,
        settings,
        around,
        asked,
        paired,
        tuple(dict.fromkeys(notes)),
    )


def _different(runs: Sequence[FinishedRun]) -> str:
    other = next((run for run in runs if run.rows_key != runs[0].rows_key), runs[-1])
    return (
        f"the runs have different data: {runs[0].name} has {runs[0].data}; {other.name} has "
        f"{other.data}. A difference between them would say nothing of what was changed. "
        "--side-by-side lists them without differences."
    )


def _asked_by(run: FinishedRun) -> Intervals:
    told = run.result.get("intervals")
    return Intervals(**told) if isinstance(told, Mapping) else Intervals()


def _sampled(runs: Sequence[FinishedRun], notes: list[str]) -> dict[str, Sampled]:
    """Return the runs whose rows were kept, and are those of the first that has them."""
    found: dict[str, Sampled] = {}
    first: Sampled | None = None
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
        one = Sampled(run, rows.by_number(), metrics)
        first = first or one
        if _same_rows(one, first):
            found[run.name] = one
        else:
            notes.append(f"{run.name} has other rows than {first.ran.name}, so it is not paired.")
    return found


def _same_rows(one: Sampled, other: Sampled) -> bool:
    return np.array_equal(one.rows.row, other.rows.row) and np.array_equal(
        one.rows.target, other.rows.target
    )


def _numbers(
    run: FinishedRun, rows: Sampled | None, asked: Intervals
) -> Iterator[tuple[str, RunNumber]]:
    """Yield the numbers of a run, with the intervals that are asked for where they can be had."""
    kept = run.result.get("intervals") == asked.to_dict()
    for name, number in run.numbers.items():
        if rows is None or (kept and number.interval is not None):
            yield name, number
        else:
            yield name, RunNumber(number.value, own_interval(rows, name, asked))


def _differences(
    run: FinishedRun,
    base: FinishedRun,
    numbers: Mapping[str, Mapping[str, RunNumber]],
    sampled: Mapping[str, Sampled],
    asked: Intervals,
    notes: list[str],
) -> Iterator[tuple[str, Difference]]:
    both = (name for name in numbers[run.name] if name in numbers[base.name])
    for name in both:
        why = _incomparable(name, run, base, sampled)
        if why:
            notes.append(why)
            yield name, Difference(None)
            continue
        value = _minus(numbers[run.name][name].value, numbers[base.name][name].value)
        interval = None
        if run.name in sampled and base.name in sampled:
            one, other = sampled[run.name], sampled[base.name]
            interval = paired_interval(one, other, name, asked)
            lacking = next((s for s in (one, other) if s.estimated(name) is None), None)
            if lacking is not None:
                notes.append(
                    f"{name}: the rows of {lacking.ran.name} do not give its number again, so "
                    "its differences have no interval."
                )
        yield name, Difference(value, interval)


def _incomparable(
    name: str, run: FinishedRun, base: FinishedRun, sampled: Mapping[str, Sampled]
) -> str:
    """Return why a measure of two runs is not the same thing, empty if it is."""
    if name == LOSS:
        if run.loss_name != base.loss_name:
            return (
                f"the losses of {base.name} ({base.loss_name}) and {run.name} ({run.loss_name}) "
                "are different things: name one loss among evaluate.metrics of both to compare it."
            )
        return ""
    if run.name not in sampled or base.name not in sampled:
        return ""
    mine, theirs = (sampled[r.name].metrics.get(name) for r in (run, base))
    if mine is not None and theirs is not None and mine != theirs:
        return (
            f"{name} is {theirs} in {base.name} and {mine} in {run.name}: no difference is shown."
        )
    return ""


def _minus(mine: Any, theirs: Any) -> Any:
    """Return the difference of two numbers or nested lists, None where there is none."""
    if mine is None or theirs is None:
        return None
    if isinstance(mine, list) and isinstance(theirs, list):
        same = len(mine) == len(theirs)
        return [_minus(a, b) for a, b in zip(mine, theirs, strict=True)] if same else None
    if isinstance(mine, list) or isinstance(theirs, list):
        return None
    with np.errstate(all="ignore"):
        return float(np.float64(mine) - np.float64(theirs))
