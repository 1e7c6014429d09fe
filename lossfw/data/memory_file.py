"""MemoryFile: arrays and tables in memory, in the place of a file that a parameter names."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from lossfw.data.files import digest_arrays
from lossfw.data.frame_table import FrameTable
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# Kinds of NumPy dtypes that an array of numbers has.
_NUMBERS = "fiub"


class MemoryFile(type(Path())):  # type: ignore[misc]  # the class of a path on this system
    """A name that stands for arrays in memory: readers take these in place of a file.

    `held` is an array of numbers, a table, or arrays by their names, as in a ``.npz``.

    Examples
    --------
    >>> MemoryFile.of("data.inputs", np.eye(2)).kind
    'npy'
    """

    held: NDArray | FrameTable | dict[str, NDArray]

    @classmethod
    def of(cls, name: str, given: Any) -> Self:
        """Return what stands for an array, a data frame, a series, or a mapping of arrays."""
        made = cls(name)
        if isinstance(given, Mapping):
            made.held = {str(key): np.asarray(value) for key, value in given.items()}
        elif (table := FrameTable.of(Path(name), given)) is not None:
            made.held = table
        else:
            made.held = _array(given, name)
        return made

    @property
    def kind(self) -> str:
        """The format of a file that would hold the same: ``"npy"``, ``"npz"`` or ``"frame"``."""
        if isinstance(self.held, FrameTable):
            return "frame"
        return "npz" if isinstance(self.held, dict) else "npy"

    @property
    def digest(self) -> str:
        """Equal content has an equal digest."""
        if isinstance(self.held, FrameTable):
            return self.held.digest
        arrays = self.held.values() if isinstance(self.held, dict) else [self.held]
        return digest_arrays(*arrays)

    def array(self) -> NDArray:
        """Return the one array that is held."""
        assert isinstance(self.held, np.ndarray)
        return self.held

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Return True: nothing is looked up on the disk."""
        return True

    def is_dir(self) -> bool:
        """Return False: nothing is looked up on the disk."""
        return False

    def content(self) -> tuple[str, bytes]:
        """Return the content of a file with the same numbers, and the ending of its name."""
        stream = io.BytesIO()
        if isinstance(self.held, FrameTable):
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(self.held.cells())
            return ".csv", text.getvalue().encode()
        if isinstance(self.held, dict):
            np.savez(stream, **self.held)  # type: ignore[arg-type]  # the stubs take names for flags
            return ".npz", stream.getvalue()
        np.save(stream, self.held)
        return ".npy", stream.getvalue()


def _array(given: Any, name: str) -> NDArray:
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{name} cannot be made an array: {error}.") from None
    if array.dtype.kind not in _NUMBERS:
        raise DataError(
            f"{name} has dtype {array.dtype} and shape {array.shape}; expected numbers, or one "
            "text for each row."
        )
    return array.astype(np.uint8) if array.dtype.kind == "b" else array
