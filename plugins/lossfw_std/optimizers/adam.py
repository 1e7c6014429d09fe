"""Adam."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat

from lossfw import NDArray, Optimizer, OptimizerState, OptimizerStep

# A fraction of what was, between nothing and all but everything.
_Decay = Annotated[float, Field(ge=0, lt=1)]


class Adam(Optimizer):
    """Adam, steps along the mean gradient divided by the root of its mean square.

    Use it when gradients of different parameters differ in size, and you do not want to tune the
    rate.

    Parameters
    ----------
    learning_rate : float
        Above 0; about the length of a step.
    first_decay, second_decay : float
        The fractions of the mean gradient, and of its mean square, that remain at each step.
    tiny : float
        Added to the root, which may be 0; above 0.
    weight_decay : float
        Each step subtracts this times the rate times the weights, independently of the gradient;
        biases do not decay.

    Notes
    -----
    Both means start at 0 and are corrected for this bias. Source: Kingma and Ba, *Adam: a method
    for stochastic optimization*, 2015, doi:10.48550/arXiv.1412.6980; Loshchilov and Hutter,
    *Decoupled weight decay regularization*, 2019, doi:10.48550/arXiv.1711.05101.

    Examples
    --------
    The first step has the length of the rate, whatever the gradient:

    >>> import numpy as np
    >>> from lossfw import OptimizerStep
    >>> adam = Adam(learning_rate=0.5)
    >>> w = np.array([1.0, 1.0])
    >>> state = adam.initial_state(w)
    >>> adam.update(w, np.array([4.0, -100.0]), state, OptimizerStep(1, 0.5))[0].round(6)
    array([0.5, 1.5])
    """

    latex: ClassVar[str | None] = (
        r"w \leftarrow w - \eta\,\frac{\hat{m}}{\sqrt{\hat{v}} + \varepsilon}"
    )

    learning_rate: PositiveFloat = 0.001
    first_decay: _Decay = 0.9
    second_decay: _Decay = 0.999
    tiny: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0

    def initial_state(self, parameter: NDArray) -> OptimizerState:
        """Both means are 0."""
        return np.zeros_like(parameter), np.zeros_like(parameter)

    def update(
        self, parameter: NDArray, gradient: NDArray, state: OptimizerState, step: OptimizerStep
    ) -> tuple[NDArray, OptimizerState]:
        """One step."""
        mean = state[0] + (1 - self.first_decay) * (gradient - state[0])
        square = state[1] + (1 - self.second_decay) * (gradient * gradient - state[1])
        even = mean / (1 - self.first_decay**step.number)
        root = np.sqrt(square / (1 - self.second_decay**step.number))
        moved = parameter - step.rate * (even / (root + self.tiny))
        if self.weight_decay and parameter.ndim > 1:
            moved -= step.rate * self.weight_decay * parameter
        return moved, (mean, square)
