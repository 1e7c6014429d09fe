"""The stored rows of a run: loss, prediction, target and weight of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lossfw.data import DataColumn
from lossfw.data.validation import is_finite
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.predictor import outputs_for
from lossfw.evaluation.slices import COLUMN
from lossfw.numerics.arrays import NDArray
from lossfw.runs.files import json_value

# Kinds of NumPy dtypes: floats, signed and unsigned integers.
_AS_PYTHON = "fiu"


class RowRecords(NamedTuple):
    """Rows for writing to a file, or read from it."""

    # The number of each row in the data.
    row: NDArray
    # The mean of w l over the row's weights, in float64; NaN for a row without weight.
    loss: NDArray
    # The network's predictions, or the saved outputs, (n, ...).
    prediction: NDArray
    # As in the data, (n, ...).
    target: NDArray
    # The weight of the row in the mean of all, in float64: 0 where it does not count. None where
    # all rows have the same weight.
    weight: NDArray | None
    # Columns of the data that are written with each row.
    columns: Mapping[str, DataColumn] = {}
    # The number and the name of each row's group, where rows belong together.
    group: NDArray | None = None
    ids: DataColumn | None = None
    # Whether loss and weight are those of the group of a row, and a line of the file is a group.
    of_groups: bool = False

    def take(self, order: NDArray) -> RowRecords:
        """Return the rows at these positions, in this order."""
        fields = self._asdict().items()
        arrays: dict[str, Any] = {k: v[order] for k, v in fields if isinstance(v, np.ndarray)}
        columns = {name: column.take(order) for name, column in self.columns.items()}
        ids = None if self.ids is None else self.ids.take(order)
        return self._replace(columns=columns, ids=ids, **arrays)

    def sorted_by_number(self) -> RowRecords:
        """Return the rows sorted by number; rows of the same number keep their order.

        The rows of a group stay together.
        """
        if self.group is None:
            return self.take(np.argsort(self.row, kind="stable"))
        begins = self.group_starts
        sizes = np.diff(begins, append=len(self.row))
        first = np.repeat(self.row[begins], sizes)
        return self.take(np.lexsort((self.group, first)))

    @property
    def group_starts(self) -> NDArray:
        """The position of the first row of each group; without groups, of each row."""
        if self.group is None:
            return np.arange(len(self.row))
        return np.flatnonzero(np.diff(self.group, prepend=-1))

    @property
    def arrays(self) -> dict[str, NDArray]:
        """The arrays by their names in the file of rows; columns of strings as codes."""
        fields = self._asdict().items()
        own = {name: array for name, array in fields if isinstance(array, np.ndarray)}
        if not self.of_groups:
            own.pop("group", None)
        if self.ids is not None:
            own["ids"] = self.ids.values
        extra = {f"{COLUMN}{name}": column.values for name, column in self.columns.items()}
        return own | extra

    @property
    def labels(self) -> dict[str, list[str | None]]:
        """The labels of each array that has codes; None where a value is missing."""
        columns = {f"{COLUMN}{name}": column for name, column in self.columns.items()}
        if self.ids is not None:
            columns["ids"] = self.ids
        return {
            name: column.labels_or_none for name, column in columns.items() if column.holds_strings
        }


def rows_of(plan: Plan, batch: PredictedBatch, sample: NDArray | None = None) -> RowRecords:
    """Return the records of some rows; `sample` has the numbers in the data of the run's rows.

    The weighted mean of the losses is the loss of the run, up to rounding. A loss of elements
    is averaged over its row; the weight includes class weights and masks.

    Examples
    --------
    >>> import lossfw
    >>> from lossfw.data import Dataset
    >>> y, t = np.array([[1.0, 3.0], [0.0, 2.0]]), np.zeros((2, 2))
    >>> plan = Plan(Dataset("zeros", t), lossfw.loss("squared_error"), outputs=y)
    >>> batch = PredictedBatch(0, y, None, t, None, np.array([5.0, 2.0]), np.ones(2))
    >>> rows_of(plan, batch).loss.tolist(), rows_of(plan, batch).weight
    ([5.0, 2.0], None)
    """
    assert batch.losses is not None  # the plan asks for rows
    numbers = np.arange(batch.start, batch.start + len(batch.targets))
    if sample is not None:
        numbers = sample[numbers]
    equal = batch.sample_weight is None and not plan.loss._has_own_weight
    shown = batch.loss_input if batch.predictions is None else batch.predictions
    shown = outputs_for(plan.loss, shown, batch.targets)
    weight = None if equal else batch.weights
    columns = _columns_of_batch(plan, batch)
    rows = RowRecords(numbers, batch.losses, shown, batch.targets, weight, columns)
    if batch.group is None:
        return rows
    assert plan.groups is not None
    rows = rows._replace(group=batch.group, ids=plan.groups.ids.take(batch.group))
    if not plan.loss.takes_groups:
        return rows
    number = batch.group - batch.group[0]
    return rows._replace(
        loss=rows.loss[number],
        weight=None if weight is None else weight[number],
        of_groups=True,
    )


def _columns_of_batch(plan: Plan, batch: PredictedBatch) -> dict[str, DataColumn]:
    """Return the columns of some rows, in the dtypes of the data."""
    places = {name: place for place, name in enumerate(plan.data.columns)}
    found = {}
    for name in plan.columns:
        assert batch.columns is not None  # the data have what the plan names
        column, values = plan.data.columns[name], batch.columns[:, places[name]]
        dtype = np.dtype(np.int32) if column.holds_strings else column.values.dtype
        found[name] = replace(column, values=values.astype(dtype))
    return found


def json_lines(rows: RowRecords) -> bytes:
    r"""Return rows or groups as JSON lines, one object each; loss null if it does not count.

    Examples
    --------
    >>> one = np.ones(1)
    >>> rows = RowRecords(np.array([7]), one / 2, np.array([[0.25, 0.75]]), np.array([1]), None)
    >>> json_lines(rows)
    b'{"row": 7, "loss": 0.5, "prediction": [0.25, 0.75], "target": 1}\n'
    """
    arrays, labels = rows.arrays, rows.labels
    texts: dict[str, list[str]] = {}
    for name, array in arrays.items():
        if name in labels:
            codes = array.tolist()
            # Only the labels of these rows: a column may have one for each row of the data.
            written = {code: json.dumps(labels[name][code]) for code in set(codes)}
            texts[name] = [written[code] for code in codes]
        elif name.startswith(COLUMN) or name == "ids":
            texts[name] = _null_where_missing(_to_json_texts(array), np.isnan(array).tolist())
        else:
            texts[name] = _to_json_texts(array)
    if rows.weight is not None:
        texts["loss"] = _null_where_missing(texts["loss"], (rows.weight == 0).tolist())
    if rows.of_groups:
        begins = rows.group_starts.tolist()
        spans = list(zip(begins, [*begins[1:], len(rows.row)], strict=True))
        texts = group_columns(
            texts,
            [f"[{rows.row[first]}, {rows.row[stop - 1] + 1}]" for first, stop in spans],
            lambda column: [column[first] for first, _ in spans],
            lambda column: [f"[{', '.join(column[first:stop])}]" for first, stop in spans],
        )
    elif rows.ids is not None:
        texts["group"] = texts.pop("ids")
    # A name may have any character, also one that means something in the pattern.
    keys = (json.dumps(name).replace("%", "%%") for name in texts)
    line = "{" + ", ".join(f"{key}: %s" for key in keys) + "}\n"
    cells = zip(*texts.values(), strict=True)
    return "".join([line % row for row in cells]).encode()


def group_columns(
    columns: Mapping[str, Any],
    rows: Any,
    take_first: Callable[[Any], Any],
    take_list: Callable[[Any], Any],
) -> dict[str, Any]:
    """Return the columns of groups from those of their rows: lists if the rows differ.

    `rows` has the first row of each group and the row after its last, `take_first` takes the value
    of the first row, and `take_list` the values of all rows.
    """
    found = {"group": take_first(columns["ids"]), "rows": rows}
    for name, column in columns.items():
        if name in ("loss", "weight"):
            found[name] = take_first(column)
        elif name not in ("row", "group", "ids"):
            found[name] = take_list(column)
    return found


def _null_where_missing(texts: list[str], missing: list[bool]) -> list[str]:
    return ["null" if none else text for text, none in zip(texts, missing, strict=True)]


def _to_json_texts(column: NDArray) -> list[str]:
    """Return each entry of a column as JSON."""
    values = column.tolist()
    if column.dtype.kind in _AS_PYTHON and is_finite(column):
        # Python writes finite numbers, and lists of them, as JSON does, ten times as fast.
        return list(map(repr, values))
    return [json.dumps(json_value(value), allow_nan=False) for value in values]
