"""Accumulator of one metric: sums of all rows, and of each unit and slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lossfw.data import DataColumn
from lossfw.errors import ArgumentError
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.intervals.apart import have_shared_groups, shared_group_terms
from lossfw.evaluation.intervals.found import EstimatedInterval
from lossfw.evaluation.intervals.freedom import size_terms
from lossfw.evaluation.intervals.interval import metric_interval
from lossfw.evaluation.intervals.moments import moment_sums
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.unit_keys import hashed_numbers
from lossfw.evaluation.intervals.unit_sums import (
    KEY_BITS,
    LEAST_BITS,
    NO_LIMIT,
    TableLimits,
    UnitCells,
    UnitSums,
)
from lossfw.evaluation.intervals.unit_tables import NumberTable
from lossfw.evaluation.merge_stack import MergeStack, pack_stacks, restore_stack
from lossfw.evaluation.slice_parts import SliceParts
from lossfw.evaluation.slices import BY_CLASS, Slice
from lossfw.metrics import Metric, MetricRows, MetricUpdate, ScoreMetric
from lossfw.metrics.cell_sums import CellSums, RowTerms, SumTerm
from lossfw.numerics.arrays import NDArray

# The sums of a part's size: how many rows, and their weight.
_COUNT, _WEIGHT = 0, 1
_SIZE_SUMS = 2


# All tables of units together hold no more sums than this, some 60 bytes each, unless they have
# many parts or places of their own.
_MOST_SUMS = 2**18
_FEWEST_SUMS = 2**10
# Those of scores: units with some tens of scores each, of fewer units where that is too much.
_SUMS_OF_SCORES = 2**14
_FEWEST_OF_SCORES, _FEWER_BITS = 2**12, 6


class SliceCells:
    """The cells of rows: their unit, and their part in each slice.

    Units are for intervals; without `PredictedBatch.unit` each row is a unit. With `logits` the
    loss takes these, and predictions must also be given. With `by_group`, losses are those of
    groups. `columns` are those of the data, in the order of `PredictedBatch.columns`. `metrics`
    is the number of tables of sums.
    """

    def __init__(
        self,
        slices: Sequence[Slice],
        *,
        with_units: bool,
        logits: bool = False,
        by_group: bool = False,
        columns: Mapping[str, DataColumn] | None = None,
        classes: Sequence[str] = (),
        metrics: int = 1,
    ) -> None:
        self.slices, self.with_units = tuple(slices), with_units
        self._labels = tuple(classes)
        self._columns = {name: place for place, name in enumerate(columns or ())}
        self._parts = [SliceParts(part, columns) for part in self.slices]
        self._logits, self._by_group = logits, by_group
        self.most_sums = max(_FEWEST_SUMS, _MOST_SUMS // ((metrics + 1) * (len(slices) + 1)))
        # The units of the rows at hand, and the parts of each table: None for all rows.
        self._units = UnitCells.of(np.zeros(0, np.uint64))
        self.splits: list[NDArray | None] = []
        self._sizes = [MergeStack() for _ in self.slices]
        # The sizes of units, of rows and of groups of them, for all rows and for each slice.
        self._unit_sizes = [MergeStack() for _ in range(2 * self.tables)]
        self._classes = 0

    @property
    def is_needed(self) -> bool:
        """Whether there are units or slices."""
        return self.with_units or bool(self.slices)

    @property
    def tables(self) -> int:
        """The number of tables of sums per metric: of all rows, with units, and of slices."""
        return self.with_units + len(self.slices)

    def units(self, bits: int) -> UnitCells:
        """Return the units of the current rows, of at most so many bits."""
        return self._units.with_bits(bits)

    def assign_cells(self, rows: PredictedBatch) -> None:
        """Find the cells of some rows, which remain until the next call."""
        if not self.is_needed:
            return
        count = len(rows.targets)
        keys = np.zeros(count, np.uint64)
        if self.with_units:
            numbers = np.arange(rows.start, rows.start + count)
            keys = hashed_numbers(numbers) if rows.unit is None else rows.unit
        self._units = UnitCells.of(keys)
        self.splits = [None] if self.with_units else []
        weight = _row_weights(rows.sample_weight, count)
        if self.slices:
            self._count_parts(rows, weight)
        if self.with_units:
            self._count_units(rows, weight)

    def _count_parts(self, rows: PredictedBatch, weight: NDArray) -> None:
        seen = rows.loss_input if rows.predictions is None else rows.predictions
        if seen.ndim == rows.targets.ndim + 1:
            self._classes = seen.shape[-1]
        assert rows.losses is not None
        for index, part in enumerate(self.slices):
            if self._logits and rows.predictions is None and part.takes_predictions:
                raise ArgumentError(
                    f"slice {part.name!r} is by {part.by}, which needs predictions, but there are "
                    "only logits: give predictions, or leave the slice out."
                )
            column = self._column(part, rows)
            losses = rows.losses
            if self._by_group:
                assert rows.group is not None
                losses = losses[rows.group - rows.group[0]]
            parts = self._parts[index].number_rows(
                seen, rows.targets, losses, weight, rows.start, column
            )
            _refuse_split_groups(part, parts, rows)
            counts = weight > 0
            self._parts[index].named_parts(np.unique(parts[counts]).tolist())  # refuses too many
            self.splits.append(parts)
            self._sizes[index].push(_part_sizes(parts, weight, counts))

    def _count_units(self, rows: PredictedBatch, weight: NDArray) -> None:
        """Add the sizes of the units of some rows: the sums of weights, and of their squares."""
        if not self._by_group and rows.weights is not None:
            # Those of the losses: class weights and masks are in them.
            weight = rows.weights
        counted = [np.flatnonzero(weight > 0)]
        if rows.group is not None:
            counted.append(rows.group_begins[weight[rows.group_begins] > 0])
        limit = TableLimits(sums=self.most_sums)
        for kind, own in enumerate(counted):
            of_units = size_terms(own, weight[own])
            for stack, parts in zip(self._unit_sizes[kind::2], self.splits, strict=True):
                push_units(stack, of_units, self.units, parts, limit)

    def unit_sizes(self, table: int, *, of_groups: bool) -> UnitSums | None:
        """Return the sizes of the units in a table of `splits`, in groups or in rows."""
        found = self._unit_sizes[2 * table + 1].merge_all() if of_groups else None
        found = self._unit_sizes[2 * table].merge_all() if found is None else found
        sizes: UnitSums | None = found
        return sizes

    def named_parts(self, index: int) -> list[tuple[int, str]]:
        """Return the parts of a slice with their names."""
        sizes = self._sizes[index].merge_all()
        found = [] if sizes is None else np.unique(sizes.cells).tolist()
        if self.slices[index].by in BY_CLASS:
            return self._parts[index].named_parts(found, self._classes, self._labels)
        return self._parts[index].named_parts(found)

    def _column(self, part: Slice, rows: PredictedBatch) -> NDArray | None:
        """Return the values of the data's column that a slice is by, if it is by one."""
        if not part.column:
            return None
        if part.column not in self._columns or rows.columns is None:
            raise ArgumentError(f"slice {part.name!r}: the data have no column {part.column!r}.")
        values: NDArray = rows.columns[:, self._columns[part.column]]
        return values

    def size(self, index: int, number: int) -> tuple[int, float]:
        """Return the number of rows of a part, and their weight."""
        sizes = self._sizes[index].merge_all()
        if sizes is None:
            return 0, 0.0
        own = sizes.take(sizes.cells == number).pool_cells()
        count, weight = own.to_table(own.table.to_floats())[0].tolist()
        return int(count), weight

    def merge(self, other: SliceCells) -> None:
        """Add the sizes of the parts of other rows."""
        self._classes = max(self._classes, other._classes)
        for own, more in zip(
            [*self._sizes, *self._unit_sizes], [*other._sizes, *other._unit_sizes], strict=True
        ):
            own.merge(more)

    def pack(self) -> dict[str, NDArray]:
        """Return the sizes of parts as plain arrays."""
        arrays = {"classes": np.array(self._classes)}
        units = {f"units{i}": stack for i, stack in enumerate(self._unit_sizes)}
        return arrays | pack_stacks({str(i): stack for i, stack in enumerate(self._sizes)} | units)

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Continue from the arrays of `pack`."""
        self._classes = int(arrays["classes"])
        for index, stack in enumerate(self._sizes):
            restore_stack(stack, str(index), arrays, CellSums)
        for index, stack in enumerate(self._unit_sizes):
            restore_stack(stack, f"units{index}", arrays, UnitSums)


class MetricAccumulator:
    """The sums of one metric: of all rows, and of each unit and slice.

    With `moments`, rows are units, and the interval of a mean follows from its moments.
    """

    def __init__(self, metric: Metric, cells: SliceCells, *, moments: bool = False) -> None:
        self.metric, self._cells = metric, cells
        self._partials = MergeStack()
        self._tables = [MergeStack() for _ in range(cells.tables)]
        has_moments = moments and cells.with_units and metric.is_mean
        self._moments = [MergeStack() for _ in range(cells.tables)] if has_moments else []
        # The sums of units do not have all scores; these have, for the numbers themselves.
        has_scores = cells.with_units and isinstance(metric, ScoreMetric)
        self._exact = [MergeStack() for _ in range(cells.tables)] if has_scores else []
        sums = cells.most_sums if cells.with_units else NO_LIMIT
        few = has_scores and sums < _SUMS_OF_SCORES
        self._limit = TableLimits(
            metric.most_units,
            max(sums, _FEWEST_OF_SCORES) if few else sums,
            _FEWER_BITS if few else LEAST_BITS,
        )

    def add(self, update: MetricUpdate, rows: MetricRows) -> None:
        """Add the update of the current rows."""
        if update.partial is not None:
            self._partials.push(update.partial)
        if update.terms is None:
            return
        if update.partial is None and not self._cells.with_units:
            self._partials.push(update.terms.table(None))
        units = self._cells.units(KEY_BITS)
        apart = (
            self._cells.with_units and self.metric.takes_groups and have_shared_groups(rows, units)
        )
        for stack, parts in zip(self._tables, self._cells.splits, strict=True):
            if apart:
                terms, cells, rest = shared_group_terms(
                    self.metric, rows, update.terms, units, parts
                )
                stack.push(UnitSums.of(terms, cells, parts, self._limit, rest))
            else:
                push_units(stack, update.terms, self._cells.units, parts, self._limit)
        moments = None
        for stack, parts in reversed(list(zip(self._moments, self._cells.splits, strict=False))):
            # The sums of all rows, which come last, are those of the parts of any slice together.
            if parts is None and moments is not None:
                moments = moments.pool_cells()
            else:
                moments = moment_sums(update.terms, parts)
            stack.push(moments)
        for stack, parts in zip(self._exact, self._cells.splits, strict=False):
            stack.push(update.terms.table(parts))

    def partial(self) -> Any:
        """Return the partial of all rows."""
        kept = (self._exact[0] if self._exact else self._partials).merge_all()
        if kept is not None or not self._cells.with_units:
            return kept
        units: UnitSums | None = self._tables[0].merge_all()
        return None if units is None else units.total()

    def overall_result(
        self, intervals: Intervals | None
    ) -> tuple[dict[str, Any], EstimatedInterval | None]:
        """Return the result of all rows with interval and curve, and the interval's units."""
        partial = self.partial()
        number: dict[str, Any] = {"value": self.metric.result(partial)}
        found = None
        if intervals is not None:
            table = self._tables[0].merge_all()
            moments = self._moments[0].merge_all() if self._moments else None
            found = metric_interval(
                self.metric, table, self._sizes(0, table), number["value"], intervals, moments
            )
            number |= found.to_dict()
        curve = self.metric.curve(partial)
        return (number if curve is None else {**number, "curve": curve}), found

    def slice_result(self, index: int, number: int, intervals: Intervals | None) -> dict[str, Any]:
        """Return the result of a part of the rows, with its interval; None if it is empty."""
        place = self._cells.with_units + index
        sums: UnitSums | None = self._tables[place].merge_all()
        own = None if sums is None else sums.part_sums(number)
        if own is None or not len(own.sums.table):
            return {"value": None} if intervals is None else {"value": None, "interval": None}
        total = self._exact[place].merge_all().take_cell(number) if self._exact else own.total()
        found: dict[str, Any] = {"value": self.metric.from_sums(total).tolist()}
        if intervals is not None:
            sizes, moments = self._sizes(place, own), None
            if self._moments:
                moments = self._moments[place].merge_all().take_cell(number)
            sizes = sizes and sizes.part_sums(number)
            found |= metric_interval(
                self.metric, own, sizes, found["value"], intervals, moments
            ).to_dict()
        return found

    def units(self) -> NumberTable | None:
        """Return the sums of all rows by unit; None without intervals."""
        if not self._cells.with_units or self._tables[0].merge_all() is None:
            return None
        moments = self._moments[0].merge_all() if self._moments else None
        return NumberTable(self._tables[0].merge_all(), moments)

    def _sizes(self, table: int, sums: UnitSums | None) -> UnitSums | None:
        whole_groups = self.metric.takes_groups and sums is not None and sums.rest is None
        return self._cells.unit_sizes(table, of_groups=whole_groups)

    def merge(self, other: MetricAccumulator) -> None:
        """Add the sums over other rows."""
        more = other._stacks()
        for name, stack in self._stacks().items():
            stack.merge(more[name])

    def pack(self) -> dict[str, NDArray]:
        """Return everything as plain arrays."""
        return pack_stacks(self._stacks())

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Continue from the arrays of `pack`."""
        for name, stack in self._stacks().items():
            maker = UnitSums if name.startswith("table") else CellSums
            restore_stack(stack, name, arrays, self.metric if name == "partial" else maker)

    def _stacks(self) -> dict[str, MergeStack]:
        stacks = {"partial": self._partials}
        stacks |= {f"table{index}": stack for index, stack in enumerate(self._tables)}
        stacks |= {f"moments{index}": stack for index, stack in enumerate(self._moments)}
        return stacks | {f"exact{index}": stack for index, stack in enumerate(self._exact)}


def push_units(
    stack: MergeStack,
    terms: RowTerms,
    units: Callable[[int], UnitCells],
    parts: NDArray | None,
    limit: TableLimits,
) -> None:
    """Add terms to a table of units, with the table's number of bits."""
    there: UnitSums | None = stack.first
    bits = KEY_BITS if there is None else there.bits
    stack.push(UnitSums.of(terms, units(bits), parts, limit))


def _refuse_split_groups(by: Slice, parts: NDArray, rows: PredictedBatch) -> None:
    """Raise if a slice has rows of a group in different parts."""
    if rows.group is None:
        return
    split = (np.diff(parts) != 0) & (np.diff(rows.group) == 0)
    if split.any():
        row = rows.start + int(np.argmax(split))
        raise ArgumentError(
            f"slice {by.name!r}: {by.by} tells the rows {row} and {row + 1} of one group; slice by "
            "a column that has one value in each group."
        )


def _row_weights(weight: NDArray | None, rows: int) -> NDArray:
    """Return the weight of each row, its elements' together."""
    if weight is None:
        return np.ones(rows)
    sums: NDArray = weight.reshape(rows, -1).sum(axis=1, dtype=np.float64)
    return sums


def _part_sizes(parts: NDArray, weight: NDArray, counts: NDArray) -> CellSums:
    """Return how many rows are in each part and their weight, of the rows that count."""
    rows = np.flatnonzero(counts)
    place = np.zeros(len(rows), np.int64)
    terms = [(place + _COUNT, np.ones(len(rows))), (place + _WEIGHT, weight[rows])]
    return RowTerms.of(1, _SIZE_SUMS, rows, [SumTerm(*term) for term in terms]).table(parts)
