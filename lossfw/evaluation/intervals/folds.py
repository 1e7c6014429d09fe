"""Folds: rows dealt out by their number, for the spread of results between parts of the data.

The first rows found a fold each; every later row goes to a fold that a
scrambled form of its number picks. So small data have each row in a fold of
its own, and in large data neither sorting nor a period of the rows makes the
folds more alike than chance does. A row's fold depends only on its number.
"""

from __future__ import annotations

import numpy as np

from lossfw.numerics.arrays import NDArray

# Enough to know a standard error to 7 percent (one part in the root of twice their
# number), and few enough that computing a metric once for each is cheap.
FOLDS = 100

# The constants of the finaliser of SplitMix64: Steele, Lea and Flood, *Fast
# splittable pseudorandom number generators*, 2014.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)


def fold_of(rows: NDArray) -> NDArray:
    """Return the fold of each global row number, 0 to `FOLDS` - 1.

    Examples
    --------
    >>> fold_of(np.array([0, 1, 99])).tolist()
    [0, 1, 99]
    >>> bool((np.bincount(fold_of(np.arange(100_000))) > 800).all())
    True
    """
    scrambled = (rows.astype(np.uint64) + np.uint64(1)) * _STEP
    for shift, factor in _ROUNDS:
        scrambled = (scrambled ^ (scrambled >> shift)) * factor
    scrambled ^= scrambled >> _LAST_SHIFT
    dealt = (scrambled % np.uint64(FOLDS)).astype(np.int64)
    return np.where(rows < FOLDS, rows, dealt)
