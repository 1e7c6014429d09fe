"""The file of rows of a finished run: lines of JSON, or Parquet."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from lossfw.data.arrow_arrays import import_pyarrow
from lossfw.evaluation.slices import COLUMN
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import temporary_path_of, translate_write_errors
from lossfw.runs.rows import RowRecords, group_columns, json_lines

RowsFormat = Literal["jsonl", "parquet"]

ROWS_FILES: dict[RowsFormat, str] = {"jsonl": "results.jsonl", "parquet": "results.parquet"}
# Bytes of a row group of Parquet: large enough for storage by column, small enough for memory.
_TABLE_BYTES = 8 * 2**20


def encode_rows(rows: RowRecords, form: RowsFormat) -> bytes:
    """Return rows in the form stored until the run is done: JSON lines or an Arrow stream."""
    if form == "jsonl":
        return json_lines(rows)
    table, stream = _to_table(rows), io.BytesIO()
    with import_pyarrow("pyarrow.ipc").new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def write_rows(target: Path, form: RowsFormat, contents: Iterable[bytes]) -> None:
    """Write the file of all rows, under a temporary name first."""
    temporary = temporary_path_of(target)
    try:
        with translate_write_errors(target), temporary.open("wb") as file:
            if form == "jsonl":
                file.writelines(contents)
            else:
                _write_parquet(file, contents)
            file.flush()
            os.fsync(file.fileno())
        with translate_write_errors(target):
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _write_parquet(file: IO[bytes], contents: Iterable[bytes]) -> None:
    """Write streams of Arrow as Parquet; the same streams give the same bytes."""
    writer: Any = None
    with _translate_arrow_errors():
        for table in _row_groups(contents):
            writer = writer or import_pyarrow("pyarrow.parquet").ParquetWriter(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _row_groups(contents: Iterable[bytes]) -> Iterator[Any]:
    held: list[Any] = []
    for content in contents:
        held.append(import_pyarrow("pyarrow.ipc").open_stream(content).read_all())
        if sum(table.nbytes for table in held) >= _TABLE_BYTES:
            yield import_pyarrow().concat_tables(held)
            held = []
    if held:
        yield import_pyarrow().concat_tables(held)


@contextmanager
def _translate_arrow_errors() -> Iterator[None]:
    try:
        yield
    except import_pyarrow("pyarrow.lib").ArrowException as error:
        raise OSError(str(error)) from None


def _to_table(rows: RowRecords) -> Any:
    """Return rows as a table of Arrow: codes become labels, and groups rows of lists.

    A column of arrays becomes a column of lists of one length; a row without weight has
    no loss (null).
    """
    arrow, labels = import_pyarrow(), rows.labels
    columns = {}
    for name, array in rows.arrays.items():
        absent = rows.weight == 0 if name == "loss" and rows.weight is not None else None
        if (name.startswith(COLUMN) or name == "ids") and array.dtype.kind == "f":
            absent = np.isnan(array)
        columns[name] = _to_arrow_column(array, absent)
        if name in labels:
            columns[name] = arrow.array(labels[name], arrow.string()).take(columns[name])
    if rows.of_groups:
        begins = rows.group_starts
        edges = np.append(begins, len(rows.row))
        ends = np.stack([rows.row[begins], rows.row[edges[1:] - 1] + 1], axis=1)
        columns = group_columns(
            columns,
            _to_arrow_column(ends, None),
            lambda column: column.take(arrow.array(begins)),
            lambda column: arrow.ListArray.from_arrays(arrow.array(edges, arrow.int32()), column),
        )
    elif rows.ids is not None:
        columns["group"] = columns.pop("ids")
    return arrow.table(columns)


def _to_arrow_column(values: NDArray, absent: NDArray | None) -> Any:
    arrow = import_pyarrow()
    # The library takes numbers in the order of bytes of this machine only.
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    column = arrow.array(values.reshape(-1), mask=absent)
    for length in reversed(values.shape[1:]):
        column = arrow.FixedSizeListArray.from_arrays(column, length)
    return column
