"""Journal: write rows and checkpoints of a run, so that it can be resumed when it was killed.

The rows are appended to one file. From time to time the partials of all numbers are
written to a checkpoint, with the current length of the file of rows: when the run is
resumed, later rows are cut off.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from lossfw.errors import DataError, OutputError
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.state import EvaluationState
from lossfw.metrics import Metric
from lossfw.runs.checkpoint import CHECKPOINT_FILE, Checkpoint, identity_of, read, to_bytes
from lossfw.runs.files import write_file
from lossfw.runs.rows import rows_of
from lossfw.runs.rows_writer import RowsFile, RowsFormat, find_part

# Seconds between two checkpoints: the most that a killed run loses ...
CHECKPOINT_SECONDS = 1.0
# ... but at least this multiple of the time of writing one, which then costs 5 %.
_TIMES_ITS_COST = 20.0


def rows_format(plan: Plan) -> RowsFormat | None:
    """Return the format of the rows of a plan, None if they are not written."""
    return "jsonl" if plan.rows is True else plan.rows or None


class RunJournal:
    """The journal of a run in a folder; see `lossfw.evaluation.evaluate.Journal`.

    Parameters
    ----------
    folder : Path
        An existing folder in which no other process works.
    plan : Plan
        The plan of the run.
    resume : bool
        Resume from the checkpoint, if there is one.

    Attributes
    ----------
    before : float
        Seconds that the run had taken before it was resumed.
    resumed : int
        The row that it was resumed at; 0 if it began anew.
    failure : OutputError or None
        The error after which no more rows are written. The run continues.
    """

    def __init__(self, folder: Path, plan: Plan, *, resume: bool) -> None:
        self._folder, self._plan, self._resume = folder, plan, resume
        self._identity = identity_of(plan)
        self._sample = None if plan.sample is None else np.array(plan.sample)
        # The partials of a plugin's metric may have no `pack`: then an interrupted
        # run begins anew.
        self._packs = all(type(m).unpack is not Metric.unpack for m in plan.metrics)
        self._part: RowsFile | None = None
        self._begun = self._last = time.monotonic()
        self._pause = CHECKPOINT_SECONDS
        self.before, self.resumed = 0.0, 0
        self.failure: OutputError | None = None

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken, with those before it was resumed."""
        return self.before + time.monotonic() - self._begun

    def resume(self, state: EvaluationState) -> None:
        """Put the evaluation into the state of the checkpoint; see `Journal.resume`.

        Raises
        ------
        DataError
            If the checkpoint is damaged.
        """
        kept = self._kept()
        if kept is not None:
            try:
                state.unpack(kept.state)
            except (ValueError, TypeError, LookupError) as error:
                raise DataError(
                    f"{self._folder / CHECKPOINT_FILE} does not hold the state of this run "
                    f"({error}): run without --resume, which begins anew."
                ) from None
            self.before, self.resumed = kept.seconds, state.seen.count
        form = rows_format(self._plan)
        if form is None:
            return
        try:
            self._part = RowsFile(self._folder, form, 0 if kept is None else kept.written)
        except OutputError as error:
            self.failure = error

    def add(self, rows: PredictedBatch, state: EvaluationState) -> None:
        """Write some rows; see `Journal.add`."""
        if self.failure is not None:
            return
        try:
            if self._part is not None:
                with state.clock.stage("rows"):
                    self._part.add(rows_of(self._plan.loss, rows, self._sample))
        except OutputError as error:
            # The numbers are shown at the end, even if the disk is full.
            self.failure = error
            return
        self.keep(state)

    def keep(self, state: EvaluationState, *, now: bool = False) -> None:
        """Write a checkpoint if the last one is old enough, or at once."""
        if self._packs and (now or time.monotonic() - self._last >= self._pause):
            with state.clock.stage("checkpoint"):
                self._save(state)

    def close(self) -> None:
        """Flush the file of rows to the disk, and close it.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        if self._part is not None and self.failure is None:
            self._part.settle()
        self.drop()

    def drop(self) -> None:
        """Close the file of rows without flushing it to the disk."""
        if self._part is not None:
            self._part.close()

    def _kept(self) -> Checkpoint | None:
        """Return the checkpoint to resume from, None without one or without its rows."""
        kept = read(self._folder, self._plan) if self._resume else None
        form = rows_format(self._plan)
        if kept is None or form is None:
            return kept
        return kept if find_part(self._folder, form, kept.written) else None

    def _save(self, state: EvaluationState) -> None:
        begin = time.monotonic()
        # If a checkpoint cannot be written, the next one may be.
        with suppress(OutputError):
            written = 0
            if self._part is not None:
                self._part.settle()
                written = self._part.written
            kept = Checkpoint(self._identity, written, self.seconds, state.pack())
            write_file(self._folder, CHECKPOINT_FILE, to_bytes(kept))
        self._last = time.monotonic()
        self._pause = max(CHECKPOINT_SECONDS, _TIMES_ITS_COST * (self._last - begin))
