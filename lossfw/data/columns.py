"""Columns, besides inputs and targets, by which rows are sliced: numbers or strings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from lossfw.data.csv_text import is_missing, is_number, is_whole
from lossfw.data.lazy_arrays import RowArray, chunks_of, is_file_backed, materialize, take_rows
from lossfw.data.row_transforms import TableEntry, transform_rows
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Whole numbers from here on are rounded in float64.
FIRST_ROUNDED = 2**53
# Kinds of NumPy dtypes that a column may have: numbers, truth values, and texts.
_KINDS = "fiubU"


class ColumnError(DataError):
    """The column does not exist, or cannot slice the rows.

    Attributes
    ----------
    column : str
        The requested name.
    """

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column

    def __reduce__(self) -> Any:
        return type(self), (self.column, str(self))


@dataclass(frozen=True, eq=False)
class DataColumn:
    """A column of the data by which rows can be sliced.

    Attributes
    ----------
    values : ndarray or Column, shape (N,)
        Numbers, NaN for missing ones; or positions in `labels`.
    labels : tuple of str
        The strings of the column, ascending; empty for numbers. An empty string, NA or NaN means a
        missing value.

    Examples
    --------
    >>> column = DataColumn.of(np.array(["south", "north", "south"]))
    >>> column.labels, column.values.tolist(), column.counts.tolist()
    (('north', 'south'), [1, 0, 1], [1, 2])
    """

    values: RowArray
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, array: Any) -> DataColumn:
        """Return an array of numbers or strings as a column, and a column unchanged.

        Raises
        ------
        DataError
            If it is neither, or does not have the shape (N,).
        """
        if isinstance(array, DataColumn):
            return array
        values = np.asarray(array)
        if values.dtype.kind not in _KINDS or values.ndim != 1:
            raise DataError(
                f"it has dtype {values.dtype} and shape {values.shape}; expected one number or one "
                "string for each row."
            )
        if values.dtype.kind == "U":
            values = np.strings.strip(values)
        elif not rounded_positions(values).size:
            return cls(values)
        # Numbers that a float does not have exactly can only be keys, which are texts.
        labels, codes = np.unique(values, return_inverse=True)
        return cls(codes, tuple(map(str, labels.tolist())))

    @classmethod
    def from_codes(cls, codes: RowArray, labels: tuple[str, ...]) -> DataColumn:
        """Return a column of strings; if all are numbers or missing, a column of numbers.

        Without labels the codes are numbers themselves.
        """
        if not labels and not is_file_backed(codes):
            return cls.of(codes)
        given = [label for label in labels if not is_missing(label)]
        if not given or not all(map(_is_exact, given)):
            return cls(codes, labels)
        numbers = np.array([np.nan if is_missing(x) else float(x) for x in labels])
        return cls(transform_rows(codes, TableEntry(numbers)))

    @property
    def holds_strings(self) -> bool:
        """Whether the values are texts."""
        return bool(self.labels)

    @cached_property
    def counts(self) -> NDArray:
        """The number of rows per label; a file is read once."""
        counts = np.zeros(len(self.labels), np.int64)
        for rows in chunks_of(self.values):
            counts += np.bincount(rows, minlength=len(counts))
        return counts

    @cached_property
    def labels_or_none(self) -> list[str | None]:
        """The labels, None for one that means a missing value."""
        return [None if is_missing(label) else label for label in self.labels]

    def take(self, rows: NDArray) -> DataColumn:
        """Return the rows with these numbers."""
        return replace(self, values=take_rows(self.values, rows))

    def in_memory(self) -> DataColumn:
        """Return the same rows in memory."""
        return replace(self, values=materialize(self.values)[0])


def _is_exact(label: str) -> bool:
    """Tell whether a label is a number that a float has exactly: the key of a row is not rounded.

    Examples
    --------
    >>> _is_exact("0.1"), _is_exact("-9007199254740993"), _is_exact("A1")
    (True, False, False)
    """
    return is_number(label) and not (is_whole(label) and abs(float(label)) >= FIRST_ROUNDED)


def rounded_positions(values: NDArray) -> NDArray:
    """Return the positions of integers that float64 would round."""
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
        return np.array([], np.int64)
    return np.flatnonzero((values >= FIRST_ROUNDED) | (values <= -FIRST_ROUNDED))
