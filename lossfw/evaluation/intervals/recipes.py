"""Differences of recipes: which way of training is better, with retraining on similar data.

An interval for given models ignores that other seeds and other training rows would have given other
models. Two estimates include it: the variance of the units plus that of the seeds, and the
corrected t of the folds of several cross-validations. Each of them can fail, so the wider one is
used if both exist. A seed means anything that repeats a training: a repeat with other folds also
counts.

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

from lossfw.evaluation.intervals.found import too_few_reason
from lossfw.evaluation.intervals.left_out import LeaveOneOut
from lossfw.evaluation.intervals.paired import MeasuredNumber, leave_out_units
from lossfw.evaluation.intervals.student import t_quantile, two_sided_p_value
from lossfw.evaluation.intervals.units import Units

# A spread over fewer seeds says too little of a recipe.
LEAST_SEEDS = 3


class RecipeDifference(NamedTuple):
    """A difference of two recipes, with its standard error and degrees of freedom."""

    value: float
    error: float
    freedom: float

    @property
    def p(self) -> float:
        """The p-value: how often chance makes a difference as large."""
        return two_sided_p_value(self.value / self.error, self.freedom)

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


def difference_over_seeds(
    by_seed: Sequence[float], error: float, freedom: float
) -> RecipeDifference | None:
    """Return the mean difference over seeds, with the variances of units and seeds.

    Parameters
    ----------
    by_seed : sequence of float
        The difference of each seed.
    error, freedom : float
        Standard error over units of the mean over the seeds, and its degrees of freedom.

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


def difference_over_folds(
    by_fold: Sequence[Sequence[float]], held_out_fraction: float | None = None
) -> RecipeDifference:
    """Return the mean difference of folds, corrected for the rows that trainings share.

    Parameters
    ----------
    by_fold : sequence of sequences of float
        For each seed or repeat, the differences of its folds.
    held_out_fraction : float, optional
        The fraction of the rows that each training holds out; by default 1 / k for k folds.

    Notes
    -----
    With a share s, a held-out part has s / (1 - s) of the training rows: the variance
    of n differences is (1 / n + s / (1 - s)) s^2, with n - 1 degrees of freedom.

    Examples
    --------
    >>> found = difference_over_folds([[0.1, 0.3, 0.2], [0.2, 0.4, 0.0]])
    >>> round(found.value, 3), round(found.error, 3), found.freedom
    (0.2, 0.115, 5.0)
    """
    every = [one for folds in by_fold for one in folds]
    held_out_fraction = 1.0 / len(by_fold[0]) if held_out_fraction is None else held_out_fraction
    square = float(np.var(every, ddof=1)) * (
        1.0 / len(every) + held_out_fraction / (1.0 - held_out_fraction)
    )
    return RecipeDifference(float(np.mean(every)), math.sqrt(square), len(every) - 1.0)


def wider_of(one: RecipeDifference, other: RecipeDifference, level: float) -> RecipeDifference:
    """Return the one of two differences whose interval is wider."""
    return max(one, other, key=lambda found: found.half_width(level))


def mean_difference(
    pairs: Sequence[tuple[MeasuredNumber, MeasuredNumber]], units: Units | None
) -> LeaveOneOut:
    """Return the mean over seeds of a number minus that of the base, and without each unit.

    `pairs` have a number of each seed and that of the base, over the same units.
    """
    every = leave_out_units([*(base for _, base in pairs), *(one for one, _ in pairs)], units)
    less = [one.minus(base) for base, one in zip(every, every[len(pairs) :], strict=False)]
    return LeaveOneOut(
        np.mean([one.middle for one in less], axis=0),
        np.mean([one.without for one in less], axis=0),
        min(one.freedom for one in less),
    )


def recipe_difference(
    by_seed: Sequence[float],
    given_models: LeaveOneOut,
    by_fold: Sequence[Sequence[float]] | None,
    level: float,
) -> RecipeDifference | None:
    """Return the difference of two recipes: by units and seeds, or by folds if that is wider.

    Parameters
    ----------
    by_seed : sequence of float
        The difference of each seed.
    given_models : LeaveOneOut
        Their mean without each unit; see `mean_difference`.
    by_fold : sequence of sequences of float, optional
        For each seed the differences of its folds, if there are folds.
    level : float
        The confidence level, at which the wider interval is chosen.

    Returns
    -------
    RecipeDifference or None
        None for too few seeds or units, or if a number is missing or nothing varies.
    """
    error = float(given_models.standard_error)
    few = too_few_reason(Units(), given_models.units, given_models.freedom)
    if few or not np.isfinite([error, *by_seed]).all():
        return None
    found = difference_over_seeds(by_seed, error, given_models.freedom)
    if found is not None and by_fold is not None:
        # The mean over all rows is what is shown, and not the mean of the folds.
        found = wider_of(found, difference_over_folds(by_fold), level)._replace(value=found.value)
    return found if found is not None and found.error > 0.0 else None
