"""Tables in ``.csv`` and ``.tsv`` files; errors name the line and the column."""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lossfw.data import csv_text
from lossfw.data.arrow_arrays import import_pyarrow
from lossfw.data.csv_arrow import arrow_cells
from lossfw.data.csv_cells import CellRows, RereadError, TextCells, python_cells
from lossfw.data.csv_text import is_missing, is_number
from lossfw.data.files import need_file
from lossfw.data.growing_rows import GrowingRows
from lossfw.data.labels import check_labels
from lossfw.data.lazy_arrays import (
    Group,
    RowArray,
    WrappedColumn,
    as_row_array,
    column_numbers,
    read_rows,
    take_rows,
)
from lossfw.data.stamps import FileStamp
from lossfw.data.table import Table, TableOptions, TableRows, columns_in, group_arrays
from lossfw.errors import DataError, MissingExtraError
from lossfw.numerics.arrays import NDArray
from lossfw.temporary import temporary_folder

# The numbers of a smaller file are kept in memory: they take some hundred megabytes at most.
WHOLE_BYTES = 16 * 2**20
# From here on pyarrow is worth its import, where it is installed.
ARROW_BYTES = 2**20
# A number with a comma in it: of a fraction, or between thousands.
_COMMAS = re.compile(r"[-+]?[\d.]+(?:,\d+)+")

# A way to read the cells of a table.
_Reader: TypeAlias = Callable[..., Iterator[CellRows]]


class _BadCell(NamedTuple):
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
        are then in temporary files, and their rows are read on use.
        """
        columns = columns_in(groups)
        texts: frozenset[int] = frozenset()
        readers = self._readers()
        while True:
            try:
                return _TableReading(self, groups, options, texts).read_with(readers[0])
            except RereadError as doubt:
                found = doubt.texts
            # A column with a text in it may be one of labels: then it is read as such.
            if not (found := found & options.labels - texts):
                if len(readers) > 1:
                    del readers[0]
                    continue
                mistake = self._first_bad_cell(columns, texts, options)
                if mistake.column is None or mistake.column not in options.labels - texts:
                    raise DataError(mistake.message)
                found = frozenset([mistake.column])
            texts |= found

    def _readers(self) -> list[_Reader]:
        """Return the ways to read the cells: each is left to the next where it is in doubt."""
        size = FileStamp.of(self.path).size
        if size < ARROW_BYTES:
            return [python_cells]
        try:
            import_pyarrow(needed_for=f"{self.path}, of more than {WHOLE_BYTES >> 20} MB of text,")
        except MissingExtraError:
            if size > WHOLE_BYTES:
                raise
            return [python_cells]
        return [arrow_cells, python_cells]

    def _first_bad_cell(
        self, columns: Collection[int], texts: frozenset[int], options: TableOptions
    ) -> _BadCell:
        """Return the first cell that is not a number, or not a text, where one is expected."""
        # A missing value of a column that may be one of labels, where `none` is one.
        missing: _BadCell | None = None
        refused, dropping = (
            f(columns) for f in (options.columns_refusing_missing, options.columns_dropping_rows)
        )
        rows = csv_text.iter_rows(self.path, self.delimiter, self.header_lines)
        for number, (line, cells) in enumerate(rows):
            if options.rows is not None and not options.rows.within(number, number + 1).size:
                continue
            if len(cells) != self.width:
                return missing or _BadCell(
                    f"{self.path}, line {line}: the number of columns is {len(cells)}, but "
                    f"{self.width} in the first line; every row needs the same."
                )
            for column in sorted(columns):
                cell = cells[column].strip()
                name = f" ({self.names[column]})" if self.names else ""
                place = f"{self.path}, line {line}, column {column}{name}"
                gap = not cell if column in texts else is_missing(cell)
                if gap and column in refused | dropping:
                    if column in refused:
                        text = f" ({cell!r})" if cell else ""
                        found = _BadCell(f"{place}: the value is missing{text}. {options.remedy}")
                        if not cell or column not in options.labels - texts:
                            return missing or found
                        missing = missing or found
                elif column not in texts and not (
                    is_number(cell) or (gap and column in options.inputs_with_missing)
                ):
                    if missing is not None and column not in options.labels - texts:
                        return missing
                    remedy = self._bad_cell_hint(column, cells, options)
                    return _BadCell(f"{place}: {cell!r} is not a number. {remedy}", column)
        return missing or _BadCell(f"{self.path} cannot be read as a table of numbers.")

    def _bad_cell_hint(self, column: int, cells: Sequence[str], options: TableOptions) -> str:
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
    return next(csv_text.iter_rows(path, delimiter), (0, []))


@dataclass(frozen=True)
class _TableReading:
    """A reading of a table: which columns, and which of them as texts."""

    table: CsvTable
    groups: Sequence[Group]
    options: TableOptions
    texts: frozenset[int]

    def read_with(self, reader: _Reader) -> TableRows:
        """Read the table once; `RereadError` if columns of numbers hold something else."""
        table, options, stamp = self.table, self.options, FileStamp.of(self.table.path)
        rows = [GrowingRows() for _ in self.groups]
        # The texts of each column, in the order in which they came.
        known: dict[int, dict[str, int]] = {n: {} for n in sorted(self.texts)}
        floats: set[int] = set()
        # Rows of the file, chosen and left out so far, and bytes of those that were not.
        total = chosen = dropped = size = 0
        # The places of the rows that were not left out.
        places: list[NDArray] = []
        columns, folder = sorted(columns_in(self.groups)), None
        with ExitStack() as stack:
            for batch in reader(table, columns, options.rows, self.texts, floats):
                present = self._present_mask(batch)
                if options.rows is not None:
                    places.append(np.flatnonzero(present) + chosen)
                total, chosen = total + batch.total, chosen + batch.chosen
                dropped += batch.chosen - int(present.sum())
                if not present.any():
                    continue
                arrays = self._arrays(batch, present, known)
                floats |= {n for n, array in arrays.items() if array.dtype.kind == "f"}
                for growing, array in zip(rows, group_arrays(self.groups, arrays), strict=True):
                    growing.add(array)
                    size += array.nbytes
                if folder is None and size > WHOLE_BYTES:
                    folder = stack.enter_context(temporary_folder())
                    for n, growing in enumerate(rows):
                        growing.spill(folder / f"{n}.rows")
            if chosen == dropped:
                why = ", since in each of them a value is missing" if dropped else ""
                raise DataError(f"{table.path} has no rows of numbers{why}.")
            found, labels = self._finished_arrays(rows, known)
            if folder is not None:
                files = _TemporaryArrays(self, stamp, found, stack.pop_all())
                found = [as_row_array(CsvColumn(files, n)) for n in range(len(found))]
        left = np.concatenate(places) if dropped and places else None
        return TableRows(found, labels, dropped, total, left)

    def _present_mask(self, batch: CellRows) -> NDArray:
        """Tell which rows are not left out."""
        present = np.ones(batch.chosen, bool)
        for n in self.options.columns_dropping_rows(batch.cells):
            present &= ~batch.cells[n].missing_mask(are_texts=n in self.texts)
        return present

    def _arrays(
        self, batch: CellRows, present: NDArray, known: Mapping[int, dict[str, int]]
    ) -> dict[int, NDArray]:
        """Return the columns of the rows that are not left out; texts by their places in `known`.

        `known` grows.
        """
        options, refused = self.options, self.options.columns_refusing_missing(batch.cells)
        arrays, texts = {}, set()
        for n, column in batch.cells.items():
            cells = column if present.all() else column.select(present)
            if n in refused and cells.missing_mask(are_texts=n in self.texts).any():
                raise RereadError
            if n in self.texts:
                assert isinstance(cells, TextCells)
                places = [known[n].setdefault(label, len(known[n])) for label in cells.labels]
                arrays[n] = np.array(places, np.int64)[cells.codes]
                check_labels(self.table.path, n, len(known[n]), options.most_labels(n))
            elif (
                numbers := cells.to_numbers(nan_for_missing=n in options.inputs_with_missing)
            ) is not None:
                arrays[n] = numbers
            else:
                texts.add(n)
        if texts:
            raise RereadError(texts)
        return arrays

    def _finished_arrays(
        self, rows: Sequence[GrowingRows], known: Mapping[int, Mapping[str, int]]
    ) -> tuple[list[RowArray], dict[int, tuple[str, ...]]]:
        """Return the array of each group, and the labels of each column of texts, ascending."""
        labels = {n: tuple(sorted(places)) for n, places in known.items()}
        # For each text in the order in which they came its place in the order of the labels.
        order = {
            n: TextCells([*known[n]], np.arange(len(known[n]))).positions_in(labels[n])
            for n in known
        }
        arrays = []
        for group, growing in zip(self.groups, rows, strict=True):
            inside = [(i, order[n]) for i, n in enumerate(column_numbers(group)) if n in order]
            arrays.append(growing.to_array(partial(_sort_codes, inside) if inside else None))
        return arrays, labels


def _sort_codes(positions: Sequence[tuple[int, NDArray]], rows: NDArray) -> NDArray:
    """Return rows in which some columns have the places of their labels."""
    changed = rows.copy()
    columns = changed.reshape(len(rows), -1)
    for i, places in positions:
        columns[:, i] = places[columns[:, i].astype(np.int64)]
    return changed


class _TemporaryArrays:
    """The arrays of a large table in temporary files, which go with this object.

    A pickle of it holds their names: another process on this machine reads them there, and one
    on another machine reads its own file of text once.
    """

    def __init__(
        self, scan: _TableReading, stamp: FileStamp, arrays: Sequence[NDArray], stack: ExitStack
    ) -> None:
        self._scan, self.stamp, self._arrays = scan, stamp, list(arrays)
        self._places = [(Path(a.filename), a.dtype, a.shape) for a in arrays]  # type: ignore[attr-defined]  # mapped
        weakref.finalize(self, _close_in_process, stack, os.getpid())

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.stamp = self.stamp.for_this_machine()

    def __getitem__(self, number: int) -> RowArray:
        if not self._arrays and all(path.exists() for path, *_ in self._places):
            self._arrays = [np.memmap(p, kind, "r", shape=shape) for p, kind, shape in self._places]
        if not self._arrays:
            table = replace(self._scan.table, path=self.stamp.path)
            self._arrays = table.read_rows(self._scan.groups, self._scan.options).arrays
        return self._arrays[number]


def _close_in_process(stack: ExitStack, process: int) -> None:
    # A process that was forked has the object too, and not the files.
    if os.getpid() == process:
        stack.close()


class CsvColumn(WrappedColumn):
    """An array of a large table, whose rows are read on use."""

    def __init__(self, files: _TemporaryArrays, number: int) -> None:
        rows = files[number]
        super().__init__(rows, rows.shape, rows.dtype)
        self._files, self._number = files, number

    def __reduce__(self) -> Any:
        return CsvColumn, (self._files, self._number)

    @property
    def stamp(self) -> FileStamp:
        """See `Column.stamp`: that of the text."""
        return self._files.stamp

    def read(self, start: int, stop: int) -> NDArray:
        """See `Column.read`."""
        self.stamp.check()
        return read_rows(self._rows, start, stop)

    def take(self, rows: NDArray) -> NDArray:
        """See `Column.take`."""
        self.stamp.check()
        return take_rows(self._rows, rows)
