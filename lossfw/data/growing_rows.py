"""An array whose rows come some at a time: it is kept in memory, or in a file that is mapped."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray


class GrowingRows:
    """Rows of int64 and of float64; the array is of float64 where some are.

    Examples
    --------
    >>> rows = GrowingRows()
    >>> rows.add(np.array([1, 2]))
    >>> rows.add(np.array([0.5]))
    >>> rows.to_array().tolist()
    [1.0, 2.0, 0.5]
    """

    def __init__(self) -> None:
        self._held: list[NDArray] = []
        self._path: Path | None = None
        # Those in the file, without their rows.
        self._written: list[tuple[np.dtype[np.generic], tuple[int, ...]]] = []

    def add(self, rows: NDArray) -> None:
        """Keep some more rows."""
        self._held.append(rows)
        if self._path is not None:
            self.spill(self._path)

    def spill(self, path: Path) -> None:
        """Move the rows to a file, and keep later ones there."""
        self._path = path
        try:
            with path.open("ab") as file:
                for rows in self._held:
                    file.write(np.ascontiguousarray(rows).data)
                    self._written.append((rows.dtype, rows.shape))
        except OSError as error:
            raise DataError(
                f"{path}, which holds the columns of a large table, cannot be written "
                f"({error.strerror or error}): TMPDIR names a folder with more room."
            ) from None
        self._held = []

    def to_array(self, change: Callable[[NDArray], NDArray] | None = None) -> NDArray:
        """Return the array, of changed rows where a `change` is given."""
        if self._path is None:
            return np.concatenate([*map(change, self._held)] if change else self._held)
        dtype = np.result_type(*(kind for kind, _ in self._written))
        with self._path.open("r+b") as file:
            for kind, shape in self._written:
                begin, size = file.tell(), math.prod(shape) * kind.itemsize
                if change is None and kind == dtype:
                    file.seek(size, os.SEEK_CUR)
                    continue
                rows = np.frombuffer(file.read(size), kind).reshape(shape)
                rows = rows if change is None else change(rows)
                file.seek(begin)
                file.write(rows.astype(dtype).data)
        count = sum(shape[0] for _, shape in self._written)
        return np.memmap(self._path, dtype, "r", shape=(count, *self._written[0][1][1:]))
