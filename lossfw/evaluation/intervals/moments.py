"""Means of independent rows: their interval from a few exact sums, for any number of rows.

With m = sum(w l) / sum(w) over n rows that count, the variance of m is
n / (n - 1) sum(w^2 (l - m)^2) / sum(w)^2, with sum(w^2)^2 / sum(w^4) - 1 degrees of freedom.
Without weights it is s^2 / n, with n - 1. The sums of squares are exact, so nothing cancels.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from lossfw.metrics.cell_sums import CellSums, RowTerms
from lossfw.metrics.exact_sums import ExactSums
from lossfw.numerics.arrays import NDArray

# The sums: of w, w l, w^2, w^2 l, (w l)^2, w^4, and of 1 for each row that counts.
_W, _WL, _W2, _W2L, _WL2, _W4, _COUNT = range(7)
_PLACES = 7
# Veltkamp's constant, which splits a float64 into two halves whose products are exact.
_SPLIT = 2.0**27 + 1.0
# Up to here neither the constant's product nor a square overflows; beyond there is no interval.
_LARGEST = 2.0**500


class MeanSpread(NamedTuple):
    """A mean of independent rows, its standard error and degrees of freedom."""

    mean: float
    error: float
    freedom: float
    rows: int


def moment_sums(terms: RowTerms, parts: NDArray | None) -> CellSums:
    """Return the sums of a mean over rows, from its terms: w l at place 0, w at place 1.

    `parts` has the part of each row, which is the cell of its sums.
    """
    count = int(terms.rows.max()) + 1 if len(terms.rows) else 0
    total, weight = np.zeros(count), np.zeros(count)
    for place, sums in enumerate((total, weight)):
        own = terms.sum_index == place
        sums[terms.rows[own]] = terms.values[own]
    rows = np.flatnonzero(weight > 0)
    total, weight = total[rows], weight[rows]
    is_one = bool((weight == 1.0).all())
    added = [(_COUNT, np.ones(len(rows))), (_WL, total), *_products(_WL2, total, total)]
    if not is_one:
        square = weight * weight
        added += [(_W, weight), (_W4, square * square)]
        added += [*_products(_W2, weight, weight), *_products(_W2L, weight, total)]
    cell = np.zeros(len(rows), np.int64) if parts is None else parts[rows] * _PLACES
    keys = np.concatenate([cell + place for place, _ in added])[:, np.newaxis]
    table = ExactSums.of(keys, np.concatenate([values for _, values in added]))
    found = CellSums(1, _PLACES, table)
    return _add_unit_weights(found) if is_one else found


def mean_spread(sums: CellSums) -> MeanSpread | None:
    """Return mean and standard error over all cells; None for fewer than two rows."""
    pooled = sums.pool_cells()
    if pooled.table.special.any():
        return None
    found = dict(zip(pooled.sum_index.tolist(), pooled.table.to_fractions(), strict=True))
    w, wl, w2, w2l, wl2, w4, count = (found.get(place, Fraction(0)) for place in range(_PLACES))
    if count < 2:
        return None
    m = wl / w
    square = (wl2 - 2 * m * w2l + m * m * w2) / (w * w) * count / (count - 1)
    freedom = max(float(w2 * w2 / w4) - 1.0, 1.0)
    return MeanSpread(float(m), float(max(square, Fraction(0))) ** 0.5, freedom, int(count))


def _products(place: int, a: NDArray, b: NDArray) -> list[tuple[int, NDArray]]:
    """Return terms whose sum is a b without rounding; Dekker 1971."""
    with np.errstate(all="ignore"):
        wild = ~(np.maximum(np.abs(a), np.abs(b)) < _LARGEST)
        if wild.any():
            a, b = np.where(wild, np.nan, a), np.where(wild, np.nan, b)
        (a1, a2), (b1, b2) = _split_in_halves(a), _split_in_halves(b)
        middle = [a1 * (2 * b2)] if a is b else [a1 * b2, a2 * b1]
        return [(place, part) for part in (a1 * b1, *middle, a2 * b2)]


def _split_in_halves(x: NDArray) -> tuple[NDArray, NDArray]:
    scaled = _SPLIT * x
    high = scaled - (scaled - x)
    return high, x - high


def _add_unit_weights(sums: CellSums) -> CellSums:
    """Return sums of rows of weight 1 with those of their weights, which are the others again."""
    table, where = sums.table, sums.sum_index
    extra = [(_COUNT, (_W, _W2, _W4)), (_WL, (_W2L,))]
    parts = [table]
    for source, places in extra:
        own = table.take(where == source)
        for place in places:
            moved = own.keys + (place - source)
            parts.append(ExactSums(moved, own.digits, own.low, own.special))
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    return CellSums(sums.columns, sums.n_sums, merged)
