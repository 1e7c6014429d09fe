"""Detect the divergence of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lossfw.errors import DivergenceError
from lossfw.nn.dense import Dense
from lossfw.nn.training.records import Epoch

# A loss of so many times that of the untrained network does not fall again: its gradients
# move the weights farther with every step.
LOSS_GROWTH = 1e6

# A weight of so many times the largest of the untrained network is outside the working range
# of every activation, and its sums have few digits in float32.
WEIGHT_GROWTH = 1e6


class DivergenceCheck:
    """Check after every batch that stops a training that diverges.

    Losses and weights of the network before any step below 1 are taken for 1, since the growth
    from 0 has no measure.
    """

    def __init__(self, before: Epoch) -> None:
        self._most_loss = LOSS_GROWTH * max(abs(before.learnt.loss), 1.0)
        self._most_weight = WEIGHT_GROWTH * max(before.largest, 1.0)

    def check(self, epoch: int, batch: int, loss: float, layers: Sequence[Dense]) -> None:
        """Check a network after a step; batch 0 stands for the end of the epoch."""
        sizes = [largest_of(layer) for layer in layers]
        # A NaN is the largest of all.
        worst = int(np.argmax(sizes))
        small = abs(loss) <= self._most_loss and sizes[worst] <= self._most_weight
        if small and math.isfinite(loss):
            return
        raise DivergenceError(_message(epoch, batch, loss, worst, sizes[worst]))


def largest_of(layer: Dense) -> float:
    """Return the largest absolute weight or bias of a layer; NaN if there is a NaN."""
    return float(np.maximum(np.abs(layer.weight).max(), np.abs(layer.bias).max()))


def _message(epoch: int, batch: int, loss: float, layer: int, weight: float) -> str:
    if epoch == 0:
        return (
            f"The loss of the network before any step is {loss}: start from smaller weights, or "
            "give the loss a guard."
        )
    where = f"epoch {epoch}, batch {batch}" if batch else f"epoch {epoch}, at its end"
    return (
        f"The training diverged in {where}: the loss is {loss:.6g}, and the largest weight is "
        f"{weight:.6g}, in layers.{layer}. Lower the learning rate, or start from smaller weights."
    )
