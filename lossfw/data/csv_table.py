"""Tables in ``.csv`` and ``.tsv`` files; errors name the line and the column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np

from lossfw.data import csv_text
from lossfw.data.csv_cells import CellKind, Cells, Layout, read_cells
from lossfw.data.csv_text import is_missing, is_number
from lossfw.data.files import need_file
from lossfw.data.labels import check_labels
from lossfw.data.lazy_arrays import (
    ChunkedTable,
    Group,
    PieceColumn,
    RowArray,
    column_numbers,
    is_file_backed,
    materialize,
)
from lossfw.data.stamps import FileStamp
from lossfw.data.table import Table, TableOptions, TableRows, columns_in
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# The numbers of a smaller file are kept: they take some hundred megabytes at most.
WHOLE_BYTES = 16 * 2**20
# The first lines of a table.
_FIRST_BYTES = 2**14
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
            parser = _Parser(self, options, groups, texts)
            pieces = _scan(parser)
            if pieces is not None:
                columns = cast("list[RowArray]", pieces.columns())
                if pieces.size <= WHOLE_BYTES:
                    columns = materialize(*columns)
                if not _lacks_value(pieces, columns, options.refusing(parser.columns)):
                    break
            mistake = self._first_mistake(parser)
            # A column with a text in it may be one of labels: then it is read as such.
            if mistake.column is None or mistake.column not in options.labels - texts:
                raise DataError(mistake.message)
            texts |= {mistake.column}
        if len(pieces) == 0:
            why = ", since in each of them a value is missing" if pieces.dropped else ""
            raise DataError(f"{self.path} has no rows of numbers{why}.")
        return TableRows(columns, pieces.labels, pieces.dropped, pieces.count, pieces.places)

    def _first_mistake(self, parser: _Parser) -> _Mistake:
        """Return the first cell that is not a number, or not a text, where one is expected."""
        texts, options = parser.texts, parser.options
        # A missing value of a column that may be one of labels, where `none` is one.
        missing: _Mistake | None = None
        refused, dropping = (f(parser.columns) for f in (options.refusing, options.dropping))
        number = -1
        for line, cells in csv_text.rows_of(self.path, self.delimiter):
            if line <= self.header_lines:
                continue
            number += 1
            if options.rows is not None and not options.rows.within(number, number + 1).size:
                continue
            if len(cells) != self.width:
                return missing or _Mistake(
                    f"{self.path}, line {line}: the number of columns is {len(cells)}, but "
                    f"{self.width} in the first line; every row needs the same."
                )
            for column in sorted(parser.columns):
                cell = cells[column].strip()
                name = f" ({self.names[column]})" if self.names else ""
                place = f"{self.path}, line {line}, column {column}{name}"
                gap = not cell if column in texts else is_missing(cell)
                if gap and column in refused | dropping:
                    if column in refused:
                        text = f" ({cell!r})" if cell else ""
                        found = _Mistake(f"{place}: the value is missing{text}. {options.remedy}")
                        if not cell or column not in options.labels - texts:
                            return missing or found
                        missing = missing or found
                elif column not in texts and not (
                    is_number(cell) or (gap and column in options.gaps)
                ):
                    if missing is not None and column not in options.labels - texts:
                        return missing
                    remedy = self._remedy(column, cells, options)
                    return _Mistake(f"{place}: {cell!r} is not a number. {remedy}", column)
        return missing or _Mistake(f"{self.path} cannot be read as a table of numbers.")

    def _remedy(self, column: int, cells: Sequence[str], options: TableOptions) -> str:
        """Return what to do about a cell that is not a number."""
        # Those of the same line too: a message for each of them would be tiresome.
        texts = [n for n, x in enumerate(cells) if not (is_number(x) or is_missing(x))]
        remedy = self.hint_for_text(column, options, texts)
        if not self.names and column not in options.optional:
            remedy = f"Columns are counted from 0. {remedy}"
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


@dataclass(frozen=True)
class _Parser:
    """The way in which the lines of a table are read: which columns, and which of them as texts."""

    table: CsvTable
    options: TableOptions
    groups: Sequence[Group]
    texts: frozenset[int]

    @cached_property
    def columns(self) -> frozenset[int]:
        """The columns that are read."""
        return columns_in(self.groups)

    def columns_of(self, groups: Collection[int]) -> frozenset[int]:
        """Return the columns of the groups with these numbers."""
        return columns_in([self.groups[n] for n in groups])

    def parse(self, content: bytes, integers: Collection[int], first: int) -> Cells | None:
        """Return the cells of some lines; None if a column holds something else.

        The columns of the groups `integers` are integers, and `first` is the number of the first
        row.
        """
        whole, gaps = self.columns_of(integers), self.options.gaps
        kinds: dict[int, CellKind] = {
            n: "text" if n in self.texts else "integer" if n in whole
            else "gap" if n in gaps else "number"
            for n in self.columns
        }  # fmt: skip
        drops, chosen = self.options.dropping(self.columns), None
        if self.options.rows is not None:
            lines = content.count(b"\n") + content.count(b"\r") + 1
            chosen = self.options.rows.within(first, first + lines)
        layout = Layout(self.table.delimiter, self.table.width, kinds, drops, chosen)
        return read_cells(content, layout)

    def integers_in(self, content: bytes, groups: Collection[int], first: int) -> Collection[int]:
        """Return those groups whose cells are written as integers in some lines."""
        return [
            n
            for n in groups
            if self.texts.issuperset(self.columns_of([n])) or self.parse(content, [n], first)
        ]


def _lacks_value(pieces: _CsvPieces, columns: Sequence[RowArray], refused: frozenset[int]) -> bool:
    """Tell whether a value is missing; numbers of a large table are checked on use."""
    if any("" in texts for column, texts in pieces.labels.items() if column in refused):
        return True
    return any(
        array.dtype.kind == "f" and not is_file_backed(array) and bool(np.isnan(array).any())
        for group, array in zip(pieces.parser.groups, columns, strict=True)
        if refused.intersection(column_numbers(group))
    )


class _Chunk(NamedTuple):
    """Whole lines of a file: its bytes, the second excluded, and the rows that are read of them.

    `first` is the number of the first row in them.
    """

    start: int
    stop: int
    rows: int
    first: int


def _scan(parser: _Parser) -> _CsvPieces | None:
    """Read a file once; None if columns of numbers hold something else.

    This checks every line, finds where chunks begin and which groups are integers throughout,
    and finds the labels.
    """
    table, stamp = parser.table, FileStamp.of(parser.table.path)
    integers: Collection[int] = range(len(parser.groups))
    labels: dict[int, set[str]] = {number: set() for number in parser.texts}
    chunks: list[_Chunk] = []
    # Rows that were seen, chosen and left out so far, and the places of those that were not.
    first = chosen = dropped = 0
    places: list[NDArray] = []
    # Reading the numbers again for a digest would take as long as the evaluation.
    digest = hashlib.sha256()
    for start, content in csv_text.chunks_of(table.path, table.header_lines, table.delimiter):
        digest.update(content)
        if not chunks:
            # The first lines tell what most columns hold.
            lines = _first_lines(content, table.delimiter)
            if parser.parse(lines, (), 0) is None:
                return None
            integers = parser.integers_in(lines, integers, 0)
        cells = parser.parse(content, integers, first)
        if cells is None and integers:
            integers = parser.integers_in(content, integers, first)
            cells = parser.parse(content, integers, first)
        if cells is None:
            return None
        chunks.append(_Chunk(start, start + len(content), cells.rows, first))
        if parser.options.rows is not None:
            inside = np.arange(cells.rows) if cells.places is None else cells.places
            places.append(inside + chosen)
        first, chosen = first + cells.seen, chosen + cells.rows + cells.dropped
        dropped += cells.dropped
        for number in parser.texts:
            labels[number].update(cells.texts[number].labels)
            most = parser.options.most_labels(number)
            check_labels(table.path, number, len(labels[number]), most)
    known = {number: tuple(sorted(texts)) for number, texts in labels.items()}
    drops = " dropped" if parser.options.missing == "drop" else ""
    some = "" if parser.options.rows is None else f" {parser.options.rows.digest}"
    pieces = _CsvPieces(
        stamp, parser, chunks, integers, known, f"{digest.hexdigest()}{drops}{some}"
    )
    pieces.dropped, pieces.count = dropped, first
    pieces.places = np.concatenate(places) if dropped and places else None
    return pieces


def _first_lines(content: bytes, delimiter: str) -> bytes:
    lines = content[: content.find(b"\n", _FIRST_BYTES) + 1]
    return lines[: csv_text.end_of_rows(lines, delimiter)] or content


class _CsvPieces(ChunkedTable):
    """The rows of a file, some megabytes of text at a time; keys are the numbers of the groups."""

    def __init__(
        self,
        stamp: FileStamp,
        parser: _Parser,
        chunks: Sequence[_Chunk],
        integers: Collection[int],
        labels: Mapping[int, tuple[str, ...]],
        digest: str,
    ) -> None:
        self.parser, self._integers = parser, integers
        self.labels, self.size = labels, chunks[-1].stop if chunks else 0
        self.digest = digest
        # As in a `TableRows`.
        self.dropped = self.count = 0
        self.places: NDArray | None = None
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
                np.dtype(np.int64 if number in self._integers else np.float64),
                f"{self.digest} columns {column_numbers(group)}",
            )
            for number, group in enumerate(self.parser.groups)
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_stream": None, "places": None}

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        chunk, path, parser = self._chunks[piece], self.parser.table.path, self.parser
        with csv_text.readable(path):
            stream = self._stream or csv_text.open_bytes(path)
            stream.seek(chunk.start)
            content = stream.read(chunk.stop - chunk.start)
        self._stream = stream if self._packed else None
        if not self._packed:
            stream.close()
        cells = exact = parser.parse(content, self._integers, chunk.first)
        # A column may be among integers and among floats, and an integer -0 has no sign.
        floats = parser.columns_of(set(range(len(parser.groups))) - set(self._integers))
        if b"-0" in content and floats & parser.columns_of(self._integers):
            cells = parser.parse(content, (), chunk.first)
        if cells is None or exact is None or not cells.rows == exact.rows == chunk.rows:
            raise DataError(f"{path} has changed while it was read: run again.")
        return {
            number: self._array(exact, group, np.int64)
            if number in self._integers
            else self._array(cells, group, np.float64)
            for number, group in enumerate(parser.groups)
        }

    def _array(self, cells: Cells, group: Group, dtype: type[np.generic]) -> NDArray:
        array = np.empty((cells.rows, len(column_numbers(group))), dtype)
        for place, number in enumerate(column_numbers(group)):
            array[:, place] = (
                cells.texts[number].places_in(self.labels[number])
                if number in cells.texts
                else cells.numbers[number]
            )
        return array[:, 0] if isinstance(group, int) else array
