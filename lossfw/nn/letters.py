"""Letters: the names of arguments of losses and activations in formulas."""

from __future__ import annotations

from lossfw.losses.kinds import DistanceLoss, MarginLoss
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation


def argument_names(component: Loss | Activation) -> tuple[str, ...]:
    """Return the names of the arguments of a component's functions."""
    if isinstance(component, Activation):
        return ("x",)
    if isinstance(component, DistanceLoss):
        return ("r",)
    if isinstance(component, MarginLoss):
        return ("m",)
    return ("z" if component._takes_raw_outputs else "y", "t")
