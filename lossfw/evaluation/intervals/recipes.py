"""Differences of recipes: which way of training is better on data like these, trained anew.

An interval given the trained models does not know that other seeds and other rows to learn from
would have made other models. Two estimates do: the spread of the units and that of the seeds added
up, and the corrected t of the folds of several cross-validations. Each of them fails somewhere, so
the wider one is taken where both are there.

Sources: Nadeau and Bengio, *Inference for the generalization error*, Machine Learning 52, 2003;
Bouckaert and Frank, *Evaluating the replicability of significance tests for comparing learning
algorithms*, PAKDD 2004; Satterthwaite, *An approximate distribution of estimates of variance
components*, Biometrics Bulletin 2, 1946.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lossfw.evaluation.intervals.student import t_quantile

# A spread over fewer seeds says too little of a recipe.
LEAST_SEEDS = 3


class RecipeDifference(NamedTuple):
    """A difference of two recipes, with its standard error and degrees of freedom."""

    value: float
    error: float
    freedom: float

    def half_width(self, level: float) -> float:
        """Return half of the width of the interval."""
        return t_quantile(level, self.freedom) * self.error

    def ends(self, level: float) -> list[float]:
        """Return the ends of the interval.

        Examples
        --------
        >>> [round(end, 3) for end in RecipeDifference(1.0, 0.1, 10.0).ends(0.95)]
        [0.777, 1.223]
        """
        half = self.half_width(level)
        return [self.value - half, self.value + half]


def units_and_seeds(
    by_seed: Sequence[float], error: float, freedom: float
) -> RecipeDifference | None:
    """Return the mean difference over seeds, with the spread of units and that of seeds.

    Parameters
    ----------
    by_seed : sequence of float
        The difference of each seed.
    error, freedom : float
        Standard error by units of the mean over the seeds, and its degrees of freedom.

    Returns
    -------
    RecipeDifference or None
        None for fewer than three seeds.
    """
    if len(by_seed) < LEAST_SEEDS:
        return None
    of_units = error * error
    of_seeds = float(np.var(by_seed, ddof=1)) / len(by_seed)
    square = of_units + of_seeds
    if square == 0.0:
        return RecipeDifference(float(np.mean(by_seed)), 0.0, freedom)
    joint = square * square / (of_units**2 / freedom + of_seeds**2 / (len(by_seed) - 1))
    return RecipeDifference(float(np.mean(by_seed)), math.sqrt(square), joint)


def corrected_for_folds(by_fold: Sequence[Sequence[float]]) -> RecipeDifference:
    """Return the mean of the differences of folds, corrected for the rows that trainings share.

    Parameters
    ----------
    by_fold : sequence of sequences of float
        For each seed, or repeat, the difference of each of its folds.

    Notes
    -----
    With k folds a held-out part has 1 / (k - 1) of the rows that are learnt from: the variance of
    n differences is (1 / n + 1 / (k - 1)) s^2, with n - 1 degrees of freedom.

    Examples
    --------
    >>> found = corrected_for_folds([[0.1, 0.3, 0.2], [0.2, 0.4, 0.0]])
    >>> round(found.value, 3), round(found.error, 3), found.freedom
    (0.2, 0.115, 5.0)
    """
    every = [one for folds in by_fold for one in folds]
    folds = len(by_fold[0])
    square = float(np.var(every, ddof=1)) * (1.0 / len(every) + 1.0 / (folds - 1))
    return RecipeDifference(float(np.mean(every)), math.sqrt(square), len(every) - 1.0)


def wider(one: RecipeDifference, other: RecipeDifference, level: float) -> RecipeDifference:
    """Return the one of two differences whose interval is wider."""
    return max(one, other, key=lambda found: found.half_width(level))
