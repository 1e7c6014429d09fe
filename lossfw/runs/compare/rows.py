"""Read the rows of a finished run from its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.data import DataColumn
from lossfw.errors import DataError
from lossfw.evaluation.slices import COLUMN
from lossfw.numerics.arrays import NDArray
from lossfw.runs.results_file import ROWS_FILES
from lossfw.runs.rows import RowRecords


def rows_file(folder: Path) -> Path | None:
    """Return the file of the rows; None if there is none."""
    for path in (folder / name for name in ROWS_FILES.values()):
        if path.is_dir():
            raise DataError(f"{path} is a folder, as an older lossfw wrote it: run again.")
        if path.is_file():
            return path
    return None


def read_rows(folder: Path) -> RowRecords | None:
    """Return the rows of a run; None if they were not saved."""
    path = rows_file(folder)
    if path is None:
        return None
    read = _read_parquet if path.suffix == ".parquet" else _read_json_lines
    columns = read(path)
    try:
        group = ids = None
        of_groups = "rows" in columns
        if of_groups:
            columns, group = _rows_from_groups(columns)
        if "group" in columns:
            ids = _to_column(columns["group"])
            if group is None:
                group = np.cumsum(np.append(False, ids.values[1:] != ids.values[:-1]))
        target = np.array(columns["target"])
        return RowRecords(
            np.array(columns["row"], np.int64),
            # A loss of null becomes NaN, and so does the text "nan".
            np.array(columns["loss"], np.float64),
            np.array(columns["prediction"], np.float64),
            target if target.dtype.kind in "iu" else np.array(columns["target"], np.float64),
            np.array(columns["weight"], np.float64) if "weight" in columns else None,
            {
                name.removeprefix(COLUMN): _to_column(values)
                for name, values in columns.items()
                if name.startswith(COLUMN)
            },
            group,
            ids,
            of_groups,
        )
    except (DataError, KeyError, ValueError, TypeError):
        raise DataError(f"{path} was not written by a run: a column cannot be read.") from None


def _rows_from_groups(columns: Mapping[str, Sequence[Any]]) -> tuple[dict[str, list[Any]], NDArray]:
    """Return the columns of rows from those of groups, and the number of each row's group."""
    sizes = [stop - start for start, stop in columns["rows"]]
    found = {"row": [row for start, stop in columns["rows"] for row in range(start, stop)]}
    for name, values in columns.items():
        if name in ("group", "loss", "weight"):
            pairs = zip(values, sizes, strict=True)
            found[name] = [value for value, size in pairs for _ in range(size)]
        elif name != "rows":
            found[name] = [value for part in values for value in part]
    return found, np.repeat(np.arange(len(sizes)), sizes)


def _to_column(values: Sequence[Any]) -> DataColumn:
    """Return a column of numbers or of texts, in which None is a missing value.

    An infinity beside numbers is the text of one, which JSON does not have.
    """
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, str) for value in given):
        return DataColumn.of(np.array(["" if value is None else value for value in values]))
    # None becomes NaN.
    whole = len(given) == len(values) and not any(isinstance(value, str) for value in given)
    return DataColumn.of(np.array(values, None if whole else np.float64))


def _read_json_lines(path: Path) -> Mapping[str, Sequence[Any]]:
    lines = path.read_bytes().splitlines()
    try:
        rows = json.loads(b"[" + b",".join(lines) + b"]")
        names = rows[0].keys() if rows else ()
        return {name: [row[name] for row in rows] for name in names}
    except (ValueError, LookupError, AttributeError, TypeError):
        raise DataError(f"{path} was not written by a run: a line cannot be read.") from None


def _read_parquet(path: Path) -> Mapping[str, Sequence[Any]]:
    from lossfw.data.arrow_arrays import import_pyarrow

    table = import_pyarrow("pyarrow.parquet").read_table(path)
    return {name: table.column(name).to_pylist() for name in table.column_names}
