"""Again: what a run did not keep, from its configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lossfw.config.build.evaluation import build
from lossfw.config.text.source import ConfigSource
from lossfw.errors import DataError, LossfwError
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.state import EvaluationState
from lossfw.numerics.arrays import NDArray
from lossfw.runs.compare.finished_run import FinishedRun
from lossfw.runs.compare.rows import KeptRows, read_rows
from lossfw.runs.folder import CONFIG_FILE
from lossfw.runs.provenance import plugins_of
from lossfw.runs.rows import RowRecords, rows_of

# More rows than this are not computed again only to be shown.
MOST_ROWS = 200_000


class Again:
    """The plan of a run, made again; what could not be had is told by `missing`.

    Parameters
    ----------
    ran : FinishedRun
        The run.

    Attributes
    ----------
    missing : list of str
        Why something is not shown, in sentences.
    """

    def __init__(self, ran: FinishedRun) -> None:
        self.ran = ran
        self.missing: list[str] = []
        self._plan: Plan | None = None
        self._tried = False

    @property
    def plan(self) -> Plan | None:
        """The plan, None if it is not to be had, or the data are others now."""
        if not self._tried:
            self._tried = True
            try:
                self._plan = self._build()
            except (LossfwError, OSError) as error:
                self.missing.append(f"What the run read cannot be read again: {error}")
        return self._plan

    def _build(self) -> Plan:
        path: Path = self.ran.path / CONFIG_FILE
        plan = build(ConfigSource(str(path), plugins=plugins_of(self.ran.record)))
        if plan.digest != self.ran.record.get("digest"):
            raise DataError(
                "its data, weights or plugins have changed since, so that it would have another "
                "result now."
            )
        return plan

    def rows(self) -> KeptRows | None:
        """Return the rows of the run: those that it kept, or computed again."""
        kept = read_rows(self.ran.path)
        if kept is not None or self.ran.result["count"] > MOST_ROWS:
            return kept
        return None if self.plan is None else _evaluated(self.plan)

    def inputs(self, rows: NDArray) -> NDArray | None:
        """Return the inputs of rows by their numbers in the data, None if there are none."""
        if self.plan is None:
            return None
        inputs = self.plan.data.take(rows).inputs
        return None if inputs is None else np.asarray(inputs)


class _Collector:
    """Collects the rows of an evaluation; see `lossfw.evaluation.evaluate.Journal`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sample = None if plan.sample is None else np.array(plan.sample)
        self.parts: list[RowRecords] = []

    def resume(self, standing: EvaluationState) -> None:
        """Begin with the first row."""

    def add(self, rows: PredictedBatch, standing: EvaluationState) -> None:
        """Keep some rows."""
        self.parts.append(rows_of(self._plan.loss, rows, self._sample))


def _evaluated(plan: Plan) -> KeptRows:
    collector = _Collector(plan)
    evaluate(replace(plan, metrics=(), intervals=None, slices=()), journal=collector)
    row, loss, prediction, target, weight = (
        None if column[0] is None else np.concatenate(column)
        for column in zip(*collector.parts, strict=True)
    )
    assert row is not None
    assert loss is not None
    assert prediction is not None
    assert target is not None
    return KeptRows(row, loss, prediction.astype(np.float64), target, weight)
