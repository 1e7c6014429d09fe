"""The bootstrap: how a number varies with the drawn units.

G of G units are drawn with replacement, many times, and the interval is cut from the sorted numbers
of the draws. The cuts are the percentiles corrected for bias (the fraction of draws below the
number) and acceleration (the skewness of the values without each unit): Efron's BCa, which allows
for asymmetry. If the number is undefined for a minority of draws, these are ignored.

Sources: Efron and Tibshirani, *An introduction to the bootstrap*, 1993, chapter 14; Efron, *Better
bootstrap confidence intervals*, 1987.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import TypeAlias

import numpy as np

from lossfw.evaluation.intervals.options import Intervals
from lossfw.numerics.arrays import NDArray

Estimates: TypeAlias = Callable[[NDArray], NDArray]

# A draw takes as many operations as there are units; more make no interval better.
BOOTSTRAP_UNITS = 256
# The least share of draws with a metric: percentiles of fewer say nothing.
_LEAST_KNOWN = 0.9
# A fraction of the range of the draws: far above rounding, far below the effect of a row.
_ROUNDING = 1e-9


def bca_ends(
    estimates: Estimates, units: int, estimate: NDArray, leave_one_out: NDArray, options: Intervals
) -> NDArray:
    """Return the ends of an interval by the bootstrap.

    It is NaN if there is none. ``estimates(times)`` returns the numbers with each unit counted a
    number of times; `leave_one_out` has the numbers without each unit.
    """
    # The same draws for every metric of these units: their differences mean something.
    draws = np.random.default_rng([options.seed, units]).integers(
        units, size=(options.replicates, units)
    )
    draw = np.arange(options.replicates)[:, np.newaxis]
    times = np.bincount((draw * units + draws).ravel(), minlength=draws.size)
    with np.errstate(all="ignore"):
        found = estimates(times.reshape(draws.shape).astype(np.float64))
        ends = np.full((2, estimate.size), np.nan)
        columns = zip(
            found.reshape(len(found), -1).T,
            leave_one_out.reshape(len(leave_one_out), -1).T,
            estimate.ravel(),
            strict=True,
        )
        for number, (drawn, without_one, value) in enumerate(columns):
            known = np.sort(drawn[~np.isnan(drawn)])
            if len(known) >= _LEAST_KNOWN * len(drawn):
                shares = _bca_fractions(known, without_one, value, options.level)
                ends[:, number] = np.quantile(known, shares)
        ends = ends.reshape(2, *estimate.shape)
        is_known = np.isfinite(ends).all(axis=0) & np.isfinite(estimate) & (ends[0] < ends[1])
    cut: NDArray = np.where(is_known, ends, np.nan)
    return cut


def _bca_fractions(
    draws: NDArray, leave_one_out: NDArray, value: float, level: float
) -> list[float]:
    """Return the shares of the sorted draws below the ends of the interval (BCa)."""
    normal = NormalDist()
    # Draws that differ from the metric only by rounding are equal to it: half lie below.
    near = _ROUNDING * float(draws[-1] - draws[0])
    below = (
        np.searchsorted(draws, value - near, "left") + np.searchsorted(draws, value + near, "right")
    ) / 2
    # Half a draw at least on either side: how far all of them lie off is not known.
    shift = normal.inv_cdf(min(max(below, 0.5), len(draws) - 0.5) / len(draws))
    influence = leave_one_out.mean() - leave_one_out
    spread = np.square(influence).sum() ** 1.5
    acceleration = float((influence**3).sum() / (6.0 * spread)) if spread > 0 else 0.0
    shares = []
    for tail in ((1.0 - level) / 2, (1.0 + level) / 2):
        moved = shift + normal.inv_cdf(tail)
        grown = 1.0 - acceleration * moved
        # Beyond where the variance has grown without bound stands the last draw.
        shares.append(normal.cdf(shift + moved / grown) if grown > 0 else float(moved > 0))
    return shares
