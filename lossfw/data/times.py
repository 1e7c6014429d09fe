"""Columns of times: numbers in any unit, or dates, which count days."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from lossfw.data.columns import DataColumn
from lossfw.numerics.arrays import NDArray

_MICROSECONDS_A_DAY = 86_400e6


class NotTimesError(Exception):
    """The strings of a column are not dates in one format; `what` and `hint` say which and why."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what}; {hint}")
        self.what, self.hint = what, hint


class Times:
    """The times of the rows of a column.

    Raises
    ------
    NotTimesError
        If the column has strings that are not dates, or dates in several formats: a filter compares
        strings alphabetically, which would not be the order of time.

    Examples
    --------
    >>> column = DataColumn.of(np.array(["2026-01-31", "2026-02-02", "2026-01-31"]))
    >>> Times(column).of(np.asarray(column.values)).tolist()
    [20484.0, 20486.0, 20484.0]
    """

    def __init__(self, column: DataColumn) -> None:
        self._of_label: NDArray | None = None
        if column.holds_strings:
            known = [label is not None for label in column.labels_or_none]
            self._of_label = np.full(len(column.labels), np.nan)
            self._of_label[known] = _parse_dates(
                [label for label in column.labels_or_none if label is not None]
            )

    def of(self, values: NDArray) -> NDArray:
        """Return the times of rows, NaN for a missing one."""
        if self._of_label is None:
            return values
        times: NDArray = self._of_label[values.astype(np.int64)]
        return times


def _parse_dates(labels: Sequence[str]) -> NDArray:
    """Return dates in days."""
    with warnings.catch_warnings():
        # NumPy would add an offset such as +02:00 and warn; then the order of texts is another.
        warnings.simplefilter("error", UserWarning)
        try:
            dates = np.array([label.removesuffix("Z") for label in labels], "datetime64[us]")
        except (ValueError, UserWarning):
            raise NotTimesError(
                f"has strings, such as {labels[0]!r}; expected numbers or dates",
                "write dates as 2026-01-31 or 2026-01-31T08:00, with or without a trailing Z",
            ) from None
    days: NDArray = dates.astype(np.int64) / _MICROSECONDS_A_DAY
    falls = np.flatnonzero(np.diff(days) <= 0)
    if falls.size:
        place = int(falls[0])
        raise NotTimesError(
            f"has dates in different formats: {labels[place]!r}, {labels[place + 1]!r}",
            "write all of them like 2026-01-31, or all like 2026-01-31T08:00",
        )
    return days
