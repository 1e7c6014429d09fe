"""The written rows of a run: loss, prediction, target and weight of each."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np

from lossfw.data.validation import is_finite
from lossfw.evaluation.batching import PredictedBatch
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import json_value

# Kinds of NumPy dtypes: floats, signed and unsigned integers.
_AS_PYTHON = "fiu"


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
    texts = [_texts(column) for column in rows if column is not None]
    if rows.weight is not None:
        where = names.index("loss")
        counts = (rows.weight > 0).tolist()
        texts[where] = [
            text if counted else "null" for text, counted in zip(texts[where], counts, strict=True)
        ]
    line = "{" + ", ".join(f'"{name}": %s' for name in names) + "}\n"
    return "".join([line % cells for cells in zip(*texts, strict=True)]).encode()


def _texts(column: NDArray) -> list[str]:
    """Return each entry of a column as JSON."""
    values = column.tolist()
    if column.dtype.kind in _AS_PYTHON and is_finite(column):
        # Python writes finite numbers, and lists of them, as JSON does, ten times as fast.
        return list(map(repr, values))
    return [json.dumps(json_value(value), allow_nan=False) for value in values]


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
