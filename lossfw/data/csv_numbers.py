"""Parse text of comma-separated numbers by NumPy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray

# Text files of today; a byte-order mark at the start is skipped.
ENCODING = "utf-8-sig"


def read_numbers(
    source: Path | list[str], dtype: Any, columns: Sequence[int] | None = None, *, skip: int = 0
) -> NDArray | None:
    """Return a table of numbers, or None if the text is no table of this dtype.

    Parameters
    ----------
    source : Path or list of str
        The file, or lines of it.
    dtype : dtype
        Of the numbers. Only ``3`` is read as an integer, ``3.0`` is not.
    columns : sequence of int, optional
        The columns to read; by default all, and then every line must have as many.
    skip : int
        Lines to leave out at the beginning.

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
    try:
        with warnings.catch_warnings():
            # NumPy warns when it reads 3.0 as an integer: here that is an error.
            warnings.simplefilter("error", DeprecationWarning)
            warnings.simplefilter("ignore", UserWarning)  # of a file without rows
            return np.loadtxt(
                source,
                dtype,
                delimiter=",",
                quotechar='"',
                skiprows=skip,
                usecols=columns,
                ndmin=2,
                encoding=ENCODING,
            )
    except (ValueError, OverflowError, DeprecationWarning):
        return None
