"""Check that the spaces of network, loss, metrics and data are compatible."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np

from lossfw.components.columns import Columns
from lossfw.components.spaces import (
    BINARY,
    LOGITS,
    REAL,
    SIGN,
    SIMPLEX,
    UNIT,
    Interval,
    Space,
    Vector,
)
from lossfw.config.schema import suggestions
from lossfw.config.schema.checked import CheckedConfig, ConfigPath, DataSpec
from lossfw.config.schema.messages import to_one_line
from lossfw.config.schema.output_origin import OutputOrigin
from lossfw.config.text.tree import format_path
from lossfw.data import Dataset
from lossfw.data.csv_text import is_number
from lossfw.data.data_record import COLUMNS, DataRecord
from lossfw.data.lazy_arrays import RowArray, is_file_backed, read_rows
from lossfw.errors import DomainError
from lossfw.losses.loss import Loss
from lossfw.metrics import LossMetric, Metric
from lossfw.models.card import CARD_FILE
from lossfw.nn.activation import Activation
from lossfw.numerics.arrays import NDArray

# So many targets of a file that is too large for the memory are looked at
# before a run; all of them are as it goes.
LOOKED_AT = 4_096
# A message lists the columns of a network, to be copied, up to so many.
_LISTED_COLUMNS = 40


def range_of(space: Space) -> Interval:
    """Return the smallest closed interval that contains the numbers of a space.

    Examples
    --------
    >>> range_of(SIMPLEX).low, range_of(SIMPLEX).high
    (0.0, 1.0)
    """
    if isinstance(space, Interval):
        return Interval("", "", low=space.low, high=space.high)
    if space in (SIMPLEX, BINARY):
        return range_of(UNIT)
    return range_of(REAL)


def is_within(inner: Space, outer: Space) -> bool:
    """Tell whether every number of one space is in the other or on its bounds."""
    if isinstance(outer, Columns):
        return all(is_within(inner, space) for space in outer.spaces)
    if isinstance(outer, Vector):
        return is_within(inner, outer.of_numbers)
    least, most = range_of(inner), range_of(outer)
    return least.low >= most.low and least.high <= most.high


def check_predictions(
    config: CheckedConfig,
    consumer: Loss | Metric,
    origin: OutputOrigin,
    output_activation: Activation,
    path: ConfigPath,
) -> bool:
    """Check that a loss or a metric at `path` takes the predictions of an output activation."""
    loss = consumer.of if isinstance(consumer, LossMetric) else consumer
    space = loss.prediction_space if isinstance(loss, Loss) else loss.prediction
    if (
        isinstance(loss, Loss)
        and space is LOGITS
        and output_activation.out_space in (UNIT, SIMPLEX)
    ):
        config.add(
            path,
            f"the {consumer.kind} {loss.name} takes logits, but {origin.activation_words} "
            f"{output_activation.name} turns them into probabilities",
            f"make {origin.activation_words} identity",
        )
        return False
    if is_within(output_activation.out_space, space):
        return True
    names = (loss._expected_activation() if isinstance(loss, Loss) else None) or (
        "" if config.registry is None else suggestions.activations_for_space(space, config.registry)
    )
    can_change = names and not origin.activation_is_given
    mend = (
        f"make {origin.activation_words} {names}"
        if can_change
        else f"take {origin.other_activation}"
    )
    kind = consumer.kind
    config.add(
        path,
        f"the {kind} {loss.name} takes predictions in {space.name}, {space.meaning}, and "
        f"{origin.activation_words} {output_activation.name} gives "
        f"{output_activation.out_space.meaning}",
        f"{mend}, or {'leave the metric out' if kind == 'metric' else 'take another loss'}",
    )
    return False


def refuse_classes(config: CheckedConfig, loss: Loss, data: Dataset, path: ConfigPath) -> bool:
    """Refuse class indices for a loss of other targets; return whether they are refused."""
    targets, space = _first_targets(data), loss.target_space
    if (
        loss.takes_classes
        or space.axes
        or not _are_class_indices(targets)
        or space.outside_or_none(targets) is None
    ):
        return False
    most = int(targets.max())
    hint = _class_losses_hint(config, loss)
    if remedy := _map_targets_hint(config, space, data):
        hint = f"{remedy}; or {hint}"
    config.add(
        path,
        f"the loss {loss.name} takes targets in {space.name}, {space.meaning}, but the data "
        f"{data.name!r} have the class indices 0 to {most}",
        hint,
    )
    return True


def refuse_texts(config: CheckedConfig, loss: Loss, data: Dataset, path: ConfigPath) -> bool:
    """Refuse strings for a loss of numbers; return whether they are refused.

    Unless the user asks for it, the numbers of labels are not targets: one mistyped cell would
    turn a whole column of numbers into labels.
    """
    options = config.data_spec.options
    meant = options.classes is not None or options.one_hot is not False
    if not data.classes or meant or loss.takes_classes or range_of(loss.target_space).high == 1:
        return False
    targets = _first_targets(data)
    words = [code for code, label in enumerate(data.classes) if not is_number(label)]
    rows = np.flatnonzero(np.isin(targets.reshape(-1), words))
    row = int(rows[0]) if rows.size else 0
    text = data.classes[int(targets.reshape(-1)[row])]
    config.add(
        path,
        f"the loss {loss.name} takes numbers, but target[{row}] of the data {data.name!r} is the "
        f"text {text!r}",
        "fix the value in the data; or, if the targets are labels, "
        f"{_class_losses_hint(config, loss)}, or write data.map_targets with a number for each",
    )
    return True


def check_against_training(
    config: CheckedConfig, data: Dataset, spec: DataSpec, trained: DataRecord
) -> None:
    """Check columns and divisor of rows (of a run, or held out) against a training."""
    _check_columns(config, trained.columns, data, spec.path)
    _check_divisor(config, spec, trained.divisor)


def _check_columns(
    config: CheckedConfig, trained: Sequence[str], data: Dataset, path: ConfigPath
) -> None:
    """Refuse inputs whose columns stand elsewhere than those that a network was trained on.

    Columns of other names may be the same under another name: for a model, a note says so.
    """
    # One-hot categories are not among the names of the inputs, and codes are.
    every = (*trained, *config.recorded.categories)
    for number, name in enumerate(data.input_names):
        if name in trained and trained[number : number + 1] != (name,):
            config.add(
                path,
                f"the column {name!r} of the data {data.name!r} is input {number}, but it was "
                f"input {trained.index(name)} of the training",
                f"write inputs_key: {to_one_line(list(dict.fromkeys(every)))}"
                if len(trained) <= _LISTED_COLUMNS
                else "name them by inputs_key, in the order of "
                + (f"{COLUMNS} in the file of weights" if config.model is None else CARD_FILE),
            )
            return
    others = [
        f"{name} instead of {known}"
        for name, known in zip(data.input_names, trained, strict=False)
        if name != known
    ]
    if others and config.model is not None and len(data.input_names) == len(trained):
        config.notes.append(
            f"the data {data.name!r} have input columns that the training did not have: "
            f"{', '.join(others[:_LISTED_COLUMNS])}"
        )


def check_outputs(
    config: CheckedConfig, loss: Loss, origin: OutputOrigin, outputs: RowArray
) -> None:
    """Check that saved predictions are in the space of the loss; in a file, the first rows."""
    rows = (
        read_rows(outputs, 0, min(LOOKED_AT, len(outputs))) if is_file_backed(outputs) else outputs
    )
    try:
        space = loss.prediction_space
        space.check(rows.reshape(len(rows), -1) if space.axes > 1 else rows, "prediction")
    except DomainError as error:
        hint = ""
        if loss.on_raw_outputs() is not None:
            hint = f"if they are logits, {origin.logits_hint}"
        config.add(origin.place, str(error).removesuffix("."), hint)


def check_targets(
    config: CheckedConfig,
    loss: Loss,
    shape: tuple[int, ...],
    data: Dataset,
    units: ConfigPath | None,
) -> bool:
    """Check that the loss takes the targets with outputs of a shape; return whether it does.

    `units` is the path to the number of classes, if it can be changed.
    """
    targets = _first_targets(data)
    by_index = loss.takes_classes and targets.ndim == len(shape) - 1
    try:
        loss.check_domain(np.empty((0, *shape[1:])), targets, by_index, 0)
    except DomainError as error:
        what = f"data {data.name!r}: {error}".removesuffix(".")
        if by_index and int(targets.min()) == 1 and int(targets.max()) == shape[-1]:
            hint = "if the labels start at 1, write data.classes: found, or list them in order"
            config.add(["data"], what, hint)
        elif by_index and units is not None and int(targets.max()) >= shape[-1]:
            hint = f"write units: {int(targets.max()) + 1}, one for each class"
            config.add(units, what, hint + _one_output_hint(config, shape, targets))
        else:
            hint = _map_targets_hint(config, loss.target_space, data)
            hint += _one_output_hint(config, shape, targets).removeprefix("; or ")
            config.add(["data"], what, hint)
        return False
    return True


def _one_output_hint(config: CheckedConfig, shape: tuple[int, ...], targets: NDArray) -> str:
    """Return losses for two classes and one output, where there is only one."""
    if shape[1:] != (1,) or targets.max() > 1 or config.registry is None:
        return ""
    return f"; or take {suggestions.losses_for_one_output(config.registry)}, which have one output"


def _map_targets_hint(config: CheckedConfig, space: Space, data: Dataset) -> str:
    """Return a hint where two labels are those of another kind of loss."""
    wanted = (-1, 1) if space is SIGN else (0, 1) if space in (BINARY, UNIT) else None
    found = np.unique(_first_targets(data)[:LOOKED_AT])
    if wanted is None or len(found) > len(wanted) or (found != np.floor(found)).any():
        return ""
    labels = [f"{number:g}" for number in found]
    if data.classes:
        labels = [_as_yaml(label) for label in data.classes]
    elif set(labels) < {"0", "1"}:  # all rows have one label of two
        labels = ["0", "1"]
    elif set(labels) < {"-1", "1"}:
        labels = ["-1", "1"]
    if len(labels) != len(wanted):
        return ""
    pairs = ", ".join(f"{a}: {b}" for a, b in zip(labels, wanted, strict=True))
    place = " instead of classes" if config.data_spec.options.classes else ""
    return f"write data.map_targets: {{{pairs}}}{place}"


def _as_yaml(label: str) -> str:
    """Return a label as a key of a mapping, in quotes where it needs them."""
    return label if re.fullmatch(r"[^\W\d]\w*", label) else json.dumps(label, ensure_ascii=False)


def class_hint(config: CheckedConfig, loss: Loss, data: Dataset, shape: tuple[int, ...]) -> str:
    """Return a hint for class indices with a loss that does not take classes."""
    if loss.takes_classes or not _are_class_indices(_first_targets(data)):
        return ""
    hint = f"if the targets are class indices, {_class_losses_hint(config, loss)}"
    if len(shape) == 2 and shape[1] > 1 and not config.data_spec.options.one_hot:
        hint += ", or write data.one_hot: true"
    return hint


def _class_losses_hint(config: CheckedConfig, loss: Loss) -> str:
    names = "" if config.registry is None else suggestions.losses_for_classes(config.registry)
    return f"take {names or 'a loss of classes'} instead of {loss.name}"


def _first_targets(data: Dataset) -> NDArray:
    """Return the targets; of a file that stays outside the memory, the first ones."""
    if is_file_backed(data.targets):
        return read_rows(data.targets, 0, min(LOOKED_AT, len(data)))
    return data.targets


def _are_class_indices(targets: NDArray) -> bool:
    """Tell whether targets look like class indices: whole numbers from 0, one for each row."""
    return (
        targets.shape in (targets.shape[:1], (*targets.shape[:1], 1))
        and targets.dtype.kind in "iu"
        and targets.size > 0
        and (int(targets.min()) >= 0)
    )


def _check_divisor(config: CheckedConfig, spec: DataSpec, trained: float | None) -> None:
    """Refuse inputs that lack the divisor of the training, and note another divisor.

    Inputs may come divided already: ``scale: 1`` says so. It is None where it is not known.
    """
    if spec.source is None or trained is None or spec.divisor == trained:
        return
    before = f"{config.trained_subject} trained with scale: {trained:.12g}"
    if trained == 1:
        before = f"{config.trained_subject} trained without scale"
    if config.has_value(*map(str, spec.path), "scale"):
        place = format_path(spec.path)
        config.notes.append(
            f"{before}, but {place}.scale is {spec.divisor:.12g}: the inputs may differ"
        )
        return
    config.add(
        spec.path,
        f"{before}, but these inputs are not divided",
        f"write scale: {trained:.12g}; or scale: 1, if they are divided already",
    )
