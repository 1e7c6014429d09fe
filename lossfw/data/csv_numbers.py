"""Parse the cells of lines of a table: numbers, labels, and missing values."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np

from lossfw.numerics.arrays import NDArray

# How the common programs write a missing value.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})


def is_missing(cell: str) -> bool:
    """Tell whether a cell is empty, or says that its value is missing.

    Examples
    --------
    >>> is_missing(" "), is_missing("NA"), is_missing("0")
    (True, True, False)
    """
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own way to write 1_000


def is_whole(cell: str) -> bool:
    """Tell whether a cell is a number that is written as a whole one."""
    return is_number(cell) and cell.strip().lstrip("+-").isdigit()


def read_numbers(
    lines: list[str],
    dtype: Any,
    columns: Sequence[int] | None = None,
    *,
    delimiter: str = ",",
) -> NDArray | None:
    """Return a table of numbers, or None if the text is no table of this dtype.

    Parameters
    ----------
    lines : list of str
        The text.
    dtype : dtype
        Of the numbers. Only ``3`` is read as an integer, ``3.0`` is not.
    columns : sequence of int, optional
        The columns to read; by default all, and then every line must have as many.
    delimiter : str
        The character between cells.

    Returns
    -------
    ndarray, shape (N, C), or None

    Examples
    --------
    >>> read_numbers(["1,2", "", "3,4  # a comment"], float).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    >>> read_numbers(["1,2", "3,4.0"], int) is None
    True
    """
    return _loaded(lines, dtype, delimiter, columns)


def read_columns(
    lines: list[str], columns: Collection[int], width: int, delimiter: str
) -> NDArray | None:
    """Return all columns in float64, NaN in those that are not wanted.

    None if a cell of a wanted column is no number, or a line has not `width` cells.

    Examples
    --------
    >>> read_columns(["1,cat,2", "3,dog,4"], [0, 2], 3, ",").tolist()
    [[1.0, nan, 2.0], [3.0, nan, 4.0]]
    """
    if len(set(columns)) == width:
        table = _loaded(lines, np.float64, delimiter, None)
        return None if table is None or (table.size and table.shape[1] != width) else table
    # A character of a text that nobody wants is enough.
    kinds = [(str(number), "f8" if number in columns else "U1") for number in range(width)]
    rows = _loaded(lines, np.dtype(kinds), delimiter, None, least=1)
    if rows is None:
        return None
    filled = np.full((len(rows), width), np.nan)
    for number in columns:
        filled[:, number] = rows[str(number)]
    return filled


def read_texts(lines: list[str], column: int, delimiter: str) -> NDArray | None:
    """Return the texts of a column, without spaces around them; None if it cannot be read.

    Examples
    --------
    >>> read_texts(["1,cat", '2," dog"'], 1, ",").tolist()
    ['cat', 'dog']
    """
    texts = _loaded(lines, np.dtype(str), delimiter, [column])
    return None if texts is None else np.strings.strip(texts.reshape(-1))


def without_missing(
    lines: list[str],
    numbers: Collection[int],
    texts: Collection[int],
    width: int,
    delimiter: str,
) -> list[str] | None:
    """Return the lines in which no number and no text of these columns is missing.

    Empty lines and comments are left out too. None if a line has not `width` cells. A text
    is missing where its cell is empty: ``none`` may be a label.
    """
    kept = []
    for line in lines:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(cells) != width:
            return None
        if not (
            any(is_missing(cells[number]) for number in numbers)
            or any(not cells[number].strip() for number in texts)
        ):
            kept.append(line)
    return kept


def _loaded(
    lines: list[str],
    dtype: Any,
    delimiter: str,
    columns: Sequence[int] | None,
    least: Literal[1, 2] = 2,
) -> NDArray | None:
    try:
        with warnings.catch_warnings():
            # NumPy warns when it reads 3.0 as an integer: here that is an error.
            warnings.simplefilter("error", DeprecationWarning)
            warnings.simplefilter("ignore", UserWarning)  # of a file without rows
            return np.loadtxt(
                lines, dtype, delimiter=delimiter, quotechar='"', usecols=columns, ndmin=least
            )
    except (ValueError, OverflowError, DeprecationWarning):
        return None
