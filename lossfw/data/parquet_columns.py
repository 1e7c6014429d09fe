"""Columns of a Parquet file as arrays, by the optional library pyarrow."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from lossfw.errors import DataError, MissingExtraError
from lossfw.numerics.arrays import NDArray


class TextError(DataError):
    """A column holds something else than numbers."""


def pyarrow(module: str = "pyarrow") -> Any:
    """Return a module of pyarrow, imported on use."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(
            "a Parquet file needs the library pyarrow, which is not installed: "
            "pip install lossfw[parquet]"
        ) from None


def holds_texts(kind: Any) -> bool:
    """Tell whether a column of a type of pyarrow holds texts, also as categories."""
    types = pyarrow("pyarrow.types")
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind))


def labels_in(column: Any, *, kept: bool = False) -> set[str]:
    """Return the texts of a column; null is left out, or where it is `kept` an empty text."""
    texts = column.unique().to_pylist()
    return {(text or "").strip() for text in texts if kept or text is not None}


def codes_of(
    column: Any, labels: Sequence[str], where: str, start: int, remedy: str | None
) -> NDArray:
    """Return the number of the label of each row, where null is that of the empty text.

    A null is an error if a `remedy` is given.
    """
    if remedy is not None:
        _check_present(column, where, start, "a label", remedy)
    texts = np.char.strip(np.array([text or "" for text in column.to_pylist()], dtype=str))
    return np.searchsorted(np.array(labels), texts).astype(np.int64)


def kept_numbers(column: Any, where: str) -> NDArray:
    """Return a column of numbers in float64, NaN where one is missing."""
    types = pyarrow("pyarrow.types")
    if types.is_boolean(column.type):
        column = column.cast("uint8")
    if not (types.is_integer(column.type) or types.is_floating(column.type)):
        raise TextError(f"{where} holds {column.type}; numbers or texts were wanted.")
    numbers: NDArray = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return numbers


def present(batch: Any) -> NDArray:
    """Tell which rows have a value in every column: neither null nor NaN."""
    types = pyarrow("pyarrow.types")
    mask = np.ones(len(batch), bool)
    for column in batch.columns:
        nan = types.is_floating(column.type)
        missing = column.is_null(nan_is_null=nan) if column.null_count or nan else None
        if missing is not None:
            mask &= ~missing.to_numpy(zero_copy_only=False).astype(bool)
    return mask


def array_of(column: Any, where: str, start: int, remedy: str | None = None) -> NDArray:
    """Return a column as an array, (N,) or for lists of one length (N, C).

    Parameters
    ----------
    column : pyarrow.Array
        Of some rows.
    where : str
        File and column, for messages.
    start : int
        The number of the first row.
    remedy : str or None
        What to do about a missing value, for messages; None if NaN is no missing value.
    """
    types, rows = pyarrow("pyarrow.types"), len(column)
    _check_present(column, where, start, "a number", remedy)
    lengths: tuple[int, ...] = ()
    while types.is_list(column.type) or types.is_fixed_size_list(column.type):
        lengths = (*lengths, _length(column, types, where, start))
        column = column.flatten()
    if types.is_boolean(column.type):
        column = column.cast("uint8")
    if not (types.is_integer(column.type) or types.is_floating(column.type)):
        raise TextError(f"{where} holds {column.type}; numbers were wanted.")
    if column.null_count:
        raise DataError(f"{where} has a null within a list; numbers were wanted.")
    values: NDArray = column.to_numpy(zero_copy_only=False)
    return values.reshape(rows, *lengths)


def _check_present(column: Any, where: str, start: int, wanted: str, remedy: str | None) -> None:
    nan = remedy is not None and pyarrow("pyarrow.types").is_floating(column.type)
    if not (column.null_count or nan):
        return
    missing = column.is_null(nan_is_null=nan).to_numpy(zero_copy_only=False).astype(bool)
    if missing.any():
        first = int(np.flatnonzero(missing)[0])
        said = "null" if column[first].as_py() is None else "nan"
        raise DataError(
            f"{where}, row {start + first} is {said}; {wanted} was wanted. {remedy or ''}".strip()
        )


def _length(column: Any, types: Any, where: str, start: int) -> int:
    """Return the common length of the lists of a column."""
    if types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    lengths = np.diff(column.offsets.to_numpy())
    length = int(lengths[0]) if len(lengths) else 0
    if (lengths != length).any():
        row = int(np.flatnonzero(lengths != length)[0])
        raise DataError(
            f"{where}: its lists are not of one length: {length} numbers in row {start}, "
            f"{int(lengths[row])} in row {start + row}."
        )
    return length
