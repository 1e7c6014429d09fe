"""Convert pyarrow arrays to NumPy without pandas, which pyarrow's own conversion imports."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lossfw.errors import MissingExtraError
from lossfw.extras import install_command
from lossfw.numerics.arrays import NDArray


def import_pyarrow(module: str = "pyarrow", needed_for: str = "a Parquet file") -> Any:
    """Return a module of pyarrow, imported on use; without it raise `MissingExtraError`.

    `needed_for` is that which needs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(
            f"{needed_for} needs the library pyarrow, which is not installed: "
            f"{install_command('tables')}"
        ) from None


def arrow_values(column: Any) -> NDArray:
    """Return the numbers of an array, truth values as bytes; those that are null are arbitrary."""
    array = column.cast("uint8") if str(column.type) == "bool" else column
    if not len(array):
        return np.empty(0, array.type.to_pandas_dtype())
    # Without those that are null: an array that has some is not taken.
    values = [None, array.buffers()[1]]
    found: NDArray = np.from_dlpack(
        import_pyarrow().Array.from_buffers(array.type, len(array), values, offset=array.offset)
    )
    return found


def to_arrow(values: NDArray) -> Any:
    """Return whole numbers as an array of pyarrow."""
    pa = import_pyarrow()
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def null_mask(column: Any) -> NDArray:
    """Tell which elements of an array are null."""
    if not column.null_count:
        return np.zeros(len(column), bool)
    return arrow_values(column.is_null()).astype(bool)
