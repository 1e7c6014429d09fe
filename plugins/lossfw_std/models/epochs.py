"""The steps of an epoch, for the libraries that learn in batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lossfw import DivergenceError, NDArray, ShapeError
from lossfw.data import Dataset
from lossfw.models import Predictor, TrainingLeg


class BatchStep(NamedTuple):
    """The rows of a step of a training, in the dtypes of the data."""

    # Of all steps of the epoch, from 0.
    number: int
    learning_rate: float
    inputs: NDArray
    targets: NDArray
    sample_weight: NDArray | None
    # The number of each row's group, for a loss of groups.
    group: NDArray | None
    # Rows that are done after this step.
    done: int


def steps_of(leg: TrainingLeg, epoch: int, learning_rate: float) -> Iterator[BatchStep]:
    """Yield the steps of an epoch, counted from 0 in the leg: all rows in a random order.

    The schedule of the training changes the learning rate. For a loss of groups, a step has the
    whole groups that begin within its rows.
    """
    random = np.random.default_rng([leg.seed, epoch])
    data, groups, size = leg.data, leg.data.groups, leg.batch_size
    targets = leg.targets
    in_memory = isinstance(data.inputs, np.ndarray) and not isinstance(data.inputs, np.memmap)
    batches: Iterable[tuple[NDArray, NDArray | None]]
    if groups is None or not leg.raw_loss.takes_groups:
        order = random.permutation(len(data))
        starts = list(range(size, len(order), size))
        if starts and starts[-1] == len(order) - 1:
            # Statistics of a batch need two rows: a last one joins the step before.
            starts.pop()
        batches = ((rows, None) for rows in np.split(order, starts))
    else:
        batches = groups.batches(random.permutation(len(groups)), size)
    # Of whole groups there may be fewer steps.
    done, steps = 0, -(-len(data) // size)
    for number, (rows, group) in enumerate(batches):
        done += len(rows)
        weight = None if data.sample_weight is None else np.asarray(data.sample_weight)[rows]
        inputs: Any = data.inputs
        taken = inputs[rows] if in_memory else np.asarray(data.take(rows).inputs)
        rate = leg.rate(learning_rate, epoch, number, steps)
        yield BatchStep(number, rate, taken, targets[rows], weight, group, done)


def check_units(units: int, leg: TrainingLeg) -> None:
    """Raise `ShapeError` if the model's outputs per row are not those the loss takes."""
    if units != leg.units:
        raise ShapeError(
            f"the model makes {units} outputs per row, but the loss {leg.loss.name} takes "
            f"{leg.units} for these data: change the model's arguments."
        )


def check_loss(loss: float, leg: TrainingLeg, epoch: int, step: BatchStep) -> None:
    """Raise `DivergenceError` for a loss of a step that is not finite."""
    if math.isfinite(loss):
        return
    raise DivergenceError(
        f"The training diverged in epoch {leg.first + epoch + 1}, batch {step.number + 1}: the "
        f"loss is {loss}. Lower model.learning_rate, or scale the inputs."
    )


def predict_raw(predictor: Predictor, data: Dataset | None) -> NDArray | None:
    """Return raw outputs of rows, in the blocks of an evaluation."""
    if data is None:
        return None
    blocks = (np.asarray(batch.inputs) for batch in data.batches(predictor.block_rows))
    return np.concatenate([predictor.run_block(rows).predictions for rows in blocks])
