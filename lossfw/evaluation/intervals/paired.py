"""Paired differences of numbers over the same units, and their intervals.

Two models on the same rows have correlated errors, so the overlap of two separate intervals says
little. Both numbers are computed without the same unit, then subtracted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lossfw.evaluation.intervals.blocks import choose_key_bits, length_in_memories, widening_factor
from lossfw.evaluation.intervals.bootstrap import BOOTSTRAP_UNITS, bca_ends
from lossfw.evaluation.intervals.found import EstimatedInterval, too_few_reason
from lossfw.evaluation.intervals.freedom import freedom_of, size_of
from lossfw.evaluation.intervals.left_out import ANYWHERE, LeaveOneOut, pairs_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.unit_sums import KEY_BITS, UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.metrics import Metric
from lossfw.numerics.arrays import NDArray


class MeasuredNumber(NamedTuple):
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

    def with_bits(self, bits: int) -> MeasuredNumber:
        """Return the number with units of fewer key bits."""
        return self._replace(table=self.table.with_bits(bits), sizes=self.sizes.with_bits(bits))

    def with_at_most(self, units: int) -> MeasuredNumber:
        """Return the number with at most so many units, a power of 2 of at least 256."""
        return self.with_bits(self.table.with_at_most(units).bits)

    def leave_out(self, keys: NDArray) -> LeaveOneOut:
        """Return the number without each of some units; it may not have all of them."""
        sums, count = self.table.numbered_sums
        value = np.asarray(self.value, np.float64)
        own = self.metric.without_each(sums, self.table.total(), count) + self._score_offset
        without = np.repeat(value[np.newaxis], len(keys), axis=0)
        without[np.searchsorted(keys, self.table.present_units)] = own
        return LeaveOneOut(value, without, freedom_of(self.sizes, keys))

    def resampled(self, keys: NDArray, times: NDArray) -> NDArray:
        """Return the number with each of these units counted a number of times."""
        sums, units = self.table.numbered_sums
        times = times[:, np.searchsorted(keys, self.table.present_units)]
        if self.table.rest is not None:
            # What belongs to no unit is always there.
            rest = self.table.rest.pool_cells()
            sums = sums.merge(rest.with_cells(np.full(len(rest.table), units)))
            times = np.hstack([times, np.ones((len(times), 1))])
        return self.metric.from_resamples(sums, times) + self._score_offset

    @property
    def _score_offset(self) -> NDArray | float:
        """What the number of all rows has beside that of scores of fewer bits."""
        if self.table.score_bits == KEY_BITS:
            return 0.0
        off: NDArray = self.value - self.metric.from_sums(self.table.total())
        return off


class NumbersOfSameUnits(NamedTuple):
    """Numbers of the same units, with the memory of the series of last minus first.

    See `EstimatedInterval` for `alike` and `length_in_memories`.
    """

    measured: Sequence[MeasuredNumber]
    keys: NDArray
    alike: float = 0.0
    memories: float = math.inf

    @classmethod
    def of(
        cls, measured: Sequence[MeasuredNumber], units: Units | None = None
    ) -> NumbersOfSameUnits:
        """Return numbers with units of the same key bits, those of the coarsest.

        Blocks of time are unchanged unless `units` says that neighbours are merged, as far
        as the difference of last and first number requires.
        """
        bits = min(min(one.table.bits, one.sizes.bits) for one in measured)
        every = cls._with_bits(measured, bits)
        if units is None or not units.merges_blocks:
            return every
        ends = [every.measured[0], every.measured[-1]][-len(measured) :]

        def less(bits: int) -> LeaveOneOut:
            return cls._with_bits(ends, bits).last_difference()

        def sizes(bits: int) -> NDArray:
            return cls._with_bits(ends, bits).sizes

        bits, alike = choose_key_bits(less, sizes)
        lasting = length_in_memories(less, sizes)
        return cls._with_bits(measured, bits)._replace(alike=alike, memories=lasting)

    @classmethod
    def _with_bits(cls, measured: Sequence[MeasuredNumber], bits: int) -> NumbersOfSameUnits:
        every = [one.with_bits(bits) for one in measured]
        return cls(every, np.unique(np.concatenate([one.table.present_units for one in every])))

    @property
    def sizes(self) -> NDArray:
        """The size of each unit in the first number."""
        return size_of(self.measured[0].sizes, self.keys)[0]

    def left_out(self) -> list[LeaveOneOut]:
        """Return the numbers with their values without each unit.

        Leaving out a unit without terms does not change a number.
        """
        found = [one.leave_out(self.keys) for one in self.measured]
        return [one._replace(without=self._widened(one.middle, one.without)) for one in found]

    def last_difference(self) -> LeaveOneOut:
        """Return the last number minus the first, or the only one."""
        found = self.left_out()
        return found[-1].minus(found[0]) if len(found) > 1 else found[0]

    def resampled(self, times: NDArray) -> NDArray:
        """Return the same with each unit counted a number of times."""
        found = [self._widened(one.value, one.resampled(self.keys, times)) for one in self.measured]
        return found[-1] - found[0] if len(found) > 1 else found[0]

    def _widened(self, estimate: NDArray, values: NDArray) -> NDArray:
        """Return numbers as far about the middle as blocks that are still alike ask for."""
        wider = widening_factor(self.alike)
        return values if wider == 1.0 else estimate + (values - estimate) * wider


def leave_out_units(
    measured: Sequence[MeasuredNumber], units: Units | None = None
) -> list[LeaveOneOut]:
    """Return numbers with their values without each unit, the same units for all."""
    return NumbersOfSameUnits.of(measured, units).left_out()


def difference_interval(
    one: MeasuredNumber, base: MeasuredNumber, options: Intervals
) -> EstimatedInterval:
    """Return the interval of the difference of two numbers of the same units.

    A difference that is the same for every choice of units has no interval.
    """
    return estimate_interval([base, one], options)


def estimate_interval(
    measured: Sequence[MeasuredNumber], options: Intervals, bounds: tuple[float, float] = ANYWHERE
) -> EstimatedInterval:
    """Return the interval of the last of some numbers minus the first, or of the only one."""
    units, draws = options.resample or Units(), options.method == "bootstrap"
    if draws and not units.merges_blocks:
        measured = [one.with_at_most(BOOTSTRAP_UNITS) for one in measured]
    every = NumbersOfSameUnits.of(measured, units)
    less = every.last_difference()
    why = too_few_reason(units, less.units, less.freedom)
    ends = less.ends(options.level, bounds)
    if draws and not why:
        ends = bca_ends(every.resampled, less.units, less.middle, less.without, options)
        ends = np.clip(ends, *bounds)
    return EstimatedInterval(
        pairs_of(np.full_like(ends, np.nan) if why else ends),
        why,
        less.units,
        less.freedom,
        every.measured[0].table.bits < KEY_BITS and units.kind != "time",
        every.alike,
        every.memories,
    )
