"""Columns of categories as inputs: one input for each category, which is 0 or 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lossfw.components.naming import shortlist
from lossfw.data.columns import DataColumn
from lossfw.data.dataset import Dataset
from lossfw.data.labels import MapValues, OneHot, found_labels
from lossfw.data.lazy_arrays import (
    Column,
    RowArray,
    entries_of,
    is_file_backed,
    read_rows,
    stamp_of,
    take_rows,
)
from lossfw.data.row_transforms import TableEntry, changed_rows
from lossfw.data.stamps import FileStamp
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Rows that are read from every part before the next: so a piece of a file serves all parts.
_ROWS = 8_192


def category_column(values: RowArray, labels: tuple[str, ...], name: str) -> DataColumn:
    """Return a column of categories: of texts by their labels, of numbers by their values.

    Parameters
    ----------
    values : ndarray or Column, shape (N,)
        Positions in `labels`; without labels the numbers themselves.
    labels : tuple of str
        The texts of the column, ascending.
    name : str
        The column, for messages.

    Examples
    --------
    >>> column = category_column(np.array([7, 3, 7]), (), "zone")
    >>> column.labels, column.values.tolist()
    (('3', '7'), [1, 0, 1])
    """
    if labels:
        return DataColumn(values, labels)
    found = found_labels(values, f"the column {name!r}")
    told = tuple(str(number) for number in found.tolist())
    codes = changed_rows(values, MapValues(name, found, np.arange(len(found)), shortlist(told)))
    return DataColumn(codes, told)


def labels_of(data: Dataset) -> dict[str, tuple[str, ...]]:
    """Return the categories of each column that holds some."""
    return {name: column.labels for name, column in data.categories.items()}


def encoded(data: Dataset, known: Mapping[str, tuple[str, ...]]) -> Dataset:
    """Return data with an input for each category, after the inputs that are numbers.

    `known` has the categories of the training by column, in the order of the inputs; those of the
    data where there is no training yet.
    """
    known = known or labels_of(data)
    if set(known) != set(data.categories):
        raise DataError(
            f"data {data.name!r}: the weights were trained with the categories of "
            f"{', '.join(known) or 'no column'}, and these data have those of "
            f"{', '.join(data.categories) or 'no column'}: write categories: "
            f"[{', '.join(known)}]."
        )
    if not known:
        return data
    parts = [] if data.inputs is None else [data.inputs]
    for name, labels in known.items():
        column = data.categories[name]
        places = {label: place for place, label in enumerate(labels)}
        if unknown := [label for label in column.labels if label not in places]:
            raise DataError(
                f"data {data.name!r}: the column {name!r} has the category {unknown[0]!r}, and "
                f"the weights were trained with {shortlist(labels)}: leave such rows out, or "
                "train again with some of them."
            )
        order = np.array([places[label] for label in column.labels], np.int64)
        codes = changed_rows(column.values, TableEntry(order))
        parts.append(changed_rows(codes, OneHot(data.name, len(labels))))
    return replace(data, inputs=joined(parts), categories={})


def joined(parts: Sequence[RowArray]) -> RowArray:
    """Return the columns of several arrays (N, C) side by side; those in a file stay there.

    Examples
    --------
    >>> joined([np.ones((2, 1)), np.zeros((2, 2), int)]).tolist()
    [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    if len(parts) == 1:
        return parts[0]
    if not any(map(is_file_backed, parts)):
        return np.concatenate(parts, axis=1)
    made: Any = JoinedColumn(parts)
    return made  # type: ignore[no-any-return]  # read like an array, see `RowArray`


class JoinedColumn(Column):
    """Arrays (N, C) side by side, some of them in files; those in files are in one."""

    def __init__(self, parts: Sequence[RowArray]) -> None:
        width = sum(part.shape[1] for part in parts)
        dtype = np.result_type(*(part.dtype for part in parts))
        super().__init__((len(parts[0]), width), dtype)
        self._parts = tuple(parts)

    @property
    def stamp(self) -> FileStamp | None:
        """See `Column.stamp`."""
        return next((s for part in self._parts if (s := stamp_of(part)) is not None), None)

    @property
    def entries(self) -> NDArray | None:
        """See `Column.entries`."""
        return next((e for part in self._parts if (e := entries_of(part)) is not None), None)

    def read(self, start: int, stop: int) -> NDArray:
        """See `Column.read`."""
        made = np.empty((max(0, stop - start), *self.shape[1:]), self.dtype)
        for first in range(start, stop, _ROWS):
            last = min(first + _ROWS, stop)
            rows = [read_rows(part, first, last) for part in self._parts]
            made[first - start : last - start] = np.concatenate(rows, axis=1)
        return made

    def take(self, rows: NDArray) -> NDArray:
        """See `Column.take`."""
        made = np.empty((len(rows), *self.shape[1:]), self.dtype)
        order = np.argsort(rows, kind="stable")
        for first in range(0, len(rows), _ROWS):
            some = order[first : first + _ROWS]
            taken = [take_rows(part, rows[some]) for part in self._parts]
            made[some] = np.concatenate(taken, axis=1)
        return made
