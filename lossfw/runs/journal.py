"""Journal: write rows and checkpoints of a run, so that it can be resumed when it was killed.

The rows are appended to one file. From time to time the partials of all numbers are
written to a checkpoint, with the length and the digest of each piece of the file of rows:
when the run is resumed, later rows are cut off, and a damaged piece is computed again. A run
on a cluster has a file for each part instead, and its checkpoint names those that count.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lossfw.data.state_file import SavedState
from lossfw.errors import DataError, OutputError
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.state import EvaluationState
from lossfw.metrics import Metric
from lossfw.runs.files import write_file, writing
from lossfw.runs.rows import RowRecords, rows_of
from lossfw.runs.rows_parts import PartFile, PartJournal, RowsParts, covering, find_parts
from lossfw.runs.rows_writer import (
    PART_FILE,
    ROWS_FILES,
    RowsFile,
    RowsFormat,
    RowsPiece,
    content_of,
    damaged_in,
    find_part,
    write_parquet,
)

# Not the name of a training's checkpoint, which may lie in the same folder.
CHECKPOINT_FILE = "partials.npz"

# Version of the file.
CHECKPOINT_VERSION = 9

# Seconds between two checkpoints: the most that a killed run loses ...
CHECKPOINT_SECONDS = 1.0

# ... but at least this multiple of the time of writing one, which then costs 5 %.
_TIMES_ITS_COST = 20.0


class Checkpoint(NamedTuple):
    """The content of a checkpoint."""

    identity: Mapping[str, str]
    pieces: tuple[RowsPiece, ...]
    parts: tuple[PartFile, ...]
    notes: tuple[str, ...]
    seconds: float
    state: SavedState


def identity_of(plan: Plan) -> dict[str, str]:
    """Return the properties of a run that decide the bits of its result.

    A checkpoint is used only if all of them are equal. The digest depends on configuration,
    plugins and data; another version of NumPy may round differently.
    """
    return {
        "version": str(CHECKPOINT_VERSION),
        "digest": plan.digest,
        "rows": str(plan.rows),
        "intervals": repr(plan.intervals),
        "slices": repr(plan.slices),
        "columns": repr(plan.columns),
        "numpy": np.__version__,
    }


def _to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as it is written to a file."""
    header = {
        "identity": dict(checkpoint.identity),
        "pieces": [list(piece) for piece in checkpoint.pieces],
        "parts": [list(part) for part in checkpoint.parts],
        "notes": list(checkpoint.notes),
        "seconds": checkpoint.seconds,
        "state": checkpoint.state.header,
    }
    return SavedState(header, checkpoint.state.arrays).to_bytes()


def read_checkpoint(folder: Path, plan: Plan) -> Checkpoint | None:
    """Return the checkpoint in a folder, None if there is none of this run."""
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    try:
        header, arrays = SavedState.read(path)
        if dict(header["identity"]) != identity_of(plan):
            return None
        return Checkpoint(
            header["identity"],
            tuple(RowsPiece(*piece) for piece in header["pieces"]),
            tuple(PartFile(*part) for part in header["parts"]),
            tuple(map(str, header["notes"])),
            header["seconds"],
            SavedState(header["state"], arrays),
        )
    except (DataError, ValueError, TypeError, LookupError):
        raise DataError(
            f"{path} is not a checkpoint of a run, or damaged: run without --resume, which starts "
            "over."
        ) from None


def rows_format(plan: Plan) -> RowsFormat | None:
    """Return the format of the rows of a plan, None if they are not written."""
    return "jsonl" if plan.rows is True else plan.rows or None


class RunJournal:
    """The journal of a run in a folder; see `lossfw.evaluation.evaluate.Journal`.

    It is the `lossfw.scale.evaluate.Keeper` of a run on a cluster, too.
    """

    def __init__(self, folder: Path, plan: Plan, *, resume: bool, spread: bool = False) -> None:
        self._folder, self._plan, self._resume, self._spread = folder, plan, resume, spread
        self._identity = identity_of(plan)
        self._sample = None if plan.sample is None else np.array(plan.sample)
        # The partials of a plugin's metric may have no `pack`: then an interrupted
        # run starts over.
        self._packs = all(type(m).unpack is not Metric.unpack for m in plan.metrics)
        self._part: RowsFile | None = None
        # Writes the rows of parts, where a run has them in parts.
        self.rows: RowsParts | None = None
        # Messages for the reader of the result, also from before the run was resumed.
        self.notes: list[str] = []
        self._files: list[PartFile] = []
        self._damaged: list[PartFile] = []
        self._begun = self._last = time.monotonic()
        self._pause = CHECKPOINT_SECONDS
        # Seconds that the run had taken before it was resumed, and the row at which that was.
        self.before, self.resumed = 0.0, 0
        # The error after which no more rows are written. The run continues.
        self.failure: OutputError | None = None

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken, with those before it was resumed."""
        return self.before + time.monotonic() - self._begun

    def resume(self, state: EvaluationState) -> None:
        """Put the evaluation into the state of the checkpoint; see `Journal.resume`."""
        kept = self._kept
        if kept is not None:
            try:
                state.unpack(kept.state)
            except (ValueError, TypeError, LookupError) as error:
                raise DataError(
                    f"{self._folder / CHECKPOINT_FILE} does not hold the state of this run "
                    f"({error}): run without --resume, which starts over."
                ) from None
            self.before, self.resumed = kept.seconds, state.seen.count
            self.notes += kept.notes
        form = rows_format(self._plan)
        if form is None:
            return
        try:
            path, pieces = self._folder / PART_FILE, () if kept is None else kept.pieces
            if pieces:
                self.notes += repaired(path, self._plan, form, pieces)
            if self.in_parts:
                self._begin_parts(state, form, kept)
            else:
                self._part = RowsFile(path, form, pieces)
        except OutputError as error:
            if self.in_parts:
                raise
            self.failure = error

    @property
    def in_parts(self) -> bool:
        """Whether the rows are in parts: those of a run on a cluster, or resumed from one."""
        return self._spread or bool(self._kept and self._kept.parts)

    @property
    def part_files(self) -> list[PartFile]:
        """The files of the parts that were added, in the order of their rows."""
        return sorted(self._files, key=lambda file: file.start)

    def add_part(self, file: PartFile) -> None:
        """Take the file of a part into account, before the state that has its rows."""
        self._files.append(file)

    def add(self, rows: PredictedBatch, state: EvaluationState) -> None:
        """Write some rows; see `Journal.add`."""
        if self.failure is not None:
            return
        try:
            if self._part is not None:
                with state.clock.stage("rows"):
                    self._part.add(rows_of(self._plan, rows, self._sample))
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
        """Flush the file of rows to the disk, and close it."""
        try:
            if self._part is not None and self.failure is None:
                self._part.settle()
        finally:
            self.drop()

    def drop(self) -> None:
        """Close the file of rows without flushing it to the disk."""
        if self._part is not None:
            self._part.close()

    @cached_property
    def _kept(self) -> Checkpoint | None:
        """The checkpoint to resume from, None without one or without its rows."""
        kept = read_checkpoint(self._folder, self._plan) if self._resume else None
        form = rows_format(self._plan)
        if kept is None or form is None:
            return kept
        if not kept.parts:
            return kept if find_part(self._folder, form) else None
        # A part whose rows no state has seen does not count.
        files = covering(kept.parts, [tuple(span) for span in kept.state.header["seen"]])
        damaged = files and find_parts(self._folder, self._folder / ROWS_FILES[form], files)
        if files is None or damaged is None:
            return None
        self._damaged = damaged
        return kept._replace(parts=tuple(files))

    def _begin_parts(
        self, state: EvaluationState, form: RowsFormat, kept: Checkpoint | None
    ) -> None:
        """Make the folder of the parts, with those that are kept."""
        parts = () if kept is None else kept.parts
        self._files = [part for part in parts if part not in self._damaged]
        self.rows = RowsParts.of(self._folder, form)
        self.rows.begin(self._files)
        files, notes = repaired_parts(self.rows, self._plan, self._damaged)
        self._files += files
        self.notes += notes
        if kept is not None and kept.pieces:
            # One process began the run: its file becomes the first part.
            self._adopt(self.rows, kept.pieces, state.seen.count)
        if files or (kept is not None and kept.pieces):
            self._save(state)

    def _adopt(self, rows: RowsParts, pieces: Sequence[RowsPiece], stop: int) -> None:
        """Make a part of the file of rows that one process has written."""
        path, target = self._folder / PART_FILE, rows.path(0)
        part = RowsFile(path, rows.form, pieces)
        part.close()
        if rows.form == "jsonl":
            with writing(target):
                shutil.copyfile(path, target)
        else:
            write_parquet(path, target)
        self._files.append(PartFile.of(target, 0, stop))

    def _save(self, state: EvaluationState) -> None:
        begin = time.monotonic()
        # If a checkpoint cannot be written, the next one may be.
        with suppress(OutputError):
            pieces: tuple[RowsPiece, ...] = ()
            if self._part is not None:
                self._part.settle()
                pieces = self._part.pieces()
            parts, notes = tuple(self._files), tuple(self.notes)
            kept = Checkpoint(self._identity, pieces, parts, notes, self.seconds, state.pack())
            write_file(self._folder, CHECKPOINT_FILE, _to_bytes(kept))
        self._last = time.monotonic()
        self._pause = max(CHECKPOINT_SECONDS, _TIMES_ITS_COST * (self._last - begin))


def repaired(path: Path, plan: Plan, form: RowsFormat, pieces: Sequence[RowsPiece]) -> list[str]:
    """Write the damaged pieces of a file of rows again, and return what to tell about it."""
    notes = []
    for begin, piece in damaged_in(path, pieces):
        sink = _InMemory(form, first=piece.start == 0)
        evaluate(plan, rows=(piece.start, piece.stop), journal=PartJournal(plan, sink))
        content = b"".join(sink.parts)
        if hashlib.sha256(content).hexdigest() != piece.digest:
            raise DataError(
                f"{path} is damaged from byte {begin} to {begin + piece.size - 1}, and its rows "
                f"{piece.start} to {piece.stop - 1} are not the same when they are computed "
                "again: run without --resume, which starts over."
            )
        with writing(path), path.open("r+b") as file:
            file.seek(begin)
            file.write(content)
        notes.append(
            f"{path.name} was damaged between its bytes {begin} and {begin + piece.size - 1}: the "
            f"rows {piece.start} to {piece.stop - 1} were written again, and the others kept."
        )
    return notes


def repaired_parts(
    rows: RowsParts, plan: Plan, damaged: Sequence[PartFile]
) -> tuple[list[PartFile], list[str]]:
    """Write damaged parts again, and return their new files and what to tell about them."""
    files, notes = [], []
    for part in damaged:
        with rows.writing_part(plan, part.start, part.stop) as journal:
            evaluate(plan, rows=(part.start, part.stop), journal=journal)
        assert journal.file is not None  # whole after the block
        files.append(journal.file)
        notes.append(
            f"{part.name} was missing or damaged: the rows {part.start} to {part.stop - 1} were "
            "written again, and the others kept."
        )
    return files, notes


class _InMemory:
    """Rows as they are in a file, in memory: a piece is small."""

    def __init__(self, form: RowsFormat, *, first: bool) -> None:
        self._form, self._first = form, first
        self.parts: list[bytes] = []

    def add(self, rows: RowRecords) -> None:
        """Add some rows."""
        first = self._first and not self.parts
        self.parts.append(content_of(rows, self._form, first=first))
