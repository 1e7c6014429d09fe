"""Paired differences of numbers over the same units, and their intervals.

Two models on the same rows have correlated errors, so the overlap of two separate intervals says
little. Both numbers are computed without the same unit, then subtracted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lossfw.evaluation.intervals.blocks import as_few_blocks, memories, stretch
from lossfw.evaluation.intervals.bootstrap import BOOTSTRAP_UNITS, bca_ends
from lossfw.evaluation.intervals.found import Found, too_few
from lossfw.evaluation.intervals.freedom import freedom_of, size_of
from lossfw.evaluation.intervals.left_out import ANYWHERE, LeftOut, pairs_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.unit_sums import KEY_BITS, UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.metrics import Metric
from lossfw.numerics.arrays import NDArray


class Measured(NamedTuple):
    """A number with its sums by unit.

    Attributes
    ----------
    metric : Metric
        The loss, as a metric, or the metric.
    value : ndarray
        The number of all rows.
    table : UnitSums
        Its sums by unit.
    sizes : UnitSums
        The size of each unit.
    """

    metric: Metric
    value: NDArray
    table: UnitSums
    sizes: UnitSums

    def at(self, bits: int) -> Measured:
        """Return the number with units of fewer key bits."""
        return self._replace(table=self.table.at(bits), sizes=self.sizes.at(bits))

    def at_most(self, units: int) -> Measured:
        """Return the number with at most so many units, a power of 2 of at least 256."""
        return self.at(self.table.at_most(units).bits)

    def without(self, keys: NDArray) -> LeftOut:
        """Return the number without each of some units; it may not have all of them."""
        sums, count = self.table.numbered
        value = np.asarray(self.value, np.float64)
        own = self.metric.without_each(sums, self.table.total(), count) + self._off
        without = np.repeat(value[np.newaxis], len(keys), axis=0)
        without[np.searchsorted(keys, self.table.present)] = own
        return LeftOut(value, without, freedom_of(self.sizes, keys))

    def drawn(self, keys: NDArray, times: NDArray) -> NDArray:
        """Return the number with each of these units counted a number of times."""
        sums, units = self.table.numbered
        times = times[:, np.searchsorted(keys, self.table.present)]
        if self.table.rest is not None:
            # What belongs to no unit is always there.
            rest = self.table.rest.pool_cells()
            sums = sums.merge(rest.with_cells(np.full(len(rest.table), units)))
            times = np.hstack([times, np.ones((len(times), 1))])
        return self.metric.from_resamples(sums, times) + self._off

    @property
    def _off(self) -> NDArray | float:
        """What the number of all rows has beside that of scores of fewer bits."""
        if self.table.score_bits == KEY_BITS:
            return 0.0
        off: NDArray = self.value - self.metric.from_sums(self.table.total())
        return off


class SameUnits(NamedTuple):
    """Numbers of the same units, with the memory of the series of last minus first.

    See `Found` for `alike` and `memories`.
    """

    measured: Sequence[Measured]
    keys: NDArray
    alike: float = 0.0
    memories: float = math.inf

    @classmethod
    def of(cls, measured: Sequence[Measured], units: Units | None = None) -> SameUnits:
        """Return numbers with units of the same key bits, those of the coarsest.

        Blocks of time are unchanged unless `units` says that neighbours are merged, as far
        as the difference of last and first number requires.
        """
        bits = min(min(one.table.bits, one.sizes.bits) for one in measured)
        every = cls._at(measured, bits)
        if units is None or not units.pools:
            return every
        ends = [every.measured[0], every.measured[-1]][-len(measured) :]

        def less(bits: int) -> LeftOut:
            return cls._at(ends, bits).last_difference()

        def sizes(bits: int) -> NDArray:
            return cls._at(ends, bits).sizes

        bits, alike = as_few_blocks(less, sizes)
        lasting = memories(less, sizes)
        return cls._at(measured, bits)._replace(alike=alike, memories=lasting)

    @classmethod
    def _at(cls, measured: Sequence[Measured], bits: int) -> SameUnits:
        every = [one.at(bits) for one in measured]
        return cls(every, np.unique(np.concatenate([one.table.present for one in every])))

    @property
    def sizes(self) -> NDArray:
        """The size of each unit in the first number."""
        return size_of(self.measured[0].sizes, self.keys)[0]

    def left_out(self) -> list[LeftOut]:
        """Return the numbers with their values without each unit.

        Leaving out a unit without terms does not change a number.
        """
        found = [one.without(self.keys) for one in self.measured]
        return [one._replace(without=self._wider(one.middle, one.without)) for one in found]

    def last_difference(self) -> LeftOut:
        """Return the last number minus the first, or the only one."""
        found = self.left_out()
        return found[-1].minus(found[0]) if len(found) > 1 else found[0]

    def drawn(self, times: NDArray) -> NDArray:
        """Return the same with each unit counted a number of times."""
        found = [self._wider(one.value, one.drawn(self.keys, times)) for one in self.measured]
        return found[-1] - found[0] if len(found) > 1 else found[0]

    def _wider(self, middle: NDArray, values: NDArray) -> NDArray:
        """Return numbers as far about the middle as blocks that are still alike ask for."""
        wider = stretch(self.alike)
        return values if wider == 1.0 else middle + (values - middle) * wider


def without_units(measured: Sequence[Measured], units: Units | None = None) -> list[LeftOut]:
    """Return numbers with their values without each unit, the same units for all."""
    return SameUnits.of(measured, units).left_out()


def difference(one: Measured, base: Measured, asked: Intervals) -> Found:
    """Return the interval of the difference of two numbers of the same units.

    A difference that is the same for every choice of units has no interval.
    """
    return found_of([base, one], asked)


def found_of(
    measured: Sequence[Measured], asked: Intervals, bounds: tuple[float, float] = ANYWHERE
) -> Found:
    """Return the interval of the last of some numbers minus the first, or of the only one."""
    units, draws = asked.resample or Units(), asked.method == "bootstrap"
    if draws and not units.pools:
        measured = [one.at_most(BOOTSTRAP_UNITS) for one in measured]
    every = SameUnits.of(measured, units)
    less = every.last_difference()
    why = too_few(units, less.units, less.freedom)
    ends = less.ends(asked.level, bounds)
    if draws and not why:
        ends = bca_ends(every.drawn, less.units, less.middle, less.without, asked)
        ends = np.clip(ends, *bounds)
    return Found(
        pairs_of(np.full_like(ends, np.nan) if why else ends),
        why,
        less.units,
        less.freedom,
        every.measured[0].table.bits < KEY_BITS and units.kind != "time",
        every.alike,
        every.memories,
    )
