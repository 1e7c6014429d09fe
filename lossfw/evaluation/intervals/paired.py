"""Differences of two numbers of the same units: their intervals come from the differences.

Two models on the same rows have correlated errors, so that whether two separate intervals overlap
says little. Both numbers are computed without the same unit, and subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lossfw.evaluation.intervals.interval import Found, too_few
from lossfw.evaluation.intervals.left_out import LeftOut, pairs_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.resampling import (
    BLOCK_BITS,
    BOOTSTRAP_UNITS,
    STILL_ALIKE,
    bca_ends,
    block_correlation,
    drawn_sums,
    freedom_of,
    size_of,
)
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
        """Return the number with units of fewer bits."""
        return self._replace(table=self.table.at(bits), sizes=self.sizes.at(bits))

    def at_most(self, units: int) -> Measured:
        """Return the number with at most so many units, a power of 2 of at least 256."""
        return self.at(self.table.at_most(units).bits)


def common(measured: Sequence[Measured]) -> list[Measured]:
    """Return numbers with units of the same bits, those of the coarsest."""
    bits = min(min(one.table.bits, one.sizes.bits) for one in measured)
    return [one.at(bits) for one in measured]


def without_units(measured: Sequence[Measured], units: Units | None = None) -> list[LeftOut]:
    """Return numbers with their values without each unit, the same units for all.

    A unit that adds nothing to a number changes nothing in it. Blocks of time stay as they are
    unless `units` says that neighbours are put together: as many as the difference of the
    last number from the first asks for.
    """
    every = common(measured)
    if units is not None and units.pools:
        for bits in BLOCK_BITS:
            some = [one.at(bits) for one in every]
            found = without_units(some)
            less = found[-1].minus(found[0]) if len(found) > 1 else found[0]
            alike = block_correlation(less, size_of(some[0].sizes, _keys(some))[0])
            if alike < STILL_ALIKE:
                break
        return [one._replace(alike=alike) for one in found]
    keys = _keys(every)
    return [_over(one, keys) for one in every]


def _keys(every: Sequence[Measured]) -> NDArray:
    """Return the keys of the units that any of the numbers has."""
    return np.unique(np.concatenate([one.table.present for one in every]))


def _over(one: Measured, keys: NDArray) -> LeftOut:
    """Return a number without each of some units, of which it may lack a few."""
    sums, count = one.table.numbered
    value = np.asarray(one.value, np.float64)
    own = one.metric.without_each(sums, one.table.total(), count)
    without = np.repeat(value[np.newaxis], len(keys), axis=0)
    without[np.searchsorted(keys, one.table.present)] = own
    return LeftOut(value, without, freedom_of(one.sizes, keys))


def difference(one: Measured, base: Measured, asked: Intervals) -> Found:
    """Return the interval of the difference of two numbers of the same units.

    A difference that is the same for every choice of units has no interval.
    """
    units = asked.units or Units()
    draws = asked.method == "bootstrap"
    pair = [base, one]
    if draws:
        pair = [each.at_most(BOOTSTRAP_UNITS) for each in pair]
    pair = common(pair)
    found = without_units(pair, units)
    less = found[1].minus(found[0])
    why = too_few(units, less.units, less.freedom)
    ends = less.ends(asked.level)
    if draws and not why:
        ends = _drawn(pair, less, asked)
    nothing = pairs_of(np.full_like(ends, np.nan))
    together = pair[0].table.bits < KEY_BITS and units.kind != "time"
    return Found(
        nothing if why else pairs_of(ends), why, less.units, less.freedom, together, less.alike
    )


def _drawn(pair: Sequence[Measured], less: LeftOut, asked: Intervals) -> NDArray:
    """Return the ends by the bootstrap: the same units are drawn for both numbers."""
    bits = min(one.table.bits for one in pair)
    while len(_keys([one.at(bits) for one in pair])) > less.units:
        bits -= 1
    pair = [one.at(bits) for one in pair]
    keys = _keys(pair)

    def estimates(times: NDArray) -> NDArray:
        base, one = (_estimates(each, keys, times) for each in pair)
        return one - base

    return bca_ends(estimates, less.units, less.middle, less.without, asked)


def _estimates(one: Measured, keys: NDArray, times: NDArray) -> NDArray:
    sums, _, fixed = drawn_sums(one.table)
    own = times[:, np.searchsorted(keys, one.table.present)]
    return one.metric.estimates(sums, np.hstack([own, np.ones((len(times), fixed))]))
