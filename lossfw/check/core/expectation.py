"""Means over the distribution that a prediction describes, for checks of a `DistributionLoss`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.check.core.draw_columns import usual_rows
from lossfw.check.core.members import Generator
from lossfw.check.core.search import NotApplicable
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import Counts
from lossfw.losses.capabilities import DistributionLoss
from lossfw.numerics.arrays import NDArray

# Rows of any number of numbers get so many: the members of an ensemble.
_WIDTH = 4

# Unremarkable members are so many times nearer to 0 here: a column may be the log of a scale.
_NEARER = 0.4

# Levels are sigmoid(u) at steps of u, where the trapezoidal rule converges like an exponential.
# Beyond the ends lie 1e-13 of the targets.
_END, _STEP = 30.0, 0.5


class TargetSample(NamedTuple):
    """Targets (N,) with weights that sum to 1, and weights of only every other one.

    The difference of both means shows the accuracy of the finer one.
    """

    t: NDArray
    weight: NDArray
    coarse: NDArray


def distribution_loss(subject: Subject) -> DistributionLoss:
    """Return the loss of a subject, whose predictions describe distributions of numbers."""
    loss = subject.component
    if not isinstance(loss, DistributionLoss):
        raise NotApplicable("predictions do not describe a distribution")
    if loss.target_space.of_rows:
        raise NotApplicable(
            "a target is not one number of which the prediction is the distribution"
        )
    return loss


def usual_predictions(loss: DistributionLoss, rng: Generator, count: int) -> NDArray:
    """Return unremarkable predictions: numbers (count,) or flat rows (count, P)."""
    space = loss.prediction_space
    drawn = usual_rows(space, space.flat_size(_WIDTH), rng, count)
    nearer = _NEARER * drawn
    return drawn if space.outside_or_none(nearer) is not None else nearer


def sample_targets(loss: DistributionLoss, y: NDArray) -> TargetSample:
    """Return targets with the distribution that a prediction describes, without randomness."""
    levels = 1.0 / (1.0 + np.exp(-np.arange(-_END, _END + _STEP, _STEP)))
    t = loss.quantiles(y, levels)
    if isinstance(loss.target_space, Counts):
        return _atoms(loss, y, np.arange(t[0], t[-1] + 1.0))
    if len(np.unique(t)) < len(t) / 2:
        return _atoms(loss, y, np.unique(t))
    density = levels * (1.0 - levels)
    every_other = density * (np.arange(len(t)) % 2 == 0)
    return TargetSample(t, density / density.sum(), every_other / every_other.sum())


def _atoms(loss: DistributionLoss, y: NDArray, t: NDArray) -> TargetSample:
    """Return the targets of a discrete distribution, each with its probability."""
    weight = np.diff(loss.probabilities(np.repeat(y[None], len(t), 0), t), prepend=0.0)
    weight /= weight.sum()
    return TargetSample(t, weight, weight)
