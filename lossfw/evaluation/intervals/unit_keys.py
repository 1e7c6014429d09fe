"""Keys of units: 64 bits that say to which unit a row belongs, the same in every run.

A number goes by the hash of its float64, a text by that of its UTF-8: the same on all machines and
for any split of the rows. The key of a block of time is its number, so that neighbours in time are
neighbours among the keys.
"""

from __future__ import annotations

import hashlib

import numpy as np

from lossfw.data import DataColumn
from lossfw.data.csv_text import is_missing
from lossfw.data.lazy_arrays import chunks_of
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# The constants of the finaliser of SplitMix64: Steele, Lea and Flood, *Fast
# splittable pseudorandom number generators*, 2014.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)

# Blocks of time that are put together later: so many that any number of larger ones is near.
SHORT_BLOCKS = 4096


def hashed_numbers(numbers: NDArray) -> NDArray:
    """Return the keys of numbers: one to one, the same for 1 and 1.0.

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
    """Return the key of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


class ColumnKeys:
    """The keys of the values of a column: of numbers, or of texts that are codes of labels."""

    def __init__(self, name: str, labels: tuple[str, ...]) -> None:
        self._name = name
        self._missing = np.array([is_missing(label) for label in labels], bool)
        self._labels = np.array([hashed_text(label) for label in labels], np.uint64)

    def of(self, values: NDArray, start: int) -> NDArray:
        """Return the key of each row; `start` is the number of the first, for an error."""
        if len(self._labels):
            codes = values.astype(np.int64)
            missing = self._missing[codes]
        else:
            missing = np.isnan(values)
        if missing.any():
            row = start + int(np.argmax(missing))
            raise DataError(
                f"column {self._name!r} has no value in row {row}, and every row needs its unit "
                "for intervals: leave such rows out by data.rows, name another column, or write "
                "evaluate.intervals.units: rows."
            )
        return self._labels[codes] if len(self._labels) else hashed_numbers(values)


class TimeKeys:
    """The keys of rows by time: the blocks of the column's values, in their order."""

    def __init__(self, name: str, column: DataColumn, blocks: int = SHORT_BLOCKS) -> None:
        if column.holds_texts:
            raise DataError(
                f"column {name!r} holds texts, and blocks of time need numbers, such as days or "
                "seconds."
            )
        self._name, self._blocks = name, blocks
        self._times: NDArray = np.zeros(0)
        counts: NDArray = np.zeros(0)
        for chunk in chunks_of(column.values):
            times, more = np.unique(chunk[~np.isnan(chunk)], return_counts=True)
            every, place = np.unique(np.append(self._times, times), return_inverse=True)
            counts = np.bincount(place, np.append(counts, more), len(every))
            self._times = every
        # A block has about as many rows as any other; rows of one time are in one block.
        before = np.cumsum(counts) - counts
        rows = max(1, int(counts.sum()))
        self._block = (before.astype(np.int64) * blocks) // rows

    def of(self, values: NDArray, start: int) -> NDArray:
        """Return the key of each row."""
        missing = np.isnan(values)
        if missing.any():
            raise DataError(
                f"column {self._name!r} has no value in row {start + int(np.argmax(missing))}, and "
                "blocks of time need the time of every row: leave such rows out by data.rows."
            )
        return block_keys(self._block[np.searchsorted(self._times, values)], self._blocks)


def block_keys(numbers: NDArray, blocks: int) -> NDArray:
    """Return the keys of blocks 0 to `blocks` - 1: their order is that of the numbers."""
    shift = np.uint64(64 - max(1, (blocks - 1).bit_length()))
    keys: NDArray = numbers.astype(np.uint64) << shift
    return keys
