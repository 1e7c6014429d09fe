"""A comparison of runs or trainings: their numbers, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from lossfw.components import notebook
from lossfw.components.naming import did_you_mean
from lossfw.errors import ArgumentError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.runs.compare.best import BestRun
from lossfw.runs.compare.differences import Note
from lossfw.runs.compare.finished import LOSS, FinishedRun, FinishedTraining, RunNumber
from lossfw.runs.compare.recipes import recipes_of_trainings
from lossfw.runs.compare.seeds import SeedGroup, SeedMember, have_recipes, loss_names, seed_groups
from lossfw.runs.compare.settings import differing_settings, environment_of, format_setting
from lossfw.runs.compare.stars import Stars
from lossfw.runs.stored import HELD_OUT

# Version of the JSON objects that `Comparison.to_dict` and `TrainingComparison.to_dict` give.
COMPARISON_VERSION = 1

_T = TypeVar("_T")


class _NumbersByRun:
    """Numbers and differences by run and measure."""

    numbers: Mapping[str, Mapping[str, RunNumber]]
    differences: Mapping[str, Mapping[str, RunNumber]]

    def number(self, run: Any, name: str) -> RunNumber:
        """Return a measure of a run; its value is None if the run does not have it."""
        return self.numbers[run.name].get(name) or RunNumber(None)

    def difference(self, run: Any, name: str) -> RunNumber:
        """Return a difference of a run from the baseline; its value is None if there is none."""
        return self.differences.get(run.name, {}).get(name) or RunNumber(None)


@dataclass(frozen=True)
class ComparedSlice(_NumbersByRun):
    """A part of the rows with the numbers and differences of all runs.

    Attributes
    ----------
    value : str
        The common value of the rows.
    count : int
        The number of units.
    numbers, differences : mapping of str to mapping
        By run and measure, as those of `Comparison`.
    """

    value: str
    count: int
    numbers: Mapping[str, Mapping[str, RunNumber]]
    differences: Mapping[str, Mapping[str, RunNumber]]


@dataclass(frozen=True, eq=False)
class Comparison(_NumbersByRun):
    """Runs with their numbers and differences.

    Attributes
    ----------
    runs : tuple of FinishedRun
        In the order of the table.
    given : tuple of FinishedRun
        The runs in the order of the arguments, as in the lists of values below.
    measures : tuple of str
        ``loss`` and the metrics, in the order of the first run that has them.
    numbers : mapping of str to mapping
        By run and measure, without the measures that a run does not have.
    settings : mapping of str to list
        The keys of the configuration in which runs differ, with the values.
    intervals : Intervals
        Level and method of the intervals.
    notes : tuple of Note
        Remarks about the numbers.
    differences : mapping of str to mapping
        By run and measure; empty if the runs have different data.
    lacking : mapping of str to mapping
        By run and measure, why a difference has no interval.
    surroundings : mapping of str to list
        Like `settings`, for versions, weights and git.
    paired : bool
        Whether all runs have rows for pairing.
    paired_by : str
        The units of paired differences, in words; empty if they are not paired.
    by : str
        The property that defines `slices`; empty without slices.
    slices : tuple of ComparedSlice
        Parts of the rows.
    together : int
        The number of differences of a measure that a star accounts for.
    over_seeds : tuple of SeedGroup
        Runs that differ only in their seed, with means and deviations, in the given order; may be
        empty.
    judge : callable or None
        Finds the best run by a measure; None if there is none.
    """

    runs: tuple[Any, ...]
    given: tuple[Any, ...]
    measures: tuple[str, ...]
    numbers: Mapping[str, Mapping[str, RunNumber]]
    settings: Mapping[str, list[Any]]
    intervals: Intervals
    notes: tuple[Note, ...] = ()
    differences: Mapping[str, Mapping[str, RunNumber]] = field(default_factory=dict)
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    surroundings: Mapping[str, list[Any]] = field(default_factory=dict)
    paired: bool = False
    paired_by: str = ""
    by: str = ""
    slices: tuple[ComparedSlice, ...] = ()
    together: int = 0
    over_seeds: tuple[SeedGroup, ...] = ()
    judge: Callable[[str, Sequence[SeedGroup]], BestRun | str | None] | None = None
    # By what the runs are in order, and whether the largest comes first; empty for the order given.
    order: tuple[str, bool] = ("", False)

    # What is compared, and the columns that its tables have before the measures.
    kind: ClassVar[str] = "run"

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """The titles of additional cells of a run."""
        return ()

    def extra_cells(self, run: Any) -> tuple[str, ...]:
        """Return the cells of a run in `extra_columns`."""
        return ()

    @property
    def single(self) -> tuple[str, ...]:
        """The measures that are a single number in every run: the columns of a table."""
        return tuple(
            name
            for name in self.measures
            if all(n[name].single for n in self.numbers.values() if name in n)
        )

    @property
    def sliced(self) -> tuple[str, ...]:
        """The measures of `single` that some part of the rows has."""
        return tuple(
            name
            for name in self.single
            if any(part.number(run, name).single for part in self.slices for run in self.runs)
        )

    @property
    def lists(self) -> tuple[str, ...]:
        """The measures with several numbers, which tables do not show."""
        return tuple(name for name in self.measures if name not in self.single)

    @property
    def seeds(self) -> tuple[SeedGroup, ...]:
        """`over_seeds` in the order of the runs."""
        (key, reverse), groups = self.order, self.over_seeds
        # One decides by the means: they have the order of the runs.
        return _sort_by(groups, lambda group: _value_of(group, key), reverse) if key else groups

    @cached_property
    def winner(self) -> BestRun | str | None:
        """The best of three or more runs, corrected for the choice, or why there is none.

        It is chosen by the measure by which the runs are sorted, otherwise by the loss.
        """
        by = self.order[0] if self.order[0] in self.measures else LOSS
        return None if self.judge is None or not self.differences else self.judge(by, self.seeds)

    @property
    def has_recipes(self) -> bool:
        """Whether any difference over seeds is a difference of recipes."""
        return have_recipes(self.over_seeds)

    @property
    def baseline(self) -> FinishedRun:
        """The run with which others are compared: the first argument."""
        run: FinishedRun = self.given[0]
        return run

    def title(self, name: str) -> str:
        """Return the title of a measure; the loss has its name if that is the same in all runs."""
        names = {run.loss_name for run in self.runs}
        return f"{LOSS} ({names.pop()})" if name == LOSS and len(names) == 1 else name

    def sorted(self, key: str, *, reverse: bool = False) -> Self:
        """Return the comparison in the order of a measure or a setting, missing values last.

        Parameters
        ----------
        key : str
            A measure that is one number, a key in which the runs differ, or ``name``.
        reverse : bool
            Whether the largest comes first.

        Raises
        ------
        ArgumentError
            For an unknown key.
        """
        # A measure comes before a setting of the same name.
        keys = dict.fromkeys(("name", *self.single, *self.settings))
        if key not in keys:
            guess = did_you_mean(key, keys) or f"There are {', '.join(keys)}."
            raise ArgumentError(f"--sort {key}: the {self.kind}s do not have that. {guess}")
        runs = _sort_by(self.runs, lambda run: self._value(run, key), reverse)
        return replace(self, runs=runs, order=(key, reverse))

    def _value(self, run: Any, key: str) -> Any:
        if key in self.single:
            return self.number(run, key).value
        return run.name if key == "name" else run.settings.get(key)

    def __str__(self) -> str:
        """Return the tables of numbers, differences and settings, as a notebook shows them."""
        texts = [notebook.align_columns([headers, *rows]) for rows, headers in self._tables()]
        return "\n\n".join([*texts, *(f"note: {note}" for note in self.notes)])

    def __repr__(self) -> str:
        names = ", ".join(repr(run.name) for run in self.given)
        return f"{type(self).__name__}({names})"

    def _repr_html_(self) -> str:
        """Return the comparison for a notebook: its numbers, differences and settings."""
        return "".join(notebook.html_table(rows, headers) for rows, headers in self._tables())

    def _tables(self) -> Iterator[tuple[list[tuple[str, ...]], tuple[str, ...]]]:
        """Yield rows and headers of each table of a notebook."""
        titles = [self.title(name) for name in self.single]
        numbers = []
        for run in self.runs:
            texts = (
                notebook.format_interval(n.value, n.interval)
                for n in (self.number(run, name) for name in self.single)
            )
            numbers.append((run.name, *self.extra_cells(run), *texts))
        less = []
        for run in (run for run in self.runs if run.name in self.differences):
            differences = [self.difference(run, name) for name in self.single]
            texts = (
                f"{notebook.format_interval(d.value, d.interval)}{d.mark}" for d in differences
            )
            less.append((run.name, *texts))
        over_seeds = []
        for group in (group for group in self.seeds if group.base):
            of = [group.difference(name, recipes=self.has_recipes) for name in self.single]
            texts = (f"{notebook.format_interval(d.value, d.interval)}{d.mark}" for d in of)
            over_seeds.append((group.name, *texts))
        settings = [(key, *map(format_setting, values)) for key, values in self.settings.items()]
        yield numbers, (self.kind, *self.extra_columns, *titles)
        if less:
            yield less, (f"less {self.baseline.name}", *titles)
        if over_seeds:
            yield over_seeds, (f"over seeds less {self.over_seeds[0].name}", *titles)
        if settings:
            yield settings, ("setting", *(run.name for run in self.given))

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain numbers, texts and lists, for JSON."""
        winner = self.winner
        slices = [
            {
                "value": part.value,
                "count": part.count,
                "runs": [{"name": run.name, **_numbers_to_dict(part, run)} for run in self.runs],
            }
            for part in self.slices
        ]
        return {
            "lossfw": COMPARISON_VERSION,
            "baseline": self.baseline.name,
            "paired": self.paired,
            "paired_by": self.paired_by,
            "intervals": self.intervals.to_dict(),
            "stars_hold_for": self.together,
            "differing": {
                "settings": list(self.settings),
                "surroundings": list(self.surroundings),
            },
            "runs": [self._run(run) for run in self.runs],
            "seeds": [group.to_dict() for group in self.seeds],
            "winner": {"why": winner} if isinstance(winner, str) else winner and winner.to_dict(),
            "notes": [str(note) for note in self.notes],
            **({"by": self.by, "slices": slices} if self.by else {}),
        }

    def _run(self, run: FinishedRun) -> dict[str, Any]:
        values = environment_of(run.record)
        return {
            "name": run.name,
            "folder": str(run.path),
            "data": dict(run.record.get("data") or {}),
            "settings": {key: run.settings.get(key) for key in self.settings},
            "surroundings": {key: values.get(key) for key in self.surroundings},
            **_numbers_to_dict(self, run),
            "lacking": dict(self.lacking.get(run.name, {})),
        }


class TrainingComparison(Comparison):
    """Trainings side by side: their curves, and the numbers of their models.

    It has no differences; `runs` and `given` are tuples of FinishedTraining.
    """

    kind: ClassVar[str] = "training"

    @classmethod
    def of(
        cls,
        trainings: Sequence[FinishedTraining],
        level: float | None = None,
        stars: Stars = "all",
    ) -> Self:
        """Compare trainings; `level` and `stars` are those of differences over seeds.

        Raises
        ------
        ArgumentError
            If there are fewer than two.
        """
        if len(trainings) < 2:
            raise ArgumentError(f"a comparison needs at least two trainings, got {len(trainings)}.")
        names = dict.fromkeys(name for one in trainings for name in one.numbers)
        losses = sorted({one.loss_name for one in trainings})
        note = Note(
            f"the losses {', '.join(losses)} are different losses",
            "name one loss among evaluate.metrics of all trainings to compare it",
        )
        settings = differing_settings([one.settings for one in trainings])
        intervals = Intervals() if level is None else Intervals(level)
        apart = loss_names(settings) if len(losses) == 1 else loss_names([LOSS])
        seeded = [
            SeedMember(one.name, one.settings, one.numbers).select_settings(settings, apart)
            for one in trainings
        ]
        return cls(
            tuple(trainings),
            tuple(trainings),
            # Numbers of held-out rows follow the others, in every training.
            tuple(sorted(names, key=lambda name: name.startswith(HELD_OUT))),
            {one.name: {n: RunNumber(v) for n, v in one.numbers.items()} for one in trainings},
            settings,
            intervals,
            (note,) if len(losses) > 1 else (),
            over_seeds=seed_groups(seeded, intervals.level, recipes_of_trainings(trainings), stars),
        )

    @property
    def unit_name(self) -> str:
        """What the models are trained by: ``"round"``, ``"epoch"``, or both."""
        return " or ".join(sorted({one.unit_name for one in self.runs}, reverse=True))

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """The title of the column for the round, or epoch, of the model."""
        return (self.unit_name,)

    @property
    def single(self) -> tuple[str, ...]:
        """All measures, because rounds and epochs have only single numbers."""
        return self.measures

    def extra_cells(self, run: FinishedTraining) -> tuple[str, ...]:
        """Return the round, or epoch, of the model."""
        return (str(run.kept),)

    def best(self, count: int) -> tuple[FinishedTraining, ...]:
        """Return the trainings with the least loss, of held-out rows if all have some.

        If the losses differ, those of the first run.
        """
        held_out = all(f"{HELD_OUT}{LOSS}" in one.numbers for one in self.runs)
        ranked = self if self.notes else self.sorted(f"{HELD_OUT}{LOSS}" if held_out else LOSS)
        return ranked.runs[:count]

    def _repr_html_(self) -> str:
        """Return the comparison for a notebook: curves of the loss, last numbers, settings."""
        places = sorted({number for one in self.runs for number in one.measured})
        # Between two of its measured rounds a curve is straight.
        curves = {
            one.name: np.interp(places, one.measured, one.curve(LOSS), right=np.nan).tolist()
            for one in self.runs
        }
        lines = notebook.svg_lines(places, curves, self.unit_name)
        return f"{notebook.html_heading(self.title(LOSS))}{lines}{super()._repr_html_()}"

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain numbers, texts and lists, for JSON."""
        return {
            "lossfw": COMPARISON_VERSION,
            "differing": list(self.settings),
            "trainings": [
                {
                    "name": one.name,
                    "folder": None if one.path is None else str(one.path),
                    "loss": one.loss_name,
                    "kept": one.kept,
                    "measured": one.measured,
                    "settings": {key: one.settings.get(key) for key in self.settings},
                    "numbers": one.numbers,
                    "curves": {name: c for name in one.numbers if (c := one.curve(name))},
                }
                for one in self.runs
            ],
            "seeds": [group.to_dict() for group in self.seeds],
            "notes": [str(note) for note in self.notes],
        }


def _numbers_to_dict(source: _NumbersByRun, run: FinishedRun) -> dict[str, Any]:
    """Return the numbers and the differences of a run as plain values."""
    differences = source.differences.get(run.name, {})
    return {
        "numbers": {name: n.to_dict() for name, n in source.numbers[run.name].items()},
        "differences": {name: d.to_dict() for name, d in differences.items()},
    }


def _sort_by(items: Sequence[_T], value: Callable[[_T], Any], reverse: bool) -> tuple[_T, ...]:
    """Return items in the order of a value of each, those without one last."""
    ranks = [(_sort_key(value(item)), item) for item in items]
    missing = [item for rank, item in ranks if rank is None]
    present = [(rank, item) for rank, item in ranks if rank is not None]
    present.sort(key=lambda pair: pair[0], reverse=reverse)
    return (*(item for _, item in present), *missing)


def _value_of(group: SeedGroup, key: str) -> Any:
    """Return the mean of a measure of a group, or its setting of this name."""
    return group.numbers[key].mean if key in group.numbers else group.settings.get(key)


def _sort_key(value: Any) -> tuple[int, float, str] | None:
    """Return a key that sorts numbers before texts; None for a value that has no place."""
    if isinstance(value, int | float):
        return None if value != value else (0, float(value), "")
    return None if value is None else (1, 0.0, str(value))
