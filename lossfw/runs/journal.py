"""Journal: stores rows and state of a run, so that a killed run can be resumed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lossfw.data.state_file import SavedState
from lossfw.errors import DataError, OutputError
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.state import EvaluationState
from lossfw.losses.engine.row_ranges import RowRanges
from lossfw.metrics import Metric
from lossfw.runs.results_file import RowsFormat, encode_rows
from lossfw.runs.rows import RowRecords, rows_of
from lossfw.runs.unfinished_file import StoredEntry, UnfinishedFile

# Version of the state in the file.
STATE_VERSION = 10

# Seconds between two commits: the most that a killed run loses ...
COMMIT_SECONDS = 1.0

# ... but at least this multiple of the time of one, which then costs 5 %.
_TIMES_ITS_COST = 20.0


def identity_of(plan: Plan) -> dict[str, str]:
    """Return the properties that determine the bits of a run's result.

    A stored state is used only if all of them are equal. The digest depends on configuration,
    plugins and data; another version of NumPy may round differently.
    """
    return {
        "version": str(STATE_VERSION),
        "digest": plan.digest,
        "rows": str(plan.rows),
        "intervals": repr(plan.intervals),
        "slices": repr(plan.slices),
        "columns": repr(plan.columns),
        "numpy": np.__version__,
    }


def rows_format(plan: Plan) -> RowsFormat | None:
    """Return the format of the rows of a plan; None if they are not written."""
    return "jsonl" if plan.rows is True else plan.rows or None


class RowsJournal:
    """Passes rows on with the number of the first one; see `lossfw.evaluation.evaluate.Journal`."""

    def __init__(self, plan: Plan, take: Callable[[int, RowRecords], None]) -> None:
        self._plan, self._take = plan, take
        self._sample = None if plan.sample is None else np.array(plan.sample)

    def resume(self, state: EvaluationState) -> None:
        """Start with the first row."""

    def add(self, rows: PredictedBatch, state: EvaluationState) -> None:
        """Pass some rows on; see `Journal.add`."""
        with state.clock.stage("rows"):
            self._take(rows.start, rows_of(self._plan, rows, self._sample))


class PartRows(RowsJournal):
    """Keeps the rows of a part in memory, in their stored form."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, self._keep)
        self.entries: list[StoredEntry] = []
        self._form = rows_format(plan)

    def _keep(self, start: int, rows: RowRecords) -> None:
        assert self._form is not None  # a plan without rows has none to keep
        stop = start + len(rows.row)
        self.entries.append(StoredEntry.of(start, stop, encode_rows(rows, self._form)))


class RunJournal:
    """The journal of a run, in a file; see `lossfw.evaluation.evaluate.Journal`.

    For a run on a cluster it also stores the merged states.
    """

    def __init__(self, path: Path, plan: Plan, *, resume: bool) -> None:
        self._path, self._plan, self._resume = path, plan, resume
        self._identity = identity_of(plan)
        # The partials of a plugin's metric may have no `pack`: then an interrupted
        # run starts over.
        self._packs = all(type(m).unpack is not Metric.unpack for m in plan.metrics)
        # What keeps the rows of a part, where rows are written.
        self.rows = None if rows_format(plan) is None else PartRows
        self._part = None if self.rows is None else self.rows(plan)
        self._file: UnfinishedFile | None = None
        self._begun = self._last = time.monotonic()
        self._pause = COMMIT_SECONDS
        # Seconds that the run had taken before it was resumed, and the row at which that was.
        self.before, self.resumed = 0.0, 0
        # The error after which no more rows are written. The run continues.
        self.failure: OutputError | None = None

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken, including those before it was resumed."""
        return self.before + time.monotonic() - self._begun

    @property
    def is_in_place(self) -> bool:
        """Whether the folder is still the one in which the run began."""
        return self._file is None or self._file.is_in_place

    def resume(self, state: EvaluationState) -> None:
        """Restore the evaluation from the last commit; see `Journal.resume`."""
        try:
            file = self._file = UnfinishedFile(self._path)
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            # The lowest byte is the kind of the error.
            in_use = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if self._resume and not in_use:
                raise self._damaged_error(error) from None
            raise OutputError(
                f"{self._path} cannot be written: {error}. A run needs a folder in which SQLite "
                "can lock a file that no other process has open, and write to it; some network "
                "file systems have no locks: choose another folder for --out."
            ) from error
        try:
            restored = self._resume and self._restore(file, state)
        except Exception as error:  # whatever a damaged file makes the readers of it raise
            raise self._damaged_error(error) from None
        if not restored:
            with self._translate_database_errors():
                file.clear()

    def _restore(self, file: UnfinishedFile, state: EvaluationState) -> bool:
        """Restore the state in a file, and tell whether there is one of this run."""
        content = file.state()
        saved = SavedState.from_bytes(content) if content else None
        if saved is None or saved.header["identity"] != self._identity:
            return False
        state.unpack(SavedState(saved.header["state"], saved.arrays))
        kept = RowRanges()
        if self.rows is not None:
            for entry in file.entries("rows"):
                kept = kept.merge(RowRanges.single(entry.start, entry.stop))
            # Rows that no state has seen do no harm: they are written again.
            for first, stop in state.seen.spans:
                if gaps := kept.gaps(first, stop):
                    raise ValueError(f"its rows {gaps[0][0]} to {gaps[0][1] - 1} are missing")
        self.before, self.resumed = float(saved.header["seconds"]), state.seen.count
        return True

    def _damaged_error(self, error: Exception) -> DataError:
        return DataError(
            f"{self._path} is not the file of an unfinished run, or damaged ({error}): run "
            "without --resume, which starts over."
        )

    def add(self, rows: PredictedBatch, state: EvaluationState) -> None:
        """Write some rows; see `Journal.add`."""
        if self._part is not None and self.failure is None:
            self._part.add(rows, state)
            with state.clock.stage("rows"):
                self.add_rows(self._part.entries)
            self._part.entries.clear()
        self.store(state)

    def add_rows(self, entries: Sequence[StoredEntry]) -> None:
        """Add rows, which are committed with the next state."""
        assert self._file is not None  # `resume` has opened it
        try:
            if self.failure is None:
                with self._translate_database_errors():
                    self._file.add(entries)
        except OutputError as error:
            # The numbers are shown at the end, even if the disk is full.
            self.failure = error

    def store(self, state: EvaluationState, *, at_once: bool = False) -> None:
        """Commit rows and state if the last commit is old enough, or now."""
        due = at_once or time.monotonic() - self._last >= self._pause
        if due and self._packs and self.failure is None:
            with state.clock.stage("checkpoint"):
                self._commit(state)

    def _commit(self, state: EvaluationState) -> None:
        assert self._file is not None  # `resume` has opened it
        begin, packed = time.monotonic(), state.pack()
        header = {
            "identity": self._identity,
            "seconds": self.seconds,
            "state": packed.header,
        }
        try:
            with self._translate_database_errors():
                self._file.commit(SavedState(header, packed.arrays).to_bytes())
        except OutputError as error:
            # If a state cannot be written, the next one may be. Rows that SQLite dropped are lost.
            if self.rows is not None and not self._file.has_uncommitted:
                self.failure = error
        self._last = time.monotonic()
        self._pause = max(COMMIT_SECONDS, _TIMES_ITS_COST * (self._last - begin))

    def check(self) -> None:
        """Raise an error if the folder cannot take the result."""
        if not self.is_in_place:
            raise OutputError(
                f"{self._path.parent} was removed or replaced during the run: its results were not "
                "written."
            )
        if self.failure is not None:
            raise self.failure

    def contents(self) -> Iterator[bytes]:
        """Yield all rows of the run in their stored form, in order."""
        assert self._file is not None  # the run is done
        row = 0
        try:
            for entry in self._file.entries("rows"):
                if entry.start != row:
                    break
                row = entry.stop
                yield entry.content
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise OutputError(f"{self._path} cannot be read: {error}.") from error
        if row != self._plan.count:
            raise OutputError(
                f"{self._path} has lost the rows from {row} on: run again without --resume."
            )

    def close(self) -> None:
        """Close the file, without uncommitted entries."""
        if self._file is not None:
            self._file.close()

    @contextmanager
    def _translate_database_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise OutputError(f"{self._path} cannot be written: {error}.") from error
