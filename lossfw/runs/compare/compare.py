"""Compare runs: their differing settings, and their differences from the first run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lossfw.errors import ArgumentError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.slices import Slice
from lossfw.runs.compare.by_slice import compared_slices
from lossfw.runs.compare.comparison import Comparison
from lossfw.runs.compare.differences import KEEP_ROWS, Judged, differences
from lossfw.runs.compare.finished_run import FinishedRun, RunNumber
from lossfw.runs.compare.kept_rows import runs_with_rows
from lossfw.runs.compare.notes import Note, listed
from lossfw.runs.compare.paired import RunWithRows, own_interval
from lossfw.runs.compare.settings import differing, surroundings


def compare(
    runs: Sequence[FinishedRun],
    *,
    level: float | None = None,
    side_by_side: bool = False,
    by: Slice | None = None,
) -> Comparison:
    """Compare runs, each with the first.

    Parameters
    ----------
    runs : sequence of FinishedRun
        At least two.
    level : float, optional
        Level of the intervals. By default level and method are those of the first run that
        has intervals, or 95 percent by the jackknife.
    side_by_side : bool
        Allow runs on different data, without differences.
    by : Slice, optional
        Also compare parts of the rows: by the target or by a column.

    Raises
    ------
    ArgumentError
        If there are fewer than two runs, they have different data, or their rows cannot be told
        apart.
    """
    if len(runs) < 2:
        raise ArgumentError(f"a comparison needs at least two runs, got {len(runs)}.")
    same = all(run.rows_key == runs[0].rows_key for run in runs)
    known = bool((runs[0].record.get("data") or {}).get("digest"))
    if not (same and known) and not side_by_side:
        raise ArgumentError(_different(runs))
    intervals = _intervals_of(runs, level)
    with_rows, notes = runs_with_rows(runs) if same else ({}, [])
    measures = tuple(dict.fromkeys(name for run in runs for name in run.numbers))
    numbers = {run.name: dict(_numbers(run, with_rows.get(run.name), intervals)) for run in runs}
    judged: dict[str, dict[str, Judged]] = {}
    if not side_by_side:
        for run in runs[1:]:
            judged[run.name] = dict(differences(run, runs[0], numbers, with_rows, intervals))
    said = [one.note for of in judged.values() for one in of.values() if one.note is not None]
    slices = () if by is None else compared_slices(runs, with_rows, by, intervals)
    notes += [*said, *_other_intervals(runs, numbers, intervals)]
    return Comparison(
        runs=tuple(runs),
        given=tuple(runs),
        measures=measures,
        numbers=numbers,
        differences={
            run: {name: one.difference for name, one in of.items()} for run, of in judged.items()
        },
        lacking={
            run: {name: one.lacking for name, one in of.items() if one.lacking}
            for run, of in judged.items()
        },
        settings=differing([run.settings for run in runs]),
        surroundings=differing([surroundings(run.record) for run in runs]),
        intervals=intervals,
        paired=bool(judged) and len(with_rows) == len(runs),
        notes=tuple(dict.fromkeys(notes)),
        by="" if by is None else by.by,
        slices=slices,
    )


def _different(runs: Sequence[FinishedRun]) -> str:
    other = next((run for run in runs if run.rows_key != runs[0].rows_key), runs[-1])
    return (
        f"the runs have different data: {runs[0].name} has {runs[0].data}; {other.name} has "
        f"{other.data}. A difference between them would say nothing of what was changed. "
        "--side-by-side lists them without differences."
    )


def _intervals_of(runs: Sequence[FinishedRun], level: float | None) -> Intervals:
    """Return level and method of the intervals, those of the first run that has any."""
    asked = (run.intervals for run in runs)
    intervals = next((one for one in asked if one is not None), Intervals())
    return intervals if level is None else replace(intervals, level=level)


def _numbers(
    run: FinishedRun, rows: RunWithRows | None, intervals: Intervals
) -> Iterator[tuple[str, RunNumber]]:
    """Yield the numbers of a run, with these intervals if they are kept or can be computed."""
    kept = run.intervals
    for name, number in run.numbers.items():
        if number.interval is not None and kept is not None and _alike(kept, intervals):
            yield name, number
        else:
            own = None if rows is None else own_interval(rows, name, intervals)
            yield name, RunNumber(number.value, own)


def _alike(one: Intervals, other: Intervals) -> bool:
    """Tell whether two intervals mean the same; the draws of a bootstrap may differ."""
    return replace(one, seed=0) == replace(other, seed=0)


def _other_intervals(
    runs: Sequence[FinishedRun],
    numbers: Mapping[str, Mapping[str, RunNumber]],
    intervals: Intervals,
) -> Iterator[Note]:
    """Yield a note about runs whose own intervals are of another kind, and are not shown."""
    left_out = [
        run.name
        for run in runs
        if run.intervals is not None
        and not _alike(run.intervals, intervals)
        and any(
            own.interval is not None and numbers[run.name][name].interval is None
            for name, own in run.numbers.items()
        )
    ]
    if left_out:
        yield Note(
            f"the intervals of {listed(left_out)} have another level or method than those shown, "
            "and are left out",
            f"for intervals of one kind, {KEEP_ROWS}",
        )
