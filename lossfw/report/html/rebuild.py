"""Rebuild the plan of a run from its configuration, for rows and inputs that were not kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from lossfw.config.plan.evaluation import build_data, plan_of_source
from lossfw.config.text.source import ConfigSource
from lossfw.data import Dataset
from lossfw.errors import DataError, LossfwError
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.slices import COLUMN
from lossfw.numerics.arrays import NDArray
from lossfw.runs.compare.finished import FinishedRun
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.folder import CONFIG_FILE
from lossfw.runs.journal import RowsJournal
from lossfw.runs.rows import RowRecords

# More rows than this are not computed again for a page.
MOST_ROWS = 200_000

# What a page says of a fault; the reason, with the names of files, goes to whoever makes it.
_PLAIN = "a file or a component is missing, or has changed"


class _ChangedError(DataError):
    """The error of rows or weights that are not those of the run any more."""


class RebuiltRun:
    """A finished run with its rows and inputs, rebuilt from its configuration.

    `missing` has sentences about parts that could not be rebuilt, for any reader of the page.
    `faults` maps each reason, with files and options, to the first part that could not be rebuilt.
    """

    def __init__(self, run: FinishedRun) -> None:
        self.run = run
        self.missing: list[str] = []
        self.faults: dict[str, str] = {}
        self._plan: Plan | None = None

    @property
    def _source(self) -> ConfigSource:
        return ConfigSource(str(self.run.path / CONFIG_FILE), plugins=self.run.plugins)

    def rows(self) -> RowRecords | None:
        """Return the rows of the run, stored or recomputed."""
        kept = read_rows(self.run.path)
        if kept is not None or self.run.result["count"] > MOST_ROWS:
            return kept
        try:
            plan = plan_of_source(self._source)
            if plan.digest != self.run.record.get("digest"):
                raise _ChangedError("its data, weights or plugins have changed since the run.")
        except (LossfwError, OSError) as error:
            self._note_missing("What the run computed with cannot be made again", error)
            return None
        self._plan = plan
        return _evaluate_again(plan)

    def inputs(self, rows: NDArray) -> tuple[NDArray | None, Sequence[str]]:
        """Return the inputs of rows by their numbers (None if there are none), and their names.

        They are also read if a plugin file of the loss may not be executed.
        """
        data = self._data() if self._plan is None else self._plan.data
        if data is not None and data.inputs is None:
            # Data of saved predictions; inputs that are not all numbers cannot be read.
            with_inputs: Dataset | None = None
            with suppress(LossfwError, OSError):
                with_inputs = build_data(self._source, inputs=True)
            # Rows in which an input is missing may have been left out.
            same = with_inputs is not None and len(with_inputs) == len(data)
            data = with_inputs if same else None
        inputs = None if data is None else data.take(rows).inputs
        if data is None or inputs is None:
            return None, ()
        # Categories, which have names too, are not among the numbers.
        names = [name for name in data.input_names if name not in data.categories]
        return np.asarray(inputs), names

    def _data(self) -> Dataset | None:
        """Return the data of the run, None if they cannot be read or have changed."""
        kept = self.run.record.get("data") or {}
        try:
            data = build_data(self._source)
            if (data.name, data.digest) != (kept.get("name"), kept.get("digest")):
                raise _ChangedError("they have changed since the run.")
        except (LossfwError, OSError) as error:
            self._note_missing("The inputs of the rows cannot be read again", error)
            return None
        return data

    def _note_missing(self, what: str, error: Exception) -> None:
        """Note that a part of the page is missing."""
        files = [file for file in self.run.not_imported if file in str(error)]
        plain = "a plugin was not loaded for this page" if files else _PLAIN
        if isinstance(error, _ChangedError):
            plain = str(error)
        self.missing.append(f"{what}: {plain.removesuffix('.')}.")
        self.faults.setdefault(str(error), what)


def _evaluate_again(plan: Plan) -> RowRecords:
    parts: list[RowRecords] = []
    journal = RowsJournal(plan, lambda _, rows: parts.append(rows))
    evaluate(
        replace(plan, metrics=(), intervals=None, slices=(), baseline=None, rows=True),
        journal=journal,
    )
    arrays = {
        name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays
    }
    columns = {
        name: replace(column, values=arrays[f"{COLUMN}{name}"])
        for name, column in parts[0].columns.items()
    }
    return RowRecords(
        arrays["row"],
        arrays["loss"],
        arrays["prediction"].astype(np.float64),
        arrays["target"],
        arrays.get("weight"),
        columns,
        group=arrays.get("group"),
        of_groups=parts[0].of_groups,
    )
