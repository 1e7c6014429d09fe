"""Resampling: how a metric varies with the units that its rows came in.

Units are what could have been drawn otherwise (`lossfw.evaluation.intervals.unit_sums`), and every
metric knows its value for any choice of them.

**Jackknife.** Each unit is left out once; see `lossfw.evaluation.intervals.left_out`.

**Bootstrap.** As many units as there are, are drawn with replacement, again and again, and the
interval is cut from the sorted metrics of the draws: not at the percentiles themselves, but where
bias (the share of draws below the metric) and the growth of the variance with it (the skewness
of the values without each unit) move them: Efron's BCa. It takes asymmetry into account. A metric
that does not exist for some draws is judged by the others, if they are most.

Both estimate how the metric would vary if other units had been drawn at random from where these
came from. Intervals are cut to where the metric lies; there is none where nothing varies, or where
there are too few units.

Sources: Efron and Tibshirani, *An introduction to the bootstrap*, 1993,
chapters 11 and 14; Efron, *Better bootstrap confidence intervals*, 1987.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import TypeAlias

import numpy as np

from lossfw.evaluation.intervals.freedom import degrees_of_freedom
from lossfw.evaluation.intervals.left_out import LeftOut
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.unit_sums import UnitSums, aligned
from lossfw.metrics import CellSums, Metric, Term
from lossfw.metrics.cell_sums import RowTerms
from lossfw.numerics.arrays import NDArray

Estimates: TypeAlias = Callable[[NDArray], NDArray]

# A draw takes as many operations as there are units; more make no interval better.
BOOTSTRAP_UNITS = 256
# The least share of draws with a metric: percentiles of fewer say nothing.
_LEAST_KNOWN = 0.9
# A share of the range of the draws: far above rounding, far below the effect of a row.
_ROUNDING = 1e-9
# Neighbouring blocks of time are put together until they are less alike than this, from
# 2**6 blocks to 2**3.
STILL_ALIKE = 0.1
BLOCK_BITS = (6, 5, 4, 3)

# The sums of the size of a unit: of the weights w of its rows, and of w^2 - w.
_SIZE, _EXCESS = 0, 1


def size_terms(rows: NDArray, weight: NDArray) -> RowTerms:
    """Return the terms of the size of units, from the numbers of rows and their weights."""
    place = np.zeros(len(rows), np.int64)
    terms = [Term(place + _SIZE, weight), Term(place + _EXCESS, weight * weight - weight)]
    return RowTerms.of(1, 2, rows, terms)


def left_out(
    metric: Metric, table: UnitSums, sizes: UnitSums, value: NDArray, *, pools: bool = False
) -> LeftOut:
    """Return a metric with its values without each unit.

    Parameters
    ----------
    metric : Metric
    table : UnitSums
        Its sums by unit.
    sizes : UnitSums
        The size of each unit, from `size_terms`.
    value : ndarray
        The metric of all rows.
    pools : bool
        Whether units are short blocks of time, of which neighbours are put together until they are
        no longer alike.
    """
    table, sizes = aligned(table, sizes)
    if not pools:
        return _left_out(metric, table, sizes, value)
    for bits in BLOCK_BITS:
        found = _left_out(metric, table.at(bits), sizes.at(bits), value)
        alike = block_correlation(found, size_of(sizes.at(bits), table.at(bits).present)[0])
        if alike < STILL_ALIKE:
            break
    return found._replace(alike=alike)


def _left_out(metric: Metric, table: UnitSums, sizes: UnitSums, value: NDArray) -> LeftOut:
    sums, units = table.numbered
    without = metric.without_each(sums, table.total(), units)
    return LeftOut(np.asarray(value), without, freedom_of(sizes, table.present))


def block_correlation(found: LeftOut, size: NDArray) -> float:
    """Return the correlation of the errors of neighbouring blocks."""
    count = found.units
    with np.errstate(all="ignore"):
        share = (1.0 - size / size.sum()).reshape(count, *[1] * found.middle.ndim)
        errors = ((found.without - found.middle) * share).reshape(count, -1)
        alike = (errors[1:] * errors[:-1]).sum(axis=0) / np.square(errors).sum(axis=0)
    known = alike[np.isfinite(alike)]
    # The correlation of n unrelated numbers about their mean is -1/n on average.
    return float(known.mean()) + 1.0 / count if known.size else 0.0


def size_of(sizes: UnitSums, keys: NDArray) -> tuple[NDArray, NDArray]:
    """Return the sum of the weights of each unit, and that of their squares."""
    dense = sizes.sums.dense(sizes.sums.table.rounded(), len(sizes.units))
    there = np.isin(keys, sizes.units)
    found = np.zeros((len(keys), dense.shape[1]))
    found[there] = dense[np.searchsorted(sizes.units, keys[there])]
    size = found[:, _SIZE]
    return size, size + found[:, _EXCESS]


def freedom_of(sizes: UnitSums, keys: NDArray) -> float:
    """Return the degrees of freedom of the spread over these units; 0 for fewer than two."""
    size, square = size_of(sizes, keys)
    counts = size > 0
    if counts.sum() < 2 or not np.isfinite(size).all():
        return 0.0
    return degrees_of_freedom(size[counts], square[counts])


def bootstrap_ends(metric: Metric, table: UnitSums, found: LeftOut, asked: Intervals) -> NDArray:
    """Return the ends of the bootstrap's interval of a metric, (2, ...)."""
    sums, units, fixed = drawn_sums(table)

    def estimates(times: NDArray) -> NDArray:
        return metric.estimates(sums, np.hstack([times, np.ones((len(times), fixed))]))

    return bca_ends(estimates, units, found.middle, found.without, asked)


def drawn_sums(table: UnitSums) -> tuple[CellSums, int, int]:
    """Return the sums with units as cells, how many are drawn, and how many are always there."""
    sums, units = table.numbered
    if table.rest is None:
        return sums, units, 0
    rest = table.rest.pooled()
    return sums.merge(rest.with_cells(np.full(len(rest.table), units))), units, 1


def bca_ends(
    estimates: Estimates, units: int, middle: NDArray, without: NDArray, asked: Intervals
) -> NDArray:
    """Return the ends of an interval by the bootstrap; NaN where there is none.

    ``estimates(times)`` are the numbers where each unit is taken a number of times; `without` has
    those without each of them.
    """
    # The same draws for every metric of these units: their differences mean something.
    draws = np.random.default_rng([asked.seed, units]).integers(
        units, size=(asked.replicates, units)
    )
    draw = np.arange(asked.replicates)[:, np.newaxis]
    times = np.bincount((draw * units + draws).ravel(), minlength=draws.size)
    with np.errstate(all="ignore"):
        found = estimates(times.reshape(draws.shape).astype(np.float64))
        ends = np.full((2, middle.size), np.nan)
        columns = zip(
            found.reshape(len(found), -1).T,
            without.reshape(len(without), -1).T,
            middle.ravel(),
            strict=True,
        )
        for number, (drawn, without_one, value) in enumerate(columns):
            known = np.sort(drawn[~np.isnan(drawn)])
            if len(known) >= _LEAST_KNOWN * len(drawn):
                shares = _shares(known, without_one, value, asked.level)
                ends[:, number] = np.quantile(known, shares)
        ends = ends.reshape(2, *middle.shape)
        is_known = np.isfinite(ends).all(axis=0) & np.isfinite(middle) & (ends[0] < ends[1])
    cut: NDArray = np.where(is_known, ends, np.nan)
    return cut


def _shares(drawn: NDArray, without_one: NDArray, value: float, level: float) -> list[float]:
    """Return the shares of the sorted draws below the ends of the interval (BCa)."""
    normal = NormalDist()
    # Draws that differ from the metric only by rounding are equal to it: half lie below.
    near = _ROUNDING * float(drawn[-1] - drawn[0])
    below = (
        np.searchsorted(drawn, value - near, "left") + np.searchsorted(drawn, value + near, "right")
    ) / 2
    # Half a draw at least on either side: how far all of them lie off is not known.
    shift = normal.inv_cdf(min(max(below, 0.5), len(drawn) - 0.5) / len(drawn))
    influence = without_one.mean() - without_one
    spread = np.square(influence).sum() ** 1.5
    bend = float((influence**3).sum() / (6.0 * spread)) if spread > 0 else 0.0
    shares = []
    for tail in ((1.0 - level) / 2, (1.0 + level) / 2):
        moved = shift + normal.inv_cdf(tail)
        grown = 1.0 - bend * moved
        # Beyond where the variance has grown without bound stands the last draw.
        shares.append(normal.cdf(shift + moved / grown) if grown > 0 else float(moved > 0))
    return shares
