"""Columns: arrays whose rows stay in a file until they are asked for."""

from __future__ import annotations

import mmap
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray

# Pages of a mapped file are given back each time that so many bytes were read:
# often enough not to be noticed, seldom enough not to cost anything.
_RELEASED_BYTES = 16 * 2**20
# Rows of a mapped file that are picked out one by one lie in pages of their
# own, of 4 KiB and up to 15 neighbours that come with each; so many at a time.
_PICKED_ROWS = 512


# Columns of a table that make an array: (N,) of one number, (N, C) of several.
Group: TypeAlias = int | Sequence[int]


def listed(group: Group) -> list[int]:
    """Return the columns of a group."""
    return [group] if isinstance(group, int) else list(group)


class Pieces(ABC):
    """A table in a file that is read some consecutive rows at a time.

    The pieces that were read last are kept: they serve all columns.

    Parameters
    ----------
    starts : sequence of int
        The number of the first row of each piece, then the number of rows.
    """

    def __init__(self, starts: Sequence[int] | NDArray) -> None:
        self.starts = np.asarray(starts, np.int64)
        self._kept: dict[int, dict[Hashable, NDArray]] = {}

    @abstractmethod
    def load(self, piece: int) -> dict[Hashable, NDArray]:
        """Read a piece: an array for each column."""

    def __len__(self) -> int:
        return int(self.starts[-1])

    def rows(self, piece: int) -> dict[Hashable, NDArray]:
        """Return a piece, which was perhaps read before."""
        if piece not in self._kept:
            # Two: a batch may lie in the end of one and the beginning of the next.
            for old in list(self._kept)[:-1]:
                del self._kept[old]
            self._kept[piece] = self.load(piece)
        return self._kept[piece]

    def piece_of(self, row: int) -> int:
        """Return the number of the piece that a row lies in."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1


class Column:
    """One array of a table that is read in pieces.

    It has the shape and dtype of an array, is read by slices, by one number or
    by an array of numbers of rows along the first axis, and becomes an array by
    `numpy.asarray`, which reads all of it.

    Parameters
    ----------
    pieces : Pieces
        The table.
    key : hashable
        The column in it.
    shape : tuple of int
        That of one row.
    dtype : dtype
        Of the numbers.
    digest : str
        Names the content, where that was seen when the file was opened; equal
        content of a file has an equal digest.
    """

    def __init__(
        self,
        pieces: Pieces,
        key: Hashable,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        digest: str = "",
    ) -> None:
        self._pieces, self._key, self.digest = pieces, key, digest
        self.shape, self.dtype = (len(pieces), *shape), dtype

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
        raise ArgumentError(f"rows of a file are read by slices and numbers of rows, not {index!r}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return self.read(0, len(self)).astype(dtype or self.dtype, copy=False)

    def read(self, start: int, stop: int) -> NDArray:
        """Return consecutive rows."""
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
        """Return the rows with these numbers, each piece of the file being read once."""
        taken = np.empty((len(rows), *self.shape[1:]), self.dtype)
        order = np.argsort(rows, kind="stable")
        where = np.searchsorted(self._pieces.starts, rows[order], side="right") - 1
        edges = np.flatnonzero(np.diff(where, prepend=-1))
        for group in np.split(order, edges[1:]):
            piece = self._pieces.piece_of(int(rows[group[0]])) if len(group) else 0
            if len(group):
                found = self._pieces.rows(piece)[self._key]
                taken[group] = found[rows[group] - self._pieces.starts[piece]]
        return taken


# What the rows of a data set may be: in memory, mapped, or a `Column`, which is
# read like an array. To a type checker they are arrays: few have to know.
RowArray: TypeAlias = NDArray


def stays(array: RowArray) -> bool:
    """Tell whether the rows of an array stay in a file until they are asked for."""
    return isinstance(array, np.memmap | Column)


def in_memory(array: RowArray) -> NDArray:
    """Return a column as an array; an array is returned as it is."""
    if isinstance(array, Column):
        return np.asarray(array)
    return array


def digest_of(array: RowArray) -> str:
    """Return the digest that a column has of its own; empty for any other array."""
    if isinstance(array, Column):
        return array.digest
    return ""


def read_rows(array: RowArray, start: int, stop: int) -> NDArray:
    """Return consecutive rows, in memory; those of an array in memory are no copy."""
    if isinstance(array, Column):
        return array.read(start, stop)
    if not isinstance(array, np.memmap):
        return array[start:stop]
    rows = np.array(array[start:stop])
    row_bytes = max(1, array.nbytes // max(1, len(array)))
    if start * row_bytes // _RELEASED_BYTES != stop * row_bytes // _RELEASED_BYTES:
        _release(array)
    return rows


def take_rows(array: RowArray, rows: NDArray) -> NDArray:
    """Return the rows with these numbers, in memory."""
    if isinstance(array, Column):
        return array.take(rows)
    if not isinstance(array, np.memmap):
        return array[rows]
    taken = np.empty((len(rows), *array.shape[1:]), array.dtype)
    for first in range(0, len(rows), _PICKED_ROWS):
        taken[first : first + _PICKED_ROWS] = array[rows[first : first + _PICKED_ROWS]]
        _release(array)
    return taken


def _release(array: NDArray) -> None:
    """Let go of the pages that a mapped file holds in this process.

    The system would keep them until memory is short, and they count as this
    process's until then. What is asked for again comes from the system's cache.
    """
    mapped = array.base
    while isinstance(mapped, np.ndarray):
        mapped = mapped.base
    if isinstance(mapped, mmap.mmap) and hasattr(mapped, "madvise"):
        mapped.madvise(mmap.MADV_DONTNEED)
