"""The rows of a data set that pass a filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lossfw.components.naming import shortlist
from lossfw.data.chosen_rows import ChosenRows
from lossfw.data.columns import ColumnError, DataColumn
from lossfw.data.dataset import Dataset
from lossfw.data.files import digest_arrays, join_digests
from lossfw.data.lazy_arrays import (
    RowArray,
    WrappedColumn,
    as_row_array,
    chunks_of,
    is_file_backed,
    read_rows,
    take_rows,
)
from lossfw.data.row_filter import RowFilter
from lossfw.data.row_transforms import TableEntry, transform_rows
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Rows that lie so much apart are read one by one, and closer ones with those between them.
_APART = 4


class SelectionError(DataError):
    """No row passes the filter, or a column cannot be compared as the filter says."""


class Selection(NamedTuple):
    """The rows of a source, or some of them.

    Attributes
    ----------
    data : Dataset
        The rows.
    total : int
        Number of rows of the source.
    numbers : ndarray, optional
        The numbers of the chosen rows in the source, if a filter chose some.
    classes : tuple of str
        The labels of the targets of all rows.
    """

    data: Dataset
    total: int
    numbers: NDArray | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilteredRows:
    """The rows of a source that a filter chooses, before their other columns are read."""

    rows: RowFilter
    chosen: ChosenRows
    # What the user may not expect.
    notes: tuple[str, ...] = ()

    @classmethod
    def select(cls, rows: RowFilter, columns: Mapping[str, DataColumn]) -> FilteredRows:
        """Return the rows that a filter chooses, from the columns that it compares."""
        compared = {name: columns[name] for name in rows.columns}
        count = len(next(iter(compared.values())).values)
        try:
            mask = _filter_mask(compared, rows)
        except ColumnError as error:
            raise SelectionError(str(error)) from None
        notes = list(rows.unknown_labels(compared))
        if not mask.any():
            hint = " ".join(notes) or _describe_columns(compared, rows)
            raise SelectionError(f"none of the {count} rows fulfils {str(rows)!r}. {hint}".strip())
        return cls(rows, ChosenRows(np.flatnonzero(mask), count), tuple(notes))

    def to_selection(
        self, data: Dataset, positions: NDArray | None = None, classes: tuple[str, ...] = ()
    ) -> Selection:
        """Return a data set of the chosen rows, numbered as in the source.

        Parameters
        ----------
        data : Dataset
            Only the chosen rows, with the name and the digest of the whole.
        positions : ndarray of int, optional
            Their positions among the chosen rows, if some were left out.
        classes : tuple of str
            The labels of the targets of all rows.
        """
        index = self.chosen.index if positions is None else self.chosen.index[positions]
        whole = len(index) == self.chosen.count
        found = replace(
            data,
            name=f"{data.name} where {self.rows}",
            digest=join_digests(data.digest, str(self.rows)),
            rows_digest=digest_of_rows(data.name, data.digest, None if whole else index),
            rows=_compact_numbers(index),
            notes=(*data.notes, *self.notes),
        )
        return Selection(found, self.chosen.count, index, classes)


def select_filtered(data: Dataset, rows: RowFilter, keep: Iterable[str] = ()) -> Selection:
    """Return the rows that pass a filter, and their numbers; rows of a file stay there.

    The result is as if the data had no other rows: rows are numbered from 0, and a label
    without a row is not a class. Only the columns in `keep` stay.
    """
    choice = FilteredRows.select(rows, data.columns)
    columns = {name: data.columns[name] for name in set(keep)}
    found = choice.to_selection(
        take_rows_lazily(replace(data, columns=columns), choice.chosen.index), classes=data.classes
    )
    categories = {name: _with_present_labels(x) for name, x in found.data.categories.items()}
    kept = replace(found.data, categories=categories)
    return found._replace(data=_with_present_classes(kept) if data.classes else kept)


def digest_of_rows(name: str, digest: str, index: NDArray | None = None) -> str:
    """Return a digest of data: of the rows with these numbers, or of all rows."""
    # Splits of one file share its digest and differ in name.
    return join_digests(name, digest, "" if index is None else digest_arrays(index))


def take_rows_lazily(data: Dataset, index: NDArray) -> Dataset:
    """Return the rows with these ascending numbers, as `Dataset.take`; rows of a file stay there.

    Examples
    --------
    >>> data = Dataset("three", targets=[5, 6, 7])
    >>> take_rows_lazily(data, np.array([0, 2])).targets.tolist()
    [5, 7]
    """
    groups = None if data.groups is None else data.groups.take(index)
    numbers = _compact_numbers(index if data.rows is None else data.rows[index])
    arrays = data.map_arrays(lambda array: select_rows(array, index))
    return replace(data, rows=numbers, groups=groups, **arrays)


def _compact_numbers(index: NDArray) -> NDArray:
    """Return ascending numbers of rows in half of the memory: they go to each worker."""
    return index.astype(np.uint32) if index[-1] <= np.iinfo(np.uint32).max else index


def _filter_mask(columns: Mapping[str, DataColumn], rows: RowFilter) -> NDArray:
    chunks = zip(*(chunks_of(column.values) for column in columns.values()), strict=True)
    values = (dict(zip(columns, chunk, strict=True)) for chunk in chunks)
    return np.concatenate(list(rows.masks(columns, values)))


def _describe_columns(columns: Mapping[str, DataColumn], rows: RowFilter) -> str:
    """Return the range of each column of numbers and the texts of the others, as sentences."""
    texts = []
    for name in rows.columns:
        column = columns[name]
        if column.holds_strings:
            labels = [label for label in column.labels_or_none if label is not None]
            texts.append(f"column.{name} has {shortlist(labels)}.")
        else:
            known = np.asarray(column.values, np.float64)
            known = known[~np.isnan(known)]
            if known.size:
                texts.append(f"column.{name} goes from {known.min():g} to {known.max():g}.")
    return " ".join(texts)


def _with_present_classes(data: Dataset) -> Dataset:
    """Return the data with the labels that their rows have, numbered in the same order."""
    counts = np.zeros(len(data.classes), np.int64)
    for codes in chunks_of(data.targets):
        counts += np.bincount(codes.ravel(), minlength=len(counts))
    present = counts > 0
    if present.all():
        return data
    numbers = np.cumsum(present) - 1
    classes = tuple(label for label, there in zip(data.classes, present, strict=True) if there)
    targets = transform_rows(data.targets, TableEntry(numbers.astype(data.targets.dtype)))
    return replace(data, targets=targets, classes=classes)


def _with_present_labels(column: DataColumn) -> DataColumn:
    """Return a column with the labels that its rows have, numbered in the same order."""
    present = column.counts > 0
    labels = tuple(x for x, there in zip(column.labels, present, strict=True) if there)
    return DataColumn(transform_rows(column.values, TableEntry(np.cumsum(present) - 1)), labels)


def select_rows(array: RowArray, index: NDArray) -> RowArray:
    """Return the rows of an array with these ascending numbers; rows of a file stay there."""
    return as_row_array(SelectedColumn(array, index)) if is_file_backed(array) else array[index]


class SelectedColumn(WrappedColumn):
    """Some rows of an array in a file; their numbers are ascending."""

    def __init__(self, rows: RowArray, index: NDArray) -> None:
        super().__init__(rows, (len(index), *rows.shape[1:]), rows.dtype)
        self._chosen = ChosenRows(index, len(rows))

    @property
    def _index(self) -> NDArray:
        return self._chosen.index

    @property
    def read_starts(self) -> NDArray | None:
        """See `Column.read_starts`."""
        entries = super().read_starts
        return None if entries is None else np.unique(np.searchsorted(self._index, entries))

    def read(self, start: int, stop: int) -> NDArray:
        """See `Column.read`."""
        rows = self._index[start:stop]
        if not rows.size:
            return np.empty((0, *self.shape[1:]), self.dtype)
        first, last = int(rows[0]), int(rows[-1])
        if last - first >= _APART * rows.size:
            return take_rows(self._rows, rows)
        read: NDArray = read_rows(self._rows, first, last + 1)[rows - first]
        return read

    def take(self, rows: NDArray) -> NDArray:
        """See `Column.take`."""
        return take_rows(self._rows, self._index[rows])
