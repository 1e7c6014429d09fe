"""Rows of a run in a Parquet file, written by the optional library pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.data.parquet_columns import pyarrow
from lossfw.errors import OutputError
from lossfw.evaluation.slices import COLUMN
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import temporary_of, writing
from lossfw.runs.rows import RowRecords, records
from lossfw.runs.rows_writer import Labels, read_records

# Bytes of a row group: large enough for storage by column, small enough for memory.
_GROUP_BYTES = 8 * 2**20


def write_parquet(part: Path, target: Path) -> None:
    """Convert a binary file of rows to a Parquet file, under a temporary name first.

    A column of arrays becomes a column of lists of one length; a row without weight has
    no loss (null).
    """
    temporary = temporary_of(target)
    try:
        with writing(target):
            with closing(ParquetRows(temporary)) as rows:
                for group, labels in read_records(part, _GROUP_BYTES):
                    rows.add_records(group, labels)
                rows.settle()
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


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
        if sum(group.nbytes for group in self._held) >= _GROUP_BYTES:
            self._flush()

    def add_records(self, group: NDArray, labels: Labels) -> None:
        """Add a row group; codes become their labels."""
        with self._writable():
            table = _table(group, labels)
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
        try:
            with writing(self.path):
                yield
        except pyarrow("pyarrow.lib").ArrowException as error:
            raise OutputError(f"{self.path} cannot be written: {error}.") from None


def _table(group: NDArray, labels: Labels) -> Any:
    names = group.dtype.names or ()
    columns = {}
    for name in names:
        absent = group["weight"] == 0 if name == "loss" and "weight" in names else None
        if name.startswith(COLUMN) and group.dtype[name].kind == "f":
            absent = np.isnan(group[name])
        columns[name] = _column(group[name], absent)
        if name in labels:
            columns[name] = pyarrow().array(labels[name], pyarrow().string()).take(columns[name])
    return pyarrow().table(columns)


def _column(values: NDArray, absent: NDArray | None) -> Any:
    arrow = pyarrow()
    # The library takes numbers in the order of bytes of this machine only.
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    column = arrow.array(values.reshape(-1), mask=absent)
    for length in reversed(values.shape[1:]):
        column = arrow.FixedSizeListArray.from_arrays(column, length)
    return column
