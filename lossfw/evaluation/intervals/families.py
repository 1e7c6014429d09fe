"""Multiple comparisons: which of several differences are clear.

If twelve differences are truly zero, one excludes 0 by chance in a third of all tables. Two
corrections hold for the whole family: the largest |t|, from the common values without each unit,
which uses the correlations of the differences, and Holm's method, which needs only p-values.

Sources: Westfall and Young, *Resampling-based multiple testing*, 1993; Hothorn, Bretz and Westfall,
*Simultaneous inference in general parametric models*, Biometrical Journal 50, 2008; Holm, *A simple
sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics 6, 1979.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossfw.evaluation.intervals.left_out import LeaveOneOut
from lossfw.evaluation.intervals.student import t_quantile
from lossfw.numerics.arrays import NDArray

# Draws of the largest |t|: its quantile at 95 % then has a standard error of some hundredths.
_DRAWS = 4000
_SEED = 0


def simultaneous_quantile(differences: Sequence[LeaveOneOut], level: float) -> float:
    """Return the number that bounds all |t| of true zeros with probability `level`.

    Parameters
    ----------
    differences : sequence of LeaveOneOut
        Single numbers of the same units. Constant ones are ignored.
    level : float

    Notes
    -----
    The differences are treated as jointly normal, with the correlations of their values without
    each unit, over a common chi-square with the smallest degrees of freedom. The draws are seeded
    and the differences are sorted, so the result depends on neither chance nor the order of the
    table.

    Examples
    --------
    >>> one = LeaveOneOut(np.asarray(0.5), np.array([0.3, 0.5, 0.8, 0.4, 0.5]), 4.0)
    >>> round(simultaneous_quantile([one], 0.95), 3)
    2.776
    """
    unit = [_deviations(one) for one in differences]
    known = [(z, one.freedom) for z, one in zip(unit, differences, strict=True) if z is not None]
    freedom = min((freedom for _, freedom in known), default=1.0)
    if len(known) < 2:
        return t_quantile(level, freedom)
    z = np.stack([z for z, _ in known])
    z = z[np.lexsort(z.T[::-1])]
    return max_t_quantile(z @ z.T, freedom, level)


def max_t_quantile(correlations: NDArray, freedom: float, level: float) -> float:
    """Return the quantile of the largest |t| of variables with such correlations."""
    values, axes = np.linalg.eigh(correlations)
    root = (axes * np.sqrt(np.maximum(values, 0.0))) @ axes.T
    rng = np.random.default_rng(_SEED)
    largest = np.abs(rng.standard_normal((_DRAWS, len(root))) @ root).max(axis=1)
    largest /= np.sqrt(rng.chisquare(freedom, _DRAWS) / freedom)
    return float(np.quantile(largest, level))


def _deviations(left_out: LeaveOneOut) -> NDArray | None:
    """Return the deviations without each unit, of length 1; None where nothing varies."""
    deviation = np.asarray(left_out.without - left_out.middle, np.float64)
    with np.errstate(all="ignore"):
        found: NDArray = deviation / np.sqrt(np.square(deviation).sum())
    return found if np.isfinite(found).all() else None


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's method, in the given order.

    Examples
    --------
    >>> holm_adjusted([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * (len(values) - np.arange(len(values))))
    found = np.empty_like(values)
    found[order] = np.minimum(steps, 1.0)
    return [float(one) for one in found]
