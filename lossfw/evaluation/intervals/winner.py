"""The winner of many settings, corrected for having been chosen.

The least of twelve equal losses is too low: it was chosen because chance made it low. So units are
drawn with replacement, the setting that is best on those drawn is judged by those that were not,
and the mean over many draws is what the choice of a winner gives on other rows.

Source: Tsamardinos, Greasidou and Borboudakis, *Bootstrapping the out-of-sample predictions for
efficient and accurate cross-validation*, Machine Learning 107, 2018 (BBC-CV).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lossfw.numerics.arrays import NDArray

_DRAWS = 500
_SEED = 0


class Winner(NamedTuple):
    """The best setting, its number, and that number corrected for the choice.

    Attributes
    ----------
    place : int
        The place of the setting among all.
    value : float
        Its number as it stands.
    corrected : float
        The number that choosing the best of all settings gives on other rows; NaN if no draw left
        rows to judge by.
    ends : list of float
        The interval of the corrected number, by the quantiles of the draws.
    """

    place: int
    value: float
    corrected: float
    ends: list[float]


def best_of(
    value: Callable[[NDArray], NDArray], sums: NDArray, level: float, *, higher: bool = False
) -> Winner:
    """Return the best of several settings of the same units.

    Parameters
    ----------
    value : callable
        The number of sums, ``value(sums)`` of shape (R, places).
    sums : ndarray, shape (settings, units, places)
        The sums of each unit.
    level : float
        That of the interval.
    higher : bool
        Whether the largest number is the best one, instead of the least.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> losses = rng.chisquare(1, (12, 300))
    >>> sums = np.stack([losses, np.ones_like(losses)], axis=-1)
    >>> found = best_of(lambda s: s[:, 0] / s[:, 1], sums, 0.95)
    >>> round(found.value, 2), round(found.corrected, 2)
    (0.83, 0.94)
    """
    sign = -1.0 if higher else 1.0
    settings, units, places = sums.shape
    naive = value(sums.sum(axis=1))
    best = int(np.argmin(sign * naive))
    rng = np.random.default_rng(_SEED)
    # The sums of a unit for all settings are one row, so that a draw is one product.
    flat = np.ascontiguousarray(np.moveaxis(sums, 0, 1)).reshape(units, settings * places)
    found = []
    for _ in range(_DRAWS):
        times = np.bincount(rng.integers(units, size=units), minlength=units).astype(np.float64)
        with np.errstate(all="ignore"):
            drawn = value((times @ flat).reshape(settings, places))
            others = value(((times == 0) @ flat).reshape(settings, places))
        judged = others[int(np.argmin(sign * drawn))]
        if np.isfinite(judged):
            found.append(float(judged))
    if not found:
        return Winner(best, float(naive[best]), float("nan"), [float("nan")] * 2)
    outside = (1.0 - level) / 2
    ends = np.quantile(found, [outside, 1.0 - outside])
    return Winner(best, float(naive[best]), float(np.mean(found)), ends.tolist())
