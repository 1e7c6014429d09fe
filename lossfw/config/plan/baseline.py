"""The baseline of a configuration: a constant, a column of the data, or a file of predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lossfw.config.plan.report_options import baseline_column
from lossfw.config.schema.checked import CheckedConfig, require
from lossfw.config.text.reading import find_file
from lossfw.data import Dataset
from lossfw.data.arrays import read_array
from lossfw.data.lazy_arrays import RowArray
from lossfw.data.selected_rows import select_rows
from lossfw.errors import ArgumentError, DataError
from lossfw.evaluation.baseline import CONSTANT, Baseline, baseline_loss, has_skill
from lossfw.evaluation.predictor import squeeze_column
from lossfw.evaluation.slices import COLUMN
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

_PATH = ("evaluate", "baseline")
# The endings of the files that predictions are read from.
_ENDINGS = (".npy", ".npz", ".csv", ".parquet")


def read_baseline(config: CheckedConfig, *, training: bool = False) -> None:
    """Fill `baseline` for a run if requested; for a training check that it exists.

    A training computes its constant itself, and by default has none if it is not known.
    """
    loss, data = config.loss, config.data
    given = None if config.sections is None else config.sections.evaluate.baseline
    if loss is None or data is None or config.used_loss is None or config.problems:
        return
    if given is None or given is False:
        return
    with config.errors_at(_PATH):
        found = _make_baseline(config, given, loss, data)
        if training and found is not None and found.column:
            # Imported on use, as below: most runs have no baseline.
            from lossfw.models.training.baseline import loss_of

            # Now, and not after the training.
            for rows in (data, config.held_out):
                _ = rows and loss_of(found, rows)
        config.baseline = found
        if found is not None and not has_skill(loss):
            config.notes.append(
                f"the loss {loss.name} does not claim nonnegative, and a skill needs losses that "
                f"are not negative: lossfw reports only the loss of {found.label}. If it is your "
                "loss and it is never negative, claim nonnegative=True"
            )


def _make_baseline(
    config: CheckedConfig, option: bool | str, loss: Loss, data: Dataset
) -> Baseline | None:
    if loss.takes_groups:
        raise ArgumentError(
            f"the loss {loss.name} compares the rows of a group, so it has no baseline; leave "
            "baseline out"
        )
    if option is True:
        constant = _best_constant(config, loss, data)
        return Baseline(CONSTANT, baseline_loss(loss, config.loss_form), constant=constant)
    name = str(option)
    if named := baseline_column(config):
        return _column_baseline(name, loss, data, *named)
    if not name.endswith(_ENDINGS):
        raise ArgumentError(
            f"{name!r} is not a baseline; write true for the best constant, a column of the data "
            f"as {COLUMN}last_year, or a file of predictions ({', '.join(_ENDINGS)})"
        )
    path = find_file(require(config.root.find(_PATH)), config.problems)
    if path is None:
        return None
    config.files[_PATH] = str(path)
    if config.held_out is not None:
        return None  # the file is that of all rows, which no training has
    outputs = _select_predictions(read_array(path, "predictions"), data, config.total_rows)
    label = baseline_label(name)
    own = baseline_loss(loss, config.loss_form) if label == CONSTANT else loss
    return Baseline(label, own, outputs=outputs)


def baseline_label(option: bool | str) -> str:
    """Return the name of a configuration's baseline in the results."""
    if isinstance(option, bool):
        return CONSTANT
    return option if option.startswith(COLUMN) else Path(option).stem


def _best_constant(config: CheckedConfig, loss: Loss, data: Dataset) -> NDArray:
    from lossfw.learning.constant import constant_prediction

    targets, weight = np.asarray(data.targets), data.sample_weight
    if config.sample is not None:
        rows = np.array(config.sample)
        targets, weight = targets[rows], None if weight is None else np.asarray(weight)[rows]
    classes = config.output_columns if loss.takes_rows else None
    return constant_prediction(loss, squeeze_column(targets), weight, classes=classes)


def _column_baseline(name: str, loss: Loss, data: Dataset, column: str) -> Baseline:
    found = data.columns[column]
    if found.holds_strings:
        raise ArgumentError(
            f"column {column!r} holds strings, such as {found.labels[0]!r}; expected numbers for a "
            "baseline"
        )
    if loss.takes_rows or (data.targets.ndim == 2 and data.targets.shape[1] > 1):
        raise ArgumentError(
            f"a column has one prediction per row, but the loss {loss.name} takes several; write "
            "the predictions to a file, one line for each row of the data"
        )
    return Baseline(name, loss, column=column)


def _select_predictions(outputs: RowArray, data: Dataset, total: int) -> RowArray:
    """Return the predictions of the rows that a filter leaves."""
    if len(outputs) == total and data.rows is not None:
        return select_rows(outputs, data.rows)
    if len(outputs) != len(data):
        raise DataError(
            f"the baseline has predictions of {len(outputs)} rows, but the data {data.name!r} have "
            f"{len(data)}; expected one for each row"
        )
    return outputs
