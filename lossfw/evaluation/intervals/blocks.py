"""Blocks of time as units: how many to use, and whether the series is long enough.

Rows are in short blocks of time, and neighbouring blocks are merged until they are no longer alike.
This requires a series of about 15 times its memory, (1 + r) / (1 - r) blocks with r the correlation
of neighbours. In a shorter series the longest blocks are still alike, but too few to show it, so
the memory is estimated from the short ones.

Source: Kendall, *Note on bias in the estimation of autocorrelation*, Biometrika 41, 1954.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lossfw.evaluation.intervals.left_out import LeaveOneOut
from lossfw.numerics.arrays import NDArray

# Neighbours are put together until they are less alike than this, from 2**6 blocks to 2**3.
STILL_ALIKE = 0.1
_BLOCK_BITS = (6, 5, 4, 3)
# Intervals of shorter series are too narrow.
LEAST_MEMORIES = 15.0
# The bits of the short blocks, from which the memory is estimated: all that there are.
_SHORT_BITS = 12


def choose_key_bits(
    left_out: Callable[[int], LeaveOneOut], sizes: Callable[[int], NDArray]
) -> tuple[int, float]:
    """Return how many bits of the keys to use, and how alike neighbours then still are.

    Both functions take a number of bits: the number without each block, and the size of each
    block.
    """
    for bits in _BLOCK_BITS:
        found = left_out(bits)
        # The correlation of n unrelated numbers about their mean is -1/n on average.
        correlation = _neighbour_correlation(found, sizes(bits))
        alike = 0.0 if correlation is None else correlation + 1.0 / found.units
        if alike < STILL_ALIKE:
            break
    return bits, alike


def widening_factor(correlation: float) -> float:
    """Return the factor by which blocks that are still alike underestimate the error of a mean.

    The covariance of neighbours is part of the variance of the mean.

    Examples
    --------
    >>> widening_factor(0.05), round(widening_factor(0.5), 3)
    (1.0, 1.414)
    """
    return float((1.0 + 2.0 * correlation) ** 0.5) if correlation >= STILL_ALIKE else 1.0


def length_in_memories(
    left_out: Callable[[int], LeaveOneOut], sizes: Callable[[int], NDArray]
) -> float:
    """Return the length of a series in units of its memory; infinite if it is unknown."""
    found = left_out(_SHORT_BITS)
    alike, count = _neighbour_correlation(found, sizes(_SHORT_BITS)), found.units
    if alike is None or count <= 4:
        return np.inf
    # The estimate is too small by (1 + 4 r) / n on average.
    alike = (count * alike + 1.0) / (count - 4.0)
    return count * max(1.0 - alike, 0.0) / max(1.0 + alike, 1.0)


def _neighbour_correlation(left_out: LeaveOneOut, size: NDArray) -> float | None:
    """Return the correlation of the errors of neighbouring blocks, None where nothing varies."""
    count = left_out.units
    with np.errstate(all="ignore"):
        share = (1.0 - size / size.sum()).reshape(count, *[1] * left_out.middle.ndim)
        errors = ((left_out.without - left_out.middle) * share).reshape(count, -1)
        alike = (errors[1:] * errors[:-1]).sum(axis=0) / np.square(errors).sum(axis=0)
    known = alike[np.isfinite(alike)]
    return float(known.mean()) if known.size else None
