"""Whether rows that intervals treat as independent are alike: neighbours, or rows of one value.

For neighbours, the mean square of their differences is compared with the variance of all losses: it
is twice as large for independent rows. Each block of rows adds its own sums, which do not depend on
the batches; pairs across blocks are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lossfw.data import DataColumn
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.intervals.left_out import LEAST_UNITS
from lossfw.evaluation.intervals.unit_keys import ColumnKeys
from lossfw.evaluation.intervals.unit_sums import KEY_BITS, UnitCells, UnitSums
from lossfw.evaluation.merge_stack import MergeStack, pack_stacks, restore_stack
from lossfw.metrics import SumTerm
from lossfw.metrics.cell_sums import RowTerms
from lossfw.metrics.exact_sums import ExactSums
from lossfw.numerics.arrays import NDArray

# The sums: rows, pairs of neighbours and squares of their differences; then of losses, and of their
# roots, the sum, the squares about the mean of a block, and the squares of the sum of a block over
# its rows.
_ROWS, _PAIRS, _STEPS, _LOSSES, _ROOTS = 0, 1, 2, 3, 6
_PLACES = 9
# Neighbours are judged by this root of the losses, with their sign: a few large losses say nothing.
_ROOT = 0.25
# Rows are called alike from this correlation on, and where chance gives it less than once in
# 10,000 times.
_LEAST_ALIKE = 0.1
_SURE = 4.0
# Widths that differ by less are not worth a warning.
_LEAST_FACTOR = 1.25


class NeighbourSums:
    """The sums over losses of rows that show whether neighbours are alike."""

    def __init__(self) -> None:
        self._table = ExactSums.of(np.arange(_PLACES)[:, np.newaxis], np.zeros(_PLACES))

    def add(self, losses: NDArray) -> None:
        """Add the losses of a block of neighbouring rows."""
        losses = losses[np.isfinite(losses)]
        if not len(losses):
            return
        roots, sums = np.copysign(np.abs(losses) ** _ROOT, losses), np.zeros(_PLACES)
        with np.errstate(all="ignore"):
            sums[_ROWS], sums[_PAIRS] = len(losses), len(losses) - 1
            sums[_STEPS] = np.square(np.diff(roots)).sum()
            for first, values in ((_LOSSES, losses), (_ROOTS, roots)):
                total = values.sum()
                within = np.square(values - total / len(values)).sum()
                sums[first : first + 3] = total, within, total * total / len(values)
        self._table = self._table.merge(ExactSums.of(np.arange(_PLACES)[:, np.newaxis], sums))

    def merge(self, other: NeighbourSums) -> None:
        """Add the sums over other rows."""
        self._table = self._table.merge(other._table)

    def pack(self) -> dict[str, NDArray]:
        """Return the sums as plain arrays."""
        return self._table.pack()

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Continue from the arrays of `pack`."""
        self._table = ExactSums.unpack(arrays)

    def squares(self, first: int = _LOSSES) -> tuple[float, float]:
        """Return how many rows there are, and the sum of the squares about their mean."""
        sums = self._table.to_floats()
        total, within, of_blocks = sums[first : first + 3]
        with np.errstate(all="ignore"):
            between = of_blocks - total**2 / sums[_ROWS]
            return float(sums[_ROWS]), float(within + max(between, 0.0))

    def neighbours(self) -> float:
        """Return the correlation of neighbouring rows; 0 if it is small or could be chance."""
        sums, (rows, squares) = self._table.to_floats(), self.squares(_ROOTS)
        if sums[_PAIRS] < 2 or not np.isfinite(squares) or squares <= 0:
            return 0.0
        alike = 1.0 - sums[_STEPS] / sums[_PAIRS] / (2 * squares / rows)
        return float(alike) if alike > max(_LEAST_ALIKE, _SURE / sums[_PAIRS] ** 0.5) else 0.0


class RowCorrelations:
    """Whether the rows of an evaluation are alike: neighbours, and those of `watched_columns`."""

    def __init__(self, columns: Mapping[str, DataColumn], watched_columns: Sequence[str]) -> None:
        places = {name: place for place, name in enumerate(columns)}
        self._columns = {
            name: (places[name], ColumnKeys(columns[name].labels), MergeStack())
            for name in watched_columns
            if name in columns
        }
        self._sums = NeighbourSums()

    def add(self, rows: PredictedBatch) -> None:
        """Add the losses of some rows."""
        losses = rows.losses
        assert losses is not None
        counts = np.isfinite(losses)
        if rows.weights is not None:
            counts &= rows.weights > 0
        losses = losses[counts]
        self._sums.add(losses)
        for place, keys, stack in self._columns.values():
            assert rows.columns is not None
            key, known = keys.known_keys(rows.columns[counts, place])
            own, zero = losses[known], np.zeros(len(key), np.int64)
            terms = [SumTerm(zero, own), SumTerm(zero + 1, np.ones(len(own)))]
            numbers = np.arange(len(key))
            stack.push(UnitSums.of(RowTerms.of(1, 2, numbers, terms), UnitCells.of(key)))

    def merge(self, other: RowCorrelations) -> None:
        """Add the sums over other rows."""
        self._sums.merge(other._sums)
        for name, (_, _, stack) in self._columns.items():
            stack.merge(other._columns[name][2])

    def pack(self) -> dict[str, NDArray]:
        """Return the sums as plain arrays."""
        return self._sums.pack() | pack_stacks(self._stacks())

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Continue from the arrays of `pack`."""
        self._sums.unpack(arrays)
        for name, stack in self._stacks().items():
            restore_stack(stack, name, arrays, UnitSums)

    def _stacks(self) -> dict[str, MergeStack]:
        return {f"column{n}": stack for n, (_, _, stack) in enumerate(self._columns.values())}

    def neighbours(self) -> float:
        """Return the correlation of neighbouring rows; see `NeighbourSums.neighbours`."""
        return self._sums.neighbours()

    def columns(self) -> list[tuple[str, ColumnCorrelation]]:
        """Return the columns whose rows with one value are alike."""
        found = []
        for name, (_, _, stack) in self._columns.items():
            table: UnitSums | None = stack.merge_all()
            alike = None if table is None else column_correlation(table, *self._sums.squares())
            found += [] if alike is None else [(name, alike)]
        return found


class ColumnCorrelation(NamedTuple):
    """How alike the rows of one value of a column are.

    `correlation` is that within a value, `values` the number of values, and `factor` the factor
    by which intervals of rows are too narrow.
    """

    correlation: float
    values: int
    factor: float


def column_correlation(table: UnitSums, rows: float, squares: float) -> ColumnCorrelation | None:
    """Return how alike rows of one value are.

    It is None if they are not, or if it is unknown. For each value, `table` has the sums of the
    losses and of ones over its rows; `squares` is the sum of squares of all losses about their
    mean. This is a one-way analysis of variance.
    """
    sums, values = table.numbered_sums
    if table.bits < KEY_BITS or not LEAST_UNITS <= values <= rows / 2 or not np.isfinite(squares):
        return None
    total, count = sums.to_table(sums.table.to_floats(), values).T
    centred = total - total.sum() / rows * count
    between = float((centred**2 / count).sum())
    mean_between, mean_within = between / (values - 1), (squares - between) / (rows - values)
    if mean_within <= 0 or mean_between <= mean_within * (1 + _SURE * (2 / (values - 1)) ** 0.5):
        return None
    size = (rows - float((count**2).sum()) / rows) / (values - 1)
    correlation = (mean_between - mean_within) / (mean_between + (size - 1) * mean_within)
    factor = (values / (values - 1) * float((centred**2).sum()) / squares) ** 0.5
    if correlation <= 0 or factor < _LEAST_FACTOR:
        return None
    return ColumnCorrelation(float(correlation), values, factor)
