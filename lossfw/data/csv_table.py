"""Tables in ``.csv`` and ``.tsv`` files; errors name the line and the column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from lossfw.data.csv_chunks import CsvFormat, CsvRows, rows_of_table
from lossfw.data.csv_lines import DELIMITERS, OTHERS, delimiter_of, rows_of
from lossfw.data.csv_numbers import is_missing, is_number
from lossfw.data.files import need_file
from lossfw.data.lazy_arrays import Group, RowArray, listed
from lossfw.data.table import Table, TableOptions, TableRows, columns_in
from lossfw.errors import DataError

# The numbers of a smaller file are kept: they take some hundred megabytes at most.
WHOLE_BYTES = 16 * 2**20
# A number with a comma in it: of a fraction, or between thousands.
_COMMAS = re.compile(r"[-+]?[\d.]+(?:,\d+)+")


class _Mistake(NamedTuple):
    """The first cell that cannot be used."""

    message: str
    column: int | None = None


@dataclass(frozen=True)
class CsvTable(Table):
    """A text file: commas, semicolons or tabs between numbers, ``#`` before a comment.

    A first line without a number names the columns.

    Attributes
    ----------
    header_lines : int
        Lines before the first row of numbers.
    delimiter : str
        The character between cells.
    """

    path: Path
    header_lines: int
    delimiter: str = ","

    def read_rows(self, groups: Sequence[Group], options: TableOptions) -> TableRows:
        """See `Table.read_rows`; columns that are in no group may hold anything.

        The dtype is int64 if every number of a group is written as an integer,
        ``3`` and not ``3.0``, and float64 otherwise. A large file is read once, to
        check it; its columns stay in the file, and their rows are read on use.
        """
        found = self._rows(groups, options)
        columns = cast("list[RowArray]", found.columns)
        if columns[0].size == 0:
            raise DataError(
                f"{self.path} has no rows of numbers"
                f"{', since in each of them a value is missing' if found.dropped else ''}."
            )
        if found.size <= WHOLE_BYTES:
            columns = [np.asarray(column) for column in columns]
        return TableRows(columns, found.labels, found.dropped)

    def _rows(self, groups: Sequence[Group], options: TableOptions) -> CsvRows:
        texts: frozenset[int] = frozenset()
        wanted = columns_in(groups)
        while True:
            drop = options.missing == "drop"
            layout = CsvFormat(
                self.path, self.width, self.header_lines, self.delimiter, texts, drop, options.kept
            )
            found = rows_of_table(layout, groups)
            strict = options.missing == "error"
            if found is not None and not (strict and self._has_gap(found, groups, options.kept)):
                return found
            mistake = self._first_mistake(wanted - texts, texts, options)
            # A column with a text in it may be one of labels: then it is read as such.
            if mistake.column is None or mistake.column not in options.labels - texts:
                raise DataError(mistake.message)
            texts |= {mistake.column}

    def _has_gap(self, found: CsvRows, groups: Sequence[Group], kept: frozenset[int]) -> bool:
        """Tell whether a value is missing; numbers of a large table are checked on use."""
        if any("" in labels for column, labels in found.labels.items() if column not in kept):
            return True
        if found.size > WHOLE_BYTES:
            return False
        columns = zip(groups, found.columns, strict=True)
        floats = [
            c for group, c in columns if c.dtype.kind == "f" and not kept.issuperset(listed(group))
        ]
        return any(bool(np.isnan(np.asarray(column)).any()) for column in floats)

    def _first_mistake(
        self, numbers: frozenset[int], texts: frozenset[int], options: TableOptions
    ) -> _Mistake:
        """Return the first cell that is no number, or no text, where one is wanted."""
        for number, cells in rows_of(self.path, self.delimiter):
            if number <= self.header_lines:
                continue
            if len(cells) != self.width:
                return _Mistake(
                    f"{self.path}, line {number}: the number of columns is {len(cells)}, but "
                    f"{self.width} in the first line; every row needs the same."
                )
            for column in sorted(numbers | texts):
                cell = cells[column]
                gap = not cell.strip() if column in texts else is_missing(cell)
                if gap and options.missing != "keep" and column not in options.kept:
                    if options.missing == "error":
                        return _Mistake(f"{self._missing(number, column, cell)} {options.remedy}")
                elif column in numbers and not is_number(cell):
                    return _Mistake(self._no_number(number, column, cells, options), column)
        return _Mistake(f"{self.path} cannot be read as a table of numbers.")

    def _missing(self, line: int, column: int, cell: str) -> str:
        said = f" ({cell.strip()!r})" if cell.strip() else ""
        return f"{self._place(line, column)}: the value is missing{said}."

    def _no_number(
        self, line: int, column: int, cells: Sequence[str], options: TableOptions
    ) -> str:
        remedy = "" if self.names else "Columns are counted from 0. "
        if column not in options.optional:
            remedy += self.name_others(column)
        else:
            # Those of the same line too: a message for each of them would be tiresome.
            texts = [n for n in sorted(options.optional) if not is_number(cells[n])]
            remedy = self.leave_out([n for n in texts if not is_missing(cells[n])])
        if _COMMAS.fullmatch(cells[column].strip()):
            remedy = f"A fraction has a point, and thousands have no comma. {remedy}"
        return f"{self._place(line, column)}: {cells[column].strip()!r} is no number. {remedy}"

    def _place(self, line: int, column: int) -> str:
        name = f" ({self.names[column]})" if self.names else ""
        return f"{self.path}, line {line}, column {column}{name}"


def open_table(path: Path, role: str) -> CsvTable:
    """Read the head of a ``.csv`` or ``.tsv`` file, gzipped or not."""
    need_file(path, role)
    delimiter = delimiter_of(path) or DELIMITERS[".csv"]
    number, cells = _first_row(path, delimiter)
    # Where the comma is that of decimal fractions, programs write semicolons.
    for other in OTHERS:
        if len(cells) == 1 and other in cells[0]:
            delimiter = other
            number, cells = _first_row(path, delimiter)
    if not cells:
        raise DataError(f"{path} has no rows; {role} were wanted.")
    if any(is_number(cell) for cell in cells):
        return CsvTable(path, (), len(cells), number - 1, delimiter)
    names = tuple(cell.strip() for cell in cells)
    return CsvTable(path, names, len(cells), number, delimiter)


def _first_row(path: Path, delimiter: str) -> tuple[int, list[str]]:
    return next(rows_of(path, delimiter), (0, []))
