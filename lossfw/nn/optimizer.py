"""Optimizer: how a gradient moves a parameter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, TypeAlias

from pydantic import PositiveFloat

from lossfw.components.component import Component
from lossfw.numerics.arrays import NDArray

# What an optimizer remembers of one parameter from step to step.
Memory: TypeAlias = tuple[NDArray, ...]


class OptimizerStep(NamedTuple):
    """Where a training stands.

    Attributes
    ----------
    number : int
        How many steps there were, this one counted: 1 for the first.
    rate : float
        The learning rate of this step, the schedule applied.
    """

    number: int
    rate: float


class Optimizer(Component, ABC):
    """A rule by which gradients move parameters.

    Write `start` and `move`. An optimizer is frozen as every component is: what
    it remembers of a parameter is handed to it and taken back, so that a
    training can be stopped and resumed to the same bits.

    Attributes
    ----------
    learning_rate : float
        Above 0; the schedule multiplies it.

    Examples
    --------
    >>> import numpy as np
    >>> class Sign(Optimizer):
    ...     "Steps of one length, against the sign of the gradient."
    ...     def start(self, parameter):
    ...         return ()
    ...     def move(self, parameter, gradient, memory, step):
    ...         return parameter - step.rate * np.sign(gradient), memory
    >>> sign = Sign(learning_rate=0.5)
    >>> sign.move(np.array([1.0, 2.0]), np.array([0.1, -3.0]), (), OptimizerStep(1, 0.5))[0]
    array([0.5, 2.5])
    """

    kind: ClassVar[str] = "optimizer"

    learning_rate: PositiveFloat

    @abstractmethod
    def start(self, parameter: NDArray) -> Memory:
        """Return what is remembered before the first step, arrays of any shape."""

    @abstractmethod
    def move(
        self, parameter: NDArray, gradient: NDArray, memory: Memory, step: OptimizerStep
    ) -> tuple[NDArray, Memory]:
        """Return the moved parameter and what is remembered of it.

        Parameters
        ----------
        parameter, gradient : ndarray
            Of one shape and one dtype, which the result keeps; neither is
            written to. Weights have two axes and biases one.
        memory : tuple of ndarray
            From `start`, or from the step before.
        step : OptimizerStep
            Which step this is, and its learning rate.
        """
