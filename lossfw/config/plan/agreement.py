"""Bring targets and weights into the shape of the outputs, where only an axis of length 1 differs.

In a file of data a column is a column, whether it has the shape (N,) or (N, 1). In Python
calls nothing is reshaped.
"""

from __future__ import annotations

from dataclasses import replace

from lossfw.data import Dataset
from lossfw.data.labels import Whole
from lossfw.data.row_changes import Flat, Upright, changed_rows
from lossfw.losses.loss import Loss


def agreed(data: Dataset, loss: Loss, shape: tuple[int, ...]) -> Dataset:
    """Return the data with targets in the shape that the loss takes beside outputs of a shape.

    Data whose shapes differ by more than an axis of length 1 stay as they are. Class indices that
    are written as floats become integers; of a file, only the first row is looked at.
    """
    changed = data
    given, wanted = tuple(data.targets.shape), _wanted(loss, shape)
    if given not in wanted:
        if given[-1:] == (1,) and given[:-1] in wanted:
            changed = replace(changed, targets=changed_rows(data.targets, Flat()))
        elif (*given, 1) in wanted:
            changed = replace(changed, targets=changed_rows(data.targets, Upright()))
    targets = changed.targets
    if loss.takes_classes and targets.dtype.kind == "f" and targets.shape == shape[:-1]:
        changed = replace(changed, targets=changed_rows(targets, Whole(data.name)))
    weight = data.sample_weight
    if weight is not None and weight.ndim == 2 and weight.shape[1] == 1:
        changed = replace(changed, sample_weight=changed_rows(weight, Flat()))
    return changed


def _wanted(loss: Loss, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of targets that fit."""
    if loss.target_per_row:
        return (shape[:-1],)
    return (shape, shape[:-1]) if loss.takes_classes else (shape,)
