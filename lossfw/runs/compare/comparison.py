"""Comparison: the numbers of runs, and their differences from the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

from lossfw.components import notebook
from lossfw.evaluation.intervals.options import Intervals
from lossfw.runs.compare.finished_run import LOSS, FinishedRun, RunNumber
from lossfw.runs.compare.notes import Note
from lossfw.runs.compare.ordering import in_order
from lossfw.runs.compare.seeds import Seeded, SeedGroup, seed_groups
from lossfw.runs.compare.settings import surroundings

# Version of the JSON object that `Comparison.to_dict` gives.
COMPARISON_VERSION = 1


class Difference(NamedTuple):
    """A loss or a metric of a run, less that of the baseline.

    Attributes
    ----------
    value : float or nested list of float or None
        None if the two cannot be compared.
    interval : list or None
        Paired by row; two floats in place of each float of `value`.
    """

    value: Any
    interval: Any = None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        ends = self.interval
        return bool(isinstance(self.value, float) and ends and (ends[0] > 0 or ends[1] < 0))


class _ByRun:
    """Numbers and differences by run and measure."""

    numbers: Mapping[str, Mapping[str, RunNumber]]
    differences: Mapping[str, Mapping[str, Difference]]

    def number(self, run: FinishedRun, name: str) -> RunNumber:
        """Return a measure of a run; its value is None if there is none."""
        return self.numbers[run.name].get(name) or RunNumber(None)

    def difference(self, run: FinishedRun, name: str) -> Difference:
        """Return a difference of a run; its value is None if there is none."""
        return self.differences.get(run.name, {}).get(name) or Difference(None)


@dataclass(frozen=True)
class ComparedSlice(_ByRun):
    """A part of the rows with the numbers and differences of all runs.

    Attributes
    ----------
    value : str
        What the rows have in common.
    count : int
        How many there are.
    numbers, differences : mapping of str to mapping
        By run and measure, as those of `Comparison`.
    """

    value: str
    count: int
    numbers: Mapping[str, Mapping[str, RunNumber]]
    differences: Mapping[str, Mapping[str, Difference]]


@dataclass(frozen=True, eq=False)
class Comparison(_ByRun):
    """Runs with their numbers and differences.

    Attributes
    ----------
    runs : tuple of FinishedRun
        In the order of the table.
    given : tuple of FinishedRun
        In the order of the arguments, which the lists of values below have.
    measures : tuple of str
        ``loss`` and the metrics, in the order of the first run that has them.
    numbers : mapping of str to mapping
        By run and measure, without the measures that a run does not have.
    differences : mapping of str to mapping
        By run and measure; empty if the runs have different data.
    lacking : mapping of str to mapping
        By run and measure, why a difference has no interval.
    settings : mapping of str to list
        The keys of the configuration in which runs differ, with the values.
    surroundings : mapping of str to list
        The same for versions, weights and git.
    intervals : Intervals
        Level and method of the intervals.
    paired : bool
        Whether the rows of all runs are there to be paired.
    notes : tuple of Note
        Remarks about the numbers.
    by : str
        What tells the rows of `slices` apart; empty without any.
    slices : tuple of ComparedSlice
        Parts of the rows.
    """

    runs: tuple[FinishedRun, ...]
    given: tuple[FinishedRun, ...]
    measures: tuple[str, ...]
    numbers: Mapping[str, Mapping[str, RunNumber]]
    differences: Mapping[str, Mapping[str, Difference]]
    lacking: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, list[Any]]
    surroundings: Mapping[str, list[Any]]
    intervals: Intervals
    paired: bool
    notes: tuple[Note, ...]
    by: str = ""
    slices: tuple[ComparedSlice, ...] = ()

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
        """The measures of `single` that any part of the rows has."""
        return tuple(
            name
            for name in self.single
            if any(part.number(run, name).single for part in self.slices for run in self.runs)
        )

    @property
    def lists(self) -> tuple[str, ...]:
        """The measures that are several numbers, which no table shows."""
        return tuple(name for name in self.measures if name not in self.single)

    @cached_property
    def seeds(self) -> tuple[SeedGroup, ...]:
        """Runs that differ in their seed alone, with means and spreads; empty without any."""
        return seed_groups([self._seeded(run) for run in self.given], self.intervals.level)

    def _seeded(self, run: FinishedRun) -> Seeded:
        alike = len({one.loss_name for one in self.given}) == 1
        numbers = {
            name: float(number.value)
            for name, number in self.numbers[run.name].items()
            # Losses of different names are different things.
            if number.single and (alike or name != LOSS)
        }
        settings = {key: run.settings.get(key) for key in self.settings}
        return Seeded(run.name, settings, numbers, run.rows_key)

    @property
    def baseline(self) -> FinishedRun:
        """The run that the others are compared with: the first argument."""
        return self.given[0]

    def title(self, name: str) -> str:
        """Return the title of a measure; the loss has its name if that is the same in all runs."""
        names = {run.loss_name for run in self.runs}
        return f"{LOSS} ({names.pop()})" if name == LOSS and len(names) == 1 else name

    def _repr_html_(self) -> str:
        """Return the comparison for a notebook: its numbers, differences and settings."""
        headers = ("run", *(self.title(name) for name in self.single))
        numbers = [
            (run.name, *(notebook.with_ends(*self.number(run, name)) for name in self.single))
            for run in self.runs
        ]
        less = [
            (run.name, *(_difference(self.difference(run, name)) for name in self.single))
            for run in self.runs
            if run.name in self.differences
        ]
        parts = [notebook.table(numbers, headers)]
        if less:
            parts.append(notebook.table(less, (f"less {self.baseline.name}", *headers[1:])))
        if self.settings:
            names = ("setting", *(run.name for run in self.given))
            rows = [(key, *map(notebook.number, of)) for key, of in self.settings.items()]
            parts.append(notebook.table(rows, names))
        return "".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain numbers, texts and lists, for JSON."""
        return {
            "lossfw": COMPARISON_VERSION,
            "baseline": self.baseline.name,
            "paired": self.paired,
            "intervals": self.intervals.to_dict(),
            "differing": {
                "settings": list(self.settings),
                "surroundings": list(self.surroundings),
            },
            "runs": [self._run(run) for run in self.runs],
            "seeds": [group.to_dict() for group in self.seeds],
            "notes": [str(note) for note in self.notes],
            **self._slices(),
        }

    def _slices(self) -> dict[str, Any]:
        """Return the parts of the rows as plain values; nothing where none were asked for."""
        if not self.by:
            return {}
        parts = [
            {
                "value": part.value,
                "count": part.count,
                "runs": [
                    {
                        "name": run.name,
                        "numbers": _plain(part.numbers[run.name]),
                        "differences": _plain(part.differences.get(run.name, {})),
                    }
                    for run in self.runs
                ],
            }
            for part in self.slices
        ]
        return {"by": self.by, "slices": parts}

    def _run(self, run: FinishedRun) -> dict[str, Any]:
        values = surroundings(run.record)
        return {
            "name": run.name,
            "folder": str(run.path),
            "data": dict(run.record.get("data") or {}),
            "settings": {key: run.settings.get(key) for key in self.settings},
            "surroundings": {key: values.get(key) for key in self.surroundings},
            "numbers": _plain(self.numbers[run.name]),
            "differences": _plain(self.differences.get(run.name, {})),
            "lacking": dict(self.lacking.get(run.name, {})),
        }

    def sorted(self, key: str, *, reverse: bool = False) -> Comparison:
        """Return the comparison with its runs in the order of a measure or a setting.

        Parameters
        ----------
        key : str
            A measure that is one number, or a key in which the runs differ.
        reverse : bool
            The largest first.

        Raises
        ------
        ArgumentError
            If there is no such key.
        """
        # A measure comes before a setting of the same name.
        values: dict[str, Callable[[FinishedRun], Any]] = {
            "name": lambda run: run.name,
            **{name: partial(self._measured, name) for name in self.single},
        }
        for name in self.settings:
            values.setdefault(name, partial(_setting, name))
        runs = in_order(self.runs, key, values, called="runs", reverse=reverse)
        return replace(self, runs=runs)

    def _measured(self, name: str, run: FinishedRun) -> Any:
        return self.number(run, name).value


def _plain(numbers: Mapping[str, RunNumber | Difference]) -> dict[str, Any]:
    return {name: number._asdict() for name, number in numbers.items()}


def _setting(name: str, run: FinishedRun) -> Any:
    return run.settings.get(name)


def _difference(difference: Difference) -> str:
    star = " *" if difference.clear else ""
    return f"{notebook.with_ends(*difference)}{star}"
