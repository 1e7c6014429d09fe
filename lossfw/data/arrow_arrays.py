"""Convert pyarrow arrays to NumPy without pandas, which pyarrow's own conversion imports."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lossfw.errors import MissingExtraError
from lossfw.extras import install_command
from lossfw.numerics.arrays import NDArray

# Names of types that NumPy calls otherwise.
_DTYPES = {"halffloat": "f2", "float": "f4", "double": "f8"}


def pyarrow(module: str = "pyarrow") -> Any:
    """Return a module of pyarrow, imported on use; without it raise `MissingExtraError`."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(
            "a Parquet file needs the library pyarrow, which is not installed: "
            f"{install_command('tables')}"
        ) from None


def values_of(column: Any) -> NDArray:
    """Return the numbers of an array, Booleans as bytes; nulls become arbitrary numbers."""
    buffer, name = column.buffers()[1], str(column.type)
    if name == "bool":
        return _bits_of(buffer, column)
    dtype = np.dtype(_DTYPES.get(name, name))
    if not len(column):
        return np.empty(0, dtype)
    return np.frombuffer(buffer, dtype, len(column), column.offset * dtype.itemsize)


def arrow_of(values: NDArray) -> Any:
    """Return whole numbers as an array of pyarrow."""
    pa = pyarrow()
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def nulls_of(column: Any) -> NDArray:
    """Tell which elements of an array are null."""
    if not column.null_count:
        return np.zeros(len(column), bool)
    valid = column.buffers()[0]
    if valid is None:  # of an array of nulls
        return np.ones(len(column), bool)
    missing: NDArray = _bits_of(valid, column) == 0
    return missing


def _bits_of(buffer: Any, column: Any) -> NDArray:
    stop = column.offset + len(column)
    bits = np.frombuffer(buffer or b"", np.uint8)
    return np.unpackbits(bits, count=stop, bitorder="little")[column.offset :]
