"""Learning-rate schedules: how the rate changes while a training goes on."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from lossfw.components.component import Component


class Moment(NamedTuple):
    """A moment of a training.

    Attributes
    ----------
    step : int
        Steps done: 0 for the first.
    steps : int
        Steps in all.
    epoch : int
        Epochs done: 0 for the first.
    """

    step: int
    steps: int
    epoch: int

    @property
    def share(self) -> float:
        """How much of the training is done, from 0 to below 1."""
        return self.step / self.steps


class Schedule(Component, ABC):
    """A factor on the learning rate of the optimizer.

    Attributes
    ----------
    needs_end : bool
        Whether the factor depends on how many epochs there are in all. Then a
        training cannot be resumed with more of them.
    """

    kind: ClassVar[str] = "schedule"
    needs_end: ClassVar[bool] = True

    @abstractmethod
    def factor(self, at: Moment) -> float:
        """Return the factor of one step."""


class Constant(Schedule):
    """The rate stays as it is."""

    needs_end: ClassVar[bool] = False

    def factor(self, at: Moment) -> float:
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
    >>> [Linear().factor(Moment(step, 4, 0)) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """

    final: NonNegativeFloat = 0.0

    def factor(self, at: Moment) -> float:
        """Return a point of the line from 1 to `final`."""
        return 1 - (1 - self.final) * at.share


class Cosine(Schedule):
    """The rate falls along half a wave: slowly, fast, slowly.

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

    def factor(self, at: Moment) -> float:
        """Return a point of the wave from 1 to `final`."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * at.share)) / 2


class ExponentialDecay(Schedule):
    """The rate is multiplied by one number after each epoch.

    Parameters
    ----------
    decay : float
        That number; above 0, at most 1.
    """

    name: ClassVar[str] = "exponential"
    needs_end: ClassVar[bool] = False

    decay: Annotated[float, Field(gt=0, le=1)] = 0.95

    def factor(self, at: Moment) -> float:
        """Return the power of an epoch."""
        return float(self.decay**at.epoch)


class Stairs(Schedule):
    """The rate is multiplied by one number every so many epochs.

    Parameters
    ----------
    every : int
        How many.
    decay : float
        That number.

    Examples
    --------
    >>> [Stairs(every=2, decay=0.5).factor(Moment(0, 1, epoch)) for epoch in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    needs_end: ClassVar[bool] = False

    every: PositiveInt
    decay: PositiveFloat = 0.1

    def factor(self, at: Moment) -> float:
        """Return the power of a stair."""
        return float(self.decay ** (at.epoch // self.every))


# What a configuration may name.
SCHEDULES: dict[str, type[Schedule]] = {
    cls.name: cls for cls in (Constant, Linear, Cosine, ExponentialDecay, Stairs)
}
