"""The results of all runs of a sweep, for work in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from lossfw.components import notebook
from lossfw.errors import LossfwError
from lossfw.evaluation.result import Result
from lossfw.runs.compare.comparison import TrainingComparison
from lossfw.runs.compare.finished import FinishedTraining
from lossfw.runs.compare.settings import differing_settings, format_setting

R = TypeVar("R")


class SweepResults(Mapping[str, R]):
    """The results of the runs of a sweep by name, in the order of the sweep.

    Parameters
    ----------
    results : mapping of str to Result or TrainingResult
        Those of the runs that did not fail.
    settings : mapping of str to mapping
        The configuration of each of these runs by its dotted keys.
    failures : mapping of str to LossfwError
        Why the others failed.
    held_out : mapping of str to Result, optional
        For trainings with folds, the result of all rows by models that have not seen them, by the
        settings of the sweep; the name is empty without a sweep.

    Attributes
    ----------
    settings : mapping of str to mapping
        By run, the keys in which the runs differ with their values.
    failures, held_out : mapping
        As above.
    """

    def __init__(
        self,
        results: Mapping[str, R],
        settings: Mapping[str, Mapping[str, Any]],
        failures: Mapping[str, LossfwError],
        held_out: Mapping[str, Result] | None = None,
    ) -> None:
        self._results, self._whole, self.failures = dict(results), settings, dict(failures)
        self.held_out = dict(held_out or {})
        keys = differing_settings(list(settings.values()))
        self.settings = {
            name: {key: own[place] for key, own in keys.items()}
            for place, name in enumerate(settings)
        }

    def __getitem__(self, name: str) -> R:
        return self._results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"SweepResults({len(self)} results{failed}: {', '.join(self)})"

    def _repr_html_(self) -> str:
        """Return the results for a notebook: a table, and of trainings the learning curves."""
        failed = [(name, str(error).partition("\n")[0]) for name, error in self.failures.items()]
        told = notebook.html_table(failed, ("failed", "why")) if failed else ""
        # Above the trainings, whose own numbers are those of their folds.
        held_out = {name or "all folds": result for name, result in self.held_out.items()}
        above = _results_table(held_out, {name: {} for name in held_out}) if held_out else ""
        return f"{above}{self._table()}{told}"

    def _table(self) -> str:
        plain: dict[str, Any] = dict(self._results)
        results = {name: one for name, one in plain.items() if isinstance(one, Result)}
        if results:
            return _results_table(results, self.settings)
        trainings = [
            FinishedTraining(name, one.to_dict(), self._whole[name]) for name, one in plain.items()
        ]
        if len(trainings) > 1:
            return TrainingComparison.of(trainings)._repr_html_()
        return "".join(one._repr_html_() for one in plain.values())


def _results_table(results: Mapping[str, Result], settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table of the settings, losses and single metrics of runs."""
    keys = dict.fromkeys(key for own in settings.values() for key in own)
    metrics = dict.fromkeys(
        name
        for one in results.values()
        for name, value in one.metrics.items()
        if not isinstance(value, list | tuple)
    )
    rows = [
        (
            name,
            *(format_setting(settings[name].get(key)) for key in keys),
            notebook.format_number(one.loss),
            *(notebook.format_number(one.metrics.get(metric)) for metric in metrics),
        )
        for name, one in results.items()
    ]
    return notebook.html_table(rows, ("run", *keys, "loss", *metrics))
