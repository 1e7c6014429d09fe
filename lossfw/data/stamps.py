"""Stamps of files: a file that changes while its rows are read is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from lossfw.errors import DataError


class FileStamp(NamedTuple):
    """The size and the time of a file, when it was opened."""

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

    def again(self) -> FileStamp:
        """Return the stamp of the same file, maybe on another machine."""
        now = FileStamp.of(self.path.absolute())
        if now.size != self.size:
            raise DataError(
                f"{self.path} has {now.size} bytes here and {self.size} where it was opened: every "
                "worker needs the same files under the same names."
            )
        return now

    def check(self) -> None:
        """Check that the file is as it was."""
        now = FileStamp.of(self.path)
        if now == self:
            return
        size = "" if now.size == self.size else f" from {self.size} bytes to {now.size}"
        raise DataError(
            f"{self.path} has changed{size} while lossfw was reading it; the run was stopped and "
            "its results discarded. Run again, and write new data to a new file."
        )
