"""Comparison: runs beside each other, each with its differences from the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from lossfw.components.naming import did_you_mean
from lossfw.errors import ArgumentError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.runs.compare.finished_run import LOSS, FinishedRun, RunNumber
from lossfw.runs.compare.settings import surroundings

# Version of the JSON object that `Comparison.to_dict` gives.
COMPARISON_VERSION = 1


class Difference(NamedTuple):
    """A loss or a metric of a run, less that of the baseline.

    Attributes
    ----------
    value : float or nested list of float or None
        None where the two cannot be compared.
    interval : list or None
        From the same rows of both; two floats in place of each float of `value`.
    """

    value: Any
    interval: Any = None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        ends = self.interval
        return bool(isinstance(self.value, float) and ends and (ends[0] > 0 or ends[1] < 0))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs beside each other.

    Attributes
    ----------
    runs : tuple of FinishedRun
        As they are listed.
    given : tuple of FinishedRun
        As they were given; the lists of values below have this order.
    measures : tuple of str
        ``loss`` and the metrics, in the order of the first run that has them.
    numbers : mapping of str to mapping
        By run and measure; measures that a run lacks are left out.
    differences : mapping of str to mapping
        By run and measure; empty where the runs have different data.
    settings, around : mapping of str to list
        The keys of the configuration, and what besides, in which runs differ.
    intervals : Intervals
        How sure the intervals are.
    paired : bool
        Whether every difference could be paired by row.
    notes : tuple of str
        What to know about the numbers.
    """

    runs: tuple[FinishedRun, ...]
    given: tuple[FinishedRun, ...]
    measures: tuple[str, ...]
    numbers: Mapping[str, Mapping[str, RunNumber]]
    differences: Mapping[str, Mapping[str, Difference]]
    settings: Mapping[str, list[Any]]
    around: Mapping[str, list[Any]]
    intervals: Intervals
    paired: bool
    notes: tuple[str, ...]

    @property
    def single(self) -> tuple[str, ...]:
        """The measures that are one number in every run, and so stand in a table."""
        return tuple(
            name
            for name in self.measures
            if all(n[name].single for n in self.numbers.values() if name in n)
        )

    @property
    def baseline(self) -> FinishedRun:
        """What the others are compared with: the first that was given."""
        return self.given[0]

    def title(self, name: str) -> str:
        """Return what a measure is called in a table: the loss by its name, where that is one."""
        names = {run.loss_name for run in self.runs}
        return f"{LOSS} ({names.pop()})" if name == LOSS and len(names) == 1 else name

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as it is written to JSON: plain numbers, texts and lists."""
        return {
            "lossfw": COMPARISON_VERSION,
            "baseline": self.baseline.name,
            "paired": self.paired,
            "intervals": self.intervals.to_dict(),
            "differing": {
                "settings": list(self.settings),
                "surroundings": list(self.around),
            },
            "runs": [self._run(run) for run in self.runs],
            "notes": list(self.notes),
        }

    def _run(self, run: FinishedRun) -> dict[str, Any]:
        around = surroundings(run.record)
        return {
            "name": run.name,
            "folder": str(run.path),
            "data": dict(run.record.get("data") or {}),
            "settings": {key: run.settings.get(key) for key in self.settings},
            "surroundings": {key: around.get(key) for key in self.around},
            "numbers": {name: n._asdict() for name, n in self.numbers[run.name].items()},
            "differences": {
                name: d._asdict() for name, d in self.differences.get(run.name, {}).items()
            },
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
        if key in self.single:
            values = {run.name: self._value(run, key) for run in self.runs}
        elif key in self.settings:
            values = {run.name: run.settings.get(key) for run in self.runs}
        elif key == "name":
            values = {run.name: run.name for run in self.runs}
        else:
            known = ("name", *self.single, *self.settings)
            guess = did_you_mean(key, known) or f"There are {', '.join(known)}."
            raise ArgumentError(f"--sort {key}: the runs do not have that. {guess}")
        # What is missing comes last, whichever way.
        there = [run for run in self.runs if _rank(values[run.name]) is not None]
        missing = [run for run in self.runs if _rank(values[run.name]) is None]
        there.sort(key=lambda run: _rank(values[run.name]) or (0, 0.0, ""), reverse=reverse)
        return replace(self, runs=(*there, *missing))

    def _value(self, run: FinishedRun, name: str) -> Any:
        return self.numbers[run.name][name].value if name in self.numbers[run.name] else None


def _rank(value: Any) -> tuple[int, float, str] | None:
    if isinstance(value, int | float):
        return None if value != value else (0, float(value), "")
    return None if value is None else (1, 0.0, str(value))
