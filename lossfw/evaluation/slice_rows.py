"""The part of the data that each row belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lossfw.components.spaces import first_true
from lossfw.data.labels import label_of
from lossfw.errors import ArgumentError, DomainError
from lossfw.evaluation.column_parts import NAN_PART, ColumnParts
from lossfw.evaluation.slices import Slice
from lossfw.numerics.arrays import NDArray

# Names of the part of rows with NaN, or without a value in a column.
_NAN = "nan"
_MISSING = "missing"
# More parts than this say nothing to a reader, and each computes every metric again.
MAX_PARTS = 1000
# Beyond, whole numbers are no classes.
_LARGEST_CLASS = 2**31


def parts_of(
    part: Slice,
    prediction: NDArray,
    target: NDArray,
    losses: NDArray,
    weight: NDArray,
    start: int,
    column: NDArray | None = None,
    own: ColumnParts | None = None,
) -> NDArray:
    """Return the number of the part that each row belongs to, an integer each.

    Bins count from 0, classes are their own number; `NAN_PART` for NaN. The loss is NaN where
    there is none. `column` has the values of the data's column that the slice is by, `own` the
    parts of texts.
    """
    if own is not None:
        assert column is not None
        return own.of(column)
    if column is not None:
        numbers = column if part.bins else _classes(part, column, start)
    elif part.by == "target":
        numbers = _target(part, target, start)
    elif part.by == "loss":
        numbers = losses
    elif part.by == "weight":
        numbers = weight
    else:
        numbers = _of_prediction(part, prediction, start)
    missing = np.isnan(numbers)
    if part.bins:
        found = np.searchsorted(np.asarray(part.bins), numbers, side="right").astype(np.int64)
    else:
        found = np.where(missing, 0, numbers).astype(np.int64)
    return np.where(missing, NAN_PART, found)


def _target(part: Slice, target: NDArray, start: int) -> NDArray:
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim == 2 and not part.bins:
        largest: NDArray = target.argmax(axis=1).astype(np.float64)
        return largest
    if target.ndim != 1:
        raise ArgumentError(
            f"slice {part.name!r}: targets of shape {target.shape} do not tell rows apart; one "
            "number for each row was wanted."
        )
    numbers = target.astype(np.float64)
    return numbers if part.bins else _classes(part, numbers, start)


def _classes(part: Slice, numbers: NDArray, start: int) -> NDArray:
    """Return numbers that are whole; those of a column may be missing."""
    classes = (numbers == np.floor(numbers)) & (np.abs(numbers) < _LARGEST_CLASS)
    if part.column:
        classes |= np.isnan(numbers)
    if not classes.all():
        row = first_true(~classes)[0]
        raise DomainError(
            f"slice {part.name!r}: {part.by}[{start + row}] = {numbers[row]:.9g} is no class: give "
            "bins, the edges between the parts."
        )
    return numbers


def _of_prediction(part: Slice, prediction: NDArray, start: int) -> NDArray:
    if part.by == "prediction":
        if prediction.ndim == 2 and prediction.shape[1] == 1:
            prediction = prediction[:, 0]
        if prediction.ndim != 1:
            raise ArgumentError(
                f"slice {part.name!r}: predictions of shape {prediction.shape} are rows; tell "
                "them apart by: prediction.max, prediction.argmax or prediction.entropy."
            )
        return prediction.astype(np.float64)
    rows = _distributions(part, prediction, start)
    if part.by == "prediction.max":
        largest: NDArray = rows.max(axis=1)
        return largest
    if part.by == "prediction.argmax":
        return np.where(np.isnan(rows).any(axis=1), np.nan, rows.argmax(axis=1))
    with np.errstate(all="ignore"):
        entropy: NDArray = np.where(rows == 0, 0.0, -rows * np.log(rows)).sum(axis=1)
    return entropy


def _distributions(part: Slice, prediction: NDArray, start: int) -> NDArray:
    """Return predictions as rows over classes; a single probability is that of class 1."""
    rows = prediction.astype(np.float64)
    if rows.ndim == 1:
        rows = rows[:, np.newaxis]
    if rows.ndim != 2:
        raise ArgumentError(
            f"slice {part.name!r}: predictions of shape {prediction.shape} have more than one row "
            "over classes in each row of the data."
        )
    single = rows.shape[1] == 1
    if single or part.by == "prediction.entropy":
        bad = (rows < 0) | (rows > 1)
        if bad.any():
            index = first_true(bad)
            raise DomainError(
                f"slice {part.name!r}: prediction[{start + index[0]}] = {rows[index]:.9g} is no "
                f"probability, which by: {part.by} takes."
            )
    return np.concatenate([1.0 - rows, rows], axis=1) if single else rows


def part_names(
    part: Slice,
    found: Iterable[int],
    classes: int | None = None,
    own: ColumnParts | None = None,
    labels: Sequence[str] = (),
) -> list[tuple[int, str]]:
    """Return the parts in order, each with its name: those found, and of `classes` all.

    Examples
    --------
    >>> part_names(Slice("by loss", by="loss", bins=[1.0]), [1])
    [(0, '< 1'), (1, '>= 1')]
    """
    if own is not None:
        named = list(enumerate(own.names))
    elif part.bins:
        named = list(enumerate(part.labels))
    else:
        numbers = {int(number) for number in found} - {NAN_PART} | set(range(classes or 0))
        named = [(number, label_of(labels, number)) for number in sorted(numbers)]
    if len(named) > MAX_PARTS:
        raise ArgumentError(
            f"slice {part.name!r} has {len(named)} parts; at most {MAX_PARTS} are told apart: give "
            "bins."
        )
    if NAN_PART in found:
        named.append((NAN_PART, _MISSING if part.column else _NAN))
    return named
