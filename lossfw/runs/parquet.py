"""Write the rows of a run to a Parquet file, by the optional library pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.data.parquet_columns import pyarrow
from lossfw.errors import OutputError
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import refuse, temporary_of
from lossfw.runs.rows_writer import read_records

# Bytes of a row group: large enough for storage by column, small enough for memory.
_GROUP_BYTES = 8 * 2**20


def write_parquet(part: Path, target: Path) -> None:
    """Convert a binary file of rows to a Parquet file, under a temporary name first.

    A column of arrays becomes a column of lists of one length; a row without weight has
    no loss (null).

    Raises
    ------
    OutputError
        If it cannot be written; no part of it is left.
    MissingExtraError
        If pyarrow is not installed.
    """
    temporary = temporary_of(target)
    try:
        _write(read_records(part, _GROUP_BYTES), temporary)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        refuse(target, error)
    except pyarrow("pyarrow.lib").ArrowException as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{target} cannot be written: {error}.") from None


def _write(groups: Iterator[NDArray], path: Path) -> None:
    parquet = pyarrow("pyarrow.parquet")
    writer: Any = None
    with path.open("wb") as file:
        for group in groups:
            table = _table(group)
            if writer is None:
                writer = parquet.ParquetWriter(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()
        file.flush()
        os.fsync(file.fileno())


def _table(group: NDArray) -> Any:
    names = group.dtype.names or ()
    absent = group["weight"] == 0 if "weight" in names else None
    return pyarrow().table(
        {name: _column(group[name], absent if name == "loss" else None) for name in names}
    )


def _column(values: NDArray, absent: NDArray | None) -> Any:
    arrow = pyarrow()
    # The library takes numbers in the order of bytes of this machine only.
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    column = arrow.array(values.reshape(-1), mask=absent)
    for length in reversed(values.shape[1:]):
        column = arrow.FixedSizeListArray.from_arrays(column, length)
    return column
