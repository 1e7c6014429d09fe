"""ChosenRows: the numbers of the rows that are read from a file."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from lossfw.numerics.arrays import NDArray


class ChosenRows:
    """Some of the rows of a file, by their ascending numbers; a pickle holds a bit for each row.

    Attributes
    ----------
    index : ndarray of int64
        The numbers of the rows, ascending.
    count : int
        How many rows the file has.

    Examples
    --------
    >>> ChosenRows(np.array([1, 4, 5]), 7).within(2, 6).tolist()
    [2, 3]
    """

    def __init__(self, index: NDArray, count: int) -> None:
        self.index, self.count = index, count

    def __len__(self) -> int:
        return len(self.index)

    def within(self, start: int, stop: int) -> NDArray:
        """Return the chosen rows between two rows, counted from the first of them."""
        first, last = np.searchsorted(self.index, [start, stop])
        found: NDArray = self.index[first:last] - start
        return found

    @property
    def digest(self) -> str:
        """Equal choices have an equal digest."""
        return hashlib.sha256(self.index.astype(np.int64).tobytes()).hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        there = np.zeros(self.count, bool)
        there[self.index] = True
        return {"index": np.packbits(there), "count": self.count}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.count = state["count"]
        self.index = np.flatnonzero(np.unpackbits(state["index"], count=self.count))
