"""Advice after a training: whether the scales of the inputs kept a network from learning."""

from __future__ import annotations

import numpy as np

from lossfw.data.lazy_arrays import read_rows
from lossfw.evaluation.predictor import one_blas_thread
from lossfw.models.training.records import Training, TrainingResult
from lossfw.nn.training.advice import scaling_remedy

# A loss that falls by less than this part after the first epoch has hardly fallen.
_FALL = 0.05
# Predictions that differ by less than this part of their size, or of the spread of targets
# that are measured, are all alike.
_ALIKE = 1e-2


def scaling_advice(training: Training, trained: TrainingResult) -> str:
    """Return advice on a training that failed to learn because its inputs are large, or nothing.

    It failed if its loss has hardly fallen since the first epoch, or if its predictions are the
    same for all rows.
    """
    told = scaling_remedy(training.data) if training.training_mode == "epochs" else ""
    if not told:
        return ""
    start, *losses = (epoch.train.loss for epoch in trained.history)
    if not losses:
        return ""
    best = min(losses)
    if (len(losses) > 1 and losses[0] - best < _FALL * abs(losses[0])) or best >= start:
        return f"The loss has hardly fallen. {told}"
    if _predicts_constant(training, trained):
        return f"The predictions are the same for all rows. {told}"
    return ""


def _predicts_constant(training: Training, trained: TrainingResult) -> bool:
    """Tell whether the model predicts the same for the first rows."""
    data = training.data
    assert data.inputs is not None
    count = min(len(data), trained.predictor.block_rows)
    with one_blas_thread(), trained.predictor.call_context():
        made = trained.predictor.run_block(read_rows(data.inputs, 0, count)).predictions
    size = float(np.abs(made).max())
    targets = read_rows(data.targets, 0, count)
    if targets.dtype.kind == "f":
        size = max(size, float(np.ptp(targets)))
    return count > 1 and float(np.ptp(made, axis=0).max()) <= _ALIKE * size
