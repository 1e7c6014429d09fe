"""The written rows of a run: loss, prediction, target and weight of each."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np

from lossfw.data.validation import is_finite
from lossfw.evaluation.batching import PredictedBatch
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import to_json


class RowRecords(NamedTuple):
    """Rows in the form in which they are written.

    Attributes
    ----------
    row : ndarray of int, shape (n,)
        The number of each row in the data.
    loss : ndarray of float64, shape (n,)
        The mean of w l over the row's weights; NaN for a row without weight.
    prediction : ndarray, shape (n, ...)
        The network's predictions, or the saved outputs.
    target : ndarray, shape (n, ...)
        As in the data.
    weight : ndarray of float64, shape (n,), or None
        The weight of the row in the mean of all: 0 where it does not count. None
        where all rows have the same weight.
    """

    row: NDArray
    loss: NDArray
    prediction: NDArray
    target: NDArray
    weight: NDArray | None


def rows_of(loss: Loss, batch: PredictedBatch, sample: NDArray | None = None) -> RowRecords:
    """Return the records of some rows.

    Parameters
    ----------
    loss : Loss
        The loss of the run.
    batch : PredictedBatch
        The rows, with their losses.
    sample : ndarray of int, optional
        The number in the data of each row of the run, where that is not its own.

    Notes
    -----
    The mean of the losses by the weights is the loss of the run, up to
    rounding. A loss of elements is averaged over its row; class weights and
    masks show in the weight.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("squared_error")
    >>> y, t = np.array([[1.0, 3.0], [0.0, 2.0]]), np.zeros((2, 2))
    >>> batch = PredictedBatch(0, y, None, t, None, np.array([5.0, 2.0]), np.ones(2))
    >>> rows_of(loss, batch).loss.tolist(), rows_of(loss, batch).weight
    ([5.0, 2.0], None)
    """
    assert batch.losses is not None  # the plan asks for rows
    numbers = np.arange(batch.start, batch.start + len(batch.targets))
    if sample is not None:
        numbers = sample[numbers]
    equal = batch.sample_weight is None and not loss.has_own_weight
    shown = batch.loss_input if batch.predictions is None else batch.predictions
    weight = None if equal else batch.weights
    return RowRecords(numbers, batch.losses, shown, batch.targets, weight)


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
    """Return rows as a structured array; `numpy.frombuffer` reads its bytes back."""
    columns = {name: c for name, c in rows._asdict().items() if c is not None}
    table = np.empty(
        len(rows.row),
        np.dtype([(name, column.dtype, column.shape[1:]) for name, column in columns.items()]),
    )
    for name, column in columns.items():
        table[name] = column
    return table
