"""Sums of a metric per unit, which merge in any order, in bounded memory.

A unit is what was sampled: a row, a patient, a day. It has a 64-bit key
(`lossfw.evaluation.intervals.unit_keys`). If there were too many sums, only the first bits of the
keys are kept, and units that share them are merged, at random if the keys are hashes: intervals
remain valid, with fewer degrees of freedom. Scores are also cut to their first bits if few units
have too many scores. The number of bits depends only on the set of all units and scores, so any
split and order of the rows gives the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from lossfw.losses.engine.packing import pack_parts, unpack_part
from lossfw.metrics.cell_sums import CellSums, RowTerms
from lossfw.metrics.exact_sums import ExactSums
from lossfw.numerics.arrays import NDArray

KEY_BITS = 64
# So few units are kept apart however many sums each has.
LEAST_BITS = 8
# The most units that are kept apart: more would make no interval better by a part in 100.
MOST_UNITS = 2**16
# For a table that has to be exact.
NO_LIMIT = 2**62
# Sign, exponent and the first bit of the mantissa of a score, by which NaN is not an infinity.
_LEAST_SCORE_BITS = 13
# The most numbers of all units and places together, as an array has them; and with the number of
# a part they are a key of `ExactSums`.
_CELLS = 2**22


class TableLimits(NamedTuple):
    """The limits of a table of units: units, sums, and the smallest number of bits."""

    units: int = MOST_UNITS
    sums: int = 2 * MOST_UNITS
    least_bits: int = LEAST_BITS


DEFAULT_LIMIT = TableLimits()


class UnitCells(NamedTuple):
    """The units of some rows: their sorted keys, and the index of each row's unit."""

    bits: int
    units: NDArray
    place: NDArray

    @classmethod
    def of(cls, keys: NDArray, bits: int = KEY_BITS) -> UnitCells:
        """Return the units of rows with these keys (uint64)."""
        return cls(bits, *np.unique(shorten_keys(keys, bits), return_inverse=True))

    def with_bits(self, bits: int) -> UnitCells:
        """Return the same rows with units of at most so many bits."""
        if bits >= self.bits:
            return self
        units, place = _join_units(self.units, bits)
        return UnitCells(bits, units, place[self.place])


def shorten_keys(keys: NDArray, bits: int) -> NDArray:
    """Return keys with only their first bits, the others 0."""
    rest = np.uint64(KEY_BITS - bits)
    return keys if bits == KEY_BITS else (keys >> rest) << rest


def _join_units(units: NDArray, bits: int) -> tuple[NDArray, NDArray]:
    """Return ascending keys with fewer bits, each once, and the new place of each old key."""
    short = shorten_keys(units, bits)
    # They still ascend, so equal ones are neighbours.
    new = np.diff(short, prepend=~short[:1]) != 0
    return short[new], np.cumsum(new) - 1


@dataclass(frozen=True, eq=False, slots=True)
class UnitSums:
    """Sums of a metric for each unit, and in each part of the rows.

    Attributes
    ----------
    bits : int
        The number of key bits that are kept.
    units : ndarray of uint64, shape (U,)
        The keys, ascending.
    sums : CellSums
        Cell ``part * U + place``, the place of the unit among `units`.
    limit : TableLimits
        The limits of the table.
    rest : CellSums or None
        What the sums of all rows have besides those of the units, with the part as cell: not None
        if rows of several units count together, such as pairs.
    score_bits : int
        The number of score bits that are kept, for a metric with scores.
    """

    bits: int
    units: NDArray
    sums: CellSums
    limit: TableLimits = DEFAULT_LIMIT
    rest: CellSums | None = None
    score_bits: int = KEY_BITS

    @classmethod
    def of(
        cls,
        terms: RowTerms,
        cells: UnitCells,
        parts: NDArray | None = None,
        limit: TableLimits = DEFAULT_LIMIT,
        rest: CellSums | None = None,
    ) -> UnitSums:
        """Return the sums of some rows; `parts` has the number of each row's part."""
        place = cells.place if parts is None else parts * len(cells.units) + cells.place
        found = cls(cells.bits, cells.units, terms.table(place), limit, rest)
        return found._to_limits()

    def merge(self, other: UnitSums) -> UnitSums:
        """Return the sums over the rows of both."""
        bits, scores = min(self.bits, other.bits), min(self.score_bits, other.score_bits)
        a, b = (one.with_bits(bits)._with_score_bits(scores) for one in (self, other))
        units = a.units
        if not np.array_equal(units, b.units):
            units = np.union1d(units, b.units)
        sums = a._spread_cells(units).merge(b._spread_cells(units))
        rest = a.rest if b.rest is None else b.rest
        if a.rest is not None and b.rest is not None:
            rest = a.rest.merge(b.rest)
        return UnitSums(bits, units, sums, self.limit, rest, scores)._to_limits()

    def with_bits(self, bits: int) -> UnitSums:
        """Return the sums with units of at most so many bits."""
        if bits >= self.bits:
            return self
        units, place = _join_units(self.units, bits)
        sums = self.sums.with_cells(self._move_cells(place, len(units)))
        return replace(self, bits=bits, units=units, sums=sums)

    def _with_score_bits(self, bits: int) -> UnitSums:
        """Return the sums with scores of fewer bits."""
        if bits >= self.score_bits:
            return self
        keys, rest = self.sums.table.keys.copy(), KEY_BITS - bits
        keys[:, 1] = keys[:, 1] >> rest << rest
        sums = CellSums(self.sums.columns, self.sums.n_sums, self.sums.table.with_keys(keys))
        return replace(self, sums=sums, score_bits=bits)

    def with_at_most(self, units: int) -> UnitSums:
        """Return the sums with at most so many units, a power of 2 of at least 256."""
        return replace(self, limit=TableLimits(units, NO_LIMIT))._to_limits()

    def part_sums(self, number: int) -> UnitSums:
        """Return the sums of one part of the rows."""
        part, place = np.divmod(self.sums.cells, max(1, len(self.units)))
        own = part == number
        rest = None if self.rest is None else self.rest.take(self.rest.cells == number)
        sums = self.sums.take(own)
        table = sums.with_cells(place[own])
        return replace(self, sums=table, rest=rest)

    @property
    def present_units(self) -> NDArray:
        """The keys of the units that have sums, ascending."""
        found: NDArray = self.units[np.unique(self.sums.cells)]
        return found

    @property
    def numbered_sums(self) -> tuple[CellSums, int]:
        """The sums with their units as cells from 0 on, and the number of these units."""
        return self.sums.with_numbered_cells()

    def total(self) -> CellSums:
        """Return the sums of all rows, in cell 0."""
        pooled = self.sums.pool_cells()
        return pooled if self.rest is None else pooled.merge(self.rest.pool_cells())

    def pack(self) -> dict[str, NDArray]:
        """Return the table as plain arrays, for `unpack`."""
        bits = np.array([self.bits, self.score_bits, *self.limit])
        shape = {"bits": bits, "units": self.units}
        rest = {} if self.rest is None else pack_parts(rest=self.rest)
        return shape | pack_parts(sums=self.sums) | rest

    @classmethod
    def unpack(cls, arrays: Mapping[str, NDArray]) -> UnitSums:
        """Return the table that was packed."""
        bits, score_bits, *limit = map(int, arrays["bits"])
        sums, rest = (unpack_part(name, arrays) for name in ("sums", "rest"))
        return cls(
            bits,
            arrays["units"],
            CellSums.unpack(sums),
            TableLimits(*limit),
            CellSums.unpack(rest) if rest else None,
            score_bits,
        )

    def _move_cells(self, new_places: NDArray, count: int) -> NDArray:
        """Return the cell of each sum where each unit has another place among `count`."""
        part, before = np.divmod(self.sums.cells, max(1, len(self.units)))
        cells: NDArray = part * count + new_places[before]
        return cells

    def _spread_cells(self, units: NDArray) -> CellSums:
        """Return the sums with cells among more units; their order stays."""
        if len(units) == len(self.units):
            return self.sums
        old, table = self.sums, self.sums.table
        keys = table.keys.copy()
        place = np.searchsorted(units, self.units)
        keys[:, 0] = self._move_cells(place, len(units)) * old.n_sums + old.sum_index
        moved = ExactSums(keys, table.digits, table.low, table.special)
        return CellSums(old.columns, old.n_sums, moved)

    def _to_limits(self) -> UnitSums:
        limit, bits = self.limit, self.bits
        most = max(2**limit.least_bits, min(limit.units, _CELLS // self.sums.n_sums))
        if len(self.units) > most:
            bits = min(bits, _largest_bits(self.units, most))
        if len(self.sums.table) > limit.sums:
            bits = min(bits, self._bits_of_sums())
        found = self.with_bits(max(limit.least_bits, bits))
        keys = found.sums.table.keys
        if len(keys) > limit.sums and keys.shape[1] > 1:
            same = keys[1:, 0] == keys[:-1, 0]
            bits = _largest_bits(keys[:, 1].view(np.uint64), limit.sums, same)
            found = found._with_score_bits(max(_LEAST_SCORE_BITS, min(found.score_bits, bits)))
        return found

    def _bits_of_sums(self) -> int:
        """Return how many bits of the units leave at most so many sums."""
        part, place = np.divmod(self.sums.cells, max(1, len(self.units)))
        # The sums of one place, and of one score, with the units in order.
        scores = self.sums.table.keys[:, 1:].T
        groups = [part * self.sums.n_sums + self.sums.sum_index, *scores]
        order = np.lexsort([place, *scores, groups[0]])
        same = np.ones(max(0, len(order) - 1), bool)
        for group in groups:
            same &= np.diff(group[order]) == 0
        return _largest_bits(self.units[place[order]], self.limit.sums, same)


def _largest_bits(keys: NDArray, limit: int, same: NDArray | None = None) -> int:
    """Return how many first bits leave at most so many different keys, which are in order.

    Where neighbours are not the `same` otherwise, they stay apart; 0 if there are too many of them.
    """
    # Two neighbours stay apart as long as the first bit in which they differ is kept.
    first = KEY_BITS + 1 - _bit_length(keys[1:] ^ keys[:-1])
    if same is not None:
        first = np.where(same, first, 0)
    apart = 1 + np.cumsum(np.bincount(first, minlength=KEY_BITS + 1)[: KEY_BITS + 1])
    return max(0, int(np.searchsorted(apart, limit, side="right")) - 1)


def _bit_length(numbers: NDArray) -> NDArray:
    """Return how many bits each number has; a float has 32 of them exactly."""
    half = np.uint64(32)
    high, low = numbers >> half, numbers & np.uint64(2**32 - 1)
    lengths = [np.frexp(part.astype(np.float64))[1] for part in (high, low)]
    found: NDArray = np.where(high > 0, 32 + lengths[0], lengths[1]).astype(np.int64)
    return found


def align_tables(*tables: UnitSums) -> list[UnitSums]:
    """Return tables with units of the same number of bits, that of the coarsest."""
    bits = min(table.bits for table in tables)
    return [table.with_bits(bits) for table in tables]
