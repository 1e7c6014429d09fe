"""A model to train: the losses that it refuses, its raw outputs and their activation."""

from __future__ import annotations

import numpy as np

from lossfw.config.plan.load_outputs import record_model_errors
from lossfw.config.plan.rows import require_inputs
from lossfw.config.schema.checked import CheckedConfig, require
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.data import Dataset
from lossfw.errors import ArgumentError
from lossfw.learning.raw_form import raw_loss_of, raw_output_count
from lossfw.losses.loss import Loss
from lossfw.models import Model

_NO_ACTIVATION = "identity"


def refuse_loss(config: CheckedConfig, model: Model) -> None:
    """Record that a model cannot learn from the loss, or that its library is not installed."""
    loss = require(config.loss)
    if (library := model.missing_library()) is not None:
        what = f"the model {model.name} needs {library}, which is not installed"
        config.add(["model"], what, model.install_command())
    if model.file is None and (missing := model.missing_reason()):
        what, _, hint = missing.partition(": ")
        config.add(["model"], f"{model.name} cannot learn yet: {what}", hint)
    if why := model.refusal(loss):
        _record_refusal(config, why)
    if model.output_activation is not None and model.output_activation != (
        output_activation := _output_activation(loss, model)
    ):
        expected = f"the loss {loss.name} is trained with {output_activation}"
        if output_activation is None:
            expected = f"{model.name} learns predictions"
        what = f"model.output_activation is {model.output_activation}, but {expected}"
        config.add(
            ["model", "output_activation"],
            what,
            "leave output_activation out of a configuration that trains",
            key=True,
        )


def _record_refusal(config: CheckedConfig, reason: str) -> None:
    """Record why a loss is refused; the last sentence says what to do."""
    what, _, hint = reason.removesuffix(".").rpartition(". ")
    config.add(["loss"], what or hint, hint[:1].lower() + hint[1:] if what else "")


def origin_of_training(config: CheckedConfig, model: Model) -> OutputOrigin:
    """Return the origin of the raw outputs of a model to train."""
    loss, data = require(config.loss), require(config.data)
    units, own = 1, None
    with record_model_errors(config):
        own = model.output_count(require_inputs(data).shape[1:])
    with config.errors_at(["data"]):
        require_inputs(data)
        units = _count_raw_outputs(loss, data, config.held_out, own)
    if own is not None and own != units:
        what = f"the model makes {own} outputs per row, but the loss {loss.name} takes {units}"
        config.add(["model"], f"{what} for these data", "change its arguments")
    if why := model.outputs_refusal(loss, units):
        _record_refusal(config, why)
    if not config.problems:
        with record_model_errors(config, ["data"]):
            model.check_data(data, loss)
    name = _output_activation(loss, model)
    output_activation = None
    with config.errors_at(["model", "objective_activation"]):
        output_activation = (
            None if name is None else require(config.registry).create("activation", name)
        )
    return OutputOrigin.from_model(["model"], output_activation, units)


def _output_activation(loss: Loss, model: Model) -> str | None:
    """Return the activation that makes predictions of the raw outputs that are trained.

    With an objective of its own, a model knows it itself.
    """
    if model.own_objective:
        return model.own_activation
    expected = None if loss._takes_raw_outputs else loss._expected_activation()
    return expected or _NO_ACTIVATION


def _count_raw_outputs(
    loss: Loss, data: Dataset, held_out: Dataset | None, model_units: int | None
) -> int:
    """Return the raw outputs of a row: one for each class, or for each column of the targets.

    A model that makes `model_units` may have more classes than the data, and any number for a
    loss of any.
    """
    targets = np.asarray(data.targets)
    if not loss.takes_rows:
        # Beside named columns of a target there is one number for a row.
        several = targets.ndim == 2 and not loss.target_space.axes
        return int(targets.shape[1]) if several else 1
    if loss.takes_classes and targets.ndim == 1:
        labels = [targets if data.classes else targets.astype(np.int64)]
        if held_out is not None and held_out.targets.ndim == 1:
            labels.append(np.asarray(held_out.targets).astype(np.int64))
        targets = np.concatenate(labels)
    try:
        form = raw_loss_of(loss, wide=True)
    except ArgumentError:
        # A model with an objective of its own, which takes what the bridges refuse.
        form = loss
    try:
        units = raw_output_count(form, targets, len(data.classes) or None)
    except ArgumentError:
        if model_units is None:
            raise
        return model_units
    return max(units, model_units or 0) if loss.takes_classes else units
