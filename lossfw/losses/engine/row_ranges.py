"""Row ranges: the rows in a partial, by their global numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.numerics.arrays import NDArray


@dataclass(frozen=True, slots=True)
class RowRanges:
    """Sets of consecutive rows that do not touch each other, in ascending order.

    A span is the first row of a set, and the row after its last.

    Examples
    --------
    >>> RowRanges.single(0, 3).merge(RowRanges.single(3, 5)).merge(RowRanges.single(8, 9)).spans
    ((0, 5), (8, 9))
    """

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def single(cls, start: int, stop: int) -> RowRanges:
        """Return the rows from `start` to `stop`, excluding `stop`."""
        return cls(((start, stop),) if stop > start else ())

    @property
    def count(self) -> int:
        """Number of rows."""
        return sum(stop - start for start, stop in self.spans)

    def merge(self, other: RowRanges) -> RowRanges:
        """Return the rows of both; a row in both would count twice and raises `ArgumentError`."""
        if not self.spans or not other.spans:
            return self if self.spans else other
        joined: list[tuple[int, int]] = []
        for start, stop in sorted((*self.spans, *other.spans)):
            if joined and start < joined[-1][1]:
                raise ArgumentError(
                    f"row {start} is in both partials: give each "
                    "partial the number of its first row as start=, and merge each one once."
                )
            if joined and start == joined[-1][1]:
                start = joined.pop()[0]
            joined.append((start, stop))
        return RowRanges(tuple(joined))

    def gaps(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return the ranges between `start` and `stop` that are missing.

        Examples
        --------
        >>> RowRanges(((2, 5), (7, 9))).gaps(0, 8)
        [(0, 2), (5, 7)]
        """
        gaps = []
        for first, last in self.spans:
            if start < min(first, stop):
                gaps.append((start, min(first, stop)))
            start = max(start, last)
        return [*gaps, (start, stop)] if start < stop else gaps

    def pack(self) -> NDArray:
        """Return the ranges as an array of shape (n, 2), for `unpack`."""
        return np.array(self.spans, np.int64).reshape(-1, 2)

    @classmethod
    def unpack(cls, array: NDArray) -> RowRanges:
        """Return the ranges that were packed."""
        return cls(tuple((int(start), int(stop)) for start, stop in array))


_NO_ROWS = RowRanges()


@dataclass(frozen=True, slots=True)
class PartialOrigin:
    """The component that made a partial (empty if unknown), and the rows in it."""

    component: str = ""
    rows: RowRanges = _NO_ROWS

    def merge(self, other: PartialOrigin) -> PartialOrigin:
        """Return the origin of the rows of both; raise `ArgumentError` for different components."""
        if self.component and other.component and self.component != other.component:
            raise ArgumentError(
                f"partials of {self.component} and of {other.component} cannot be merged."
            )
        return PartialOrigin(self.component or other.component, self.rows.merge(other.rows))

    def pack(self) -> dict[str, NDArray]:
        """Return the origin as plain arrays, for `unpack`."""
        return {"of": np.frombuffer(self.component.encode(), np.uint8), "rows": self.rows.pack()}

    @classmethod
    def unpack(cls, arrays: Mapping[str, NDArray]) -> PartialOrigin:
        """Return the origin that was packed."""
        return cls(arrays["of"].tobytes().decode(), RowRanges.unpack(arrays["rows"]))


# Of a partial that has seen nothing, or whose maker is not known.
NOWHERE = PartialOrigin()
