"""Advice to scale the inputs, if a training has learnt nothing and its inputs are large."""

from __future__ import annotations

import numpy as np

from lossfw.data import Dataset
from lossfw.data.lazy_arrays import read_rows
from lossfw.evaluation.predictor import BLOCK_ROWS
from lossfw.nn.training.records import Trained, Training

# Inputs from here on saturate a layer whose weights are those of its first step.
LARGE = 100.0
# Rows that are looked at.
_ROWS = 4_096
# A loss that falls by less than this part after the first epoch has hardly fallen.
_FALL = 0.05
# Predictions that differ by less than this part of their size, or of the spread of targets
# that are measured, are all alike.
_ALIKE = 1e-2


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


def scaling_advice(training: Training, trained: Trained) -> str:
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


def _all_alike(training: Training, trained: Trained) -> bool:
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
