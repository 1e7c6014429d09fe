"""Repair of the written rows of an unfinished run: what is damaged is computed again.

The checkpoint has the sums of all its rows, which are sound, so only rows are missing. They
have the same bits each time, and take the place of the damaged ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lossfw.errors import DataError
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.plan import Plan
from lossfw.runs.files import writing
from lossfw.runs.rows import RowRecords
from lossfw.runs.rows_parts import PartFile, PartJournal, RowsParts
from lossfw.runs.rows_writer import RowsFormat, RowsPiece, content_of, damaged_in


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
