"""Cells of a table as numbers, or as texts by their labels: read by pyarrow, or by `csv`.

Where pyarrow could read a cell otherwise, and in small tables, Python's `csv` reads.
"""

from __future__ import annotations

import csv
import importlib
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.data.arrow_arrays import nulls_of, values_of
from lossfw.data.csv_text import ENCODING, is_missing, is_number, is_whole, row_pattern
from lossfw.numerics.arrays import NDArray

# What the cells of a column hold: integers written as such, ``3`` and not ``3.0``; numbers;
# numbers of which some are missing, which are NaN; or texts.
CellKind: TypeAlias = Literal["integer", "number", "gap", "text"]

# From here on pyarrow is worth its import, where it is installed.
ARROW_BYTES = 2**20
# Cells that both readers take for missing; where another one is, `csv` reads.
_ARROW_MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "Null", "null", "None", "none"]

# pyarrow knows no comments, and takes hexadecimal numbers and nan(1). A single byte is found much
# sooner than two.
_DOUBTFUL = {b"\r": b"\r", b"#": b"#", b"x": b"0x", b"X": b"0X", b"(": b"("}


class Texts(NamedTuple):
    """A column of texts: the different ones, and the place of that of each row among them."""

    labels: Sequence[str]
    codes: NDArray

    @property
    def present(self) -> NDArray:
        """The rows whose text is not empty."""
        return np.array([label != "" for label in self.labels], bool)[self.codes]

    def where(self, mask: NDArray) -> Texts:
        """Return the texts of some rows, those labels that one of them has."""
        used = np.bincount(self.codes[mask], minlength=len(self.labels)) > 0
        labels = [label for label, is_used in zip(self.labels, used, strict=True) if is_used]
        return Texts(labels, (np.cumsum(used) - 1)[self.codes[mask]])

    def places_in(self, labels: Sequence[str]) -> NDArray:
        """Return the place of each text among other labels."""
        places = {label: place for place, label in enumerate(labels)}
        return np.array([places[label] for label in self.labels], np.int64)[self.codes]


class Cells(NamedTuple):
    """Some rows: the columns that are read, by number.

    `dropped` are those of the chosen rows that were left out, `places` those of the others among
    the chosen rows, and `seen` are all rows in the lines, where rows were chosen.
    """

    rows: int
    numbers: Mapping[int, NDArray]
    texts: Mapping[int, Texts]
    dropped: int = 0
    places: NDArray | None = None
    seen: int = 0


class Layout(NamedTuple):
    """How the lines of a table are read."""

    delimiter: str
    # Cells of a line.
    width: int
    # What columns hold, by number; one that is not read may hold anything.
    kinds: Mapping[int, CellKind]
    # Columns in which a missing value drops its row.
    needed: Collection[int] = ()
    # The rows that are read, by their ascending numbers in the lines; all by default.
    chosen: NDArray | None = None


def texts_of(cells: Iterable[str]) -> Texts:
    """Return a column of texts, without the spaces around them.

    A table of them takes a tenth of the time of a sort, where a million rows have few labels.

    Examples
    --------
    >>> texts_of(["dog", " cat", "dog "]).labels
    ['dog', 'cat']
    """
    codes: defaultdict[str, int] = defaultdict()
    codes.default_factory = codes.__len__
    code_of_each = np.fromiter(map(codes.__getitem__, cells), np.int64)
    places: dict[str, int] = {}
    of_code = [places.setdefault(cell.strip(), len(places)) for cell in codes]
    return Texts(list(places), np.array(of_code, np.int64)[code_of_each])


def read_cells(content: bytes, layout: Layout) -> Cells | None:
    """Return the columns of some lines; None if one holds something else, or a line is too long.

    Integers are int64, other numbers are float64. Spaces around cells, empty lines and comments
    do not count.

    Examples
    --------
    >>> cells = read_cells(b"1,cat,2  # a comment", Layout(",", 3, {0: "integer", 1: "text"}))
    >>> cells.numbers[0].tolist(), cells.texts[1].labels
    ([1], ['cat'])
    """
    if len(content) >= ARROW_BYTES and (cells := arrow_cells(content, layout)) is not None:
        return cells
    return python_cells(content, layout)


def python_cells(content: bytes, layout: Layout) -> Cells | None:
    """Return the columns of some lines as `read_cells` does, by `csv`."""
    cells = _cells_as_texts(content, layout)
    if cells is None:
        return None
    numbers = {
        n: _numbers(cells.texts[n], kind) for n, kind in layout.kinds.items() if kind != "text"
    }
    found = {n: values for n, values in numbers.items() if values is not None}
    texts = {n: cells.texts[n] for n, kind in layout.kinds.items() if kind == "text"}
    return cells._replace(numbers=found, texts=texts) if len(found) == len(numbers) else None


def whole_columns(content: bytes, layout: Layout) -> set[int]:
    """Return those columns of kind "integer" that hold nothing else in some lines."""
    cells, kinds = _cells_as_texts(content, layout), layout.kinds
    columns = {} if cells is None else cells.texts
    return {
        n
        for n, column in columns.items()
        if kinds[n] == "integer" and _numbers(column, "integer") is not None
    }


def _cells_as_texts(content: bytes, layout: Layout) -> Cells | None:
    """Return all columns of the chosen rows as texts; None if a line is not a row of the table.

    A number is missing where its cell says so, a text where its cell is empty: ``none`` may be a
    label.
    """
    try:
        # A byte-order mark can only be at the start of the first chunk.
        rows = _rows(content.decode(ENCODING), layout.delimiter)
    except (UnicodeDecodeError, csv.Error):
        return None
    seen, chosen = len(rows), layout.chosen
    if chosen is not None:
        rows = [rows[n] for n in chosen[chosen < seen].tolist()]
    if any(len(cells) != layout.width for cells in rows):
        return None
    texts = {n: texts_of([cells[n] for cells in rows]) for n in layout.kinds}
    present = np.ones(len(rows), bool)
    for n in layout.needed:
        column, kind = texts[n], layout.kinds[n]
        there = [
            label != "" if kind == "text" else not is_missing(label) for label in column.labels
        ]
        present &= np.array(there, bool)[column.codes]
    dropped = int((~present).sum())
    if dropped:
        texts = {n: column.where(present) for n, column in texts.items()}
    places = np.flatnonzero(present) if dropped else None
    return Cells(len(rows) - dropped, {}, texts, dropped, places, seen)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the cells of each row in some lines, without empty lines and comments."""
    if "#" in text:
        text = row_pattern(delimiter).sub(r"\1\2", f"{text}\n")
    # The end of a line may be a part of a cell in quotes.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [cells for cells in reader if len(cells) > 1 or (cells and not cells[0].isspace())]


def _numbers(column: Texts, kind: CellKind) -> NDArray | None:
    """Return the numbers in a column of texts; None if it holds anything else."""
    gap, whole = kind == "gap", kind == "integer"
    labels = ["nan" if gap and is_missing(label) else label for label in column.labels]
    if not all(map(is_whole if whole else is_number, labels)):
        return None
    try:
        values = np.array([int(x) if whole else float(x) for x in labels], "i8" if whole else "f8")
    except OverflowError:
        return None
    numbers: NDArray = values[column.codes]
    return numbers


def arrow_cells(content: bytes, layout: Layout) -> Cells | None:
    """Return the columns of some lines as `python_cells` does; None where that is in doubt."""
    try:
        pa, reader = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.csv"))
    except ImportError:
        return None
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    # It takes a line of spaces for a text; without columns it reads all of them.
    doubtful = any(one in content and mark in content for one, mark in _DOUBTFUL.items())
    if doubtful or not layout.kinds or (layout.width == 1 and layout.kinds[0] == "text"):
        return None
    dtypes = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "gap": pa.float64(),
        "text": pa.dictionary(pa.int32(), pa.string()),
    }
    try:
        content.decode()  # pyarrow does not look at columns that are not read
        table = reader.read_csv(
            pa.BufferReader(content),
            reader.ReadOptions(
                use_threads=False,
                block_size=len(content) + 1,
                column_names=[str(n) for n in range(layout.width)],
            ),
            reader.ParseOptions(delimiter=layout.delimiter),
            reader.ConvertOptions(
                column_types={str(n): dtypes[kind] for n, kind in layout.kinds.items()},
                include_columns=[str(n) for n in layout.kinds],
                null_values=_ARROW_MISSING,
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    # A cell may go over several lines.
    rows = len(table)
    if not rows or rows != content.count(b"\n") + (not content.endswith(b"\n")):
        return None
    numbers, texts, missing = {}, {}, {}
    for n, kind in layout.kinds.items():
        column = table[str(n)].combine_chunks()
        if kind == "text":
            labels = texts_of(column.dictionary.to_pylist())
            texts[n] = Texts(labels.labels, labels.codes[values_of(column.indices)])
        else:
            numbers[n] = values_of(column)
            missing[n] = nulls_of(column)
            if kind == "gap":
                numbers[n] = np.where(missing[n] | np.isnan(numbers[n]), np.nan, numbers[n])
    chosen = np.ones(rows, bool)
    if layout.chosen is not None:
        chosen[:] = False
        chosen[layout.chosen[layout.chosen < rows]] = True
    present = chosen.copy()
    for n in layout.needed:
        present &= texts[n].present if n in texts else ~(missing[n] | np.isnan(numbers[n]))
    if any(layout.kinds[n] != "gap" and (null & present).any() for n, null in missing.items()):
        return None
    numbers = {n: values[present] for n, values in numbers.items()}
    texts = {n: column.where(present) for n, column in texts.items()}
    kept, dropped = int(present.sum()), int(chosen.sum() - present.sum())
    places = np.flatnonzero(present[chosen]) if dropped else None
    return Cells(kept, numbers, texts, dropped, places, rows)
