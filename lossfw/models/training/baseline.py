"""The baseline of a training, which its model has to beat: the best constant, or a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lossfw.data import Dataset
from lossfw.errors import LossfwError
from lossfw.evaluation.baseline import CONSTANT, Baseline, baseline_loss, has_skill
from lossfw.evaluation.evaluate import evaluate
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.slices import COLUMN
from lossfw.learning.constant import constant_prediction
from lossfw.losses.base import Form
from lossfw.losses.loss import Loss
from lossfw.models.training_leg import flat_targets
from lossfw.numerics.arrays import NDArray

# Unless it is asked for, no constant is looked for in more targets: finding it takes up to some
# hundred evaluations of the loss.
_MOST_TARGETS = 10_000_000


def training_constant(
    loss: Loss, form: Form, data: Dataset, units: int, name: bool | str | None
) -> NDArray | None:
    """Return the constant prediction of least loss; None if it is unknown or not wanted."""
    if name is False or isinstance(name, str):
        return None
    if name is None and data.targets.size > _MOST_TARGETS:
        return None
    classes = units if loss.takes_rows else None
    try:
        weight = data.sample_weight
        constant = constant_prediction(loss, flat_targets(data), weight, classes=classes)
        # Its loss is known, too: no training fails for want of it at its end.
        loss_of(Baseline(CONSTANT, baseline_loss(loss, form), constant=constant), data)
    except LossfwError:
        return None
    return constant


def measure_baseline(
    loss: Loss,
    asked: bool | str | None,
    constant: NDArray | None,
    parts: Mapping[str, tuple[Dataset | None, float]],
) -> dict[str, Any] | None:
    """Return the loss of the baseline, and the model's skill, for train and held-out rows.

    None without a baseline. A skill is None if the loss of the baseline is 0; a loss that may be
    negative has no skill.
    """
    column = asked.removeprefix(COLUMN) if isinstance(asked, str) else ""
    found: dict[str, Any] = {"name": asked if column else CONSTANT}
    for name, (data, own) in parts.items():
        if data is None:
            continue
        if column and column not in data.columns:
            return None  # a file of predictions is that of the rows of a run
        if column:
            baseline = Baseline(str(asked), loss, column=column)
        elif constant is None:
            return None
        else:
            baseline = Baseline(CONSTANT, loss, constant=constant)
        of_rows = loss_of(baseline, data)
        found[name] = {"loss": of_rows}
        if has_skill(loss):
            found[name]["skill"] = 1.0 - own / of_rows if of_rows > 0 else None
    return found


def loss_of(baseline: Baseline, data: Dataset) -> float:
    """Return the loss of a baseline over some rows."""
    rows = replace(data, inputs=None, input_names=(), codes={}, missing=False)
    every = next(iter(rows.batches(len(rows))))
    outputs = baseline.predictions_of(rows, None, 0, every.targets, every.columns)
    form = baseline.loss._input_form
    return evaluate(Plan(rows, baseline.loss, outputs=outputs, outputs_form=form)).loss
