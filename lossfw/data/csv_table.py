"""Tables in ``.csv`` and ``.tsv`` files; errors name the line and the column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np

from lossfw.data import csv_text
from lossfw.data.csv_text import is_missing, is_number
from lossfw.data.files import need_file
from lossfw.data.labels import check_labels
from lossfw.data.lazy_arrays import ChunkedTable, Group, PieceColumn, RowArray, column_numbers
from lossfw.data.stamps import FileStamp
from lossfw.data.table import Table, TableOptions, TableRows, columns_in
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# The numbers of a smaller file are kept: they take some hundred megabytes at most.
WHOLE_BYTES = 16 * 2**20
# Every smaller integer is a float64.
_EXACT = 2**53
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
    """

    path: Path
    # Lines before the first row of numbers.
    header_lines: int
    # The character between cells.
    delimiter: str = ","

    def read_rows(self, groups: Sequence[Group], options: TableOptions) -> TableRows:
        """See `Table.read_rows`; columns that are in no group may hold anything.

        The dtype is int64 if every number of a group is written as an integer,
        ``3`` and not ``3.0``, and float64 otherwise. A large file is read once, to
        check it; its columns stay in the file, and their rows are read on use.
        """
        texts: frozenset[int] = frozenset()
        while True:
            parser = _Parser(self, options, columns_in(groups), texts)
            pieces = _scan(parser, groups)
            if pieces is not None and not (options.missing == "error" and pieces.has_gap()):
                break
            mistake = self._first_mistake(parser)
            # A column with a text in it may be one of labels: then it is read as such.
            if mistake.column is None or mistake.column not in options.labels - texts:
                raise DataError(mistake.message)
            texts |= {mistake.column}
        if len(pieces) == 0:
            why = ", since in each of them a value is missing" if pieces.dropped else ""
            raise DataError(f"{self.path} has no rows of numbers{why}.")
        columns = cast("list[RowArray]", pieces.columns())
        if pieces.size <= WHOLE_BYTES:
            columns = [np.asarray(column) for column in columns]
        return TableRows(columns, pieces.labels, pieces.dropped)

    def _first_mistake(self, parser: _Parser) -> _Mistake:
        """Return the first cell that is not a number, or not a text, where one is expected."""
        texts, options = parser.texts, parser.options
        for line, cells in csv_text.rows_of(self.path, self.delimiter):
            if line <= self.header_lines:
                continue
            if len(cells) != self.width:
                return _Mistake(
                    f"{self.path}, line {line}: the number of columns is {len(cells)}, but "
                    f"{self.width} in the first line; every row needs the same."
                )
            for column in sorted(parser.wanted | texts):
                cell = cells[column].strip()
                name = f" ({self.names[column]})" if self.names else ""
                place = f"{self.path}, line {line}, column {column}{name}"
                gap = not cell if column in texts else is_missing(cell)
                if gap and options.missing != "keep" and column not in options.kept:
                    if options.missing == "error":
                        text = f" ({cell!r})" if cell else ""
                        return _Mistake(f"{place}: the value is missing{text}. {options.remedy}")
                elif column not in texts and not (
                    is_number(cell) or (gap and column in options.gaps)
                ):
                    remedy = self._remedy(column, cells, options)
                    return _Mistake(f"{place}: {cell!r} is not a number. {remedy}", column)
        return _Mistake(f"{self.path} cannot be read as a table of numbers.")

    def _remedy(self, column: int, cells: Sequence[str], options: TableOptions) -> str:
        """Return what to do about a cell that is not a number."""
        remedy = "" if self.names else "Columns are counted from 0. "
        if column not in options.optional:
            remedy += self.name_others(column)
        else:
            # Those of the same line too: a message for each of them would be tiresome.
            others = sorted(options.optional - options.categories)
            texts = [n for n in others if not is_number(cells[n])]
            remedy = self.leave_out([n for n in texts if not is_missing(cells[n])])
        if _COMMAS.fullmatch(cells[column].strip()):
            remedy = f"A fraction has a point, and thousands have no comma. {remedy}"
        return remedy


def open_table(path: Path, role: str) -> CsvTable:
    """Read the head of a ``.csv`` or ``.tsv`` file, gzipped or not."""
    need_file(path, role)
    delimiter = csv_text.delimiter_of(path) or csv_text.DELIMITERS[".csv"]
    number, cells = _first_row(path, delimiter)
    # Where the comma is that of decimal fractions, programs write semicolons.
    for other in csv_text.OTHERS:
        if len(cells) == 1 and other in cells[0]:
            delimiter = other
            number, cells = _first_row(path, delimiter)
    if not cells:
        raise DataError(f"{path} has no rows; expected {role}.")
    if any(is_number(cell) for cell in cells):
        return CsvTable(path, (), len(cells), number - 1, delimiter)
    names = tuple(cell.strip() for cell in cells)
    return CsvTable(path, names, len(cells), number, delimiter)


def _first_row(path: Path, delimiter: str) -> tuple[int, list[str]]:
    return next(csv_text.rows_of(path, delimiter), (0, []))


class _Cells(NamedTuple):
    """The cells of some lines: those that count, numbers (N, width), texts, and lines that do not.

    Columns of `table` that are not read as numbers are NaN.
    """

    lines: list[str]
    table: NDArray
    texts: Mapping[int, NDArray]
    dropped: int = 0


@dataclass(frozen=True)
class _Parser:
    """The way in which the lines of a table are read: which columns, and which of them as texts."""

    table: CsvTable
    options: TableOptions
    wanted: frozenset[int]
    texts: frozenset[int]

    def parse(self, content: bytes) -> _Cells | None:
        """Return the cells of a chunk; None if columns of numbers hold something else."""
        lines = csv_text.split_lines(content)
        if lines is None:
            return None
        cells = self._cells(lines)
        numbers = self.wanted - self.texts - self.options.kept
        texts = self.texts - self.options.kept
        if self.options.missing != "drop" or not (
            cells is None
            or (cells.table.size and np.isnan(cells.table[:, sorted(numbers)]).any())
            or any((cells.texts[column] == "").any() for column in texts)
        ):
            return cells
        complete = csv_text.without_missing(
            lines, numbers, texts, self.table.width, self.table.delimiter
        )
        cells = None if complete is None else self._cells(complete)
        if complete is None or cells is None:
            return None
        rows = sum(1 for line in lines if line.strip() and not line.lstrip().startswith("#"))
        return cells._replace(dropped=rows - len(complete))

    def _cells(self, lines: list[str]) -> _Cells | None:
        numbers, table = self.wanted - self.texts, self.table
        cells = csv_text.read_cells(lines, numbers, self.texts, table.width, table.delimiter)
        if cells is None and (gaps := numbers & self.options.gaps):
            cells = csv_text.read_cells(
                lines, numbers - gaps, self.texts, table.width, table.delimiter, gaps
            )
        return None if cells is None else _Cells(lines, *cells)

    def integers(self, lines: list[str], group: Group) -> NDArray | None:
        """Return columns of integers, None if one is not written as such."""
        return csv_text.read_numbers(lines, np.int64, column_numbers(group), self.table.delimiter)


class _Chunk(NamedTuple):
    """Whole lines of a file: its bytes, the second excluded, and the rows of numbers in them."""

    start: int
    stop: int
    rows: int


def _scan(parser: _Parser, groups: Sequence[Group]) -> _CsvPieces | None:
    """Read a file once; None if columns of numbers hold something else.

    This checks every line, finds where chunks begin and which groups are integers throughout,
    and finds the labels.
    """
    table, stamp = parser.table, FileStamp.of(parser.table.path)
    is_integer = {
        n: not parser.texts & set(column_numbers(group)) for n, group in enumerate(groups)
    }
    labels: dict[int, set[str]] = {number: set() for number in parser.texts}
    chunks, dropped = [], 0
    # Reading the numbers again for a digest would take as long as the evaluation.
    digest = hashlib.sha256()
    for start, content in csv_text.chunks_of(table.path, table.header_lines):
        digest.update(content)
        cells = parser.parse(content)
        if cells is None:
            return None
        rows = len(cells.table) if cells.table.size else 0
        dropped += cells.dropped
        chunks.append(_Chunk(start, start + len(content), rows))
        for number, texts in cells.texts.items():
            labels[number].update(texts.tolist())
            most = parser.options.most_labels(number)
            check_labels(table.path, number, len(labels[number]), most)
        for number in [n for n, still in is_integer.items() if still and rows]:
            is_integer[number] = parser.integers(cells.lines, groups[number]) is not None
    known = {number: tuple(sorted(texts)) for number, texts in labels.items()}
    pieces = _CsvPieces(stamp, parser, chunks, groups, is_integer, known)
    drops = " dropped" if parser.options.missing == "drop" else ""
    pieces.digest, pieces.dropped = f"{digest.hexdigest()}{drops}", dropped
    return pieces


class _CsvPieces(ChunkedTable):
    """The rows of a file, some megabytes of text at a time; keys are the numbers of the groups."""

    digest: str
    dropped: int

    def __init__(
        self,
        stamp: FileStamp,
        parser: _Parser,
        chunks: Sequence[_Chunk],
        groups: Sequence[Group],
        is_integer: dict[int, bool],
        labels: Mapping[int, tuple[str, ...]],
    ) -> None:
        self._parser, self._groups, self._is_integer = parser, groups, is_integer
        self.labels, self.size = labels, chunks[-1].stop if chunks else 0
        self._chunks = [chunk for chunk in chunks if chunk.rows]
        # A gzipped file is read from its beginning: it stays open for the next chunk.
        self._packed = csv_text.is_packed(parser.table.path)
        self._stream: BinaryIO | None = None
        super().__init__(np.cumsum([0, *(chunk.rows for chunk in self._chunks)]), stamp)

    def columns(self) -> list[PieceColumn]:
        """Return an array for each group of columns."""
        return [
            PieceColumn(
                self,
                number,
                () if isinstance(group, int) else (len(group),),
                np.dtype(
                    np.int64
                    if self._is_integer[number] or self._parser.texts & set(column_numbers(group))
                    else float
                ),
                f"{self.digest} columns {column_numbers(group)}",
            )
            for number, group in enumerate(self._groups)
        ]

    def has_gap(self) -> bool:
        """Tell whether a value is missing; numbers of a large table are checked on use."""
        kept = self._parser.options.kept
        if any("" in texts for column, texts in self.labels.items() if column not in kept):
            return True
        if self.size > WHOLE_BYTES:
            return False
        return any(
            column.dtype.kind == "f" and bool(np.isnan(np.asarray(column)).any())
            for group, column in zip(self._groups, self.columns(), strict=True)
            if not kept.issuperset(column_numbers(group))
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stream": None}

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        chunk, path = self._chunks[piece], self._parser.table.path
        with csv_text.readable(path):
            stream = self._stream or csv_text.open_bytes(path)
            stream.seek(chunk.start)
            content = stream.read(chunk.stop - chunk.start)
        self._stream = stream if self._packed else None
        if not self._packed:
            stream.close()
        cells = self._parser.parse(content)
        if cells is None or len(cells.table) != chunk.rows:
            raise self._changed()
        return {n: self._array(cells, n, group) for n, group in enumerate(self._groups)}

    def _array(self, cells: _Cells, number: int, group: Group) -> NDArray:
        if isinstance(group, int) and group in cells.texts:
            return csv_text.places_of(cells.texts[group], self.labels[group])
        array: NDArray | None = np.ascontiguousarray(cells.table[:, column_numbers(group)])
        assert array is not None
        if self._is_integer[number]:
            exact = np.abs(array).max(initial=0) < _EXACT
            array = array.astype(np.int64) if exact else self._parser.integers(cells.lines, group)
        if array is None:
            raise self._changed()
        return array[:, 0] if isinstance(group, int) else array

    def _changed(self) -> DataError:
        return DataError(f"{self._parser.table.path} has changed while it was read: run again.")
