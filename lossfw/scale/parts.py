"""Parts: the rows of a plan, split at block multiples or groups, one part per task."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lossfw.data.lazy_arrays import RowArray, read_starts_of
from lossfw.evaluation.plan import Plan
from lossfw.losses.engine.row_ranges import RowRanges
from lossfw.numerics.arrays import NDArray

# Parts for each thread of the cluster: with fewer, the others wait for the last one.
_PARTS_PER_SLOT = 4
# Bytes that a part reads at most: it is what a worker that dies has to read again.
_PART_BYTES = 256 * 2**20
# Blocks of a part at most whose rows are written: they come back with its state, and each takes
# some megabytes.
_WRITTEN_BLOCKS = 16


@dataclass(frozen=True)
class PartCut:
    """The cut of a plan's rows into parts.

    Attributes
    ----------
    rows : int
        Number of rows per part. Parts of a file that can only be read from certain rows on differ.
    row_bytes : int
        Bytes of data per row.
    parts : tuple of (int, int)
        First row, and row after the last.
    """

    rows: int
    row_bytes: int
    parts: tuple[tuple[int, int], ...]

    @property
    def bytes_read(self) -> int:
        """Bytes of data that all parts read."""
        return self.row_bytes * sum(stop - start for start, stop in self.parts)


def cut_rows(plan: Plan, slots: int, done_rows: RowRanges | None = None) -> PartCut:
    """Split the remaining rows of a plan for `slots` threads of a cluster."""
    per_row, block = _bytes_per_row(plan), plan.block_rows
    even = math.ceil(plan.count / max(1, _PARTS_PER_SLOT * slots))
    rows = max(1, min(even, _PART_BYTES // per_row))
    if plan.rows:
        rows = min(rows, _WRITTEN_BLOCKS * block)
    rows = math.ceil(rows / block) * block
    entries = _block_starts(plan, block)
    if len(entries) < slots:  # too few: rather some rows are read twice
        entries = np.zeros(0, np.int64)
    gaps = (done_rows or RowRanges()).gaps(0, plan.count)
    edges = [_edges(*gap, rows, entries) for gap in gaps]
    if plan.groups is not None:
        # A group is in the part in which it begins.
        edges = [sorted({*map(plan.groups.next_group_start, some)}) for some in edges]
    return PartCut(rows, per_row, tuple(part for some in edges for part in pairwise(some)))


def _block_starts(plan: Plan, block: int) -> NDArray:
    """Return the first blocks behind the rows at which the files of a plan can be entered.

    A part that begins there skips less than a block of rows that another part reads.
    """
    found = [entries for array in arrays_of(plan) if (entries := read_starts_of(array)) is not None]
    rows = np.concatenate([np.zeros(0, np.int64), *found])
    # The rows of a sample lie anywhere.
    return np.unique(-(-rows // block) * block) if plan.sample is None else rows[:0]


def _edges(start: int, stop: int, rows: int, block_starts: NDArray) -> list[int]:
    """Return the edges of parts of about so many rows, at entries where there are any."""
    edges = [start]
    while edges[-1] + rows < stop:
        edge = edges[-1] + rows
        if len(block_starts):
            beyond = block_starts[block_starts > edges[-1] + rows // 2]
            edge = int(beyond[0]) if len(beyond) else stop
        edges.append(min(edge, stop))
    return [*edges, stop] if edges[-1] < stop else edges


def arrays_of(plan: Plan) -> Iterator[RowArray]:
    """Yield the arrays of a plan's rows."""
    data = plan.data
    for array in (data.inputs, data.targets, data.sample_weight, plan.outputs):
        if array is not None:
            yield array


def _bytes_per_row(plan: Plan) -> int:
    return sum(
        max(1, math.prod(array.shape[1:]) * array.dtype.itemsize) for array in arrays_of(plan)
    )
