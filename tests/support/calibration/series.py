"""Series in blocks of time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.signal import lfilter

from lossfw.evaluation.intervals.blocks import (
    LEAST_MEMORIES,
    STILL_ALIKE,
    choose_key_bits,
    length_in_memories,
    widening_factor,
)
from lossfw.evaluation.intervals.unit_keys import SHORT_BLOCKS
from support.calibration.setting import Outcome, Setting, has_star, left_out


def memory_of(correlation):
    """Return the memory of a series whose neighbouring rows are so alike, in rows."""
    return (1 + correlation) / (1 - correlation)


def compared_series(rows, correlation):
    """Return the comparison of two models whose losses differ by an autoregressive series."""
    block = np.arange(rows) * SHORT_BLOCKS // rows
    used = np.unique(block)
    weight = np.bincount(block)[used].astype(float)

    def compared(random):
        noise = random.normal(size=rows)
        noise[0] /= (1 - correlation**2) ** 0.5
        sums = np.bincount(block, lfilter([1], [1, -correlation], noise))[used]
        shift = (SHORT_BLOCKS - 1).bit_length()

        def at(bits):
            place = np.unique(used >> (shift - bits), return_inverse=True)[1]
            return np.bincount(place, sums), np.bincount(place, weight)

        def less(bits):
            return left_out(*at(bits))

        def sizes(bits):
            return at(bits)[1]

        bits, alike = choose_key_bits(less, sizes)
        found = less(bits)
        without = found.middle + (found.without - found.middle) * widening_factor(alike)
        short = alike >= STILL_ALIKE or length_in_memories(less, sizes) < LEAST_MEMORIES
        return Outcome(has_star(found._replace(without=without)), short)

    return compared


def series() -> Iterator[Setting]:
    for rows, every in SERIES_BEFORE.items():
        for correlation, before in zip((0.0, 0.3, 0.5, 0.9, 0.98), every, strict=True):
            hopeless = rows < LEAST_MEMORIES * memory_of(correlation)
            name = f"series of {rows:,} rows, neighbours alike {correlation}"
            yield Setting(name, compared_series(rows, correlation), before, hopeless)


SERIES_BEFORE = {
    300: (6.6, 16.6, 27.0, 67.2, 86.6),
    1000: (5.0, 16.6, 27.6, 64.6, 83.8),
    3000: (5.2, 16.6, 25.0, 63.2, 84.6),
    30_000: (2.6, 14.0, 24.4, 63.4, 85.2),
}
