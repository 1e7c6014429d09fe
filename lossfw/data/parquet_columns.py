"""Columns of a Parquet file as arrays, by the optional library pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossfw.data.arrow_arrays import arrow_values, import_pyarrow, null_mask
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray


class TextError(DataError):
    """A column holds something other than numbers."""


def holds_strings(kind: Any) -> bool:
    """Tell whether a column of a type of pyarrow holds texts, also as categories."""
    types = import_pyarrow("pyarrow.types")
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(kind) or types.is_large_string(kind))


def text_labels(column: Any, *, keep_missing: bool = False) -> set[str]:
    """Return the texts of a column; null is left out, or with `keep_missing` an empty text."""
    texts = column.unique().to_pylist()
    return {(text or "").strip() for text in texts if keep_missing or text is not None}


def codes_of(
    column: Any,
    labels: Sequence[str],
    location: str,
    rows: Sequence[int] | NDArray,
    remedy: str | None,
) -> NDArray:
    """Return the number of the label of each row; null is the empty text, with a `remedy` wrong."""
    if remedy is not None:
        _check_present(column, location, rows, "a label", remedy)
    if not import_pyarrow("pyarrow.types").is_dictionary(column.type):
        column = column.dictionary_encode()
    texts = [(text or "").strip() for text in column.dictionary.to_pylist()]
    # The last place is that of null.
    places = np.searchsorted(np.array(labels), np.array([*texts, ""])).astype(np.int64)
    numbers = np.where(null_mask(column.indices), len(texts), arrow_values(column.indices))
    codes: NDArray = places[numbers]
    return codes


def to_floats(column: Any, location: str) -> NDArray:
    """Return a column of numbers in float64, NaN where one is missing."""
    return _to_numbers(column, location, "numbers or texts").astype(np.float64)


def present_mask(batch: Any) -> NDArray:
    """Tell which rows have a value in every column: neither null nor NaN."""
    mask = np.ones(len(batch), bool)
    for column in batch.columns:
        mask &= ~_missing_mask(column, nan=True)
    return mask


def to_array(
    column: Any,
    location: str,
    rows: Sequence[int] | NDArray,
    remedy: str | None = None,
    *,
    keep_missing: bool = False,
) -> NDArray:
    """Return a column as an array, (N,) or for lists of one length (N, C).

    A null is an error, and so is NaN if there is a `remedy`; with `keep_missing` both are NaN.
    `rows` are the numbers of the rows, for messages. Raises `TextError` for anything but numbers.
    """
    types, count = import_pyarrow("pyarrow.types"), len(column)
    is_list = types.is_list(column.type) or types.is_fixed_size_list(column.type)
    if is_list or not keep_missing:
        _check_present(column, location, rows, "a number", remedy)
    lengths: tuple[int, ...] = ()
    while types.is_list(column.type) or types.is_fixed_size_list(column.type):
        lengths = (*lengths, _list_length(column, types, location, rows))
        column = column.flatten()
    numbers = _to_numbers(column, location, "numbers").reshape(count, *lengths)
    if keep_missing:
        # Whole numbers are floats in a piece without a null too.
        return numbers if numbers.dtype.kind == "f" else numbers.astype(np.float64)
    if lengths and column.null_count:
        raise DataError(f"{location} has a null within a list; expected numbers.")
    return numbers


def _to_numbers(column: Any, location: str, expected: str) -> NDArray:
    types = import_pyarrow("pyarrow.types")
    kind = column.type
    if not (types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind)):
        raise TextError(f"{location} holds {column.type}; expected {expected}.")
    values = arrow_values(column)
    return np.where(null_mask(column), np.nan, values) if column.null_count else values


def _missing_mask(column: Any, *, nan: bool) -> NDArray:
    """Tell which values are null, or where `nan` counts NaN."""
    missing = null_mask(column)
    if nan and import_pyarrow("pyarrow.types").is_floating(column.type):
        missing |= np.isnan(arrow_values(column))
    return missing


def _check_present(
    column: Any, location: str, rows: Sequence[int] | NDArray, expected: str, remedy: str | None
) -> None:
    for first in np.flatnonzero(_missing_mask(column, nan=remedy is not None))[:1].tolist():
        text = "null" if column[first].as_py() is None else "nan"
        raise DataError(
            f"{location}, row {rows[first]} is {text}; expected {expected}. {remedy or ''}".strip()
        )


def _list_length(column: Any, types: Any, location: str, rows: Sequence[int] | NDArray) -> int:
    """Return the common length of the lists of a column."""
    if types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    lengths = np.diff(arrow_values(column.offsets))
    other = np.flatnonzero(lengths != lengths[:1])
    if other.size:
        raise DataError(
            f"{location}: its lists are not of one length: {lengths[0]} numbers in row {rows[0]}, "
            f"{lengths[other[0]]} in row {rows[int(other[0])]}."
        )
    return int(lengths[0]) if len(lengths) else 0
