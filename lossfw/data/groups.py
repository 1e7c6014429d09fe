"""Groups: consecutive rows that belong together, such as those of a query or of a stratum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from lossfw.data.columns import ColumnError, DataColumn
from lossfw.data.lazy_arrays import CHUNK_ROWS, chunks_of
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True, eq=False)
class RowGroups:
    """The groups of the rows of some data, in the order of the rows.

    Attributes
    ----------
    column : str
        The column of the data that names the group of each row.
    starts : ndarray of int, shape (G + 1,)
        The first row of each group, and the number of all rows.
    ids : DataColumn
        The name of each group, a number or a string.

    Examples
    --------
    >>> queries = DataColumn.of(np.array(["a", "a", "b"]))
    >>> groups = RowGroups.from_column("query", queries, "some data")
    >>> groups.starts.tolist(), groups.name_of(1)
    ([0, 2, 3], 'b')
    >>> groups.take(np.array([2, 0, 1, 2, 2])).starts.tolist()
    [0, 1, 3, 4, 5]
    """

    column: str
    starts: NDArray
    ids: DataColumn

    @classmethod
    def from_column(
        cls, name: str, column: DataColumn, data: str, rows: NDArray | None = None
    ) -> Self:
        """Return the groups that a column names; messages call the data `data`.

        A column in a file is read once. If rows were left out, `rows` has the number of each row in
        the whole data.

        Raises
        ------
        ColumnError
            If a row has no group, or the rows of a group are not next to each other.
        """
        begins, codes = _equal_runs(column)
        numbers = np.arange(len(column.values)) if rows is None else rows
        where = f"data {data!r}: column {name!r}"
        absent = _missing_positions(column, codes)
        if absent.size:
            row = int(numbers[begins[absent[0]]])
            raise ColumnError(name, f"{where}[{row}] is missing; every row needs a group.")
        groups = cls(name, np.append(begins, len(numbers)), DataColumn(codes, column.labels))
        order = np.argsort(codes, kind="stable")
        again = np.flatnonzero(codes[order][1:] == codes[order][:-1])
        if again.size:
            first, second = order[again[0]], order[again[0] + 1]
            raise ColumnError(
                name,
                f"{where}[{int(numbers[begins[second]])}] is {groups.name_of(second)!r} again, "
                f"after other groups: this group began at row {int(numbers[begins[first]])}. "
                "Sort the rows by this column, so that those of a group are next to each other.",
            )
        return groups

    @classmethod
    def single(cls, rows: int) -> Self:
        """Return one unnamed group of so many rows."""
        return cls("", np.array([0, rows]), DataColumn(np.array([np.nan])))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def name_of(self, number: int) -> str | int | float:
        """Return the name of a group: its string or its number, an integer without decimals."""
        value = self.ids.values[number]
        if self.ids.holds_strings:
            return self.ids.labels[int(value)]
        return int(value) if value == int(value) else float(value)

    def take(self, rows: NDArray) -> Self:
        """Return the groups of the rows with these numbers, in this order.

        A new group begins where the group of the whole data changes, and where the numbers do not
        ascend: a group that is drawn twice counts twice.
        """
        number = np.searchsorted(self.starts, rows, side="right") - 1
        begins = np.flatnonzero((np.diff(number) != 0) | (np.diff(rows) <= 0)) + 1
        begins = np.append(0, begins)
        return type(self)(self.column, np.append(begins, len(rows)), self.ids.take(number[begins]))

    def rows_of(self, numbers: NDArray) -> NDArray:
        """Return the rows of the groups with these numbers, in this order."""
        first, sizes = self.starts[numbers], np.diff(self.starts)[numbers]
        ends = np.cumsum(sizes)
        rows: NDArray = np.arange(ends[-1]) + np.repeat(first - (ends - sizes), sizes)
        return rows

    def batches(self, order: NDArray, size: int) -> Iterator[tuple[NDArray, NDArray]]:
        """Yield batches of whole groups in the order of these numbers.

        A batch holds the groups that begin within its `size` rows, as the numbers of its
        rows and of each row's group.
        """
        sizes = np.diff(self.starts)[order]
        batch = (np.cumsum(sizes) - sizes) // size
        for some in np.split(np.arange(len(order)), np.flatnonzero(np.diff(batch)) + 1):
            yield self.rows_of(order[some]), np.repeat(order[some], sizes[some])

    def group_start(self, row: int) -> int:
        """Return the first row of the group that contains a row."""
        return int(self.starts[np.searchsorted(self.starts, row, side="right") - 1])

    def next_group_start(self, row: int) -> int:
        """Return the first row, at or after this one, at which a group begins, or the end."""
        number = int(np.searchsorted(self.starts, row))
        return int(self.starts[min(number, len(self))])

    def numbers(self, start: int, stop: int) -> NDArray:
        """Return the group number of each row between two rows at which groups begin."""
        first, last = np.searchsorted(self.starts, (start, stop))
        return np.repeat(np.arange(first, last), np.diff(self.starts[first : last + 1]))


def _equal_runs(column: DataColumn) -> tuple[NDArray, NDArray]:
    """Return the first row of each run of equal values, and the value of each run."""
    begins, values, last = [], [], None
    starts = range(0, len(column.values), CHUNK_ROWS)
    for start, chunk in zip(starts, chunks_of(column.values, CHUNK_ROWS), strict=True):
        changed = np.append(chunk[0] != last, chunk[1:] != chunk[:-1])
        begins.append(np.flatnonzero(changed) + start)
        values.append(chunk[changed])
        last = chunk[-1]
    return np.concatenate(begins), np.concatenate(values)


def _missing_positions(column: DataColumn, values: NDArray) -> NDArray:
    """Return the places of missing values."""
    if not column.holds_strings:
        return np.flatnonzero(np.isnan(values))
    missing = [code for code, label in enumerate(column.labels_or_none) if label is None]
    return np.flatnonzero(np.isin(values, missing))
