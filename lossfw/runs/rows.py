"""Rows: what is written of each row of a run: its loss, prediction and target."""

from __future__ import annotations

import json
import math
from typing import NamedTuple

import numpy as np

from lossfw.data.validation import is_finite
from lossfw.evaluation.batching import PredictedBatch
from lossfw.losses.loss import Loss
from lossfw.losses.wrappers.base import has_own_weight
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import to_json


class RowRecords(NamedTuple):
    """Some rows as they are written.

    Attributes
    ----------
    row : ndarray of int, shape (n,)
        The number that each row has in the data.
    loss : ndarray of float64, shape (n,)
        The mean of w l over the row's weights; NaN for a row that does not count.
    prediction : ndarray, shape (n, ...)
        The network's predictions; saved outputs as they are.
    target : ndarray, shape (n, ...)
        As in the data.
    weight : ndarray of float64, shape (n,), or None
        What the row weighs in the mean of all: 0 where it does not count. None
        where every row weighs the same.
    """

    row: NDArray
    loss: NDArray
    prediction: NDArray
    target: NDArray
    weight: NDArray | None


def rows_of(loss: Loss, scored: PredictedBatch, sample: NDArray | None = None) -> RowRecords:
    """Return what is written of some rows.

    Parameters
    ----------
    loss : Loss
        In the form that fits what reaches it.
    scored : PredictedBatch
        The rows.
    sample : ndarray of int, optional
        The number in the data of each row of the run, where that is not its own.

    Notes
    -----
    The mean of the losses by the weights is the loss of the run, up to
    rounding. A loss of elements is averaged over its row; what class weights
    and masks do shows in the weight.
    """
    numbers = np.arange(scored.start, scored.start + len(scored.targets))
    if sample is not None:
        numbers = sample[numbers]
    losses, weight = row_losses(loss, scored)
    equal = scored.sample_weight is None and not has_own_weight(loss)
    shown = scored.loss_input if scored.predictions is None else scored.predictions
    return RowRecords(numbers, losses, shown, scored.targets, None if equal else weight)


def row_losses(loss: Loss, scored: PredictedBatch) -> tuple[NDArray, NDArray]:
    """Return the loss of each row, and what each weighs; see `RowRecords`.

    Examples
    --------
    >>> import lossfw
    >>> y, t = np.array([[1.0, 3.0], [0.0, 2.0]]), np.zeros((2, 2))
    >>> rows = PredictedBatch(0, y, None, t, None)
    >>> losses, weight = row_losses(lossfw.loss("squared_error"), rows)
    >>> losses.tolist(), weight.tolist()
    ([5.0, 2.0], [1.0, 1.0])
    """
    _, sums = loss.partial_and_rows(
        scored.loss_input,
        scored.targets,
        start=scored.start,
        sample_weight=scored.sample_weight,
    )
    assert sums is not None  # rows were asked for
    with np.errstate(invalid="ignore"):
        # 0 / 0 is NaN where nothing of a row counts.
        losses = sums.total / sums.weight
    inner = scored.loss_input.shape[1:]
    elements = math.prod(inner[:-1] if loss.takes_rows or loss.sums_rows else inner)
    return losses, sums.weight / elements


def json_lines(rows: RowRecords) -> bytes:
    r"""Return rows as lines of JSON, one object each; a row that does not count has loss null.

    Examples
    --------
    >>> one = np.ones(1)
    >>> rows = RowRecords(np.array([7]), one / 2, np.array([[0.25, 0.75]]), np.array([1]), None)
    >>> json_lines(rows)
    b'{"row": 7, "loss": 0.5, "prediction": [0.25, 0.75], "target": 1}\n'
    """
    names = [
        name for name, column in zip(RowRecords._fields, rows, strict=True) if column is not None
    ]
    columns = [column.tolist() for column in rows if column is not None]
    counted = [True] * len(rows.row) if rows.weight is None else rows.weight > 0
    plain = is_finite(rows.loss) and is_finite(rows.prediction)
    lines = []
    for counts, *values in zip(counted, *columns, strict=True):
        line = dict(zip(names, values, strict=True))
        if not counts:
            line["loss"] = None
        lines.append(json.dumps(line, allow_nan=False) if plain else to_json(line))
    return "".join(f"{line}\n" for line in lines).encode()


def records(rows: RowRecords) -> NDArray:
    """Return rows as records, whose bytes `numpy.frombuffer` reads back."""
    columns = {name: c for name, c in rows._asdict().items() if c is not None}
    table = np.empty(
        len(rows.row),
        np.dtype([(name, column.dtype, column.shape[1:]) for name, column in columns.items()]),
    )
    for name, column in columns.items():
        table[name] = column
    return table
