"""Arrays whose rows stay in a file until they are read."""

from __future__ import annotations

import mmap
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from lossfw.data.stamps import FileStamp
from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray

# Pages of a mapped file are released each time that so many bytes were read: few enough
# to keep memory small, and many enough not to cost time.
_RELEASED_BYTES = 2**20
# Single rows of a mapped file lie in different pages of 4 KiB, each read with up to 15
# neighbours: pages are released after so many rows.
_PICKED_ROWS = 512

# Rows that are read at a time in a pass over all of them.
CHUNK_ROWS = 65_536

# Rows that are read from every column before the next: so a piece of a file serves all columns.
SHARED_ROWS = 8_192

# Columns of a table that make an array: (N,) for one number, (N, C) for several.
Group: TypeAlias = int | Sequence[int]


def column_numbers(group: Group) -> list[int]:
    """Return the columns of a group."""
    return [group] if isinstance(group, int) else list(group)


class ChunkedTable(ABC):
    """A table in a file, read in pieces of consecutive rows.

    It keeps the last pieces, for all columns. `starts` has the number of the first row of each
    piece, and then the number of rows.
    """

    def __init__(self, starts: Sequence[int] | NDArray, stamp: FileStamp) -> None:
        self.stamp = stamp
        self.starts = np.asarray(starts, np.int64)
        self._kept: dict[int, dict[Hashable, NDArray]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the place of the rows in the file, without the rows that were read."""
        return {**self.__dict__, "_kept": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.stamp = self.stamp.for_this_machine()

    @abstractmethod
    def load(self, piece: int) -> dict[Hashable, NDArray]:
        """Read a piece: an array for each column."""

    def __len__(self) -> int:
        return int(self.starts[-1])

    def rows(self, piece: int) -> dict[Hashable, NDArray]:
        """Return a piece, from memory if it was read before."""
        if piece not in self._kept:
            # Two are kept: a batch may lie at the end of one and the beginning of the next.
            for old in list(self._kept)[:-1]:
                del self._kept[old]
            self.check_unchanged(piece)
            self._kept[piece] = self.load(piece)
        return self._kept[piece]

    @property
    def read_starts(self) -> NDArray:
        """The rows at which reading can begin; by default the first row of each piece."""
        return self.starts[:-1]

    def check_unchanged(self, piece: int) -> None:
        """Raise `DataError` if the file of a piece has changed since the pieces were found."""
        self.stamp.check()

    def piece_of(self, row: int) -> int:
        """Return the number of the piece that contains a row."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1


class Column(ABC):
    """An array whose rows stay in a file until they are read.

    It has the shape and dtype of an array. A slice, a number or an array of numbers reads rows
    along the first axis; `numpy.asarray` reads all of it. A subclass says how rows are read and
    where reading can begin; its pickle holds the place of the rows, not the rows. Equal content of
    a file has an equal `digest`, which is empty if unknown.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], digest: str = "") -> None:
        self.shape, self.dtype, self.digest = shape, dtype, digest

    @property
    @abstractmethod
    def stamp(self) -> FileStamp | None:
        """The file as it was when it was opened; None for a mapped array of unknown origin."""

    @property
    @abstractmethod
    def read_starts(self) -> NDArray | None:
        """The rows at which reading can begin; None for any row."""

    @abstractmethod
    def read(self, start: int, stop: int) -> NDArray:
        """Return consecutive rows."""

    @abstractmethod
    def take(self, rows: NDArray) -> NDArray:
        """Return the rows with these numbers."""

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self.read(start, stop) if step == 1 else self.take(np.arange(start, stop, step))
        if isinstance(index, int | np.integer):
            return self.read(int(index) % len(self), int(index) % len(self) + 1)[0]
        if isinstance(index, list | np.ndarray):
            return self.take(np.asarray(index))
        raise ArgumentError(f"rows of a file are read by slices and row numbers, not {index!r}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return self.read(0, len(self)).astype(dtype or self.dtype, copy=False)


class PieceColumn(Column):
    """One array of a table that is read in pieces; `shape` is the shape of one row."""

    def __init__(
        self,
        pieces: ChunkedTable,
        key: Hashable,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        digest: str = "",
    ) -> None:
        super().__init__((len(pieces), *shape), dtype, digest)
        self._pieces, self._key = pieces, key

    @property
    def stamp(self) -> FileStamp:
        """See `Column.stamp`."""
        return self._pieces.stamp

    @property
    def read_starts(self) -> NDArray:
        """See `Column.read_starts`."""
        return self._pieces.read_starts

    def read(self, start: int, stop: int) -> NDArray:
        """See `Column.read`."""
        if stop <= start:
            return np.empty((0, *self.shape[1:]), self.dtype)
        pieces = range(self._pieces.piece_of(start), self._pieces.piece_of(stop - 1) + 1)
        parts = []
        for piece in pieces:
            first = int(self._pieces.starts[piece])
            rows = self._pieces.rows(piece)[self._key]
            parts.append(rows[max(start - first, 0) : stop - first])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def take(self, rows: NDArray) -> NDArray:
        """See `Column.take`; each piece of the file is read once."""
        taken = np.empty((len(rows), *self.shape[1:]), self.dtype)
        order = np.argsort(rows, kind="stable")
        where = np.searchsorted(self._pieces.starts, rows[order], side="right") - 1
        edges = np.flatnonzero(np.diff(where, prepend=-1))
        for group in np.split(order, edges[1:]):
            piece = self._pieces.piece_of(int(rows[group[0]])) if len(group) else 0
            if len(group):
                column = self._pieces.rows(piece)[self._key]
                taken[group] = column[rows[group] - self._pieces.starts[piece]]
        return taken


class WrappedColumn(Column):
    """A column whose rows come from another array in a file."""

    def __init__(self, rows: RowArray, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        super().__init__(shape, dtype, digest_of(rows))
        self._rows = rows

    @property
    def stamp(self) -> FileStamp | None:
        """See `Column.stamp`."""
        return stamp_of(self._rows)

    @property
    def read_starts(self) -> NDArray | None:
        """See `Column.read_starts`."""
        return read_starts_of(self._rows)


# The rows of a data set: an array in memory, a mapped one, or a `Column`, which is read
# like an array and is one to the type checker.
RowArray: TypeAlias = NDArray


def as_row_array(column: Column) -> RowArray:
    """Return a column typed as an array, because it is read like one."""
    rows: Any = column
    return rows  # type: ignore[no-any-return]  # see `RowArray`


def is_file_backed(array: RowArray) -> bool:
    """Tell whether the rows of an array stay in a file until they are read."""
    return isinstance(array, np.memmap | Column)


def read_starts_of(array: RowArray) -> NDArray | None:
    """Return the rows at which reading can begin; None for any row."""
    if isinstance(array, Column):
        return array.read_starts
    return None


def stamp_of(array: RowArray) -> FileStamp | None:
    """Return the stamp of the rows' file from when it was opened; None without a file."""
    stamp: FileStamp | None = getattr(array, "stamp", None)  # of a column or of a mapped array
    return stamp


def check_unchanged(array: RowArray) -> None:
    """Raise `DataError` if the array stays in a file that has changed since it was opened."""
    stamp = stamp_of(array)
    if stamp is not None:
        stamp.check()


def materialize(*arrays: Any) -> list[NDArray]:
    """Return columns of the same rows as arrays, and arrays unchanged; a file is read once."""
    columns = [array for array in arrays if isinstance(array, Column)]
    made = {id(column): np.empty(column.shape, column.dtype) for column in columns}
    # The columns of a table share the pieces that it keeps.
    entries = [column.read_starts for column in columns if column.read_starts is not None]
    rows = len(columns[0]) if columns else 0
    edges = np.unique(np.concatenate([*entries, np.arange(0, rows, SHARED_ROWS), [rows]]))
    for start, stop in pairwise(edges.astype(int).tolist()):
        for column in columns:
            made[id(column)][start:stop] = column.read(start, stop)
    return [made.get(id(array), array) for array in arrays]


def digest_of(array: RowArray) -> str:
    """Return the digest of a column; empty for any other array."""
    if isinstance(array, Column):
        return array.digest
    return ""


def read_rows(array: RowArray, start: int, stop: int) -> NDArray:
    """Return consecutive rows, in memory; an array in memory is not copied."""
    if isinstance(array, Column):
        return array.read(start, stop)
    if not isinstance(array, np.memmap):
        return array[start:stop]
    rows = np.array(array[start:stop])
    row_bytes = max(1, array.nbytes // max(1, len(array)))
    if start * row_bytes // _RELEASED_BYTES != stop * row_bytes // _RELEASED_BYTES:
        _release_pages(array)
    return rows


def chunks_of(array: RowArray, size: int = CHUNK_ROWS) -> Iterator[NDArray]:
    """Yield consecutive rows, some at a time, in memory."""
    for start in range(0, len(array), size):
        yield read_rows(array, start, min(start + size, len(array)))


def take_rows(array: RowArray, rows: NDArray) -> NDArray:
    """Return the rows with these numbers, in memory."""
    if isinstance(array, Column):
        return array.take(rows)
    if not isinstance(array, np.memmap):
        return array[rows]
    taken = np.empty((len(rows), *array.shape[1:]), array.dtype)
    for first in range(0, len(rows), _PICKED_ROWS):
        taken[first : first + _PICKED_ROWS] = array[rows[first : first + _PICKED_ROWS]]
        _release_pages(array)
    return taken


def _release_pages(array: NDArray) -> None:
    """Release the pages of a mapped file, which count as memory of this process.

    Pages that are read again come from the cache of the system.
    """
    mapped = array.base
    while isinstance(mapped, np.ndarray):
        mapped = mapped.base
    if isinstance(mapped, mmap.mmap) and hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_DONTNEED)
