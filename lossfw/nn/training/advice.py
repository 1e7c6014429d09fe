"""Advice on trainings of layers: obstacles before one runs, and divergence while it runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.data import Dataset
from lossfw.data.lazy_arrays import read_rows
from lossfw.errors import DivergenceError, DomainError, RunError
from lossfw.losses.loss import Loss
from lossfw.nn.activation import Activation
from lossfw.nn.dense import Dense

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
STAYS_INSIDE = "Give the last layer an activation whose results stay inside."

TrainedPart: TypeAlias = Literal["loss", "activation", "data"]


class DivergenceCheck:
    """Stops a training that diverges, after a check of every batch.

    Initial losses and weights below 1 count as 1, because growth from 0 cannot be measured.
    """

    def __init__(self, loss: float, layers: Sequence[Dense]) -> None:
        self._most_loss = divergence_limit(loss)
        self._most_weight = WEIGHT_GROWTH * max(1.0, *map(largest_of, layers))

    def check(self, epoch: int, batch: int, loss: float, layers: Sequence[Dense]) -> None:
        """Check a network after a step."""
        sizes = [largest_of(layer) for layer in layers]
        # A NaN is the largest of all.
        worst = int(np.argmax(sizes))
        small = abs(loss) <= self._most_loss and sizes[worst] <= self._most_weight
        if small and math.isfinite(loss):
            return
        raise DivergenceError(
            f"The training diverged in epoch {epoch}, batch {batch}: the loss is {loss:.6g}, and "
            f"the largest weight is {sizes[worst]:.6g}, in layers.{worst}. Lower the learning "
            "rate, or start from smaller weights."
        )


def largest_of(layer: Dense) -> float:
    """Return the largest absolute weight or bias of a layer; NaN if there is a NaN."""
    return float(np.maximum(np.abs(layer.weight).max(), np.abs(layer.bias).max()))


def divergence_limit(initial_loss: float) -> float:
    """Return the loss at which a training counts as diverged, from the initial loss."""
    return LOSS_GROWTH * max(abs(initial_loss), 1.0)


@contextmanager
def explain_domain_errors(when: str, hint: str = STAYS_INSIDE) -> Iterator[None]:
    """Add to an error when a prediction left the space of the loss.

    Before any step (an empty `when`) it is a mistake in the configuration.
    """
    try:
        yield
    except DomainError as error:
        if when:
            raise RunError(
                f"{when}, a prediction is outside of its space: {error} {hint}"
            ) from None
        raise type(error)(f"{error} {hint}") from None


def scaling_remedy(data: Dataset) -> str:
    """Return how to scale the inputs if those of the first rows are large, or nothing."""
    if data.inputs is None:
        return ""
    rows = read_rows(data.inputs, 0, min(len(data), _ROWS))
    largest = max(-float(rows.min()), float(rows.max())) if rows.size else 0.0
    if largest < LARGE:
        return ""
    return (
        f"The inputs reach {largest:,.0f}, but networks train well on inputs of size about 1: "
        "scale them by data.standardize: true, or data.scale."
    )


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
            f"no model can be trained on the loss {loss.name}: its derivative is 0 wherever it "
            "exists, so a small change of the weights does not change the loss",
        )
    for index, activation in enumerate(activations):
        if activation.claims().gradient_zero_almost_everywhere:
            layers = "layers.0" if index == 0 else f"layers.0 to layers.{index}"
            yield Obstacle(
                "activation",
                index,
                f"no gradient passes the activation {activation.name}: its derivative "
                f"is 0 wherever it exists, so {layers} would not change",
            )
    if loss.takes_classes and data.targets.ndim == 1 and data.targets.dtype.kind in "iu":
        first = data.targets[0]
        if np.all(data.targets == first):
            yield Obstacle(
                "data",
                0,
                f"all {len(data)} rows of the data {data.name!r} have class {first}: expected at "
                "least two classes",
            )
