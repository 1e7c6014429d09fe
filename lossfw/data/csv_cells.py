"""Cells of a table as numbers, or as texts by their labels: read by pyarrow, or by NumPy."""

from __future__ import annotations

import csv
import importlib
import io
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.data.arrow_arrays import nulls_of, values_of
from lossfw.data.csv_text import ENCODING, MISSING, is_missing, row_pattern
from lossfw.numerics.arrays import NDArray

# What the cells of a column hold: integers written as such, ``3`` and not ``3.0``; numbers;
# numbers of which some are missing, which are NaN; or texts.
CellKind: TypeAlias = Literal["integer", "number", "gap", "text"]

# From here on pyarrow is worth its import, where it is installed.
ARROW_BYTES = 2**20
# Cells that both readers take for missing; where another one is, NumPy reads.
_ARROW_MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "Null", "null", "None", "none"]


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
    lines = split_lines(content)
    return None if lines is None else numpy_cells(lines, layout)


def split_lines(content: bytes) -> list[str] | None:
    """Return the lines of a chunk with their ends, or None if it is not text in UTF-8."""
    try:
        # A byte-order mark can only be at the start of the first chunk.
        text = content.decode(ENCODING)
    except UnicodeDecodeError:
        return None
    # The end of a line may be a part of a cell in quotes.
    return list(io.StringIO(text, newline=""))


def numpy_cells(lines: list[str], layout: Layout) -> Cells | None:
    """Return the columns of some lines as `read_cells` does."""
    if layout.chosen is not None:
        rows = _rows(lines, layout.delimiter)
        some = [rows[n] for n in layout.chosen.tolist() if n < len(rows)]
        cells = numpy_cells(some, layout._replace(chosen=None))
        return None if cells is None else cells._replace(seen=len(rows))
    cells = _loaded(lines, layout)
    if not layout.needed or (cells is not None and _present(cells, layout.needed).all()):
        return cells
    rows = _rows(lines, layout.delimiter)
    places = _complete(rows, layout)
    cells = None if places is None else _loaded([rows[n] for n in places], layout)
    if places is None or cells is None:
        return None
    return cells._replace(dropped=len(rows) - len(places), places=np.array(places, np.int64))


def _present(cells: Cells, needed: Collection[int]) -> NDArray:
    """Tell which rows have a value in some columns: no NaN, and no empty text."""
    mask = np.ones(cells.rows, bool)
    for n in needed:
        if n in cells.texts:
            mask &= cells.texts[n].present
        else:
            mask &= ~np.isnan(cells.numbers[n])
    return mask


def _rows(lines: list[str], delimiter: str) -> list[str]:
    """Return the rows in some lines, without empty lines and comments."""
    if any('"' in line for line in lines):
        lines = row_pattern(delimiter).findall("".join(lines).rstrip("\r\n") + "\n")
    return [line for line in lines if line.lstrip()[:1] not in ("", "#")]


def _complete(rows: list[str], layout: Layout) -> list[int] | None:
    """Return the rows in which no value is missing; None if one has another number of cells.

    A text is missing where its cell is empty: ``none`` may be a label.
    """
    complete = []
    for number, row in enumerate(rows):
        cells = next(csv.reader([row], delimiter=layout.delimiter), [])
        if len(cells) != layout.width:
            return None
        if not any(
            is_missing(cells[n]) if layout.kinds[n] != "text" else not cells[n].strip()
            for n in layout.needed
        ):
            complete.append(number)
    return complete


def _loaded(lines: list[str], layout: Layout) -> Cells | None:
    # A character of a text that nobody reads is enough.
    dtypes = {"integer": "i8", "number": "f8", "gap": "O", "text": "O", None: "U1"}
    fields = [(str(n), dtypes[layout.kinds.get(n)]) for n in range(layout.width)]
    try:
        with warnings.catch_warnings():
            # NumPy warns when it reads 3.0 as an integer: here that is an error.
            warnings.simplefilter("error", DeprecationWarning)
            warnings.simplefilter("ignore", UserWarning)  # of a file without rows
            rows = np.loadtxt(lines, fields, delimiter=layout.delimiter, quotechar='"', ndmin=1)
        numbers = {
            n: _with_gaps(rows[str(n)]) if kind == "gap" else rows[str(n)]
            for n, kind in layout.kinds.items()
            if kind != "text"
        }
    except (ValueError, OverflowError, DeprecationWarning):
        return None
    texts = {n: texts_of(rows[str(n)]) for n, kind in layout.kinds.items() if kind == "text"}
    return Cells(len(rows), numbers, texts)


def _with_gaps(cells: NDArray) -> NDArray:
    """Return numbers, NaN where a cell is missing; raise `ValueError` for anything else."""
    texts = np.strings.strip(cells.astype(str))
    if np.strings.find(texts, "_").max(initial=-1) >= 0:
        raise ValueError("NumPy reads 1_000 as Python does")
    missing = np.isin(np.strings.lower(texts), sorted(MISSING))
    return np.where(missing, "nan", texts).astype(float)


def arrow_cells(content: bytes, layout: Layout) -> Cells | None:
    """Return the columns of some lines as `numpy_cells` does; None where that is in doubt."""
    try:
        pa, reader = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.csv"))
    except ImportError:
        return None
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    lower = content.lower()
    # pyarrow knows no comments and no -nan, takes hexadecimal numbers and nan(1), and a line of
    # spaces for a text; without columns it reads all of them.
    doubtful = any(mark in lower for mark in (b"\r", b"#", b"0x", b"nan(", b"-nan"))
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
                numbers[n] = np.where(missing[n], np.nan, numbers[n])
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
