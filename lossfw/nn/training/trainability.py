"""Find reasons why a training cannot learn, before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.data import Dataset
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation

TrainedPart: TypeAlias = Literal["loss", "activation", "data"]


class Obstacle(NamedTuple):
    """A reason why a training cannot learn."""

    # The cause.
    part: TrainedPart
    # The layer of an activation, from 0.
    layer: int
    # A sentence without its full stop.
    reason: str


def obstacles(loss: Loss, activations: Sequence[Activation], data: Dataset) -> Iterator[Obstacle]:
    """Yield the reasons why a network cannot learn from these rows."""
    if loss.claims().gradient_zero_almost_everywhere:
        yield Obstacle(
            "loss",
            0,
            f"nothing can be learnt from the loss {loss.name}: its derivative is 0 wherever it "
            "exists, so no small change of a weight changes it, and the gradient points nowhere",
        )
    for index, activation in enumerate(activations):
        if activation.claims().gradient_zero_almost_everywhere:
            layers = "layers.0" if index == 0 else f"layers.0 to layers.{index}"
            yield Obstacle(
                "activation",
                index,
                f"nothing can be learnt through the activation {activation.name}: its derivative "
                f"is 0 wherever it exists, so no gradient comes back, and {layers} would not move",
            )
    if loss.takes_rows and data.targets.ndim == 1 and data.targets.dtype.kind in "iu":
        first = data.targets[0]
        if np.all(data.targets == first):
            yield Obstacle(
                "data",
                0,
                f"all {len(data)} rows of the data {data.name!r} have class {first}: there is "
                "nothing to tell apart",
            )
