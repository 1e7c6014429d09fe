"""Pieces of a table that were read: in memory, or in a temporary file that Arrow writes."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lossfw.data.arrow_arrays import values_of
from lossfw.data.parquet_columns import pyarrow
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray
from lossfw.temporary import temporary_folder


class PieceStore:
    """The columns of consecutive pieces, by their numbers.

    They are in memory until `spill` moves them to a file, which goes with this object. A pickle
    of it holds the name of the file: another process on this machine reads it there.
    """

    def __init__(self) -> None:
        self._held: list[Mapping[int, NDArray]] = []
        self._path: Path | None = None
        # Where each piece begins in the file, a stream of Arrow by itself.
        self._starts: list[int] = []

    def add(self, columns: Mapping[int, NDArray]) -> None:
        """Keep one more piece."""
        if self._path is None:
            self._held.append(columns)
        else:
            self._write(self._path, [columns])

    def spill(self) -> None:
        """Move the pieces to a file; raise `MissingExtraError` without pyarrow."""
        if self._path is not None:
            return
        pyarrow()
        stack = ExitStack()
        self._path = stack.enter_context(temporary_folder()) / "pieces.arrow"
        weakref.finalize(self, _close, stack, os.getpid())
        self._write(self._path, self._held)
        self._held = []

    def _write(self, path: Path, pieces: list[Mapping[int, NDArray]]) -> None:
        pa = pyarrow()
        try:
            with path.open("ab") as file:
                for columns in pieces:
                    self._starts.append(file.tell())
                    batch = pa.record_batch({str(n): _arrow(pa, c) for n, c in columns.items()})
                    with pyarrow("pyarrow.ipc").new_stream(file, batch.schema) as stream:
                        stream.write_batch(batch)
        except OSError as error:
            raise DataError(
                f"{path}, which holds the columns of a large table, cannot be written "
                f"({error.strerror or error}): TMPDIR names a folder with more room."
            ) from None

    @property
    def is_there(self) -> bool:
        """Whether the pieces can be read in this process."""
        return self._path is None or self._path.exists()

    def __getitem__(self, piece: int) -> Mapping[int, NDArray]:
        if self._path is None:
            return self._held[piece]
        with self._path.open("rb") as file:
            file.seek(self._starts[piece])
            batch = pyarrow("pyarrow.ipc").open_stream(file).read_next_batch()
        return {int(name): values_of(batch.column(name)) for name in batch.schema.names}


def _arrow(pa: Any, column: NDArray) -> Any:
    # `pyarrow.array` would import pandas.
    kind = pa.int64() if column.dtype.kind == "i" else pa.float64()
    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)])


def _close(stack: ExitStack, process: int) -> None:
    # A process that was forked has the object too, and not the file.
    if os.getpid() == process:
        stack.close()
