"""The file of rows of an unfinished run, and the Parquet file that binary rows become."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.data.parquet_columns import pyarrow
from lossfw.evaluation.slices import COLUMN
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import temporary_of, writing
from lossfw.runs.rows import RowRecords, by_group, json_lines, records

RowsFormat = Literal["jsonl", "parquet"]

# The labels of columns of texts by their names in the file; None for a missing value.
Labels: TypeAlias = Mapping[str, Sequence[str | None]]

# The file of an unfinished run.
PART_FILE = "results.part"
# The files of a finished run.
ROWS_FILES: dict[RowsFormat, str] = {"jsonl": "results.jsonl", "parquet": "results.parquet"}
# The beginning of a binary file of rows, before the dtype as JSON and a line end.
_MAGIC = b"lossfw rows 2 "
# Bytes of a piece with a digest of its own: where one is damaged, so much is computed again ...
_PIECE_BYTES = 4 * 2**20
# ... or this part of a larger file, so that a checkpoint does not list too many.
_PIECES = 256
# Bytes of a file that are read at a time.
_READ_BYTES = 2**20

# Bytes of a row group of Parquet: large enough for storage by column, small enough for memory.
_TABLE_BYTES = 8 * 2**20


class RowsPiece(NamedTuple):
    """Some rows in the file of an unfinished run, behind those of the piece before.

    They begin at `start` and end before `stop`, among those that the run evaluates; `digest` is
    the SHA-256 of their bytes.
    """

    start: int
    stop: int
    size: int
    digest: str


class RowsFile:
    """The file of rows of an unfinished run.

    It has lines of JSON, and is renamed at the end; or binary records, which are converted
    to Parquet at the end, since a Parquet file cannot be appended to.
    """

    def __init__(self, path: Path, form: RowsFormat, kept: Sequence[RowsPiece] = ()) -> None:
        self.path, self.written = path, sum(piece.size for piece in kept)
        self._form = form
        self._pieces = list(kept)
        self._rows = kept[-1].stop if kept else 0
        self._begin_piece()
        with writing(self.path):
            # Unbuffered: the rows of a block are written at once.
            self._file: IO[bytes] = self.path.open("r+b" if kept else "wb", buffering=0)
            self._file.truncate(self.written)
            self._file.seek(self.written)

    def add(self, rows: RowRecords) -> None:
        """Append some rows."""
        content = content_of(rows, self._form, first=not self.written)
        view = memoryview(content)
        with writing(self.path):
            while view:
                view = view[self._file.write(view) :]
        self.written += len(content)
        self._digest.update(content)
        self._size += len(content)
        self._rows += len(rows.row)

    def pieces(self) -> tuple[RowsPiece, ...]:
        """Return the pieces of the file as it is now."""
        if not self._size:
            return tuple(self._pieces)
        last = RowsPiece(self._first, self._rows, self._size, self._digest.hexdigest())
        pieces = (*self._pieces, last)
        if self._size >= max(_PIECE_BYTES, self.written // _PIECES):
            self._pieces.append(last)
            self._begin_piece()
        return pieces

    def _begin_piece(self) -> None:
        self._first, self._size, self._digest = self._rows, 0, hashlib.sha256()

    def settle(self) -> None:
        """Flush all rows written so far to the disk."""
        with writing(self.path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def content_of(rows: RowRecords, form: RowsFormat, *, first: bool) -> bytes:
    """Return rows as they are in the file; the `first` ones of a binary file have its head."""
    if form == "jsonl":
        return json_lines(rows)
    table = records(rows)
    return (_head(table.dtype, rows.labels) if first else b"") + table.tobytes()


def find_part(folder: Path, form: RowsFormat) -> bool:
    """Tell whether the file of rows is there.

    A run that was killed at its very end may have renamed the file of lines; it is then
    renamed back.
    """
    path, final = folder / PART_FILE, folder / ROWS_FILES[form]
    if form == "jsonl" and not path.exists() and final.is_file():
        final.replace(path)
    return path.is_file()


def damaged_in(path: Path, pieces: Sequence[RowsPiece]) -> list[tuple[int, RowsPiece]]:
    """Return the pieces of a file that are not as they were written, each with its first byte."""
    found, begin = [], 0
    with writing(path), path.open("rb") as file:
        for piece in pieces:
            file.seek(begin)
            if digest_of_bytes(file, piece.size) != piece.digest:
                found.append((begin, piece))
            begin += piece.size
    return found


def digest_of_bytes(file: IO[bytes], size: int) -> str:
    """Return the SHA-256 of so many bytes of a file, from its place on."""
    digest = hashlib.sha256()
    while size and (content := file.read(min(size, _READ_BYTES))):
        digest.update(content)
        size -= len(content)
    return digest.hexdigest()


def _head(dtype: np.dtype[Any], labels: Labels) -> bytes:
    fields = [
        [name, dtype[name].base.str, dtype[name].shape, labels.get(name)]
        for name in dtype.names or ()
    ]
    return _MAGIC + json.dumps(fields).encode() + b"\n"


def read_records(path: Path, size: int) -> Iterator[tuple[NDArray, Labels]]:
    """Yield the records of a binary file of rows, in parts of a size in bytes, or of one record.

    With each part come the labels of the columns that have codes.
    """
    with path.open("rb") as file:
        fields = json.loads(file.readline().removeprefix(_MAGIC))
        dtype = np.dtype([(name, base, tuple(shape)) for name, base, shape, _ in fields])
        labels = {name: own for name, _, _, own in fields if own is not None}
        at_once = max(1, size // dtype.itemsize) * dtype.itemsize
        while content := file.read(at_once):
            yield np.frombuffer(content, dtype), labels


def write_parquet(part: Path, target: Path) -> None:
    """Convert a binary file of rows to a Parquet file, under a temporary name first.

    A column of arrays becomes a column of lists of one length; a row without weight has
    no loss (null).
    """
    temporary = temporary_of(target)
    try:
        with writing(target):
            with closing(ParquetRows(temporary)) as rows:
                for table, labels in _of_whole_groups(read_records(part, _TABLE_BYTES)):
                    rows.add_records(table, labels)
                rows.settle()
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _of_whole_groups(tables: Iterator[tuple[NDArray, Labels]]) -> Iterator[tuple[NDArray, Labels]]:
    """Yield records so that the rows of a group, if there are any, come together."""
    held: list[NDArray] = []
    labels: Labels = {}
    for table, labels in tables:
        if "group" not in (table.dtype.names or ()):
            yield table, labels
            continue
        changes = np.flatnonzero(table["group"][1:] != table["group"][:-1]) + 1
        if held and held[-1]["group"][-1] != table["group"][0]:
            changes = np.append(0, changes)
        if not changes.size:
            held.append(table)
            continue
        last = int(changes[-1])
        if held or last:
            yield np.concatenate([*held, table[:last]]), labels
        held = [table[last:]]
    if held:
        yield np.concatenate(held), labels


class ParquetRows:
    """Rows that are added to a Parquet file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: Any = None
        self._held: list[NDArray] = []
        self._labels: Labels = {}
        with writing(path):
            self._file = path.open("wb")

    def add(self, rows: RowRecords) -> None:
        """Add some rows; they are written once they fill a row group."""
        self._held.append(records(rows))
        self._labels = rows.labels
        if sum(table.nbytes for table in self._held) >= _TABLE_BYTES:
            self._flush()

    def add_records(self, rows: NDArray, labels: Labels) -> None:
        """Add a row group of Parquet; codes become their labels."""
        with self._writable():
            table = _table(rows, labels)
            if self._writer is None:
                self._writer = pyarrow("pyarrow.parquet").ParquetWriter(self._file, table.schema)
            self._writer.write_table(table)

    def settle(self) -> None:
        """End the file, and flush it to the disk."""
        self._flush()
        with self._writable():
            if self._writer is not None:
                self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _flush(self) -> None:
        if self._held:
            self.add_records(np.concatenate(self._held), self._labels)
            self._held = []

    @contextmanager
    def _writable(self) -> Iterator[None]:
        with writing(self.path):
            try:
                yield
            except pyarrow("pyarrow.lib").ArrowException as error:
                raise OSError(str(error)) from None


def _table(rows: NDArray, labels: Labels) -> Any:
    names = rows.dtype.names or ()
    columns = {}
    for name in names:
        absent = rows["weight"] == 0 if name == "loss" and "weight" in names else None
        if (name.startswith(COLUMN) or name == "ids") and rows.dtype[name].kind == "f":
            absent = np.isnan(rows[name])
        columns[name] = _arrow_column(rows[name], absent)
        if name in labels:
            columns[name] = pyarrow().array(labels[name], pyarrow().string()).take(columns[name])
    if "group" in names:
        arrow, begins = pyarrow(), np.flatnonzero(np.diff(rows["group"], prepend=-1))
        edges = np.append(begins, len(rows))
        ends = np.stack([rows["row"][begins], rows["row"][edges[1:] - 1] + 1], axis=1)
        columns = by_group(
            columns,
            _arrow_column(ends, None),
            lambda column: column.take(arrow.array(begins)),
            lambda column: arrow.ListArray.from_arrays(arrow.array(edges, arrow.int32()), column),
        )
    elif "ids" in names:
        columns["group"] = columns.pop("ids")
    return pyarrow().table(columns)


def _arrow_column(values: NDArray, absent: NDArray | None) -> Any:
    arrow = pyarrow()
    # The library takes numbers in the order of bytes of this machine only.
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    column = arrow.array(values.reshape(-1), mask=absent)
    for length in reversed(values.shape[1:]):
        column = arrow.FixedSizeListArray.from_arrays(column, length)
    return column
