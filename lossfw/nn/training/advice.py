"""Advice on trainings: obstacles before one runs, divergence while it runs, scales after it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.data import Dataset
from lossfw.data.lazy_arrays import read_rows
from lossfw.errors import DivergenceError
from lossfw.evaluation.predictor import BLOCK_ROWS
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.nn.dense import Dense
from lossfw.nn.training.records import Epoch, Training, TrainingResult

# A loss of so many times that of the untrained network does not fall again: its gradients
# move the weights farther with every step.
LOSS_GROWTH = 1e6

# A weight of so many times the largest of the untrained network is outside the working range
# of every activation, and its sums have few digits in float32.
WEIGHT_GROWTH = 1e6

# Inputs from here on saturate a layer whose weights are those of its first step.
LARGE = 100.0
# Rows that are looked at.
_ROWS = 4_096
# A loss that falls by less than this part after the first epoch has hardly fallen.
_FALL = 0.05
# Predictions that differ by less than this part of their size, or of the spread of targets
# that are measured, are all alike.
_ALIKE = 1e-2

TrainedPart: TypeAlias = Literal["loss", "activation", "data"]


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


def largest_input(data: Dataset) -> float:
    """Return the largest absolute input among the first rows; 0 without inputs."""
    if data.inputs is None:
        return 0.0
    rows = read_rows(data.inputs, 0, min(len(data), _ROWS))
    return max(abs(float(rows.min())), abs(float(rows.max()))) if rows.size else 0.0


def remedy(data: Dataset) -> str:
    """Return how to scale the inputs if they are large; else an empty string."""
    largest = largest_input(data)
    if largest < LARGE:
        return ""
    return (
        f"The inputs reach {largest:,.0f}, and a network learns from numbers about 1: scale them "
        "by data.standardize: true, or data.scale."
    )


def scaling_advice(training: Training, trained: TrainingResult) -> str:
    """Return advice on a training that has learnt nothing from large inputs; else nothing.

    It has learnt nothing if its loss has hardly fallen after the first epoch, or if its
    predictions are the same for all rows.
    """
    told = remedy(training.data)
    if not told:
        return ""
    start, *losses = (epoch.learnt.loss for epoch in trained.history)
    if not losses:
        return ""
    best = min(losses)
    if (len(losses) > 1 and losses[0] - best < _FALL * abs(losses[0])) or best >= start:
        return f"The loss has hardly fallen. {told}"
    if _all_alike(training, trained):
        return f"The predictions are the same for all rows. {told}"
    return ""


def _all_alike(training: Training, trained: TrainingResult) -> bool:
    """Tell whether the network predicts the same for the first rows."""
    data = training.data
    assert data.inputs is not None
    count = min(len(data), BLOCK_ROWS)
    made = trained.network.forward(read_rows(data.inputs, 0, count))
    size = float(np.abs(made).max())
    targets = read_rows(data.targets, 0, count)
    if targets.dtype.kind == "f":
        size = max(size, float(np.ptp(targets)))
    return count > 1 and float(np.ptp(made, axis=0).max()) <= _ALIKE * size


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
    if loss.takes_classes and data.targets.ndim == 1 and data.targets.dtype.kind in "iu":
        first = data.targets[0]
        if np.all(data.targets == first):
            yield Obstacle(
                "data",
                0,
                f"all {len(data)} rows of the data {data.name!r} have class {first}: there is "
                "nothing to tell apart",
            )
