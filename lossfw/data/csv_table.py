"""Tables in ``.csv`` and ``.tsv`` files; errors name the line and the column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from lossfw.data import csv_text
from lossfw.data.csv_cells import CellKind, Layout, read_cells
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
from lossfw.data.piece_store import PieceStore
from lossfw.data.stamps import FileStamp
from lossfw.data.table import Table, TableOptions, TableRows, columns_in
from lossfw.errors import DataError, MissingExtraError
from lossfw.extras import install_command
from lossfw.numerics.arrays import NDArray

# The numbers of a smaller file are kept in memory: they take some hundred megabytes at most.
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
        ``3`` and not ``3.0``, and float64 otherwise. A large file is read once; its columns
        are then in a temporary file, and their rows are read on use.
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

    def layout(self, content: bytes, first: int) -> Layout:
        """Return how some lines are read, of which the number of the first row is `first`."""
        gaps = self.options.gaps
        kinds: dict[int, CellKind] = {
            n: "text" if n in self.texts else "gap" if n in gaps else "number" for n in self.columns
        }
        drops, chosen = self.options.dropping(self.columns), None
        if self.options.rows is not None:
            lines = content.count(b"\n") + content.count(b"\r") + 1
            chosen = self.options.rows.within(first, first + lines)
        return Layout(self.table.delimiter, self.table.width, kinds, drops, chosen)


def _lacks_value(pieces: _CsvPieces, columns: Sequence[RowArray], refused: frozenset[int]) -> bool:
    """Tell whether a value is missing; numbers of a large table are checked on use."""
    if any("" in texts for column, texts in pieces.labels.items() if column in refused):
        return True
    return any(
        array.dtype.kind == "f" and not is_file_backed(array) and bool(np.isnan(array).any())
        for group, array in zip(pieces.parser.groups, columns, strict=True)
        if refused.intersection(column_numbers(group))
    )


def _scan(parser: _Parser) -> _CsvPieces | None:
    """Read a file once; None if columns of numbers hold something else."""
    table, stamp, store = parser.table, FileStamp.of(parser.table.path), PieceStore()
    integers = parser.columns - parser.texts
    # The texts of each column, by which the store has their places.
    known: dict[int, dict[str, int]] = {number: {} for number in parser.texts}
    counts = [0]
    # Bytes that were read, and rows that were seen, chosen and left out so far.
    size = first = chosen = dropped = 0
    # The places of the rows that were not left out.
    places: list[NDArray] = []
    # Reading the numbers again for a digest would take as long as the evaluation.
    digest = hashlib.sha256()
    for content in csv_text.chunks_of(table.path, table.header_lines, table.delimiter):
        digest.update(content)
        if first == 0:
            # Most mistakes are in every line.
            lines = _first_lines(content, table.delimiter)
            if lines and read_cells(lines, parser.layout(lines, 0)) is None:
                return None
        cells = read_cells(content, parser.layout(content, first))
        if cells is None:
            return None
        columns = dict(cells.numbers)
        for number, labels in known.items():
            texts = cells.texts[number]
            codes = [labels.setdefault(text, len(labels)) for text in texts.labels]
            columns[number] = np.array(codes, np.int64)[texts.codes]
            check_labels(table.path, number, len(labels), parser.options.most_labels(number))
        size += len(content)
        if size > WHOLE_BYTES:
            _spill(store, table.path)
        if cells.rows:
            integers -= {n for n, numbers in columns.items() if numbers.dtype.kind == "f"}
            store.add(columns)
            counts.append(cells.rows)
        if parser.options.rows is not None:
            inside = np.arange(cells.rows) if cells.places is None else cells.places
            places.append(inside + chosen)
        first, chosen = first + cells.seen, chosen + cells.rows + cells.dropped
        dropped += cells.dropped
    drops = " dropped" if parser.options.missing == "drop" else ""
    some = "" if parser.options.rows is None else f" {parser.options.rows.digest}"
    name = f"{digest.hexdigest()}{drops}{some}"
    pieces = _CsvPieces(stamp, parser, store, counts, integers | parser.texts, known, name)
    pieces.size, pieces.dropped, pieces.count = size, dropped, first
    pieces.places = np.concatenate(places) if dropped and places else None
    return pieces


def _spill(store: PieceStore, path: Path | str) -> None:
    try:
        store.spill()
    except MissingExtraError:
        raise MissingExtraError(
            f"{path} has more than {WHOLE_BYTES >> 20} MB of text, for which lossfw needs the "
            f"library pyarrow, which is not installed: {install_command('tables')}"
        ) from None


def _first_lines(content: bytes, delimiter: str) -> bytes:
    lines = content[: content.find(b"\n", _FIRST_BYTES) + 1]
    return lines[: csv_text.end_of_rows(lines, delimiter)]


class _CsvPieces(ChunkedTable):
    """The rows of a file, some megabytes of text at a time; keys are the numbers of the groups."""

    def __init__(
        self,
        stamp: FileStamp,
        parser: _Parser,
        store: PieceStore,
        counts: Sequence[int],
        integers: frozenset[int],
        known: Mapping[int, Mapping[str, int]],
        digest: str,
    ) -> None:
        self.parser, self.digest = parser, digest
        # Columns of whole numbers, places of labels among them.
        self._store, self._integers = store, integers
        self.labels = {number: tuple(sorted(places)) for number, places in known.items()}
        # For each text in the order of the store its place in the order of the labels.
        self._places = {
            number: np.array([*map({t: n for n, t in enumerate(self.labels[number])}.get, texts)])
            for number, texts in known.items()
        }
        # As in a `TableRows`; and the bytes of the text.
        self.dropped = self.count = self.size = 0
        self.places: NDArray | None = None
        super().__init__(np.cumsum(counts), stamp)

    def columns(self) -> list[PieceColumn]:
        """Return an array for each group of columns."""
        return [
            PieceColumn(
                self,
                number,
                () if isinstance(group, int) else (len(group),),
                self._dtype(group),
                f"{self.digest} columns {column_numbers(group)}",
            )
            for number, group in enumerate(self.parser.groups)
        ]

    def _dtype(self, group: Group) -> np.dtype[Any]:
        return np.dtype("i8" if self._integers.issuperset(column_numbers(group)) else "f8")

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "places": None}

    def load(self, piece: int) -> dict[Hashable, NDArray]:
        if not self._store.is_there:
            # On another machine: its own file is read there once.
            table = replace(self.parser.table, path=self.stamp.path)
            again = _scan(replace(self.parser, table=table))
            if again is None or again.digest != self.digest:
                raise DataError(f"{self.stamp.path} has changed while it was read: run again.")
            self._store = again._store
        columns = self._store[piece]
        return {n: self._array(columns, group) for n, group in enumerate(self.parser.groups)}

    def _array(self, columns: Mapping[int, NDArray], group: Group) -> NDArray:
        numbers = column_numbers(group)
        array = np.empty((len(columns[numbers[0]]), len(numbers)), self._dtype(group))
        for place, number in enumerate(numbers):
            values = columns[number]
            array[:, place] = self._places[number][values] if number in self._places else values
        return array[:, 0] if isinstance(group, int) else array
