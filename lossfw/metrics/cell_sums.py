"""Exact sums of metric terms, one set of sums per cell (fold and slice).

A metric is a function of a few sums over rows, to which each row adds terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.losses.engine.packing import pack_parts, unpack_part
from lossfw.losses.engine.row_ranges import NOWHERE, PartialOrigin
from lossfw.metrics.exact_sums import ExactSums, from_ordered_keys, to_ordered_keys
from lossfw.numerics.arrays import NDArray


class SumTerm(NamedTuple):
    """The values that rows add to the sums, one per row.

    Attributes
    ----------
    sum_index : ndarray of int, shape (N,)
        The index of the sum that each row adds to, from 0.
    values : ndarray of float64, shape (N,)
        The numbers to add.
    scores : ndarray of float64, shape (N,), optional
        The score of each row, for a metric that ranks rows.
    """

    sum_index: NDArray
    values: NDArray
    scores: NDArray | None = None


class RowTerms(NamedTuple):
    """All terms that some rows add to the sums of a metric."""

    # Columns of the predictions.
    columns: int
    # Number of sums.
    n_sums: int
    # The row of each term, the first one being 0, (E,).
    rows: NDArray
    # As in `SumTerm`.
    sum_index: NDArray
    values: NDArray
    scores: NDArray | None

    @classmethod
    def of(cls, columns: int, n_sums: int, rows: NDArray, terms: Iterable[SumTerm]) -> RowTerms:
        """Return the terms of rows without those that add 0, but at least one term per row.

        A row whose terms all add 0 still counts as a row, for a mean and for the intervals.
        """
        every = list(terms)
        sum_index, values = (
            np.concatenate([np.asarray(term[i], dtype) for term in every])
            for i, dtype in ((0, np.int64), (1, np.float64))
        )
        adding: Any = values != 0
        if adding.all():
            adding = slice(None)  # views in place of copies
        else:
            adding[: len(rows)] |= ~adding.reshape(len(every), -1).any(axis=0)
        scores = None
        if every[0].scores is not None:
            scores = np.concatenate([term.scores for term in every])[adding]
        rows = np.tile(rows, len(every))[adding]
        return cls(columns, n_sums, rows, sum_index[adding], values[adding], scores)

    def table(self, cells: NDArray | None) -> CellSums:
        """Return the sums per cell; `cells` (N,) has that of each row, None puts all in cell 0."""
        cell = 0 if cells is None else cells[self.rows] * self.n_sums
        keys = (self.sum_index + cell)[:, np.newaxis]
        if self.scores is not None:
            scores = to_ordered_keys(self.scores.astype(np.float64, copy=False))
            keys = np.column_stack([keys, scores])
        # The first value alone tells most others from a count.
        is_count = self.values[:1].tolist() == [1.0] and bool((self.values == 1.0).all())
        sums = ExactSums.of(keys, None if is_count else self.values)
        return CellSums(self.columns, self.n_sums, sums)


@dataclass(frozen=True, eq=False, slots=True)
class CellSums:
    """Sums of a metric over some rows, per cell.

    Attributes
    ----------
    columns : int
        Columns of the predictions.
    n_sums : int
        Number of sums of each cell.
    table : ExactSums
        By cell times `n_sums` plus the index of the sum, and by the key of the score where
        there are scores.
    origin : PartialOrigin
        The metric with its parameters, and the rows so far, if known.
    """

    columns: int
    n_sums: int
    table: ExactSums
    origin: PartialOrigin = NOWHERE

    def merge(self, other: CellSums) -> CellSums:
        """Return the sums over the rows of both.

        Raises
        ------
        ArgumentError
            If they are of different metrics or shapes, or have a row in common.
        """
        origin = self.origin.merge(other.origin)
        if (self.columns, self.n_sums) != (other.columns, other.n_sums):
            raise ArgumentError(
                f"partials of predictions with {self.columns} and with {other.columns} columns "
                "cannot be merged."
            )
        return CellSums(self.columns, self.n_sums, self.table.merge(other.table), origin)

    def pack(self) -> dict[str, NDArray]:
        """Return the sums as plain arrays, for `unpack`."""
        shape = {"shape": np.array([self.columns, self.n_sums])}
        return shape | self.table.pack() | pack_parts(origin=self.origin)

    @classmethod
    def unpack(cls, arrays: Mapping[str, NDArray]) -> CellSums:
        """Return the sums that were packed."""
        columns, n_sums = map(int, arrays["shape"])
        return cls(
            columns,
            n_sums,
            ExactSums.unpack(arrays),
            PartialOrigin.unpack(unpack_part("origin", arrays)),
        )

    @property
    def cells(self) -> NDArray:
        """The cell of each sum."""
        cells: NDArray = self.table.keys[:, 0] // self.n_sums
        return cells

    @property
    def sum_index(self) -> NDArray:
        """The index of each sum among those of its cell."""
        index: NDArray = self.table.keys[:, 0] % self.n_sums
        return index

    @property
    def scores(self) -> NDArray:
        """The score of each sum, for a metric with scores."""
        return from_ordered_keys(self.table.keys[:, 1])

    def with_cells(self, cells: NDArray) -> CellSums:
        """Return the sums with new cells; sums of the same index in one cell are added."""
        keys = self.table.keys.copy()
        keys[:, 0] = cells * self.n_sums + self.sum_index
        return CellSums(self.columns, self.n_sums, self.table.with_keys(keys))

    def pool_cells(self) -> CellSums:
        """Return the sums over all cells."""
        return self.with_cells(np.zeros(len(self.table), np.int64))

    def take(self, mask: NDArray) -> CellSums:
        """Return some of the sums."""
        return CellSums(self.columns, self.n_sums, self.table.take(mask))

    def take_cell(self, cell: int) -> CellSums:
        """Return the sums of one cell, as cell 0."""
        return self.take(self.cells == cell).pool_cells()

    def with_numbered_cells(self) -> tuple[CellSums, int]:
        """Return the sums with their cells numbered from 0, and how many cells there are."""
        found, number = np.unique(self.cells, return_inverse=True)
        return self.with_cells(number.astype(np.int64)), len(found)

    def to_table(self, values: NDArray, cells: int = 1) -> NDArray:
        """Return one number per sum as an array of shape (cells, n_sums)."""
        full = np.zeros((cells, self.n_sums))
        full[self.cells, self.sum_index] = values
        return full
