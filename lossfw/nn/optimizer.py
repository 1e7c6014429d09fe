"""Optimizer: a rule by which gradients move parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, TypeAlias

from pydantic import PositiveFloat

from lossfw.components.component import Component
from lossfw.numerics.arrays import NDArray

# The state of an optimizer for one parameter.
OptimizerState: TypeAlias = tuple[NDArray, ...]


class OptimizerStep(NamedTuple):
    """A step of a training.

    Attributes
    ----------
    number : int
        The number of the step, 1 for the first.
    rate : float
        The learning rate of this step, with the schedule applied.
    """

    number: int
    rate: float


class Optimizer(Component, ABC):
    """Base class of optimizers: rules that update parameters by gradients.

    Implement `initial_state` and `update`. An optimizer is immutable, like every component: it gets
    the state of a parameter and returns the new state, so a training can be stopped and resumed
    with the same bits.

    Attributes
    ----------
    learning_rate : float
        Above 0; the schedule multiplies it.

    Examples
    --------
    >>> import numpy as np
    >>> class Sign(Optimizer):
    ...     "Steps of one length, against the sign of the gradient."
    ...     def initial_state(self, parameter):
    ...         return ()
    ...     def update(self, parameter, gradient, state, step):
    ...         return parameter - step.rate * np.sign(gradient), state
    >>> sign = Sign(learning_rate=0.5)
    >>> sign.update(np.array([1.0, 2.0]), np.array([0.1, -3.0]), (), OptimizerStep(1, 0.5))[0]
    array([0.5, 2.5])
    """

    kind: ClassVar[str] = "optimizer"

    learning_rate: PositiveFloat

    @abstractmethod
    def initial_state(self, parameter: NDArray) -> OptimizerState:
        """Return the state before the first step, arrays of any shape."""

    @abstractmethod
    def update(
        self, parameter: NDArray, gradient: NDArray, state: OptimizerState, step: OptimizerStep
    ) -> tuple[NDArray, OptimizerState]:
        """Return the updated parameter and its new state.

        Parameters
        ----------
        parameter, gradient : ndarray
            Two arrays of one shape and dtype, which are also those of the result. Do not write to
            them. Weights have two axes, biases have one.
        state : tuple of ndarray
            The state, from `initial_state` or from the previous step.
        step : OptimizerStep
            Number and learning rate of the step.
        """
