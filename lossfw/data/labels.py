"""Changes of targets: labels to numbers, and class indices to one-hot rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lossfw.components.naming import shortlist
from lossfw.data.lazy_arrays import RowArray, chunks_of, is_file_backed
from lossfw.data.row_transforms import RowNumbers
from lossfw.errors import DataError
from lossfw.numerics.arrays import NDArray

# A label as a configuration writes it: a text, or a number.
Label: TypeAlias = str | int | float

# One-hot rows have a byte for each class; a loss converts them to its own dtype.
ONE_HOT_DTYPE = np.dtype(np.int8)
# Beyond, whole numbers are measurements and no labels.
MAX_LABELS = 10_000
# Codes of 16 bits: beyond, boosting libraries refuse a column or take hours for a split.
MAX_CATEGORIES = 65_536
# Texts of a column beside the inputs, which may be the keys of rows: few enough for memory.
MAX_TEXTS = 1_000_000
# Whole numbers from here on are not classes.
_BEYOND_CLASSES = 2.0**31


_NO_CATEGORIES = "are not categories. Leave it out of the inputs if it is a key or a time"


def check_labels(location: object, column: object, count: int, limit: int) -> None:
    """Refuse a column with too many strings for classes, categories or slices."""
    if count > limit:
        what = {MAX_LABELS: "are not class labels", MAX_CATEGORIES: _NO_CATEGORIES}
        raise DataError(
            f"{location}, column {column!r} has more than {limit} different strings, which "
            f"{what.get(limit, 'are too many to slice by')}."
        )


def label_of(classes: Sequence[str], number: int) -> str:
    """Return the label of a class, or its number if it has no label.

    Examples
    --------
    >>> label_of(("cat", "dog"), 1), label_of((), 1)
    ('dog', '1')
    """
    return classes[number] if 0 <= number < len(classes) else str(number)


@dataclass(frozen=True, eq=False)
class MapValues:
    """A transform that replaces each number by its entry in a table."""

    # The data, for messages.
    name: str
    # The table; `given` ascends, (n,).
    keys: NDArray
    values: NDArray
    # The numbers of the table in words.
    keys_text: str

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Look every number up."""
        place = np.searchsorted(self.keys, rows).clip(max=len(self.keys) - 1)
        absent = self.keys[place] != rows
        if absent.any():
            first = np.argwhere(absent)[0]
            raise DataError(
                f"data {self.name!r}: targets[{int(numbers[int(first[0])])}] is "
                f"{rows[tuple(first)]}; expected one of {self.keys_text}: leave out the rows of "
                "other labels, or list it in the configuration."
            )
        found: NDArray = self.values[place]
        return found


@dataclass(frozen=True)
class CastToInteger:
    """A transform from integers written as floats to integers."""

    # The data, for messages.
    name: str

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Convert the numbers."""
        # NaN and numbers beyond every class fail the comparisons too.
        whole = (rows == np.floor(rows)) & (np.abs(rows) < _BEYOND_CLASSES)
        broken = np.flatnonzero(~whole.reshape(len(rows), -1).all(axis=1))
        if broken.size:
            first = int(broken[0])
            raise DataError(
                f"data {self.name!r}: targets[{int(numbers[first])}] is {rows[first]}; "
                "expected whole numbers, one class for each row."
            )
        return rows.astype(np.int64)


@dataclass(frozen=True)
class OneHot:
    """A transform from class indices (N,) to one-hot rows (N, K)."""

    # The data, for messages.
    name: str
    # K.
    classes: int

    def __call__(self, rows: NDArray, numbers: RowNumbers) -> NDArray:
        """Make the rows."""
        outside = np.flatnonzero((rows < 0) | (rows >= self.classes))
        if outside.size:
            first = int(outside[0])
            raise DataError(
                f"data {self.name!r}: targets[{int(numbers[first])}] is {rows[first]}, but one_hot "
                f"has classes 0 to {self.classes - 1}."
            )
        made = np.zeros((len(rows), self.classes), ONE_HOT_DTYPE)
        made[np.arange(len(rows)), rows] = 1
        return made


def find_labels(numbers: RowArray, location: str, limit: int = MAX_LABELS) -> NDArray:
    """Return the distinct numbers of targets or of a column, ascending; a file is read once.

    NaN, a missing value, is left out.
    """
    if not is_file_backed(numbers):
        found: NDArray = _unique(numbers)
    else:
        found = np.array([], numbers.dtype)
        for rows in chunks_of(numbers):
            found = np.union1d(found, _unique(rows))
            if len(found) > limit:
                break
    if len(found) > limit:
        raise DataError(
            f"{location} has more than {limit} different values, which are too many for classes "
            "or categories."
        )
    return found


def _unique(numbers: NDArray) -> NDArray:
    found: NDArray = np.unique(numbers)
    # NaN comes last.
    return found[:-1] if found.size and np.isnan(found[-1]) else found


def label_transform(
    name: str, known: Sequence[str], values: Mapping[Label, float]
) -> tuple[MapValues, NDArray]:
    """Return the transform from labels to numbers, and the numbers in use.

    The positions of `known` are the targets; it is empty where targets are numbers themselves.
    """
    keys_text = shortlist([str(label) for label in values])
    if known:
        by_text = {str(label): number for label, number in values.items()}
        for label in known:
            if label not in by_text:
                raise DataError(
                    f"data {name!r} have the label {label!r}, but the configuration lists "
                    f"{keys_text}: list it too."
                )
        pairs = [(float(i), by_text[label]) for i, label in enumerate(known)]
    else:
        pairs = sorted((_to_number(label, name), number) for label, number in values.items())
    numbers = np.array([number for _, number in pairs], np.float64)
    if (numbers == np.floor(numbers)).all():
        numbers = numbers.astype(np.int64)
    return MapValues(name, np.array([key for key, _ in pairs]), numbers, keys_text), numbers


def _to_number(label: Label, name: str) -> float:
    try:
        return float(label)
    except ValueError:
        raise DataError(
            f"data {name!r}: the targets are numbers, but the configuration lists the label "
            f"{label!r}: list numbers."
        ) from None
