"""Compare runs with the first one, or the runs or trainings in folders."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lossfw.components.plugin_choice import Plugins
from lossfw.errors import ArgumentError, DataError, LossfwError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.sentence import counted_units
from lossfw.evaluation.intervals.units import Units
from lossfw.evaluation.slices import Slice
from lossfw.runs.compare.best import FEWEST, BestRun, best_run
from lossfw.runs.compare.by_slice import compare_slices
from lossfw.runs.compare.comparison import ComparedSlice, Comparison, TrainingComparison
from lossfw.runs.compare.differences import (
    KEEP_ROWS,
    ExplainedDifference,
    Note,
    differences,
    incomparable_reason,
    list_names,
    runs_with_rows,
    runs_with_sums,
)
from lossfw.runs.compare.finished import (
    LOSS,
    FinishedRun,
    RunNumber,
    find_runs,
    find_trainings,
)
from lossfw.runs.compare.paired import RunWithRows, RunWithUnits, own_interval
from lossfw.runs.compare.recipes import RunRecipes
from lossfw.runs.compare.row_keys import units_of_run
from lossfw.runs.compare.scores import NO_SCORES, Scores, score_runs
from lossfw.runs.compare.seeds import SeedGroup, SeedMember, have_recipes, loss_names, seed_groups
from lossfw.runs.compare.settings import differing_settings, environment_of
from lossfw.runs.compare.stars import StarCandidate, Stars, star_all, star_candidates


def compare(
    runs: Sequence[FinishedRun],
    *,
    level: float | None = None,
    allow_different_data: bool = False,
    by: Slice | None = None,
    resample: Units | None = None,
    stars: Stars = "all",
    scores: Scores = NO_SCORES,
) -> Comparison:
    """Compare runs with the first one; with `allow_different_data` also without differences.

    By default the intervals have level and method of the first run with intervals, or 95 percent by
    the jackknife. `by` also compares parts of the rows. A star accounts for all differences of a
    measure, or with `each` only for its own. `scores` scores the rows of all runs by one loss
    instead of their own, and by more metrics.
    """
    if len(runs) < 2:
        raise ArgumentError(f"a comparison needs at least two runs, got {len(runs)}.")
    same = all(run.rows_key == runs[0].rows_key for run in runs)
    known = bool((runs[0].record.get("data") or {}).get("digest"))
    if not (same and known) and not allow_different_data:
        other = next((run for run in runs if run.rows_key != runs[0].rows_key), runs[-1])
        raise ArgumentError(
            f"the runs have different data: {runs[0].name} has {runs[0].data}; {other.name} has "
            f"{other.data}. A difference between them would not show the effect of the change. "
            "--allow-different-data lists them without differences."
        )
    if scores.are_given:
        runs = score_runs(runs, scores)
    needs_rows = by is not None or scores.are_given
    with_rows, notes, intervals = _pair_runs(runs, level, resample, needs_rows=needs_rows)
    units = intervals.resample
    measures = tuple(dict.fromkeys(name for run in runs for name in run.numbers))
    numbers = {
        run.name: dict(_numbers_of_run(run, with_rows.get(run.name), intervals)) for run in runs
    }
    judged: dict[str, dict[str, ExplainedDifference]] = {}
    if not allow_different_data:
        for run in runs[1:]:
            judged[run.name] = dict(differences(run, runs[0], numbers, with_rows, intervals))
    found = [one for by_name in judged.values() for one in by_name.values()]
    settings = differing_settings([run.settings for run in runs])
    paired_by = _pairing_text(found, units)
    over_seeds = _group_over_seeds(runs, numbers, with_rows, settings, paired_by, intervals, stars)
    if have_recipes(over_seeds):
        judged, together = _remove_stars(judged), 0
    else:
        judged, together = _add_stars(judged, runs[0].name, with_rows, intervals, stars)
    slices: tuple[ComparedSlice, ...] = ()
    if by is not None:
        rows = {name: one for name, one in with_rows.items() if isinstance(one, RunWithRows)}
        slices, of_slices = compare_slices(runs, rows, by, intervals, stars)
        together = max(together, of_slices)
    notes += [one.note for one in found if one.note is not None]
    notes += _note_other_intervals(runs, numbers, intervals)
    return Comparison(
        runs=tuple(runs),
        given=tuple(runs),
        measures=measures,
        numbers=numbers,
        differences={
            run: {name: one.difference for name, one in by_name.items()}
            for run, by_name in judged.items()
        },
        lacking={
            run: {name: one.lacking for name, one in by_name.items() if one.lacking}
            for run, by_name in judged.items()
        },
        settings=settings,
        surroundings=differing_settings([environment_of(run.record) for run in runs]),
        intervals=intervals,
        paired=bool(judged) and len(with_rows) == len(runs),
        paired_by=paired_by,
        notes=tuple(dict.fromkeys(notes)),
        by="" if by is None else by.by,
        slices=slices,
        together=together,
        over_seeds=over_seeds,
        judge=functools.partial(best_run, runs, numbers, with_rows, intervals),
    )


def _group_over_seeds(
    runs: Sequence[FinishedRun],
    numbers: Mapping[str, Mapping[str, RunNumber]],
    with_rows: Mapping[str, RunWithUnits],
    settings: Mapping[str, Any],
    paired_by: str,
    intervals: Intervals,
    stars: Stars,
) -> tuple[SeedGroup, ...]:
    """Return the runs that differ only in their seed, with differences of recipes if paired."""
    apart = {
        name
        for name in dict.fromkeys(name for run in runs for name in run.numbers)
        if any(incomparable_reason(name, run, runs[0], with_rows) for run in runs[1:])
    }
    apart |= loss_names(apart & {LOSS})
    seeded = []
    for run in runs:
        values = {name: number.value for name, number in numbers[run.name].items()}
        seeded.append(
            SeedMember(run.name, run.settings, values, run.rows_key).select_settings(
                settings, apart
            )
        )
    by_name = {run.name: run for run in runs}
    recipes = RunRecipes(by_name, with_rows, paired_by, intervals.level) if paired_by else None
    return seed_groups(seeded, intervals.level, recipes, stars)


def _remove_stars(
    judged: Mapping[str, Mapping[str, ExplainedDifference]],
) -> dict[str, dict[str, ExplainedDifference]]:
    """Return the differences of runs without stars: one model decides nothing beside recipes."""
    return {
        run: {
            name: one._replace(difference=one.difference._replace(star=""))
            for name, one in by_name.items()
        }
        for run, by_name in judged.items()
    }


def _pair_runs(
    runs: Sequence[FinishedRun],
    level: float | None = None,
    units: Units | None = None,
    *,
    needs_rows: bool = False,
) -> tuple[Mapping[str, RunWithUnits], list[Note], Intervals]:
    """Return the runs with what they are paired by, notes, and the options of intervals."""
    # Level and method are those of the first run that has intervals.
    intervals = next((run.intervals for run in runs if run.intervals is not None), Intervals())
    intervals = intervals if level is None else replace(intervals, level=level)
    strict = units is not None
    units = units or _units_of_all(runs)
    with_rows: Mapping[str, RunWithUnits] = {}
    notes: list[Note] = []
    if all(run.rows_key == runs[0].rows_key for run in runs):
        with_rows, notes = _runs_with_units(runs, units, needs_rows, strict=strict)
    units = next((one.units for one in with_rows.values()), units)
    return with_rows, notes, replace(intervals, resample=units)


def _runs_with_units(
    runs: Sequence[FinishedRun], units: Units | None, needs_rows: bool, *, strict: bool
) -> tuple[Mapping[str, RunWithUnits], list[Note]]:
    """Return the runs with what they are paired by: sums by unit, or rows."""
    damaged: list[Note] = []
    if not needs_rows:
        try:
            found = runs_with_sums(runs, units)
        except DataError as error:
            found, damaged = None, [Note(str(error).removesuffix("."))]
        if found is not None:
            return found
    with_rows, notes = runs_with_rows(runs, units, strict=strict)
    return with_rows, [*damaged, *notes]


def _add_stars(
    judged: Mapping[str, Mapping[str, ExplainedDifference]],
    base: str,
    with_rows: Mapping[str, RunWithUnits],
    intervals: Intervals,
    stars: Stars,
) -> tuple[dict[str, dict[str, ExplainedDifference]], int]:
    """Return the differences with their stars, and how many of a measure a star holds for."""

    def has_star(name: str) -> list[StarCandidate]:
        return [
            one
            for run, by_name in judged.items()
            if name in by_name
            for one in star_candidates((run,), by_name[name].difference, with_rows, run, base, name)
        ]

    names = list(dict.fromkeys(name for by_name in judged.values() for name in by_name))
    marked, size = star_all(names, has_star, intervals, stars)
    found = {
        run: {
            name: one._replace(difference=marked.get((name, (run,)), one.difference))
            for name, one in by_name.items()
        }
        for run, by_name in judged.items()
    }
    return found, size


def _pairing_text(differences: Sequence[ExplainedDifference], units: Units | None) -> str:
    """Return how many units differences are paired by, empty if they are not paired."""
    of = next((one.found for one in differences if one.found is not None and one.found.units), None)
    if of is None or units is None:
        return ""
    described = {"resample": units.to_plain(), "count": of.units, "freedom": of.freedom}
    return counted_units({**described, "column": units.column, "together": of.together})


def _units_of_all(runs: Sequence[FinishedRun]) -> Units | None:
    """Return what the intervals of the runs take as independent; refuse runs that differ."""
    of = {
        run.name: run.intervals.resample
        for run in runs
        if run.intervals is not None and run.intervals.resample is not None
    }
    first = next(iter(of), "")
    for name, units in of.items():
        if units != of[first]:
            raise ArgumentError(
                f"the intervals of {first} are of {of[first].text}, but those of {name} of "
                f"{units.text}: choose one for the differences, as in --resample {units.text}."
            )
    return units_of_run(next(run for run in runs if run.name == first)) if of else None


def _numbers_of_run(
    run: FinishedRun, rows: RunWithUnits | None, intervals: Intervals
) -> Iterator[tuple[str, RunNumber]]:
    """Yield the numbers of a run, with these intervals if they are kept or can be computed."""
    kept = run.intervals
    for name, number in run.numbers.items():
        if number.interval is not None and kept is not None and _are_same_options(kept, intervals):
            yield name, number
        else:
            own = None if rows is None else own_interval(rows, name, intervals)
            yield name, RunNumber(number.value, own)


def _are_same_options(one: Intervals, other: Intervals) -> bool:
    """Tell whether two intervals mean the same; the draws of a bootstrap may differ."""
    plain = [replace(each, seed=0, resample=None) for each in (one, other)]
    kinds = [each.resample and each.resample.to_plain() for each in (one, other)]
    # The result of an older lossfw does not say of which units its intervals are.
    return plain[0] == plain[1] and kinds[0] == kinds[1]


def _note_other_intervals(
    runs: Sequence[FinishedRun],
    numbers: Mapping[str, Mapping[str, RunNumber]],
    intervals: Intervals,
) -> Iterator[Note]:
    """Yield a note about runs whose own intervals are of another kind, and are not shown."""
    left_out = [
        run.name
        for run in runs
        if run.intervals is not None
        and not _are_same_options(run.intervals, intervals)
        and any(
            own.interval is not None and numbers[run.name][name].interval is None
            for name, own in run.numbers.items()
        )
    ]
    if left_out:
        yield Note(
            f"the intervals of {list_names(left_out)} have another level or method than those "
            "shown, so they are left out",
            f"for intervals of one kind, {KEEP_ROWS}",
        )


def compare_folders(
    paths: Sequence[Path],
    plugins: Plugins,
    *,
    level: float | None = None,
    allow_different_data: bool = False,
    by: Slice | None = None,
    resample: Units | None = None,
    stars: Stars = "all",
    scores: Scores = NO_SCORES,
) -> tuple[Comparison, list[str]]:
    """Compare the runs or the trainings in folders, and return messages about unfinished ones.

    For parameters see `compare` and `find_runs`.
    """
    trainings, rest, left_out = find_trainings(paths)
    if (trainings or left_out) and rest:
        raise ArgumentError(
            f"{rest[0]} holds no training, but other folders do: compare trainings with trainings, "
            "and runs with runs."
        )
    if trainings or left_out:
        if by is not None or resample is not None or scores.are_given:
            if scores.are_given:
                option = f"{scores.text} scores rows"
            elif by is not None:
                option = "--by divides rows into slices"
            else:
                option = "--resample says which rows belong together"
            raise ArgumentError(f"{option}, but trainings keep no rows: compare runs.")
        _require_two("trainings", len(trainings), left_out)
        return TrainingComparison.of(trainings, level, stars), left_out
    runs, left_out = find_runs(paths, plugins)
    _require_two("runs", len(runs), left_out)
    found = compare(
        runs,
        level=level,
        allow_different_data=allow_different_data,
        by=by,
        resample=resample,
        stars=stars,
        scores=scores,
    )
    return found, left_out


def winner_of(folders: Sequence[Path | None]) -> BestRun | str | None:
    """Return the best of the runs in folders by their loss; see `best_run`.

    The plugin files of these runs are trusted, because they have just been executed.
    """
    there = [folder for folder in folders if folder is not None]
    if len(there) < len(folders):
        return "the runs are not saved: give --out DIR" if len(folders) >= FEWEST else None
    try:
        runs, _ = find_runs(there, Plugins())
        if len(runs) < FEWEST:
            return None
        if len({run.rows_key for run in runs}) > 1:
            return "the runs have different data"
        settings = differing_settings([run.settings for run in runs])
        numbers = {run.name: {LOSS: run.numbers[LOSS]} for run in runs}
        seeded = [
            SeedMember(run.name, run.settings, {LOSS: run.numbers[LOSS].value}).select_settings(
                settings, set()
            )
            for run in runs
        ]
        with_rows, _, intervals = _pair_runs(runs)
        groups = seed_groups(seeded, intervals.level)
        return best_run(runs, numbers, with_rows, intervals, LOSS, groups)
    except LossfwError as error:
        return str(error).partition("\n")[0].removesuffix(".")


def _require_two(noun: str, count: int, left_out: Sequence[str]) -> None:
    """Refuse to compare too few, with the reason why others are left out."""
    if count < 2 and left_out:
        raise ArgumentError(
            f"a comparison needs at least two {noun}, got {count}: {'; '.join(left_out)}."
        )
