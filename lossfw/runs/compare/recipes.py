"""Differences of recipes, from units and folds of runs or held-out rows of trainings.

A recipe is a way of training, for any seed. The numerics are in
`lossfw.evaluation.intervals.recipes`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lossfw.data.state_file import SavedState
from lossfw.errors import DataError, LossfwError
from lossfw.evaluation.intervals.paired import MeasuredNumber
from lossfw.evaluation.intervals.recipes import (
    LEAST_SEEDS,
    RecipeDifference,
    difference_over_folds,
    mean_difference,
    recipe_difference,
)
from lossfw.runs.compare.finished import (
    FinishedRun,
    FinishedTraining,
    read_finished_training,
)
from lossfw.runs.compare.paired import RunWithRows, RunWithUnits
from lossfw.runs.compare.pairing import have_same_weights
from lossfw.runs.compare.row_keys import GROUP_KEY, HOLD_OUT_GROUPS
from lossfw.runs.folder import TRAINING_FILE
from lossfw.runs.folds import FOLD_FILE, name_of_fold
from lossfw.runs.stored import HELD_OUT

# The settings that draw a training again, and nothing else: another value of any of them is one
# more seed to everything below, such as a repeat with other folds.
DRAWS = ("seed", "train.hold_out.repeat")
FOLDS = "train.hold_out.folds"
_SHARE, _FOLD, _TIME = (f"train.hold_out.{key}" for key in ("fraction", "fold", "time"))
# What the folder of a fold has.
_FILES = (TRAINING_FILE, FOLD_FILE)
# Settings that say which rows there are, and which of them are held out.
_OF_ROWS = ("data.", "train.hold_out.")
# Those of a recipe itself: what it makes of the inputs, and when it stops.
_OF_RECIPE = ("data.inputs_key", "data.standardize", "train.hold_out.patience", *DRAWS)


class Recipe(NamedTuple):
    """A difference of recipes, and its description."""

    difference: RecipeDifference
    words: str


# The difference of a measure over pairs of runs, or of trainings, with equal seeds, by their names,
# that of the base second; None where it is not one of recipes.
Judge: TypeAlias = Callable[[str, Sequence[tuple[str, str]]], Recipe | None]


@dataclass(eq=False)
class RunRecipes:
    """Compares recipes by runs on the same rows: by their units and folds.

    Attributes
    ----------
    runs : mapping of str to FinishedRun
    with_units : mapping of str to RunWithUnits
        Those that can be paired.
    units : str
        The units of the pairing, in words.
    level : float
        That of the intervals.
    """

    runs: Mapping[str, FinishedRun]
    with_units: Mapping[str, RunWithUnits]
    units: str
    level: float

    def __call__(self, name: str, pairs: Sequence[tuple[str, str]]) -> Recipe | None:
        """Return the difference of a measure; see `Judge`."""
        measured = [
            (self._measure_run(one, name), self._measure_run(base, name)) for one, base in pairs
        ]
        known = [(one, base) for one, base in measured if one is not None and base is not None]
        if len(known) < len(pairs) or len(pairs) < LEAST_SEEDS:
            return None
        first, *others = (self.with_units[run] for pair in pairs for run in pair)
        if not all(have_same_weights(other, first, name) for other in others):
            return None
        mean = mean_difference(known, first.units)
        by_seed = [float(one.value - base.value) for one, base in known]
        by_fold = self._differences_by_fold(name, pairs)
        found = recipe_difference(by_seed, mean, by_fold, self.level)
        if found is None:
            return None
        draws = _format_draws([self.runs[one].settings for one, _ in pairs])
        words = f"{self.units} and {draws}"
        if FOLDS not in self.runs[pairs[0][0]].settings:
            words += ", given the training rows"
        if by_fold is not None:
            words = f"{len(by_fold[0])} folds x {draws}, corrected for shared rows"
        return Recipe(found, words)

    def _measure_run(self, run: str, name: str) -> MeasuredNumber | None:
        found = self.with_units[run].estimate_metric(name) if run in self.with_units else None
        return found if found is not None and found.value.shape == () else None

    def _differences_by_fold(
        self, name: str, pairs: Sequence[tuple[str, str]]
    ) -> list[list[float]] | None:
        """Return the difference of each fold of each pair, None unless all have the same folds."""
        found = []
        for one, base in pairs:
            if _row_settings(self.runs[one].settings) != _row_settings(self.runs[base].settings):
                return None
            mine, theirs = self._numbers_by_fold(one, name), self._numbers_by_fold(base, name)
            if not mine or len(mine) != len(theirs):
                return None
            found.append([a - b for a, b in zip(mine, theirs, strict=True)])
        return found if np.isfinite(found).all() else None

    def _numbers_by_fold(self, run: str, name: str) -> list[float]:
        """Return a number of the rows of each fold; empty if the folds do not have it."""
        folds, whole = _folds_of(self.runs[run]), self.with_units[run]
        if name in self.runs[run].scores and isinstance(whole, RunWithRows):
            # The trainings do not know what the rows were scored by.
            return [_number_of_fold(whole, fold, name) for fold in folds]
        numbers = [fold.numbers.get(f"{HELD_OUT}{name}") for fold in folds]
        return [float(number) for number in numbers if isinstance(number, int | float)]


@functools.cache
def _folds_of(run: FinishedRun) -> tuple[FinishedTraining, ...]:
    """Return the trainings of a run of all folds; none where they are not beside it.

    Periods of time do not count as folds: each one is judged by a model of more rows than the last.
    """
    count = run.settings.get(FOLDS)
    if not isinstance(count, int) or run.settings.get(_TIME):
        return ()
    folders = [run.path / name_of_fold(fold) for fold in range(count)]
    if not all((folder / file).is_file() for folder in folders for file in _FILES):
        return ()
    return tuple(read_finished_training(folder, folder.name) for folder in folders)


def _number_of_fold(whole: RunWithRows, fold: FinishedTraining, name: str) -> float:
    """Return a number of the rows that a fold held out, NaN if they do not give it."""
    assert fold.path is not None
    path = fold.path / FOLD_FILE
    try:
        held_out = SavedState.read(path)[1]["rows"]
    except (LossfwError, KeyError):
        raise DataError(f"{path} is damaged: train again.") from None
    part = whole.select_part(np.flatnonzero(np.isin(whole.rows.row, held_out)))
    found = part.estimate_metric(name)
    return float("nan") if found is None else float(found.value)


def recipes_of_trainings(trainings: Sequence[FinishedTraining]) -> Judge:
    """Return the comparison of recipes by trainings whose seeds hold out different rows."""
    by_name = {one.name: one for one in trainings}

    def judge(name: str, pairs: Sequence[tuple[str, str]]) -> Recipe | None:
        every = [by_name[one].settings for pair in pairs for one in pair]
        share = _held_out_fraction(every[0])
        same = all(_row_settings(one) == _row_settings(every[0]) for one in every)
        if not (name.startswith(HELD_OUT) and share and same and len(pairs) >= LEAST_SEEDS):
            return None
        numbers = [[by_name[one].numbers[name] for one in pair] for pair in pairs]
        less = [[one - base] for one, base in numbers]
        if not np.isfinite(less).all():
            return None
        found = difference_over_folds(less, share)
        held_out = f"{share:.0%} of the {_held_out_text(every[0])}"
        words = (
            f"{_format_draws(every[::2])} that each hold out {held_out}, corrected for shared rows"
        )
        return Recipe(found, words) if found.error > 0.0 else None

    return judge


def _format_draws(settings: Sequence[Mapping[str, Any]]) -> str:
    """Return how many draws there are, in words: a repeat changes nothing but the folds."""
    count, seeds = len(settings), len({repr(own.get(DRAWS[0])) for own in settings})
    if seeds == count:
        return f"{count} seeds"
    return f"{count} repeats of {'one seed' if seeds == 1 else f'{seeds} seeds'}"


def _held_out_fraction(settings: Mapping[str, Any]) -> float | None:
    """Return the fraction of the rows that the seed draws to be held out; None if it draws none."""
    if settings.get(_TIME):
        return None
    if isinstance(settings.get(FOLDS), int) and settings.get(_FOLD) is not None:
        return 1.0 / float(settings[FOLDS])
    share = settings.get(_SHARE)
    return float(share) if isinstance(share, int | float) else None


def _held_out_text(settings: Mapping[str, Any]) -> str:
    """Return what is held out as a whole, in words."""
    named = settings.get(HOLD_OUT_GROUPS) or settings.get(GROUP_KEY)
    return f"groups ({named})" if named else "rows, taken as independent"


def _row_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that say which rows there are, and which of them are held out.

    Arrays of a mapping lie in the folder of each run, and the digest of the data holds them.
    """
    return {
        key: repr(value)
        for key, value in settings.items()
        if key.startswith(_OF_ROWS)
        and not key.startswith(_OF_RECIPE)
        and Path(str(value)).name != f"{key}.npy"
    }
