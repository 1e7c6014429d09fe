"""Check the parts of a configuration against each other: rows, network, loss and metrics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lossfw.components.naming import shortlist
from lossfw.config.plan.compatibility import (
    check_outputs,
    check_predictions,
    check_targets,
    class_hint,
    refuse_classes,
    refuse_texts,
)
from lossfw.config.plan.fusion import (
    adapt_to_activation,
    adapt_to_outputs,
    check_metrics,
    check_shapes,
    keeps_logits,
)
from lossfw.config.plan.named_targets import lacks_named_columns, named_columns_hint, order_targets
from lossfw.config.plan.rows import require_inputs
from lossfw.config.schema.checked import CheckedConfig, ConfigPath, require
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.data import Dataset
from lossfw.data.labels import CastToInteger
from lossfw.data.lazy_arrays import RowArray
from lossfw.data.row_transforms import ExpandColumn, SqueezeColumn, transform_rows
from lossfw.evaluation.predictor import takes_flat_outputs
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray


def adapt_loss(config: CheckedConfig) -> None:
    """Fill `used_loss` and `loss_form`, and check the known parts against each other."""
    _check_groups(config)
    if config.predictor is not None and config.data is not None:
        columns = config.recorded.columns
        hint = f"the training had the inputs {shortlist(columns)}" if columns else ""
        with config.errors_at(["data"], hint):
            config.predictor.check_inputs(require_inputs(config.data).shape)
    loss, origin = config.loss, config.origin
    if loss is None or origin is None:
        return
    refused: frozenset[int] = frozenset()
    if origin.output_activation is not None:
        config.used_loss, config.loss_form = adapt_to_activation(
            config, loss, origin, origin.output_activation
        )
        # A loss of logits behind another output activation is a mistake, and the metrics wait for
        # its end.
        if not loss._takes_raw_outputs or keeps_logits(origin.output_activation):
            # Metrics see the predictions, also where the loss was fused with the output activation.
            refused = check_metrics(config, loss._input_form)
            refused |= _check_spaces(config, origin, origin.output_activation)
    elif origin.form is not None:
        config.used_loss, config.loss_form = adapt_to_outputs(config, loss, origin)
        refused = check_metrics(config, config.loss_form)
    else:
        return
    _check_rows(config, origin, refused)


def _check_groups(config: CheckedConfig) -> None:
    """Record that `group_key` is missing."""
    parts: list[tuple[ConfigPath, Loss | Metric | None]] = [(["loss"], config.loss)]
    parts += [(["evaluate", "metrics", i], metric) for i, metric in enumerate(config.metrics)]
    for path, part in parts:
        if part is not None and part.needs_group:
            _require_groups(config, part, path)


def _require_groups(config: CheckedConfig, component: Loss | Metric, path: ConfigPath) -> None:
    label = component.name if isinstance(component, Loss) else component.label
    what = (
        f"the {component.kind} {label} takes groups of rows, but the configuration does not say "
        "which rows belong together"
    )
    key = "group_key: COLUMN, a column with the same value in all rows of a group"
    if config.data_spec.options.group_key is None and config.data is not None:
        if config.data.groups is None:
            config.add(path, what, f"write data.{key}")
    elif config.held_out is not None and config.held_out.groups is None:
        config.add(["train", "hold_out", "data"], what, f"write {key}")


def _check_spaces(
    config: CheckedConfig, origin: OutputOrigin, output_activation: Activation
) -> frozenset[int]:
    """Check the space of the output activation; return the indices of metrics that were refused."""
    if config.loss_form == "prediction":
        check_predictions(
            config, require(config.used_loss), origin, output_activation, origin.activation_place
        )
    refused = set()
    for index, metric in enumerate(config.metrics):
        if metric is not None and metric.accepts == "prediction":
            path: list[str | int] = ["evaluate", "metrics", index]
            if not check_predictions(config, metric, origin, output_activation, path):
                refused.add(index)
    return frozenset(refused)


def _check_rows(config: CheckedConfig, origin: OutputOrigin, refused: frozenset[int]) -> None:
    """Check shapes and targets, for the loss and for the metrics."""
    loss = require(config.used_loss)
    if config.data is None:
        return
    if origin.units is not None:
        shape: tuple[int, ...] = (len(config.data), origin.units)
    elif config.outputs is None or not _check_counts(config, origin, config.data):
        return
    else:
        shape = config.outputs.shape
    data = _aligned_data(config, config.data, loss, shape, ["data"])
    if data is None:
        return
    config.data = data
    if config.held_out is not None:
        config.held_out = _aligned_data(config, config.held_out, loss, shape, ["train", "hold_out"])
    one_each = loss.takes_rows and len(shape) < 2  # no rows to look into, which is reported below
    if config.outputs is not None and origin.form == "prediction" and not one_each:
        check_outputs(config, loss, origin, config.outputs)
    targets = _zeros_like(data.targets)
    place, units = origin.place, origin.units_place
    if lacks_named_columns(loss, targets):
        place = ["data", "targets_key"]
    fits = False
    refused_targets = refuse_classes(config, loss, data, ["loss"])
    if not (refused_targets or refuse_texts(config, loss, data, ["loss"])):
        hint = named_columns_hint(loss, shape, targets, units)
        hint = (
            hint or _units_hint(shape, targets, units) or _output_column_hint(config, loss, shape)
        )
        hint = hint or class_hint(config, loss, data, shape)
        with config.errors_at(place, hint):
            check_shapes(loss, shape, targets)
            fits = check_targets(config, loss, shape, data, units)
    _check_metrics(config, data, shape, refused, loss_fits=fits)


def _check_counts(config: CheckedConfig, origin: OutputOrigin, data: Dataset) -> bool:
    """See that saved outputs are as many as the rows of the data."""
    shape, form = require(config.outputs).shape, str(origin.place[-1]).replace("_", " ")
    if not shape or shape[0] == len(data):
        return True
    hint = "give the outputs of each row of the data, in the same order"
    if data.notes:
        hint += "; rows that were left out have no outputs"
    config.add(
        origin.place,
        f"the number of {form} is {shape[0]}, and that of the rows of the data "
        f"{data.name!r} is {len(data)}",
        hint,
    )
    return False


def _check_metrics(
    config: CheckedConfig,
    data: Dataset,
    shape: tuple[int, ...],
    refused: frozenset[int],
    *,
    loss_fits: bool,
) -> None:
    """Check shapes and targets for the metrics that were not refused."""
    targets = _zeros_like(data.targets)
    for index, metric in enumerate(config.metrics):
        path: list[str | int] = ["evaluate", "metrics", index]
        if index in refused:
            continue
        if isinstance(metric, LossMetric):
            # Where the loss itself does not fit the outputs, it decides what is to change.
            if loss_fits and not refuse_classes(config, metric.of, data, path):
                with config.errors_at(path, class_hint(config, metric.of, data, shape)):
                    check_shapes(metric.of, shape, targets)
        elif metric is not None:
            with config.errors_at(path):
                metric.check_shapes(shape, targets)


def _aligned_data(
    config: CheckedConfig, data: Dataset, loss: Loss, shape: tuple[int, ...], path: ConfigPath
) -> Dataset | None:
    named = order_targets(config, data, loss, path)
    with config.errors_at(path):
        return named and align_targets(named, loss, (len(data), *shape[1:]))
    return None


def _zeros_like(array: RowArray) -> NDArray:
    """Return zeros of the shape and dtype of an array, which take no memory."""
    return np.broadcast_to(np.zeros((), array.dtype), array.shape)


def _units_hint(shape: tuple[int, ...], targets: NDArray, units: object) -> str:
    """Return a hint where rows of targets have another width than the last layer."""
    if units is None or targets.ndim != len(shape) or targets.shape[-1] == shape[-1]:
        return ""
    return f"write units: {targets.shape[-1]}, the number of columns of the targets"


def _output_column_hint(config: CheckedConfig, loss: Loss, shape: tuple[int, ...]) -> str:
    """Return a hint where a model of two classes gives both, and the loss takes one output."""
    parameters = getattr(type(config.model), "model_fields", {})
    if shape[1:] != (2,) or loss.takes_rows or "output_column" not in parameters:
        return ""
    return f"write model.output_column: 1, as {loss.name} takes one output"


def align_targets(data: Dataset, loss: Loss, shape: tuple[int, ...]) -> Dataset:
    """Return the data with targets in the shape that the loss takes with outputs of a shape.

    Only axes of length 1 are added or removed. Class indices written as floats become integers;
    in a file, only the first row is checked.
    """
    changed = data
    if takes_flat_outputs(loss) and shape[1:] == (1,):
        shape = shape[:1]
    given, wanted = tuple(data.targets.shape), _expected_shapes(loss, shape)
    if given not in wanted:
        if given[-1:] == (1,) and given[:-1] in wanted:
            changed = replace(changed, targets=transform_rows(data.targets, SqueezeColumn()))
        elif (*given, 1) in wanted:
            changed = replace(changed, targets=transform_rows(data.targets, ExpandColumn()))
    targets = changed.targets
    if loss.takes_classes and targets.dtype.kind == "f" and targets.shape == shape[:-1]:
        changed = replace(changed, targets=transform_rows(targets, CastToInteger(data.name)))
    weight = data.sample_weight
    if weight is not None and weight.ndim == 2 and weight.shape[1] == 1:
        changed = replace(changed, sample_weight=transform_rows(weight, SqueezeColumn()))
    return changed


def _expected_shapes(loss: Loss, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of targets that fit."""
    if loss.has_columns or loss.takes_groups:
        space = loss.target_space
        rows = shape[: len(shape) - loss.prediction_space.axes]
        # A vector without a size fits whatever its file holds.
        return () if space.size is None else ((*rows, *space.row_shape(space.size)),)
    return (shape, shape[:-1]) if loss.takes_classes else (shape,)
