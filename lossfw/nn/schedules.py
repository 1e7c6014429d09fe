"""Learning-rate schedules: the change of the rate during a training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from lossfw.components.component import Component


class TrainingProgress(NamedTuple):
    """A moment of a training."""

    # Number of steps done, 0 at the first.
    step: int
    # Number of all steps.
    steps: int
    # Number of epochs done, 0 in the first.
    epoch: int

    @property
    def fraction(self) -> float:
        """The fraction of the training that is done, from 0 to below 1."""
        return self.step / self.steps


class Schedule(Component, ABC):
    """A factor on the learning rate of the optimizer.

    Attributes
    ----------
    needs_end : bool
        Whether the factor depends on the number of all epochs. Then a training
        cannot be resumed with more of them.
    """

    kind: ClassVar[str] = "schedule"
    needs_end: ClassVar[bool] = True

    @abstractmethod
    def factor(self, progress: TrainingProgress) -> float:
        """Return the factor of one step."""


class Constant(Schedule):
    """A constant rate."""

    needs_end: ClassVar[bool] = False

    def factor(self, progress: TrainingProgress) -> float:
        """Return 1."""
        return 1.0


class Linear(Schedule):
    """The rate falls along a line.

    Parameters
    ----------
    final : float
        The factor at the end.

    Examples
    --------
    >>> [Linear().factor(TrainingProgress(step, 4, 0)) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """

    final: NonNegativeFloat = 0.0

    def factor(self, progress: TrainingProgress) -> float:
        """Return a point of the line from 1 to `final`."""
        return 1 - (1 - self.final) * progress.fraction


class Cosine(Schedule):
    """The rate falls along half a cosine wave: slowly, fast, slowly.

    Parameters
    ----------
    final : float
        The factor at the end.

    Notes
    -----
    Source: Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm
    restarts*, 2017, without restarts.
    """

    final: NonNegativeFloat = 0.0

    def factor(self, progress: TrainingProgress) -> float:
        """Return a point of the wave from 1 to `final`."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress.fraction)) / 2


class ExponentialDecay(Schedule):
    """The rate is multiplied by a factor after each epoch.

    Parameters
    ----------
    decay : float
        The factor; above 0, at most 1.
    """

    name: ClassVar[str] = "exponential"
    needs_end: ClassVar[bool] = False

    decay: Annotated[float, Field(gt=0, le=1)] = 0.95

    def factor(self, progress: TrainingProgress) -> float:
        """Return decay^epoch."""
        return float(self.decay**progress.epoch)


class StepDecay(Schedule):
    """The rate is multiplied by a factor after a fixed number of epochs.

    Parameters
    ----------
    every : int
        The number of epochs.
    decay : float
        The factor.

    Examples
    --------
    >>> [StepDecay(every=2, decay=0.5).factor(TrainingProgress(0, 1, epoch)) for epoch in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    name: ClassVar[str] = "stairs"
    needs_end: ClassVar[bool] = False

    every: PositiveInt
    decay: PositiveFloat = 0.1

    def factor(self, progress: TrainingProgress) -> float:
        """Return decay^(epoch // every)."""
        return float(self.decay ** (progress.epoch // self.every))


# The schedules by name, for configurations.
SCHEDULES: dict[str, type[Schedule]] = {
    cls.name: cls for cls in (Constant, Linear, Cosine, ExponentialDecay, StepDecay)
}
