"""Statistics of the rows of a run: distribution of losses, worst rows, confusion, reliability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lossfw.data import DataColumn
from lossfw.data.labels import label_of
from lossfw.numerics.arrays import NDArray
from lossfw.runs.rows import RowRecords

# Number of worst rows that are shown.
WORST = 24

# The part of the rows whose share in the loss a page shows.
_WORST_PART = 0.1
# The worst tenth of fewer rows is not shown.
_ENOUGH = 20

# From rows with predictions for more classes a page computes no confusion matrix.
_MOST_COMPUTED_CLASSES = 40

# Bins of a reliability diagram, if the run has none.
_BINS = 15

# The tolerance of the sum of probabilities in float32.
_SUMS_TO_ONE = 1e-3

# Predictions of a row that are shown.
_MOST_NUMBERS = 6

# A table of more classes says nothing to a reader, and takes megabytes of a page.
MOST_CLASSES = 100


# Depth of the colour of a mistake: the least, and the addition for the most frequent one.
_FAINT, _DEEP = 0.12, 0.68

# The deepest colour stands for at least so many mistakes.
_SOME = 3.0


class Spread(NamedTuple):
    """The distribution of the finite losses of rows with weight, in ascending order.

    `weighted` says whether rows have different weights, `others` is the number of infinite and
    NaN losses, and `worst_share` the fraction of the sum in the worst tenth of the weight; None
    for few rows or negative losses.
    """

    losses: NDArray
    weight: NDArray
    weighted: bool
    others: int
    quantiles: list[tuple[str, float]]
    mean: float
    worst_share: float | None
    # What has a loss: a row or a group.
    unit: str = "row"


def loss_spread(rows: RowRecords) -> Spread | None:
    """Return the distribution of the losses of rows or groups; None if none counts."""
    if rows.of_groups:
        spread = loss_spread(rows.take(rows.group_starts)._replace(of_groups=False))
        return spread and spread._replace(unit="group")
    weight = np.ones(len(rows.loss)) if rows.weight is None else rows.weight
    counted = np.flatnonzero(weight > 0)
    finite = counted[np.isfinite(rows.loss[counted])]
    if not finite.size:
        return None
    order = finite[np.argsort(rows.loss[finite], kind="stable")]
    losses, weight = rows.loss[order], weight[order]
    names = (("least", 0.0), ("median", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("most", 1.0))
    weighted = bool((weight != weight[0]).any())
    method = "inverted_cdf" if weighted else "linear"
    quantiles = [
        (name, float(np.quantile(losses, q, method=method, weights=weight if weighted else None)))  # type: ignore[call-overload]  # one name of many
        for name, q in names
    ]
    share = None
    if losses[0] >= 0 and losses[-1] > 0 and losses.size >= _ENOUGH:
        # The fraction that the worst part of the weight has in the sum of the losses.
        brought = np.concatenate([[0.0], np.cumsum((weight * losses)[::-1])])
        passed = np.concatenate([[0.0], np.cumsum(weight[::-1])])
        share = float(np.interp(_WORST_PART * passed[-1], passed, brought) / brought[-1])
    mean = float(np.average(losses, weights=weight))
    return Spread(losses, weight, weighted, counted.size - losses.size, quantiles, mean, share)


def worst_rows(rows: RowRecords, count: int = WORST) -> RowRecords:
    """Return the rows with the largest losses, the worst first; NaN is worst of all."""
    counts = np.ones(len(rows.loss), bool) if rows.weight is None else rows.weight > 0
    rank = np.where(np.isnan(rows.loss), np.inf, rows.loss)
    order = np.argsort(-rank, kind="stable")
    return rows.take(order[counts[order]][:count])


def describe_rows(
    rows: RowRecords,
    inputs: NDArray | None = None,
    classes: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """Yield number, loss, target, prediction, inputs and columns of each row, for the page."""
    for index in range(len(rows.row)):
        target, prediction = rows.target[index], rows.prediction[index]
        named = classes and target.ndim == 0 and target.dtype.kind in "iu"
        yield {
            "row": int(rows.row[index]),
            "loss": float(rows.loss[index]),
            "target": label_of(classes, int(target)) if named else _numbers_text(target),
            "inputs": "" if inputs is None else _numbers_text(inputs[index], names),
            "columns": [_value_text(column, index) for column in rows.columns.values()],
            **_describe_prediction(prediction, target, classes),
        }


def _value_text(column: DataColumn, index: int) -> str:
    """Return the value of a column in a row as text."""
    value = column.values[index]
    if column.holds_strings:
        return column.labels_or_none[int(value)] or "–"
    if value.dtype.kind == "f":
        return "–" if np.isnan(value) else f"{value:.6g}"
    return str(value)


def _describe_prediction(
    prediction: NDArray, target: NDArray, labels: Sequence[str]
) -> dict[str, Any]:
    """Return a prediction as text: the chosen class, or the numbers."""
    classes = prediction.ndim == 1 and prediction.size > 1 and target.dtype.kind in "iu"
    if not (classes and target.ndim == 0):
        return {"prediction": _numbers_text(prediction), "sure": None, "of_target": None}
    chosen = int(prediction.argmax())
    return {
        "prediction": label_of(labels, chosen),
        "sure": float(prediction[chosen]),
        "of_target": float(prediction[int(target)]),
    }


def _numbers_text(value: NDArray, names: Sequence[str] = ()) -> str:
    """Return numbers as text, each with its name if there is one for each."""
    numbers = [f"{number:.4g}" for number in np.ravel(value)[:_MOST_NUMBERS]]
    more = ", …" if np.size(value) > _MOST_NUMBERS else ""
    if len(names) == np.size(value):
        pairs = zip(names, numbers, strict=False)
        return ", ".join(f"{name} {number}" for name, number in pairs) + more
    if np.size(value) == 1:
        return numbers[0]
    return f"[{', '.join(numbers)}{more}]"


def has_classes(rows: RowRecords) -> bool:
    """Tell whether targets are classes and predictions have one column per class."""
    return (
        rows.target.ndim == 1
        and rows.target.dtype.kind in "iu"
        and rows.prediction.ndim == 2
        and 1 < rows.prediction.shape[1] <= _MOST_COMPUTED_CLASSES
    )


def confusion_matrix(rows: RowRecords) -> list[list[float]] | None:
    """Return a confusion matrix: weights of rows by target (row) and predicted class (column)."""
    if not has_classes(rows):
        return None
    classes = rows.prediction.shape[1]
    weight = np.ones(len(rows.row)) if rows.weight is None else rows.weight
    place = rows.target * classes + rows.prediction.argmax(axis=1)
    counts = np.bincount(place, weight, classes**2).reshape(classes, classes)
    return [[float(count) for count in row] for row in counts]


def reliability_curve(rows: RowRecords) -> Mapping[str, list[float]] | None:
    """Return the reliability curve of the winning probability in bins of equal width."""
    y = rows.prediction
    if not has_classes(rows) or not ((y >= 0) & (y <= 1)).all():
        return None
    if not (np.abs(y.sum(axis=1) - 1) <= _SUMS_TO_ONE).all():
        return None
    sure, chosen = rows.prediction.max(axis=1), rows.prediction.argmax(axis=1)
    right = (chosen == rows.target).astype(np.float64)
    weight = np.ones(len(rows.row)) if rows.weight is None else rows.weight
    cell = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    total = np.bincount(cell, weight, _BINS)
    there = total > 0
    means = [np.bincount(cell, weight * x, _BINS)[there] / total[there] for x in (sure, right)]
    return {
        "confidence": means[0].tolist(),
        "accuracy": means[1].tolist(),
        "weight": total[there].tolist(),
    }


def matrix_cells(
    matrix: Sequence[Sequence[float]] | None, labels: Sequence[str] = ()
) -> dict[str, Any] | None:
    """Return the cells of a confusion matrix with text and colour; None without a matrix."""
    if matrix is None:
        return None
    mistakes = sorted(
        (
            (count, target, taken)
            for target, row in enumerate(matrix)
            for taken, count in enumerate(row)
            if target != taken and count > 0
        ),
        key=lambda mistake: -mistake[0],
    )
    wrong = max(_SOME, *(count for count, *_ in mistakes), 0.0)
    shown = matrix if len(matrix) <= MOST_CLASSES else []
    rows = [_matrix_row(index, row, wrong) for index, row in enumerate(shown)]
    right = sum(row[index] for index, row in enumerate(matrix))
    return {
        "rows": rows,
        "classes": len(matrix),
        "labels": [label_of(labels, index) for index in range(len(shown))],
        "right": right,
        "whole": sum(map(sum, matrix)),
        "mistakes": [
            (f"{count:g}", label_of(labels, target), label_of(labels, taken))
            for count, target, taken in mistakes[:5]
        ],
    }


def _matrix_row(index: int, row: Sequence[float], largest_mistake: float) -> list[dict[str, Any]]:
    # Mistakes are few: on one scale with the hits they could not be seen.
    total = sum(row) or 1.0
    return [
        {
            "text": f"{count:.4g}",
            "share": count / total if column == index else _FAINT + _DEEP * count / largest_mistake,
            "kind": "none" if count == 0 else "hit" if column == index else "miss",
        }
        for column, count in enumerate(row)
    ]
