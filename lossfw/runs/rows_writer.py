"""The file of rows of an unfinished run, which is appended to, and truncated on resume."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import refuse
from lossfw.runs.rows import RowRecords, json_lines, records

RowsFormat = Literal["jsonl", "parquet"]

# The file of an unfinished run.
PART_FILE = "results.part"
# The files of a finished run.
ROWS_FILES: dict[RowsFormat, str] = {"jsonl": "results.jsonl", "parquet": "results.parquet"}
# The beginning of a binary file of rows, before the dtype as JSON and a line end.
_MAGIC = b"lossfw rows 1 "


class RowsFile:
    """The file of rows of an unfinished run.

    It has lines of JSON, and is renamed at the end; or binary records, which are converted
    to Parquet at the end, since a Parquet file cannot be appended to.

    Parameters
    ----------
    path : Path
        The file.
    form : {"jsonl", "parquet"}
        The form of the finished file.
    keep : int
        Bytes of an existing file that are kept; 0 begins anew.

    Attributes
    ----------
    written : int
        Bytes in the file.

    Raises
    ------
    OutputError
        If the file cannot be written to; the methods raise it too.
    """

    def __init__(self, path: Path, form: RowsFormat, keep: int = 0) -> None:
        self.path, self.written = path, keep
        self._form = form
        try:
            # Unbuffered: the rows of a group are written at once.
            self._file: IO[bytes] = self.path.open("r+b" if keep else "wb", buffering=0)
            self._file.truncate(keep)
            self._file.seek(keep)
        except OSError as error:
            refuse(self.path, error)

    def add(self, rows: RowRecords) -> None:
        """Append some rows."""
        if self._form == "jsonl":
            self._append(json_lines(rows))
            return
        table = records(rows)
        head = b"" if self.written else _head(table.dtype)
        self._append(head + table.tobytes())

    def settle(self) -> None:
        """Flush all rows written so far to the disk."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            refuse(self.path, error)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, content: bytes) -> None:
        view = memoryview(content)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            refuse(self.path, error)
        self.written += len(content)


def find_part(folder: Path, form: RowsFormat, written: int) -> bool:
    """Tell whether the file has the rows of a checkpoint.

    A run that was killed at its very end may have renamed the file of lines; it is then
    renamed back.
    """
    path, final = folder / PART_FILE, folder / ROWS_FILES[form]
    if form == "jsonl" and not path.exists() and final.exists():
        final.replace(path)
    return written <= (path.stat().st_size if path.exists() else 0)


def _head(dtype: np.dtype[Any]) -> bytes:
    fields = [[name, dtype[name].base.str, dtype[name].shape] for name in dtype.names or ()]
    return _MAGIC + json.dumps(fields).encode() + b"\n"


def read_records(path: Path, size: int) -> Iterator[NDArray]:
    """Yield the records of a binary file of rows, in parts of a size in bytes, or of one record."""
    with path.open("rb") as file:
        fields = json.loads(file.readline().removeprefix(_MAGIC))
        dtype = np.dtype([(name, base, tuple(shape)) for name, base, shape in fields])
        at_once = max(1, size // dtype.itemsize) * dtype.itemsize
        while content := file.read(at_once):
            yield np.frombuffer(content, dtype)
