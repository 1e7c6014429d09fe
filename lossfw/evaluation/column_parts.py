"""The parts of the rows that a column of texts makes: the most frequent ones, and the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lossfw.data import DataColumn
from lossfw.data.csv_text import is_missing
from lossfw.errors import ArgumentError
from lossfw.evaluation.slices import Slice
from lossfw.numerics.arrays import NDArray

# Number of the part of rows with NaN or without a value, below that of every class.
NAN_PART = -(2**31)
# Names of the part of all texts that are not among the largest; the second where one is a text.
_OTHER = ("other", "all other")


@dataclass(frozen=True, eq=False)
class ColumnParts:
    """The parts of a column of texts.

    Attributes
    ----------
    names : tuple of str
        Of each part.
    lookup : ndarray of int64
        The part of each label of the column; `NAN_PART` for one that means a missing value.
    """

    names: tuple[str, ...]
    lookup: NDArray

    def of(self, values: NDArray) -> NDArray:
        """Return the part of each row from the position of its label."""
        parts: NDArray = self.lookup[values.astype(np.int64)]
        return parts


def column_parts(part: Slice, columns: Mapping[str, DataColumn]) -> ColumnParts | None:
    """Return the parts of a slice by a column of texts; None for any other slice.

    The texts with the most rows in the whole data have parts of their own, `Slice.largest`
    of them, in ascending order; of two with equally many rows the first one comes first.

    Examples
    --------
    >>> fruit = DataColumn.of(np.array(["fig", "nut", "fig", "nut", "fig", "oat", "pea"]))
    >>> column_parts(Slice("f", "column.fruit", largest=2), {"fruit": fruit}).names
    ('fig', 'nut', 'other')
    """
    column = columns.get(part.column) if part.column else None
    if column is None or not column.holds_texts:
        return None
    if part.bins:
        raise ArgumentError(
            f"slice {part.name!r}: the column {part.column!r} holds texts, and bins are edges "
            f"between numbers, got {list(part.bins)}: leave bins out."
        )
    known = [code for code, label in enumerate(column.labels) if not is_missing(label)]
    shown = known
    # One text alone is named, and is no "other".
    if len(known) > part.largest + 1:
        most = sorted(known, key=lambda code: -int(column.counts[code]))
        shown = sorted(most[: part.largest])
    names = tuple(column.labels[code] for code in shown)
    lookup = np.full(len(column.labels), NAN_PART, np.int64)
    lookup[known] = len(shown)
    lookup[shown] = np.arange(len(shown))
    if len(shown) < len(known):
        names = (*names, _OTHER[_OTHER[0] in names])
    return ColumnParts(names, lookup)
