"""Columns of categories as inputs: one-hot inputs, or one input of codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossfw.components.naming import shortlist
from lossfw.data.columns import DataColumn
from lossfw.data.csv_text import is_number
from lossfw.data.dataset import Dataset
from lossfw.data.labels import MAX_CATEGORIES, MAX_LABELS, MapValues, OneHot, find_labels
from lossfw.data.lazy_arrays import (
    SHARED_ROWS,
    Column,
    RowArray,
    as_row_array,
    chunks_of,
    is_file_backed,
    read_rows,
    read_starts_of,
    stamp_of,
    take_rows,
)
from lossfw.data.row_transforms import (
    PickColumns,
    RowNumbers,
    TableEntry,
    transform_rows,
)
from lossfw.data.stamps import FileStamp
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# The label of a missing value, in a column of categories that may lack some.
_MISSING = ""


def category_column(
    values: RowArray, labels: tuple[str, ...], name: str, *, missing: bool = False
) -> DataColumn:
    """Return a column of categories: strings by their labels, numbers by their values.

    Parameters
    ----------
    values : ndarray or Column, shape (N,)
        Positions in `labels`; without labels the numbers themselves.
    labels : tuple of str
        The texts of the column, ascending.
    name : str
        The column, for messages.
    missing : bool
        Whether a value may be missing: NaN among numbers, an empty text among labels.

    Examples
    --------
    >>> column = category_column(np.array([7, 3, 7]), (), "zone")
    >>> column.labels, column.values.tolist()
    (('3', '7'), [1, 0, 1])
    """
    if labels:
        return DataColumn(values, labels)
    found = find_labels(values, f"the column {name!r}", MAX_CATEGORIES)
    if not missing:
        told = tuple(map(str, found.tolist()))
        codes = transform_rows(
            values, MapValues(name, found, np.arange(len(found)), shortlist(told))
        )
        return DataColumn(codes, told)
    # Whole numbers beside a missing value came as floats.
    whole = bool((found == np.floor(found)).all())
    told = tuple(map(str, (found.astype(np.int64) if whole else found).tolist()))
    return DataColumn(transform_rows(values, _NumberToCode(found)), (_MISSING, *told))


@dataclass(frozen=True, eq=False)
class _NumberToCode:
    """A change: a number becomes the place of its label, which that of a missing value precedes."""

    # Ascending.
    keys: NDArray

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Look every number up."""
        return np.where(np.isnan(rows), 0, np.searchsorted(self.keys, rows) + 1)


def category_labels(data: Dataset) -> dict[str, tuple[str, ...]]:
    """Return the categories of each column that holds some."""
    return {
        name: tuple(label for label in column.labels if label != _MISSING)
        for name, column in data.categories.items()
    }


def encode_categories(
    data: Dataset,
    known: Mapping[str, tuple[str, ...]],
    *,
    as_codes: bool = False,
    unknown_is_missing: bool = False,
) -> Dataset:
    """Return data whose categories are inputs, one-hot or as codes.

    One-hot inputs follow the numeric inputs; codes are where `input_names` has their column,
    otherwise at the end. The categories `known` are those of the training, in the order of the
    inputs; without a training they are those of the data. Another category is an error, or becomes
    NaN.
    """
    known = known or category_labels(data)
    if set(known) != set(data.categories):
        raise DataError(
            f"data {data.name!r}: the training had the categories of "
            f"{', '.join(known) or 'no column'}, but these data have those of "
            f"{', '.join(data.categories) or 'no column'}: write categories: "
            f"[{', '.join(known)}]."
        )
    if not known:
        return data
    for name, labels in known.items():
        if not as_codes and len(labels) > MAX_LABELS:
            raise DataError(
                f"data {data.name!r}: the column {name!r} has {len(labels)} categories, and each "
                f"is an input; expected at most {MAX_LABELS}."
            )
    parts = [] if data.inputs is None else [data.inputs]
    for name, labels in known.items():
        remedy = "; or write unknown: missing" if as_codes else ""
        places = _codes_in(data, name, labels, remedy, missing=unknown_is_missing)
        column = data.categories[name].values
        if as_codes:
            parts.append(transform_rows(column, TableEntry(places[:, np.newaxis])))
        elif data.missing or unknown_is_missing:
            # Where the category is missing, it is not known which input is 1.
            one_hot = np.where(
                np.isnan(places)[:, None], np.nan, places[:, None] == range(len(labels))
            )
            parts.append(transform_rows(column, TableEntry(one_hot.astype(np.float32))))
        else:
            codes = transform_rows(column, TableEntry(places.astype(np.int64)))
            parts.append(transform_rows(codes, OneHot(data.name, len(labels))))
    numbers = tuple(name for name in data.input_names if name not in known)
    made = replace(
        data,
        inputs=concatenate_columns(parts),
        categories={},
        input_names=numbers,
        missing=data.missing or unknown_is_missing,
    )
    return _order_inputs(made, data.input_names, known) if as_codes else made


def _order_inputs(
    data: Dataset, names: Sequence[str], known: Mapping[str, tuple[str, ...]]
) -> Dataset:
    """Return data whose last inputs are codes, with inputs in the order of their names."""
    assert data.inputs is not None
    inputs, present = data.inputs, (*data.input_names, *known)
    width = inputs.shape[1]
    order = list(range(width))
    if len(present) == width:
        place_of = {name: place for place, name in enumerate(names)}
        order.sort(key=lambda column: place_of.get(present[column], width))
        inputs = transform_rows(inputs, PickColumns(order)) if order != sorted(order) else inputs
        data = replace(data, inputs=inputs, input_names=tuple(present[n] for n in order))
    first = width - len(known)
    codes = {order.index(first + n): labels for n, labels in enumerate(known.values())}
    return replace(data, codes=codes)


def _codes_in(
    data: Dataset, name: str, known: Sequence[str], remedy: str, *, missing: bool
) -> NDArray:
    """Return the place in `known` of each label of a column; NaN for a missing value."""
    labels = data.categories[name].labels
    # 3 in one file is 3.0 in another.
    numbers = not set(labels) <= set(known) and all(map(is_number, (*labels, *known)))
    key: Callable[[str], Any] = float if numbers else str
    known_places = {key(label): place for place, label in enumerate(known)}
    places = np.array([known_places.get(key(label), np.nan) for label in labels], np.float32)
    for code in () if missing else np.flatnonzero(np.isnan(places)).tolist():
        row = _first_row_with(data, name, code)
        if row is not None and not (data.missing and labels[code] == _MISSING):
            raise DataError(
                f"data {data.name!r}: the column {name!r} has the category {labels[code]!r} in "
                f"row {row}, but the training had {shortlist(known)}: leave such rows out, or "
                f"train again with some of them{remedy}."
            )
    return places


def _first_row_with(data: Dataset, name: str, code: int) -> int | None:
    """Return the number of the first row that has a category; None if a filter left none."""
    first = 0
    for codes in chunks_of(data.categories[name].values):
        if (rows := np.flatnonzero(codes == code)).size:
            return data.row_number(first + int(rows[0]))
        first += len(codes)
    return None


def concatenate_columns(parts: Sequence[RowArray]) -> RowArray:
    """Return the columns of several arrays (N, C) side by side; columns in a file stay there.

    Examples
    --------
    >>> concatenate_columns([np.ones((2, 1)), np.zeros((2, 2), int)]).tolist()
    [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    if len(parts) == 1:
        return parts[0]
    if not any(map(is_file_backed, parts)):
        return np.concatenate(parts, axis=1)
    return as_row_array(JoinedColumn(parts))


class JoinedColumn(Column):
    """Arrays (N, C) side by side, some of them in a file; it is the same file for all."""

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
    def read_starts(self) -> NDArray | None:
        """See `Column.read_starts`."""
        return next((e for part in self._parts if (e := read_starts_of(part)) is not None), None)

    def read(self, start: int, stop: int) -> NDArray:
        """See `Column.read`."""
        made = np.empty((max(0, stop - start), *self.shape[1:]), self.dtype)
        for first in range(start, stop, SHARED_ROWS):
            last = min(first + SHARED_ROWS, stop)
            rows = [read_rows(part, first, last) for part in self._parts]
            made[first - start : last - start] = np.concatenate(rows, axis=1)
        return made

    def take(self, rows: NDArray) -> NDArray:
        """See `Column.take`."""
        made = np.empty((len(rows), *self.shape[1:]), self.dtype)
        order = np.argsort(rows, kind="stable")
        for first in range(0, len(rows), SHARED_ROWS):
            some = order[first : first + SHARED_ROWS]
            taken = [take_rows(part, rows[some]) for part in self._parts]
            made[some] = np.concatenate(taken, axis=1)
        return made
