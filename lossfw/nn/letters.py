"""Letters: the names of arguments of losses and activations in formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lossfw.components.columns import Columns
from lossfw.components.spaces import Space
from lossfw.losses.kinds import DistanceLoss, MarginLoss
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import Array


def arguments_of(component: Loss | Activation) -> tuple[str, ...]:
    """Return the names of the arguments of a component's functions."""
    if isinstance(component, Activation):
        return ("x",)
    if isinstance(component, DistanceLoss):
        return ("r",)
    if isinstance(component, MarginLoss):
        return ("m",)
    return ("z" if component._input_form != "prediction" else "y", "t")


def letters_of(loss: Loss) -> Callable[[Array, Array], Mapping[str, Array]]:
    """Return a function from prediction and target to the values of the letters of a formula.

    Examples
    --------
    >>> import lossfw
    >>> letters_of(lossfw.loss("huber"))(3.0, 1.0)
    {'r': 2.0, 'y': 3.0, 't': 1.0}
    """
    if loss.has_columns:
        return lambda y, t: {
            **_columns(loss.prediction_space, "y", y),
            **_columns(loss.target_space, "t", t),
        }
    first = arguments_of(loss)[0]

    def letters(y: Array, t: Array) -> Mapping[str, Array]:
        if first in ("y", "z"):
            return {first: y, "t": t}
        return {first: y - t if first == "r" else t * y, "y": y, "t": t}

    return letters


def _columns(space: Space, letter: str, x: Array) -> dict[str, Array]:
    """Return columns by their names, and an array without names by its letter."""
    parts = space.split(x)
    if isinstance(space, Columns):
        return dict(zip(space.names, parts, strict=True))
    return {letter: parts}
