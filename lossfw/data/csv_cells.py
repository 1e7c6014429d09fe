"""Cells of columns, some rows at a time: numbers with gaps, or texts by their labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lossfw.data.chosen_rows import ChosenRows
from lossfw.data.csv_text import is_missing, is_number, is_whole, iter_rows
from lossfw.numerics.arrays import NDArray

# Cells of a file that Python's reader holds at a time.
HELD_CELLS = 2**19


class RereadError(Exception):
    """The rows have to be read in another way; `texts` are the columns that hold no numbers."""

    def __init__(self, texts: Collection[int] = ()) -> None:
        super().__init__(texts)
        self.texts = frozenset(texts)


class NumberCells(NamedTuple):
    """A column that was read as numbers; `absent` are the rows whose cell says that none is."""

    values: NDArray
    absent: NDArray

    def missing_mask(self, *, are_texts: bool) -> NDArray:
        """Tell where the value is missing."""
        return self.absent | np.isnan(self.values)

    def select(self, mask: NDArray) -> NumberCells:
        """Return some rows."""
        return NumberCells(self.values[mask], self.absent[mask])

    def to_numbers(self, *, nan_for_missing: bool) -> NDArray | None:
        """Return the numbers, floats with `nan_for_missing`; None if others are among them."""
        if nan_for_missing:
            return np.where(self.missing_mask(are_texts=False), np.nan, self.values)
        return None if self.absent.any() else self.values


class TextCells(NamedTuple):
    """A column of texts: the different ones, and the place of that of each row among them."""

    labels: Sequence[str]
    codes: NDArray

    def missing_mask(self, *, are_texts: bool) -> NDArray:
        """Tell where the value is missing; a text is where it is empty, for `none` may be one."""
        missing = [not x if are_texts else is_missing(x) for x in self.labels]
        return np.array(missing, bool)[self.codes]

    def select(self, mask: NDArray) -> TextCells:
        """Return some rows, with those labels that one of them has."""
        used = np.bincount(self.codes[mask], minlength=len(self.labels)) > 0
        labels = [label for label, is_used in zip(self.labels, used, strict=True) if is_used]
        return TextCells(labels, (np.cumsum(used) - 1)[self.codes[mask]])

    def to_numbers(self, *, nan_for_missing: bool) -> NDArray | None:
        """Return the numbers in the texts, in float64 `nan_for_missing`; None if one is none.

        They are int64 if all are written as integers, ``3`` and not ``3.0``.
        """
        labels = [
            "nan" if nan_for_missing and is_missing(label) else label for label in self.labels
        ]
        if not all(map(is_number, labels)):
            return None
        values = np.array([float(label) for label in labels], np.float64)
        if not nan_for_missing and all(map(is_whole, labels)):
            with suppress(OverflowError):  # beyond int64 it is a float
                values = np.array([int(label) for label in labels], np.int64)
        numbers: NDArray = values[self.codes]
        return numbers

    def positions_in(self, labels: Sequence[str]) -> NDArray:
        """Return the place of each text among other labels."""
        places = {label: place for place, label in enumerate(labels)}
        return np.array([places[label] for label in self.labels], np.int64)[self.codes]


# What both readers of a .csv make of a column.
Cells: TypeAlias = NumberCells | TextCells


class CellRows(NamedTuple):
    """Some rows: how many of the file, how many of them were chosen, and columns of these."""

    total: int
    chosen: int
    cells: Mapping[int, Cells]


def to_text_cells(cells: Iterable[str]) -> TextCells:
    """Return a column of texts, without the spaces around them.

    A table of them takes a tenth of the time of a sort, where a million rows have few labels.

    Examples
    --------
    >>> to_text_cells(["dog", " cat", "dog "]).labels
    ['dog', 'cat']
    """
    codes: defaultdict[str, int] = defaultdict()
    codes.default_factory = codes.__len__
    code_of_each = np.fromiter(map(codes.__getitem__, cells), np.int64)
    places: dict[str, int] = {}
    of_code = [places.setdefault(cell.strip(), len(places)) for cell in codes]
    return TextCells(list(places), np.array(of_code, np.int64)[code_of_each])


def python_cells(
    table: Any,
    columns: Collection[int],
    chosen: ChosenRows | None,
    texts: Collection[int],
    floats: Collection[int],
) -> Iterator[CellRows]:
    """Yield some rows of a `CsvTable` at a time.

    Raises
    ------
    RereadError
        If the number of cells is not that of the first line.
    """
    rows = (cells for _, cells in iter_rows(table.path, table.delimiter, table.header_lines))
    first = 0
    while whole := list(islice(rows, max(1, HELD_CELLS // table.width))):
        some = whole
        if chosen is not None:
            some = [whole[n] for n in chosen.within(first, first + len(whole)).tolist()]
        if any(len(cells) != table.width for cells in some):
            raise RereadError
        first += len(whole)
        found = {n: to_text_cells([cells[n] for cells in some]) for n in columns}
        yield CellRows(len(whole), len(some), found)
