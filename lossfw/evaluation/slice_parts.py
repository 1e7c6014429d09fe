"""The parts of a slice: the part number of each row, and the names of the parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lossfw.components.naming import in_one_line
from lossfw.components.spaces import first_true_index
from lossfw.data import DataColumn
from lossfw.data.csv_text import is_missing
from lossfw.data.labels import label_of
from lossfw.errors import ArgumentError, DomainError
from lossfw.evaluation.slices import Slice
from lossfw.numerics.arrays import NDArray

# Number of the part of rows with NaN or without a value, below that of every class.
NAN_PART = -(2**31)
# Names of the part of rows with NaN, or without a value in a column.
_NAN = "nan"
_MISSING = "missing"
# Names of the part of all texts that are not among the largest; the second where one is a text.
_OTHER = ("other", "all other")
# More parts than this say nothing to a reader, and each computes every metric again.
MAX_PARTS = 1000
# Beyond, whole numbers are not classes.
_LARGEST_CLASS = 2**31


class SliceParts:
    """The parts into which a slice splits the rows of some data.

    In a column of strings, the `Slice.largest` values with the most rows in the whole data have
    their own parts, in ascending order; of equally frequent values the first one counts.

    Examples
    --------
    >>> fruit = DataColumn.of(np.array(["fig", "nut", "fig", "nut", "fig", "oat", "pea"]))
    >>> parts = SliceParts(Slice("f", "column.fruit", largest=2), {"fruit": fruit})
    >>> parts.named_parts([])
    [(0, 'fig'), (1, 'nut'), (2, 'other')]
    >>> SliceParts(Slice("by loss", by="loss", bins=[1.0])).named_parts([1])
    [(0, '< 1'), (1, '>= 1')]
    """

    def __init__(self, by: Slice, columns: Mapping[str, DataColumn] | None = None) -> None:
        self._slice = by
        self._texts: tuple[str, ...] = ()
        # The part of each label of a column of texts.
        self._by_label: NDArray | None = None
        column = (columns or {}).get(by.column) if by.column else None
        if column is None or not column.holds_strings:
            return
        if by.bins:
            raise ArgumentError(
                f"slice {by.name!r}: the column {by.column!r} holds strings, but bins are edges "
                f"between numbers, got {list(by.bins)}: leave bins out."
            )
        known = [code for code, label in enumerate(column.labels) if not is_missing(label)]
        shown = known
        # A single text is named, and is not an "other".
        if len(known) > by.largest + 1:
            most = sorted(known, key=lambda code: -int(column.counts[code]))
            shown = sorted(most[: by.largest])
        self._texts = tuple(in_one_line(column.labels[code]) for code in shown)
        if len(shown) < len(known):
            self._texts += (_OTHER[_OTHER[0] in self._texts],)
        self._by_label = np.full(len(column.labels), NAN_PART, np.int64)
        self._by_label[known] = len(shown)
        self._by_label[shown] = np.arange(len(shown))

    def number_rows(
        self,
        prediction: NDArray,
        target: NDArray,
        losses: NDArray,
        weight: NDArray,
        start: int,
        column: NDArray | None = None,
    ) -> NDArray:
        """Return the part number of each row.

        Bins count from 0, classes are their own number; `NAN_PART` for NaN. The loss is NaN where
        there is none. `column` has the values of the slice's column.
        """
        by = self._slice
        if column is not None and self._by_label is not None:
            parts: NDArray = self._by_label[column.astype(np.int64)]
            return parts
        if column is not None:
            numbers = column if by.bins else self._class_parts(column, start)
        elif by.by == "target":
            numbers = self._target_parts(target, start)
        elif by.by == "loss":
            numbers = losses
        elif by.by == "weight":
            numbers = weight
        else:
            numbers = self._prediction_parts(prediction, start)
        missing = np.isnan(numbers)
        if by.bins:
            parts = np.searchsorted(np.asarray(by.bins), numbers, side="right").astype(np.int64)
        else:
            parts = np.where(missing, 0, numbers).astype(np.int64)
        return np.where(missing, NAN_PART, parts)

    def _target_parts(self, target: NDArray, start: int) -> NDArray:
        if target.ndim == 2 and target.shape[1] == 1:
            target = target[:, 0]
        if target.ndim == 2 and not self._slice.bins:
            largest: NDArray = target.argmax(axis=1).astype(np.float64)
            return largest
        if target.ndim != 1:
            raise ArgumentError(
                f"slice {self._slice.name!r}: targets of shape {target.shape} cannot be "
                "sliced; expected one number for each row."
            )
        numbers = target.astype(np.float64)
        return numbers if self._slice.bins else self._class_parts(numbers, start)

    def _class_parts(self, numbers: NDArray, start: int) -> NDArray:
        """Return numbers that are whole; those of a column may be missing."""
        classes = (numbers == np.floor(numbers)) & (np.abs(numbers) < _LARGEST_CLASS)
        if self._slice.column:
            classes |= np.isnan(numbers)
        if not classes.all():
            row = first_true_index(~classes)[0]
            raise DomainError(
                f"slice {self._slice.name!r}: {self._slice.by}[{start + row}] = {numbers[row]:.9g} "
                "is not a class: give bins, the edges between the parts."
            )
        return numbers

    def _prediction_parts(self, prediction: NDArray, start: int) -> NDArray:
        if self._slice.by == "prediction":
            if prediction.ndim == 2 and prediction.shape[1] == 1:
                prediction = prediction[:, 0]
            if prediction.ndim != 1:
                raise ArgumentError(
                    f"slice {self._slice.name!r}: predictions of shape {prediction.shape} are "
                    "rows; slice by: prediction.max, prediction.argmax or "
                    "prediction.entropy."
                )
            return prediction.astype(np.float64)
        rows = self._distributions(prediction, start)
        if self._slice.by == "prediction.max":
            largest: NDArray = rows.max(axis=1)
            return largest
        if self._slice.by == "prediction.argmax":
            return np.where(np.isnan(rows).any(axis=1), np.nan, rows.argmax(axis=1))
        with np.errstate(all="ignore"):
            entropy: NDArray = np.where(rows == 0, 0.0, -rows * np.log(rows)).sum(axis=1)
        return entropy

    def _distributions(self, prediction: NDArray, start: int) -> NDArray:
        """Return predictions as rows over classes; a single probability is that of class 1."""
        rows = prediction.astype(np.float64)
        if rows.ndim == 1:
            rows = rows[:, np.newaxis]
        if rows.ndim != 2:
            raise ArgumentError(
                f"slice {self._slice.name!r}: predictions of shape {prediction.shape} have more "
                "than one row over classes in each row of the data."
            )
        single = rows.shape[1] == 1
        if single or self._slice.by == "prediction.entropy":
            outside = (rows < 0) | (rows > 1)
            if outside.any():
                index = first_true_index(outside)
                raise DomainError(
                    f"slice {self._slice.name!r}: prediction[{start + index[0]}] = "
                    f"{rows[index]:.9g} is not a probability, which by: {self._slice.by} takes."
                )
        return np.concatenate([1.0 - rows, rows], axis=1) if single else rows

    def named_parts(
        self, part_numbers: Iterable[int], classes: int = 0, labels: Sequence[str] = ()
    ) -> list[tuple[int, str]]:
        """Return the parts in order with their names: those that occur, and all classes."""
        by, present = self._slice, {int(number) for number in part_numbers}
        if self._by_label is not None or by.bins:
            named = list(enumerate(self._texts if self._by_label is not None else by.labels))
        else:
            numbers = sorted(present - {NAN_PART} | set(range(classes)))
            named = [(number, in_one_line(label_of(labels, number))) for number in numbers]
        if len(named) > MAX_PARTS:
            raise ArgumentError(
                f"slice {by.name!r} has {len(named)} parts; at most {MAX_PARTS} are kept apart: "
                "give bins."
            )
        if NAN_PART in present:
            named.append((NAN_PART, _MISSING if by.column else _NAN))
        return named
