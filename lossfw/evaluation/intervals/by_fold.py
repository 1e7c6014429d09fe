"""Resampling: the variation of a metric with the rows that it was computed from.

Rows stand in folds (`lossfw.evaluation.intervals.folds`), each a small random part of the data,
and every metric knows its value for any choice of folds.

**Jackknife.** Each fold is left out once. With G folds, m the metric of all
rows and m_g that without fold g, the variance is estimated by
(G - 1) / G sum (m_g - m)^2, and the interval is m plus and minus its root times
a quantile of Student's t with G - 1 degrees of freedom. With as many folds as
rows this is Tukey's jackknife. It holds for metrics that are smooth functions
of means; it knows nothing of bias, and its interval is symmetric.

**Bootstrap.** G folds are drawn from the G with replacement, again and again,
and the interval is cut from the sorted metrics of the draws: not at the
percentiles themselves, but where bias (the share of draws below m) and the
growth of the variance with the metric (the skewness of the m_g) move them:
Efron's BCa. It takes asymmetry into account and some of the bias of, for
instance, a calibration error. A metric that does not exist for some draws is
judged by the others, if they are most.

Both estimate how the metric would vary if other rows had been drawn at random
from where these came from. Rows that depend on each other, copies for
instance, make every such interval too narrow. Intervals are cut to where the
metric lies; there is none where nothing varies, or where there is one fold.

Sources: Efron and Tibshirani, *An introduction to the bootstrap*, 1993,
chapters 11 and 14; Efron, *Better bootstrap confidence intervals*, 1987; Shao
and Tu, *The jackknife and bootstrap*, 1995, 2.3 (folds); Cameron, Gelbach and
Miller, *Bootstrap-based improvements for inference with clustered errors*, 2008
(t with G - 1 degrees of freedom).
"""

from __future__ import annotations

import functools
import math
from statistics import NormalDist
from typing import Any

import numpy as np

from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.resampling import Estimates
from lossfw.metrics import Metric
from lossfw.metrics.cell_sums import CellSums
from lossfw.numerics.arrays import NDArray

# The least share of draws with a metric: percentiles of fewer say nothing.
_LEAST_KNOWN = 0.9
# A share of the range of the draws: far above rounding, far below the effect of a row.
_ROUNDING = 1e-9


def interval(metric: Metric, sums: CellSums, value: Any, asked: Intervals) -> Any:
    """Return the confidence interval of a metric from its sums, the folds of the rows as cells.

    The result has two floats in place of each float of `value`; None where there is no interval.
    """
    by_fold, folds = sums.with_numbered_cells()
    return interval_of(
        lambda times: metric.estimates(by_fold, times), folds, value, asked, metric.bounds
    )


def interval_of(
    estimates: Estimates,
    folds: int,
    value: Any,
    asked: Intervals,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Any:
    """Return the interval of a function of folds, cut at the bounds; see `interval`.

    ``estimates(times)`` are the numbers where each fold is taken a number of times; see
    `lossfw.metrics.Metric.estimates`.
    """
    middle = np.asarray(value, np.float64)
    if folds < 2:
        return _pairs(np.full((2, *middle.shape), np.nan))
    with np.errstate(all="ignore"):
        make = _jackknife if asked.method == "jackknife" else _bootstrap
        ends = make(estimates, folds, middle, asked)
        ends = np.clip(ends, *bounds)
        # Where nothing varies the data say nothing of how much it may.
        known = np.isfinite(ends).all(axis=0) & np.isfinite(middle) & (ends[0] < ends[1])
    return _pairs(np.where(known, ends, np.nan))


def _jackknife(estimates: Estimates, folds: int, middle: NDArray, asked: Intervals) -> NDArray:
    without_one = estimates(1.0 - np.eye(folds))
    variance = np.square(without_one - middle).sum(axis=0) * ((folds - 1) / folds)
    half = t_quantile(asked.level, folds - 1) * np.sqrt(variance)
    return np.stack([middle - half, middle + half])


def _bootstrap(estimates: Estimates, folds: int, middle: NDArray, asked: Intervals) -> NDArray:
    # The same draws for every metric of these folds: their differences mean something.
    draws = np.random.default_rng([asked.seed, folds]).integers(
        folds, size=(asked.replicates, folds)
    )
    draw = np.arange(asked.replicates)[:, np.newaxis]
    times = np.bincount((draw * folds + draws).ravel(), minlength=draws.size)
    found = estimates(times.reshape(draws.shape).astype(np.float64))
    left_out = estimates(1.0 - np.eye(folds))
    ends = np.full((2, middle.size), np.nan)
    columns = zip(
        found.reshape(len(found), -1).T,
        left_out.reshape(len(left_out), -1).T,
        middle.ravel(),
        strict=True,
    )
    for number, (drawn, without_one, value) in enumerate(columns):
        known = np.sort(drawn[~np.isnan(drawn)])
        if len(known) >= _LEAST_KNOWN * len(drawn):
            ends[:, number] = np.quantile(known, _shares(known, without_one, value, asked.level))
    return ends.reshape(2, *middle.shape)


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


def _pairs(ends: NDArray) -> Any:
    """Return two arrays of ends as nested lists of pairs."""
    pairs = np.moveaxis(ends, 0, -1)
    return _without_nan(pairs.tolist())


def _without_nan(pairs: Any) -> Any:
    if isinstance(pairs[0], float):
        return None if np.isnan(pairs[0]) else pairs
    return [_without_nan(pair) for pair in pairs]


@functools.cache
def t_quantile(level: float, freedom: int) -> float:
    """Return the number below which a t variable lies in absolute value, `level` of the time.

    The degrees of freedom are at least 1.

    Notes
    -----
    The distribution at whole degrees of freedom is a finite sum: Abramowitz
    and Stegun, *Handbook of mathematical functions*, 26.7.3 and 26.7.4. It is
    inverted by bisection over the angle whose tangent is t / sqrt(freedom).

    Examples
    --------
    >>> round(t_quantile(0.95, 1), 4), round(t_quantile(0.95, 99), 4)
    (12.7062, 1.9842)
    """
    low, high = 0.0, math.pi / 2
    # Until no float lies between them.
    while low < (middle := (low + high) / 2) < high:
        if _within(middle, freedom) < level:
            low = middle
        else:
            high = middle
    return math.tan(low) * math.sqrt(freedom)


def _within(angle: float, freedom: int) -> float:
    """Return the probability of an absolute value below tan(angle) sqrt(freedom)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    # 1 + c^2 / 2 + 1 3 c^4 / (2 4) + ... for even, c + 2 c^3 / 3 + ... for odd ones.
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    for power in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (power - 1) / power
        total += term
    if not odd:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))
