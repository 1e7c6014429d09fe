"""Keys of units: 64 bits that identify the unit of a row, the same in every run.

The key of a number is the hash of its float64, that of a string the hash of its UTF-8: the same on
all machines and for any split of the rows. The key of a block of time is its number, so neighbours
in time have neighbouring keys.
"""

from __future__ import annotations

import hashlib

import numpy as np

from lossfw.data import DataColumn
from lossfw.data.csv_text import is_missing
from lossfw.data.lazy_arrays import chunks_of
from lossfw.data.times import Times
from lossfw.numerics.arrays import NDArray

# The constants of the finaliser of SplitMix64: Steele, Lea and Flood, *Fast
# splittable pseudorandom number generators*, 2014.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)

# Blocks of time of which neighbours are put together: 2**12, so that 64 of them are whole ones.
SHORT_BLOCKS = 4096


def hashed_numbers(numbers: NDArray) -> NDArray:
    """Return the keys of numbers: distinct for distinct numbers, equal for 1 and 1.0.

    Examples
    --------
    >>> keys = hashed_numbers(np.array([1, 2]))
    >>> bool((keys == hashed_numbers(np.array([1.0, 2.0]))).all()), bool(keys[0] == keys[1])
    (True, False)
    """
    # One zero: the other has other bits.
    keys = (numbers.astype(np.float64) + 0.0).view(np.uint64)
    keys = (keys + np.uint64(1)) * _STEP
    for shift, factor in _ROUNDS:
        keys = (keys ^ (keys >> shift)) * factor
    hashed: NDArray = keys ^ (keys >> _LAST_SHIFT)
    return hashed


def hashed_text(text: str) -> int:
    """Return the key of a string."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


class MissingUnitError(Exception):
    """A row has no value in the column of units; `place` is its position."""

    def __init__(self, missing: NDArray) -> None:
        super().__init__()
        self.place = int(np.argmax(missing))


class ColumnKeys:
    """The keys of the values of a column: numbers, or codes of `labels`."""

    def __init__(self, labels: tuple[str, ...] = ()) -> None:
        self._missing = np.array([is_missing(label) for label in labels], bool)
        self._labels = np.array([hashed_text(label) for label in labels], np.uint64)

    def of(self, values: NDArray) -> NDArray:
        """Return the key of each row; raise `MissingUnitError` for one without a value."""
        keys, known = self.known_keys(values)
        _refuse_missing(~known)
        return keys

    def known_keys(self, values: NDArray) -> tuple[NDArray, NDArray]:
        """Return the keys of the rows that have a value, and a mask of these rows."""
        if not len(self._labels):
            known = ~np.isnan(values)
            return hashed_numbers(values[known]), known
        codes = values.astype(np.int64)
        known = ~self._missing[codes]
        return self._labels[codes[known]], known


class TimeKeys:
    """The keys of rows by time: blocks of the values of a column, in their order.

    Blocks have about equally many rows; rows of one time are in one block. Raises `NotTimesError`
    for strings that are not dates.
    """

    def __init__(self, column: DataColumn, blocks: int = SHORT_BLOCKS) -> None:
        self._blocks, self._time_of = blocks, Times(column)
        self._times: NDArray = np.zeros(0)
        counts: NDArray = np.zeros(0)
        for chunk in map(self._time_of.of, chunks_of(column.values)):
            times, more = np.unique(chunk[~np.isnan(chunk)], return_counts=True)
            every, place = np.unique(np.append(self._times, times), return_inverse=True)
            counts = np.bincount(place, np.append(counts, more), len(every))
            self._times = every
        before = np.cumsum(counts) - counts
        self._block = before.astype(np.int64) * blocks // max(1, int(counts.sum()))

    def of(self, values: NDArray) -> NDArray:
        """Return the key of each row; raise `MissingUnitError` for one without a time."""
        times = self._time_of.of(values)
        _refuse_missing(np.isnan(times))
        return block_keys(self._block[np.searchsorted(self._times, times)], self._blocks)


def _refuse_missing(missing: NDArray) -> None:
    if missing.any():
        raise MissingUnitError(missing)


def block_keys(numbers: NDArray, blocks: int) -> NDArray:
    """Return the keys of blocks 0 to `blocks` - 1: their order is that of the numbers."""
    shift = np.uint64(64 - max(1, (blocks - 1).bit_length()))
    keys: NDArray = numbers.astype(np.uint64) << shift
    return keys
