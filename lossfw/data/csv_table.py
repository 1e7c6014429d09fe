"""Tables of numbers in ``.csv`` files; errors name the line and the column."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from lossfw.data.csv_chunks import columns_of
from lossfw.data.csv_numbers import ENCODING
from lossfw.data.files import need_file
from lossfw.data.lazy_arrays import Group, RowArray
from lossfw.data.table import Table
from lossfw.errors import DataError

# The numbers of a smaller file are kept: they take some hundred megabytes at most.
WHOLE_BYTES = 16 * 2**20


@dataclass(frozen=True)
class CsvTable(Table):
    """A ``.csv`` file: commas between numbers, ``#`` before a comment.

    A first line without a number names the columns.

    Attributes
    ----------
    header_lines : int
        Lines before the first row of numbers.
    """

    header_lines: int

    def read(self, *groups: Group) -> list[RowArray]:
        """Return an array for each group of columns: (N,) for a number, (N, C) for a list.

        The dtype is int64 if every number of a group is written as an integer,
        ``3`` and not ``3.0``, and float64 otherwise. A large file is read once, to
        check it; its columns stay in the file, and their rows are read on use.

        Raises
        ------
        DataError
            Names the first cell that is no number, or the first line whose number
            of columns differs from that of the first line.
        """
        columns = columns_of(self.path, self.width, self.header_lines, groups)
        if columns is None:
            raise DataError(self._first_mistake())
        self._need_rows(columns[0].size)
        if self.path.stat().st_size > WHOLE_BYTES:
            return cast("list[RowArray]", columns)
        return [np.asarray(column) for column in columns]

    def _need_rows(self, numbers: int) -> None:
        if numbers == 0:
            raise DataError(f"{self.path} has no rows of numbers.")

    def _first_mistake(self) -> str:
        """Return the message about the first line that NumPy cannot read."""
        for number, cells in _lines(self.path):
            if number <= self.header_lines:
                continue
            if len(cells) != self.width:
                return (
                    f"{self.path}, line {number}: the number of columns is {len(cells)}, but "
                    f"{self.width} in the first line; every row needs the same."
                )
            for column, cell in enumerate(cells):
                if not _is_number(cell):
                    name = f" ({self.names[column]})" if self.names else ""
                    return (
                        f"{self.path}, line {number}, column {column}{name}: {cell.strip()!r} "
                        "is no number. Columns are counted from 0."
                    )
        return f"{self.path} cannot be read as a table of numbers."


def open_table(path: Path, role: str) -> CsvTable:
    """Read the head of a ``.csv`` file.

    Raises
    ------
    DataError
        If it cannot be read, is no text, or has no line.
    """
    need_file(path, role)
    for number, cells in _lines(path):
        if any(_is_number(cell) for cell in cells):
            return CsvTable(path, (), len(cells), number - 1)
        return CsvTable(path, tuple(cell.strip() for cell in cells), len(cells), number)
    raise DataError(f"{path} has no rows; {role} were wanted.")


def _lines(path: Path) -> Any:
    """Yield number and cells of each line; empty lines and comments are left out."""
    try:
        with path.open(encoding=ENCODING, newline="") as stream:
            reader = csv.reader(stream)
            for cells in reader:
                if cells and not cells[0].lstrip().startswith("#"):
                    yield reader.line_num, cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} is no .csv text in UTF-8 ({error}); numbers with commas between them "
            "were wanted."
        ) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own way to write 1_000
