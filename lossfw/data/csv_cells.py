"""Cells of a table as numbers, or as texts by their labels: read by pyarrow, or by `csv`.

Where pyarrow could read a cell otherwise, and in small tables, Python's `csv` reads.
"""

from __future__ import annotations

import csv
import importlib
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.data.arrow_arrays import nulls_of, values_of
from lossfw.data.csv_text import ENCODING, is_missing, is_number, is_row, is_whole, row_pattern
from lossfw.numerics.arrays import NDArray

# What the cells of a column hold: numbers; numbers of which some are missing, which are NaN;
# or texts.
CellKind: TypeAlias = Literal["number", "gap", "text"]

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

    Numbers are int64 if all of a column are written as integers, ``3`` and not ``3.0``, and float64
    otherwise. Spaces around cells, empty lines and comments
    do not count.

    Examples
    --------
    >>> cells = read_cells(b"1,cat,2  # a comment", Layout(",", 3, {0: "number", 1: "text"}))
    >>> cells.numbers[0].tolist(), cells.texts[1].labels
    ([1], ['cat'])
    """
    if len(content) >= ARROW_BYTES and (cells := arrow_cells(content, layout)) is not None:
        return cells
    return python_cells(content, layout)


def python_cells(content: bytes, layout: Layout) -> Cells | None:
    """Return the columns of some lines as `read_cells` does, by `csv`.

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
    kinds = {n: kind for n, kind in layout.kinds.items() if kind != "text"}
    numbers = {n: _numbers(texts.pop(n), kind == "gap") for n, kind in kinds.items()}
    found = {n: values for n, values in numbers.items() if values is not None}
    if len(found) < len(numbers):
        return None
    return Cells(len(rows) - dropped, found, texts, dropped, places, seen)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the cells of each row in some lines, without empty lines and comments."""
    if "#" in text:
        text = row_pattern(delimiter).sub(r"\1\2", f"{text}\n")
    # The end of a line may be a part of a cell in quotes.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return list(filter(is_row, reader))


def _numbers(column: Texts, gap: bool) -> NDArray | None:
    """Return the numbers in a column of texts, NaN in a `gap`; None if it holds anything else."""
    labels = ["nan" if gap and is_missing(label) else label for label in column.labels]
    if not all(map(is_number, labels)):
        return None
    values = np.array([float(label) for label in labels], np.float64)
    if not gap and all(map(is_whole, labels)):
        with suppress(OverflowError):  # beyond int64 it is a float
            values = np.array([int(label) for label in labels], np.int64)
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
    # The types of others are found: whole numbers are int64.
    dtypes = {"gap": pa.float64(), "text": pa.dictionary(pa.int32(), pa.string())}
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
                column_types={
                    str(n): dtypes[kind] for n, kind in layout.kinds.items() if kind in dtypes
                },
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
        elif column.type not in (pa.int64(), pa.float64()):
            return None
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
