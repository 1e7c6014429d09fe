"""Stamps of files, and mapped arrays that know theirs.

lossfw notices a file that changes while its rows are read; a mapped array is pickled by the name of
its file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lossfw.errors import DataError


class FileStamp(NamedTuple):
    """The size and the time of a file from when it was opened."""

    path: Path
    # Bytes.
    size: int
    # Time of the last change, in nanoseconds.
    modified: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Return the stamp of a file as it is now."""
        try:
            found = path.stat()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from None
        return cls(path, found.st_size, found.st_mtime_ns)

    def for_this_machine(self) -> FileStamp:
        """Return the stamp of the same file, possibly on another machine."""
        now = FileStamp.of(self.path.absolute())
        if now.size != self.size:
            raise DataError(
                f"{self.path} has {now.size} bytes here and {self.size} where it was opened: every "
                "worker needs the same files under the same names."
            )
        return now

    def check(self) -> None:
        """Raise `DataError` if the file has changed."""
        now = FileStamp.of(self.path)
        if now == self:
            return
        size = "" if now.size == self.size else f" from {self.size} bytes to {now.size}"
        raise DataError(
            f"{self.path} has changed{size} while lossfw was reading it; the run was stopped and "
            "its results discarded. Run again, and write new data to a new file."
        )


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
        return super().__reduce__() if self.place is None else (map_from_place, (self.place,))


def map_array(stamp: FileStamp, dtype: Any, offset: int, shape: Any, fortran: bool) -> MappedArray:
    """Map an array that lies at an offset of a file."""
    order: Any = "F" if fortran else "C"
    array = MappedArray(stamp.path, dtype, "r", offset, shape, order)
    path = stamp.path.absolute()
    array.stamp = stamp
    array.place = MappedPlace(path, stamp.size, np.dtype(dtype).str, offset, tuple(shape), fortran)
    return array


def map_from_place(place: MappedPlace) -> MappedArray:
    """Map an array that was pickled."""
    stamp = FileStamp(place.path, place.size, 0).for_this_machine()
    return map_array(stamp, place.dtype, place.offset, place.shape, place.fortran_order)
