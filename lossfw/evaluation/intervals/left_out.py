"""The jackknife: a number with its values when each unit is left out once.

With m the number of all G units and m_c that without unit c, the jackknife's variance is (G - 1) /
G sum (m_c - m)^2, and the interval is m plus and minus its root times a quantile of Student's t
with Satterthwaite's degrees of freedom. It is valid for smooth functions of means over independent
units, and ignores bias.

The interval of a number that is never negative and has no upper bound is symmetric on a logarithmic
scale, because the losses of rows have one long tail.

Sources: Efron and Tibshirani, *An introduction to the bootstrap*, 1993, chapter 11; Bell and
McCaffrey, *Bias reduction in standard errors for linear regression with multi-stage samples*, 2002.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.evaluation.intervals.student import t_quantile
from lossfw.numerics.arrays import NDArray

# Fewer units, or less certainty about their spread, say nothing that a decision could rest on.
LEAST_UNITS = 5
LEAST_FREEDOM = 2.0

ANYWHERE = (-np.inf, np.inf)


class LeaveOneOut(NamedTuple):
    """A number over all units, and without each of them.

    Attributes
    ----------
    middle : ndarray, shape (...)
        The number of all units.
    without : ndarray, shape (G, ...)
        The numbers without each unit.
    freedom : float
        The degrees of freedom of the standard error.
    """

    middle: NDArray
    without: NDArray
    freedom: float

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.without)

    def minus(self, other: LeaveOneOut) -> LeaveOneOut:
        """Return the difference from a number of the same units."""
        with np.errstate(invalid="ignore"):
            return LeaveOneOut(
                self.middle - other.middle,
                self.without - other.without,
                min(self.freedom, other.freedom),
            )

    @property
    def standard_error(self) -> NDArray:
        """The jackknife's standard error."""
        with np.errstate(all="ignore"):
            square = np.square(self.without - self.middle).sum(axis=0)
            error: NDArray = np.sqrt(square * ((self.units - 1) / self.units))
        return error

    def ends(self, level: float, bounds: tuple[float, float] = ANYWHERE) -> NDArray:
        """Return the ends of the interval, (2, ...); see `ends_of`."""
        return ends_of(self.middle, self.standard_error, self.freedom, level, bounds)


def ends_of(
    estimate: NDArray,
    error: NDArray,
    freedom: float,
    level: float,
    bounds: tuple[float, float] = ANYWHERE,
) -> NDArray:
    """Return the ends of an interval by Student's t, (2, ...); NaN where nothing varies.

    It is clipped to the possible values of the number, and symmetric on a logarithmic scale for
    numbers that are never negative and have no upper bound.
    """
    if not freedom >= 1.0:
        return np.full((2, *estimate.shape), np.nan)
    with np.errstate(all="ignore"):
        half = t_quantile(level, freedom) * error
        ends = np.stack([estimate - half, estimate + half])
        if bounds == (0.0, np.inf):
            factor = np.exp(half / estimate)
            ends = np.where(estimate > 0, np.stack([estimate / factor, estimate * factor]), ends)
        ends = np.clip(ends, *bounds)
        known = np.isfinite(ends).all(axis=0) & np.isfinite(estimate) & (ends[0] < ends[1])
    found: NDArray = np.where(known, ends, np.nan)
    return found


def pairs_of(ends: NDArray) -> list[object] | None:
    """Return ends as two floats in place of each number; None without an interval.

    Examples
    --------
    >>> pairs_of(np.array([[0.5, np.nan], [1.0, np.nan]])), pairs_of(np.array([1.0, 2.0]))
    ([[0.5, 1.0], None], [1.0, 2.0])
    """
    if ends.ndim == 1:
        return None if np.isnan(ends).any() else ends.tolist()
    return [pairs_of(ends[:, place]) for place in range(ends.shape[1])]
