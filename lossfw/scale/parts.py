"""Parts: the rows of a plan, cut at multiples of its blocks, one part for each task."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lossfw.data.lazy_arrays import RowArray
from lossfw.evaluation.plan import Plan
from lossfw.losses.engine.row_ranges import RowRanges

# Parts for each thread of the cluster: with fewer, the others wait for the last one.
_PARTS_PER_SLOT = 4
# Bytes that a part reads at most: it is what a worker that dies has to read again.
_PART_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Cut:
    """The cut of a plan's rows into parts.

    Attributes
    ----------
    rows : int
        Rows of a part; the last one may be smaller.
    row_bytes : int
        Bytes of data that a row reads.
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


def cut(plan: Plan, slots: int, seen: RowRanges | None = None) -> Cut:
    """Cut the rows of a plan that were not seen yet.

    Parameters
    ----------
    plan : Plan
        The plan.
    slots : int
        Threads of the cluster, together.
    seen : RowRanges, optional
        The rows that were seen before.

    Returns
    -------
    Cut
    """
    per_row, block = _row_bytes(plan), plan.block_rows
    even = math.ceil(plan.count / max(1, _PARTS_PER_SLOT * slots))
    rows = max(1, min(even, _PART_BYTES // per_row))
    rows = math.ceil(rows / block) * block
    gaps = (seen or RowRanges()).gaps(0, plan.count)
    parts = [
        (start, min(start + rows, stop))
        for first, stop in gaps
        for start in range(first, stop, rows)
    ]
    return Cut(rows, per_row, tuple(parts))


def arrays_of(plan: Plan) -> Iterator[RowArray]:
    """Yield the arrays of a plan's rows."""
    data = plan.data
    for array in (data.inputs, data.targets, data.sample_weight, plan.outputs):
        if array is not None:
            yield array


def _row_bytes(plan: Plan) -> int:
    return sum(
        max(1, math.prod(array.shape[1:]) * array.dtype.itemsize) for array in arrays_of(plan)
    )
