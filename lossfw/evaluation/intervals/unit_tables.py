"""The sums by unit of all results of an evaluation, for differences between runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lossfw.evaluation.intervals.unit_sums import UnitSums
from lossfw.metrics.cell_sums import CellSums


class NumberTable(NamedTuple):
    """The sums of a number by unit, and the moments of a mean over independent rows."""

    sums: UnitSums
    moments: CellSums | None = None


class UnitTables(NamedTuple):
    """The sums by unit of the loss and the metrics of an evaluation.

    Attributes
    ----------
    sizes : UnitSums
        The sizes of the units, in rows.
    group_sizes : UnitSums or None
        The sizes in groups, for a loss or metrics of groups.
    loss : NumberTable
    metrics : mapping of str to NumberTable
        By name.
    """

    sizes: UnitSums
    group_sizes: UnitSums | None
    loss: NumberTable
    metrics: Mapping[str, NumberTable]

    def sizes_for(self, table: UnitSums, *, takes_groups: bool) -> UnitSums:
        """Return the sizes of the units in a table of sums."""
        by_group = takes_groups and table.rest is None and self.group_sizes is not None
        found = self.group_sizes if by_group else None
        return self.sizes if found is None else found
