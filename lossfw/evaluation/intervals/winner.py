"""The best of many settings, corrected for the choice.

The smallest of twelve equal losses is too low, because it was chosen for being low by chance. So
units are drawn with replacement, the best setting on the drawn units is evaluated on the others,
and the mean over many draws estimates the winner's number on other rows. The overall best setting
is evaluated on the same draws as a control variate: its expected mean is its own number, so only
the effect of the choice is random, and it vanishes if one setting is clearly best.

The number over some units follows from the values without each unit: exactly for a weighted mean,
to first order for other smooth functions, as in the jackknife.

Source: Tsamardinos, Greasidou and Borboudakis, *Bootstrapping the out-of-sample predictions for
efficient and accurate cross-validation*, Machine Learning 107, 2018 (BBC-CV).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lossfw.evaluation.intervals.left_out import LeaveOneOut
from lossfw.numerics.arrays import NDArray

_DRAWS = 500
_SEED = 0


class Winner(NamedTuple):
    """The best setting, and its number corrected for the choice.

    Attributes
    ----------
    place : int
        The index of the setting.
    corrected : float
        The number of the chosen setting expected on other rows; NaN if no draw left out any rows.
    ends : list of float
        The interval of the corrected number, by the quantiles of the draws.
    """

    place: int
    corrected: float
    ends: list[float]


def best_of(
    settings: Sequence[LeaveOneOut], size: NDArray, level: float, *, higher: bool = False
) -> Winner:
    """Return the best of several settings over the same units, the first of equal ones.

    Parameters
    ----------
    settings : sequence of LeaveOneOut
        Their finite numbers, with those without each unit.
    size : ndarray, shape (units,)
        The weight of each unit.
    level : float
        The confidence level.
    higher : bool
        Whether the largest number is the best one, instead of
        the smallest.

    Examples
    --------
    >>> losses = np.random.default_rng(0).chisquare(1, (12, 300))
    >>> settings = [LeaveOneOut(x.mean(), (x.sum() - x) / 299, 299.0) for x in losses]
    >>> found = best_of(settings, np.ones(300), 0.95)
    >>> round(float(losses.mean(axis=1).min()), 2), round(found.corrected, 2)
    (0.83, 0.94)
    """
    sign = -1.0 if higher else 1.0
    numbers = np.array([float(one.middle) for one in settings])
    without = np.stack([one.without for one in settings], axis=1)
    # What each unit adds to the number, times the size of all units that a draw has.
    effects = (numbers - without) * (size.sum() - size)[:, np.newaxis]
    best, units = int(np.argmin(sign * numbers)), len(size)
    rng = np.random.default_rng(_SEED)
    judged, own = np.empty((2, _DRAWS))
    for draw in range(_DRAWS):
        times = np.bincount(rng.integers(units, size=units), minlength=units).astype(np.float64)
        outside = (times == 0).astype(np.float64)
        with np.errstate(all="ignore"):
            drawn = times @ effects / (times @ size)
            others = numbers + outside @ effects / (outside @ size)
        judged[draw], own[draw] = others[np.argmin(sign * (numbers + drawn))], others[best]
    known = np.isfinite(judged) & np.isfinite(own)
    if not known.any():
        return Winner(best, float("nan"), [float("nan")] * 2)
    judged = judged[known] + numbers[best] - own[known].mean()
    beyond = (1.0 - level) / 2
    ends = np.quantile(judged, [beyond, 1.0 - beyond])
    return Winner(best, float(judged.mean()), ends.tolist())
