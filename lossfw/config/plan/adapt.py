"""Check the parts of a configuration against each other: rows, network, loss and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossfw.components.naming import shortlist
from lossfw.config.plan.compatibility import (
    check_outputs,
    check_predictions,
    check_targets,
    class_advice,
    refuse_classes,
    refuse_texts,
)
from lossfw.config.plan.fusion import (
    adapt_to_link,
    adapt_to_outputs,
    check_metrics,
    check_shapes,
    leaves_logits,
)
from lossfw.config.plan.groups import check_groups
from lossfw.config.plan.model_inputs import for_model
from lossfw.config.plan.named_targets import column_advice, lacks_columns, named_targets
from lossfw.config.plan.report_options import place_of_column
from lossfw.config.schema.checked import CheckedConfig, ConfigPath, known
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.data import ColumnError, Dataset, Source
from lossfw.data.categories import labels_of
from lossfw.data.files import digest_arrays
from lossfw.data.labels import CastToInteger
from lossfw.data.lazy_arrays import RowArray
from lossfw.data.options import DataOptions
from lossfw.data.row_transforms import ExpandColumn, SqueezeColumn, changed_rows
from lossfw.data.selected_rows import selected
from lossfw.data.standardisation import MEAN, SCALE
from lossfw.errors import DataError
from lossfw.evaluation.predictor import takes_flat_outputs
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray


def load(
    config: CheckedConfig,
    source: Source,
    path: ConfigPath,
    options: DataOptions,
    columns: Sequence[str] = (),
) -> Dataset | None:
    """Return the rows of a source that stands at `path`; None if they cannot be read.

    With them come the columns that the keys beside its parameters read, and those of slices.
    """
    read = tuple(sorted({*options.extra_columns, *columns}))
    with config.at(path):
        try:
            source = options.without_groups(source)
            return need_dataset(source, source.load_with(read) if read else source.load())
        except ColumnError as error:
            with config.at(place_of_column(config, error.column, path, options)):
                raise
    return None


def need_dataset(source: Source, data: object) -> Dataset:
    """Return what a source loaded, which an author may have written as anything."""
    if isinstance(data, Dataset):
        # A source of a plugin may have none, and two runs of other rows would pass for one.
        digest = data.digest or digest_arrays(data.inputs, data.targets, data.sample_weight)
        return data if data.digest else replace(data, digest=digest)
    raise DataError(
        f"load() of the source {source.name!r} returned {type(data).__name__}; expected "
        "a lossfw.data.Dataset."
    )


def with_options(
    config: CheckedConfig,
    data: Dataset,
    options: DataOptions,
    path: ConfigPath,
    columns: Sequence[str] = (),
    *,
    learnt: bool = False,
) -> Dataset | None:
    """Return the rows of a source at `path` as the keys beside its parameters say.

    Labels are numbered like those that came with the weights. Inputs are not standardised
    here; see `standardised`. Only the columns of the filter that are in `columns` stay. The
    categories of rows that are `learnt` are those of later rows.
    """
    if not data.columns.keys() >= {*options.extra_columns}:
        return None  # a column that is not there has been reported
    rows = options.row_filter
    if rows is not None:
        filtered, keep = None, {*columns, *filter(None, [options.group_key])}
        with config.at([*path, "rows"]):
            filtered, config.selected = selected(data, rows, keep)
        if filtered is None:
            return None
        data = filtered
    with config.at([*path, "group_key"]):
        data = options.grouped(data, columns)
    if learnt and not config.recorded.categories:
        # Rows that are held out have the inputs of those to learn from.
        config.recorded = replace(config.recorded, categories=labels_of(data))
    fitting = for_model(config, data, options, path)
    if fitting is None:
        return None
    with config.at(path):
        options = options.numbered_like(config.recorded.classes, fitting)
        return options.apply(fitting, config.output_columns)
    return None


def standardised(config: CheckedConfig, data: Dataset) -> Dataset:
    """Return rows with the inputs standardised by the numbers of the training, where they are.

    Weights with such numbers and rows without them, or the other way round, are a mistake.
    """
    known_numbers, wanted = config.recorded.standardisation, config.data_options.standardize
    if wanted and known_numbers is None:
        config.add(
            ["data", "standardize"],
            f"standardize takes the numbers of a training, {MEAN} and {SCALE} in the "
            + (".npz of network.weights" if config.model is None else "card beside the model")
            + ", and there are none",
            "a training with standardize: true keeps them there",
        )
    elif known_numbers is not None and not wanted:
        config.add(
            ["data"],
            f"{config.learnt_words} trained with standardised inputs, and these inputs are not",
            "write data.standardize: true",
        )
    elif known_numbers is not None:
        with config.at(["data", "standardize"]):
            return known_numbers.apply(data)
    return data


def adapt_loss(config: CheckedConfig) -> None:
    """Fill `used_loss` and `loss_form`, and check the known parts against each other."""
    check_groups(config)
    if config.predictor is not None and config.data is not None:
        columns = config.recorded.columns
        hint = f"the training had the inputs {shortlist(columns)}" if columns else ""
        with config.at(["data"], hint):
            config.predictor.check_inputs(inputs_of(config.data).shape)
    loss, origin = config.loss, config.origin
    if loss is None or origin is None:
        return
    refused: frozenset[int] = frozenset()
    if origin.link is not None:
        config.used_loss, config.loss_form = adapt_to_link(config, loss, origin, origin.link)
        # A loss of logits behind another link is a mistake, and the metrics wait for its end.
        if loss.input_form == "prediction" or leaves_logits(origin.link):
            # Metrics see the predictions, also where the loss was fused with the link.
            refused = check_metrics(config, loss.input_form)
            refused |= _check_spaces(config, origin, origin.link)
    elif origin.form is not None:
        config.used_loss, config.loss_form = adapt_to_outputs(config, loss, origin)
        refused = check_metrics(config, config.loss_form)
    else:
        return
    _check_rows(config, origin, refused)


def _check_spaces(config: CheckedConfig, origin: OutputOrigin, link: Activation) -> frozenset[int]:
    """Check the space of the link; return the indices of metrics that were refused."""
    if config.loss_form == "prediction":
        check_predictions(config, known(config.used_loss), origin, link, origin.link_place)
    refused = set()
    for index, metric in enumerate(config.metrics):
        if metric is not None and metric.accepts == "prediction":
            path: list[str | int] = ["evaluate", "metrics", index]
            if not check_predictions(config, metric, origin, link, path):
                refused.add(index)
    return frozenset(refused)


def _check_rows(config: CheckedConfig, origin: OutputOrigin, refused: frozenset[int]) -> None:
    """Check shapes and targets, for the loss and for the metrics."""
    loss = known(config.used_loss)
    if config.data is None:
        return
    if origin.units is not None:
        shape: tuple[int, ...] = (len(config.data), origin.units)
    elif config.outputs is None or not _check_counts(config, origin, config.data):
        return
    else:
        shape = config.outputs.shape
    data = _align(config, config.data, loss, shape, ["data"])
    if data is None:
        return
    config.data = data
    if config.held_out is not None:
        config.held_out = _align(config, config.held_out, loss, shape, ["train", "hold_out"])
    one_each = loss.takes_rows and len(shape) < 2  # no rows to look into, which is reported below
    if config.outputs is not None and origin.form == "prediction" and not one_each:
        check_outputs(config, loss, origin, config.outputs)
    targets = _like(data.targets)
    place, units = origin.place, origin.units_place
    if lacks_columns(loss, targets):
        place = ["data", "targets_key"]
    fits = False
    refused_targets = refuse_classes(config, loss, data, ["loss"])
    if not (refused_targets or refuse_texts(config, loss, data, ["loss"])):
        hint = column_advice(loss, shape, targets, units)
        hint = hint or _columns(shape, targets, units) or _one_column(config, loss, shape)
        hint = hint or class_advice(config, loss, data, shape)
        with config.at(place, hint):
            check_shapes(loss, shape, targets)
            fits = check_targets(config, loss, shape, data, units)
    _check_metrics(config, data, shape, refused, fits=fits)


def _check_counts(config: CheckedConfig, origin: OutputOrigin, data: Dataset) -> bool:
    """See that saved outputs are as many as the rows of the data."""
    shape, form = known(config.outputs).shape, origin.place[-1]
    if not shape or shape[0] == len(data):
        return True
    hint = "each row of the data needs the outputs for it, in the same order"
    if data.notes:
        hint += "; rows that were left out have no outputs"
    config.add(
        origin.place,
        f"the number of {form} is {shape[0]}, and that of the rows of the data {data.name!r} is "
        f"{len(data)}",
        hint,
    )
    return False


def _check_metrics(
    config: CheckedConfig,
    data: Dataset,
    shape: tuple[int, ...],
    refused: frozenset[int],
    *,
    fits: bool,
) -> None:
    """Check shapes and targets for the metrics that were not refused."""
    targets = _like(data.targets)
    for index, metric in enumerate(config.metrics):
        path: list[str | int] = ["evaluate", "metrics", index]
        if index in refused:
            continue
        if isinstance(metric, LossMetric):
            # Where the loss itself does not fit the outputs, it decides what is to change.
            if fits and not refuse_classes(config, metric.of, data, path):
                with config.at(path, class_advice(config, metric.of, data, shape)):
                    check_shapes(metric.of, shape, targets)
        elif metric is not None:
            with config.at(path):
                metric.check_shapes(shape, targets)


def _align(
    config: CheckedConfig, data: Dataset, loss: Loss, shape: tuple[int, ...], path: ConfigPath
) -> Dataset | None:
    named = named_targets(config, data, loss, path)
    with config.at(path):
        return named and align_targets(named, loss, (len(data), *shape[1:]))
    return None


def _like(array: RowArray) -> NDArray:
    """Return zeros of the shape and dtype of an array, which take no memory."""
    return np.broadcast_to(np.zeros((), array.dtype), array.shape)


def _columns(shape: tuple[int, ...], targets: NDArray, units: object) -> str:
    """Return a hint where rows of targets have another width than the last layer."""
    if units is None or targets.ndim != len(shape) or targets.shape[-1] == shape[-1]:
        return ""
    return f"write units: {targets.shape[-1]}, as wide as the targets"


def _one_column(config: CheckedConfig, loss: Loss, shape: tuple[int, ...]) -> str:
    """Return a hint where a model of two classes gives both, and the loss takes one output."""
    parameters = getattr(type(config.model), "model_fields", {})
    if shape[1:] != (2,) or loss.takes_rows or "output_column" not in parameters:
        return ""
    return f"write model.output_column: 1, as {loss.name} takes one output"


def inputs_of(data: Dataset) -> NDArray:
    """Return the inputs, which a network needs."""
    if data.inputs is None:
        raise DataError(
            f"the data {data.name!r} have no inputs, and a model needs them: give them, or "
            "give predictions in place of the model"
        )
    return data.inputs


def align_targets(data: Dataset, loss: Loss, shape: tuple[int, ...]) -> Dataset:
    """Return the data with targets in the shape that the loss takes beside outputs of a shape.

    Data whose shapes differ by more than an axis of length 1 stay as they are. Class indices that
    are written as floats become integers; of a file, only the first row is looked at.
    """
    changed = data
    if takes_flat_outputs(loss) and shape[1:] == (1,):
        shape = shape[:1]
    given, wanted = tuple(data.targets.shape), _wanted(loss, shape)
    if given not in wanted:
        if given[-1:] == (1,) and given[:-1] in wanted:
            changed = replace(changed, targets=changed_rows(data.targets, SqueezeColumn()))
        elif (*given, 1) in wanted:
            changed = replace(changed, targets=changed_rows(data.targets, ExpandColumn()))
    targets = changed.targets
    if loss.takes_classes and targets.dtype.kind == "f" and targets.shape == shape[:-1]:
        changed = replace(changed, targets=changed_rows(targets, CastToInteger(data.name)))
    weight = data.sample_weight
    if weight is not None and weight.ndim == 2 and weight.shape[1] == 1:
        changed = replace(changed, sample_weight=changed_rows(weight, SqueezeColumn()))
    return changed


def _wanted(loss: Loss, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of targets that fit."""
    if loss.has_columns or loss.takes_groups:
        space = loss.target_space
        rows = shape[: len(shape) - loss.prediction_space.axes]
        # A vector without a size fits whatever its file holds.
        return () if space.size is None else ((*rows, *space.row_shape(space.size)),)
    return (shape, shape[:-1]) if loss.takes_classes else (shape,)
