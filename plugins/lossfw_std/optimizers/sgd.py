"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from lossfw import NDArray, Optimizer, OptimizerState, OptimizerStep


class Sgd(Optimizer):
    """Stochastic gradient descent, w - rate v with v = momentum v + gradient.

    Use it when you can tune the rate and want the plain method.

    Parameters
    ----------
    learning_rate : float
        Above 0.
    momentum : float
        From 0 (plain descent) to below 1: the fraction of the last direction that remains.
    nesterov : bool
        Look one step of momentum ahead.
    weight_decay : float
        This times the weights is added to their gradient; biases do not decay.

    Notes
    -----
    Source: Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964,
    doi:10.1016/0041-5553(64)90137-5; Sutskever, Martens, Dahl and Hinton, *On the importance of
    initialization and momentum in deep learning*, 2013, for Nesterov's form.

    Examples
    --------
    >>> import numpy as np
    >>> from lossfw import OptimizerStep
    >>> sgd = Sgd(learning_rate=0.5)
    >>> w = np.array([1.0])
    >>> sgd.update(w, np.array([0.5]), sgd.initial_state(w), OptimizerStep(1, 0.5))[0]
    array([0.75])
    """

    latex: ClassVar[str | None] = r"v \leftarrow \mu\,v + g, \qquad w \leftarrow w - \eta\,v"

    learning_rate: PositiveFloat = 0.1
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _require_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            raise ValueError("'momentum' above 0 next to 'nesterov', which uses it")
        return self

    def initial_state(self, parameter: NDArray) -> OptimizerState:
        """A velocity of 0; nothing without momentum."""
        return (np.zeros_like(parameter),) if self.momentum else ()

    def update(
        self, parameter: NDArray, gradient: NDArray, state: OptimizerState, step: OptimizerStep
    ) -> tuple[NDArray, OptimizerState]:
        """One step along the velocity."""
        if self.weight_decay and parameter.ndim > 1:
            gradient = gradient + self.weight_decay * parameter
        if not self.momentum:
            return parameter - step.rate * gradient, ()
        velocity = self.momentum * state[0] + gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameter - step.rate * direction, (velocity,)
