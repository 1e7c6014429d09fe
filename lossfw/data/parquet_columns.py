"""Columns of a Parquet file as arrays, by the optional library pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossfw.data.arrow_arrays import nulls_of, pyarrow, values_of
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray


class TextError(DataError):
    """A column holds something other than numbers."""


def holds_strings(kind: Any) -> bool:
    """Tell whether a column of a type of pyarrow holds texts, also as categories."""
    types = pyarrow("pyarrow.types")
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(kind) or types.is_large_string(kind))


def labels_in(column: Any, *, kept: bool = False) -> set[str]:
    """Return the texts of a column; null is left out, or where it is `kept` an empty text."""
    texts = column.unique().to_pylist()
    return {(text or "").strip() for text in texts if kept or text is not None}


def codes_of(
    column: Any,
    labels: Sequence[str],
    where: str,
    rows: Sequence[int] | NDArray,
    remedy: str | None,
) -> NDArray:
    """Return the number of the label of each row; null is the empty text, with a `remedy` wrong."""
    if remedy is not None:
        _check_present(column, where, rows, "a label", remedy)
    if not pyarrow("pyarrow.types").is_dictionary(column.type):
        column = column.dictionary_encode()
    texts = [(text or "").strip() for text in column.dictionary.to_pylist()]
    # The last place is that of null.
    places = np.searchsorted(np.array(labels), np.array([*texts, ""])).astype(np.int64)
    numbers = np.where(nulls_of(column.indices), len(texts), values_of(column.indices))
    codes: NDArray = places[numbers]
    return codes


def kept_numbers(column: Any, where: str) -> NDArray:
    """Return a column of numbers in float64, NaN where one is missing."""
    return _numbers(column, where, "numbers or texts").astype(np.float64)


def present(batch: Any) -> NDArray:
    """Tell which rows have a value in every column: neither null nor NaN."""
    mask = np.ones(len(batch), bool)
    for column in batch.columns:
        mask &= ~_missing(column, nan=True)
    return mask


def array_of(
    column: Any,
    where: str,
    rows: Sequence[int] | NDArray,
    remedy: str | None = None,
    *,
    kept: bool = False,
) -> NDArray:
    """Return a column as an array, (N,) or for lists of one length (N, C).

    A null is an error, and so is NaN if there is a `remedy`, unless missing values are `kept`:
    they are NaN. `rows` are the numbers of the rows, for messages. Raises `TextError` for anything
    but numbers.
    """
    types, count = pyarrow("pyarrow.types"), len(column)
    is_list = types.is_list(column.type) or types.is_fixed_size_list(column.type)
    if is_list or not kept:
        _check_present(column, where, rows, "a number", remedy)
    lengths: tuple[int, ...] = ()
    while types.is_list(column.type) or types.is_fixed_size_list(column.type):
        lengths = (*lengths, _length(column, types, where, rows))
        column = column.flatten()
    numbers = _numbers(column, where, "numbers").reshape(count, *lengths)
    if kept:
        # Whole numbers are floats in a piece without a null too.
        return numbers if numbers.dtype.kind == "f" else numbers.astype(np.float64)
    if lengths and column.null_count:
        raise DataError(f"{where} has a null within a list; expected numbers.")
    return numbers


def _numbers(column: Any, where: str, expected: str) -> NDArray:
    types = pyarrow("pyarrow.types")
    kind = column.type
    if not (types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind)):
        raise TextError(f"{where} holds {column.type}; expected {expected}.")
    values = values_of(column)
    return np.where(nulls_of(column), np.nan, values) if column.null_count else values


def _missing(column: Any, *, nan: bool) -> NDArray:
    """Tell which values are null, or where `nan` counts NaN."""
    missing = nulls_of(column)
    if nan and pyarrow("pyarrow.types").is_floating(column.type):
        missing |= np.isnan(values_of(column))
    return missing


def _check_present(
    column: Any, where: str, rows: Sequence[int] | NDArray, expected: str, remedy: str | None
) -> None:
    for first in np.flatnonzero(_missing(column, nan=remedy is not None))[:1].tolist():
        text = "null" if column[first].as_py() is None else "nan"
        raise DataError(
            f"{where}, row {rows[first]} is {text}; expected {expected}. {remedy or ''}".strip()
        )


def _length(column: Any, types: Any, where: str, rows: Sequence[int] | NDArray) -> int:
    """Return the common length of the lists of a column."""
    if types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    lengths = np.diff(values_of(column.offsets))
    other = np.flatnonzero(lengths != lengths[:1])
    if other.size:
        raise DataError(
            f"{where}: its lists are not of one length: {lengths[0]} numbers in row {rows[0]}, "
            f"{lengths[other[0]]} in row {rows[int(other[0])]}."
        )
    return int(lengths[0]) if len(lengths) else 0
