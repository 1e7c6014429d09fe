"""Mapped arrays: the rows of a ``.npy`` that stay in the file, and are pickled by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.data.stamps import FileStamp


class MappedPlace(NamedTuple):
    """The place of an array in a file, from which another machine can map it too."""

    path: Path
    size: int
    dtype: str
    offset: int
    shape: tuple[int, ...]
    fortran_order: bool


class MappedArray(np.memmap[Any, Any]):
    """A memory-mapped array that knows its file.

    A pickle of it holds the name of the file and not the rows. Parts of it are pickled
    by their content.
    """

    # The file as it was when it was mapped.
    stamp: FileStamp | None
    # Where the array is; None for a part of it.
    place: MappedPlace | None

    def __array_finalize__(self, obj: Any) -> None:
        super().__array_finalize__(obj)
        self.stamp, self.place = getattr(obj, "stamp", None), None

    def __reduce__(self) -> Any:
        return super().__reduce__() if self.place is None else (map_again, (self.place,))


def map_array(stamp: FileStamp, dtype: Any, offset: int, shape: Any, fortran: bool) -> MappedArray:
    """Map an array that lies at an offset of a file."""
    order: Any = "F" if fortran else "C"
    array = MappedArray(stamp.path, dtype, "r", offset, shape, order)
    path = stamp.path.absolute()
    array.stamp = stamp
    array.place = MappedPlace(path, stamp.size, np.dtype(dtype).str, offset, tuple(shape), fortran)
    return array


def map_again(place: MappedPlace) -> MappedArray:
    """Map an array that was pickled."""
    stamp = FileStamp(place.path, place.size, 0).again()
    return map_array(stamp, place.dtype, place.offset, place.shape, place.fortran_order)
