"""Accumulator of one metric: sums of all rows, and of each fold and slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lossfw.data import DataColumn
from lossfw.errors import ArgumentError
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.intervals.folds import FOLDS, fold_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.merge_stack import MergeStack, pack_stacks, restore
from lossfw.evaluation.slice_parts import SliceParts
from lossfw.evaluation.slices import BY_CLASS, Slice
from lossfw.metrics import Metric, MetricUpdate
from lossfw.metrics.cell_sums import CellSums, RowTerms, Term
from lossfw.numerics.arrays import NDArray

# The sums of a part's size: how many rows, and their weight.
_COUNT, _WEIGHT = 0, 1
_SIZE_SUMS = 2


class SliceCells:
    """The cells that rows belong to: their fold, and their part in each slice.

    Folds are for intervals. With `logits`, these reach the loss: then predictions must come beside
    them. With `by_group`, losses are those of groups. `columns` are those of the data, in
    the order of `PredictedBatch.columns`.
    """

    def __init__(
        self,
        slices: Sequence[Slice],
        *,
        with_folds: bool,
        logits: bool = False,
        by_group: bool = False,
        columns: Mapping[str, DataColumn] | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        self.slices, self.with_folds = tuple(slices), with_folds
        self._labels = tuple(classes)
        self._columns = {name: place for place, name in enumerate(columns or ())}
        self._parts = [SliceParts(part, columns) for part in self.slices]
        self.folds = FOLDS if with_folds else 1
        self._logits, self._by_group = logits, by_group
        # The cell of each row at hand: among all rows, and in each slice.
        self.all: NDArray | None = None
        self.each: list[NDArray] = []
        self._sizes = [MergeStack() for _ in self.slices]
        self._classes = 0

    @property
    def is_needed(self) -> bool:
        """Whether there are folds or slices."""
        return self.with_folds or bool(self.slices)

    def assign_cells(self, rows: PredictedBatch) -> None:
        """Find the cells of some rows, which `all` and `each` hold until the next ones come."""
        if not self.is_needed:
            return
        count = len(rows.targets)
        # The rows of a group belong together: they are in the fold of the first.
        first = np.arange(rows.start, rows.start + count)
        if rows.group is not None:
            first = first[rows.group_begins][rows.group - rows.group[0]]
        fold = fold_of(first)
        self.all = fold if self.with_folds else None
        if not self.slices:
            return
        fold = fold if self.with_folds else np.zeros(count, np.int64)
        weight = _row_weights(rows.sample_weight, count)
        seen = rows.loss_input if rows.predictions is None else rows.predictions
        if seen.ndim == rows.targets.ndim + 1:
            self._classes = seen.shape[-1]
        assert rows.losses is not None
        self.each = []
        for index, part in enumerate(self.slices):
            if self._logits and rows.predictions is None and part.takes_predictions:
                raise ArgumentError(
                    f"slice {part.name!r} is by {part.by}, which takes predictions, and there are "
                    "only logits: give predictions, or leave it out."
                )
            column = self._column(part, rows)
            losses = rows.losses
            if self._by_group:
                assert rows.group is not None
                losses = losses[rows.group - rows.group[0]]
            parts = self._parts[index].number_rows(
                seen, rows.targets, losses, weight, rows.start, column
            )
            _refuse_split(part, parts, rows)
            self.each.append(parts * self.folds + fold)
            # A row of weight 0 adds to no sum: its part is there if another row is in it.
            counts = weight > 0
            self._parts[index].names(np.unique(parts[counts]).tolist())  # refuses too many
            self._sizes[index].push(_sizes(parts, weight, counts))

    def named(self, index: int) -> list[tuple[int, str]]:
        """Return the parts of a slice with their names."""
        sizes = self._sizes[index].merged()
        found = [] if sizes is None else np.unique(sizes.cells).tolist()
        if self.slices[index].by in BY_CLASS:
            return self._parts[index].names(found, self._classes, self._labels)
        return self._parts[index].names(found)

    def _column(self, part: Slice, rows: PredictedBatch) -> NDArray | None:
        """Return the values of the data's column that a slice is by, if it is by one."""
        if not part.column:
            return None
        if part.column not in self._columns or rows.columns is None:
            raise ArgumentError(f"slice {part.name!r}: the data have no column {part.column!r}.")
        values: NDArray = rows.columns[:, self._columns[part.column]]
        return values

    def size(self, index: int, number: int) -> tuple[int, float]:
        """Return how many rows a part has, and their weight."""
        sizes = self._sizes[index].merged()
        if sizes is None:
            return 0, 0.0
        own = sizes.take(sizes.cells == number).pooled()
        count, weight = own.dense(own.table.rounded())[0].tolist()
        return int(count), weight

    def merge(self, other: SliceCells) -> None:
        """Add the sizes of the parts of other rows."""
        self._classes = max(self._classes, other._classes)
        for own, more in zip(self._sizes, other._sizes, strict=True):
            own.take(more)

    def pack(self) -> dict[str, NDArray]:
        """Return the sizes of parts as plain arrays."""
        arrays = {"classes": np.array(self._classes)}
        return arrays | pack_stacks({str(i): stack for i, stack in enumerate(self._sizes)})

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Go on from the arrays of `pack`."""
        self._classes = int(arrays["classes"])
        for index, stack in enumerate(self._sizes):
            restore(stack, str(index), arrays, CellSums)


class MetricAccumulator:
    """The sums of one metric: of all rows, and of each fold and slice."""

    def __init__(self, metric: Metric, cells: SliceCells) -> None:
        self.metric, self._cells = metric, cells
        self._partials, self._all = MergeStack(), MergeStack()
        self._slice_stacks = [MergeStack() for _ in cells.slices]

    def add(self, seen: MetricUpdate) -> None:
        """Add the update of the rows at hand."""
        if seen.partial is not None:
            self._partials.push(seen.partial)
        if seen.terms is None:
            return
        if seen.partial is None or self._cells.with_folds:
            self._all.push(seen.terms.table(self._cells.all))
        for stack, cells in zip(self._slice_stacks, self._cells.each, strict=True):
            stack.push(seen.terms.table(cells))

    def partial(self) -> Any:
        """Return the partial of all rows."""
        kept = self._partials.merged()
        return self._all.merged() if kept is None else kept

    def overall(self, intervals: Intervals | None) -> dict[str, Any]:
        """Return the number of all rows, with its interval and its curve."""
        partial = self.partial()
        found: dict[str, Any] = {"value": self.metric.result(partial)}
        if intervals is not None:
            found["interval"] = _interval(
                self.metric, self._all.merged(), found["value"], intervals
            )
        curve = self.metric.curve(partial)
        return found if curve is None else {**found, "curve": curve}

    def slice_result(self, index: int, number: int, intervals: Intervals | None) -> dict[str, Any]:
        """Return the number of a part of the rows, with its interval; None if it is empty."""
        sums: CellSums | None = self._slice_stacks[index].merged()
        own = None if sums is None else sums.take(sums.cells // self._cells.folds == number)
        if own is None or not len(own.table):
            return {"value": None} if intervals is None else {"value": None, "interval": None}
        found: dict[str, Any] = {"value": self.metric.estimate(own).tolist()}
        if intervals is not None:
            found["interval"] = _interval(self.metric, own, found["value"], intervals)
        return found

    def merge(self, other: MetricAccumulator) -> None:
        """Add the sums over other rows."""
        more = other._stacks()
        for name, stack in self._stacks().items():
            stack.take(more[name])

    def pack(self) -> dict[str, NDArray]:
        """Return everything as plain arrays."""
        return pack_stacks(self._stacks())

    def unpack(self, arrays: Mapping[str, NDArray]) -> None:
        """Go on from the arrays of `pack`."""
        for name, stack in self._stacks().items():
            restore(stack, name, arrays, self.metric if name == "partial" else CellSums)

    def _stacks(self) -> dict[str, MergeStack]:
        each = {f"part{index}": stack for index, stack in enumerate(self._slice_stacks)}
        return {"partial": self._partials, "all": self._all, **each}


def _interval(metric: Metric, sums: CellSums, value: Any, intervals: Intervals) -> Any:
    # Imported on use: most evaluations have no intervals.
    from lossfw.evaluation.intervals.by_fold import interval

    return interval(metric, sums, value, intervals)


def _refuse_split(by: Slice, parts: NDArray, rows: PredictedBatch) -> None:
    """Raise if a slice has rows of a group in different parts."""
    if rows.group is None:
        return
    split = (np.diff(parts) != 0) & (np.diff(rows.group) == 0)
    if split.any():
        row = rows.start + int(np.argmax(split))
        raise ArgumentError(
            f"slice {by.name!r}: {by.by} tells the rows {row} and {row + 1} of one group apart; "
            "slice by a column that has one value in each group."
        )


def _row_weights(weight: NDArray | None, rows: int) -> NDArray:
    """Return the weight of each row, its elements' together."""
    if weight is None:
        return np.ones(rows)
    sums: NDArray = weight.reshape(rows, -1).sum(axis=1, dtype=np.float64)
    return sums


def _sizes(parts: NDArray, weight: NDArray, counts: NDArray) -> CellSums:
    """Return how many rows are in each part and their weight, of the rows that count."""
    rows = np.flatnonzero(counts)
    place = np.zeros(len(rows), np.int64)
    terms = [(place + _COUNT, np.ones(len(rows))), (place + _WEIGHT, weight[rows])]
    return RowTerms.of(1, _SIZE_SUMS, rows, [Term(*term) for term in terms]).table(parts)
