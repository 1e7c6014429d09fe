"""Transforms of rows, applied as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from lossfw.data.lazy_arrays import (
    RowArray,
    WrappedColumn,
    as_row_array,
    is_file_backed,
    read_rows,
    take_rows,
)
from lossfw.numerics.arrays import NDArray

# The number in the data of each row that is changed.
RowNumbers: TypeAlias = "Sequence[int] | NDArray"


class RowTransform(Protocol):
    """Protocol: a function that changes each row independently."""

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Return the changed rows; `numbers` are theirs in the data, for messages."""


class TransformedColumn(WrappedColumn):
    """An array in a file whose rows are transformed as they are read, to this shape."""

    def __init__(
        self, rows: RowArray, change: RowTransform, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        super().__init__(rows, (len(rows), *shape), dtype)
        self._change = change

    def read(self, start: int, stop: int) -> NDArray:
        """See `Column.read`."""
        return self._change(read_rows(self._rows, start, stop), range(start, max(start, stop)))

    def take(self, rows: NDArray) -> NDArray:
        """See `Column.take`."""
        return self._change(take_rows(self._rows, rows), rows)


def transform_rows(array: RowArray, transform: RowTransform) -> RowArray:
    """Return an array with transformed rows: at once in memory, on use in a file.

    The first row of a file gives shape and dtype.

    Examples
    --------
    >>> transform_rows(np.array([1, 2]), lambda rows, numbers: rows * 2).tolist()
    [2, 4]
    """
    if not is_file_backed(array):
        return transform(array, range(len(array)))
    first = transform(read_rows(array, 0, 1), range(1))
    return as_row_array(TransformedColumn(array, transform, first.shape[1:], first.dtype))


@dataclass(frozen=True, eq=False)
class TableEntry:
    """A transform from positions to the entries of a table."""

    table: NDArray

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Look every position up."""
        found: NDArray = self.table[rows]
        return found


@dataclass(frozen=True)
class PickColumns:
    """A transform that selects and reorders the columns of a row."""

    order: Sequence[int]

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Take the columns with these numbers."""
        picked: NDArray = rows[:, self.order]
        return picked


class SqueezeColumn:
    """A transform from (N, 1) to (N,)."""

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Drop the last axis."""
        return rows[..., 0]


class ExpandColumn:
    """A transform from (N,) to (N, 1)."""

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Add a last axis."""
        return rows[..., np.newaxis]
