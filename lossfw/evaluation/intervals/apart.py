"""Units that share a group: the sums of the group without each of them.

A loss or a metric of groups uses the rows of a group together, such as all their pairs. If a group
has rows of several units, the terms of a unit are the difference that it makes: the sums of the
group minus those recomputed without the unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lossfw.errors import LossfwError
from lossfw.evaluation.intervals.unit_sums import UnitCells
from lossfw.metrics import LossMetric, Metric, MetricRows
from lossfw.metrics.cell_sums import CellSums, RowTerms, SumTerm
from lossfw.numerics.arrays import NDArray

# A group is computed anew for each of its units, of which at most so many are kept apart.
MOST_UNITS = 128
# So many bits of a key are tried first: some units of most groups share fewer.
_FIRST_BITS = 16


class SharedGroupTerms(NamedTuple):
    """The terms of units that share groups, their cells, and the remaining terms of the groups."""

    terms: RowTerms
    cells: UnitCells
    rest: CellSums


def have_shared_groups(rows: MetricRows, cells: UnitCells) -> bool:
    """Tell whether a group has rows of several units."""
    group = rows.group
    return group is not None and bool(((np.diff(cells.place) != 0) & (np.diff(group) == 0)).any())


def shared_group_terms(
    metric: Metric, rows: MetricRows, terms: RowTerms, cells: UnitCells, parts: NDArray | None
) -> SharedGroupTerms:
    """Return the terms of each unit in each group; `parts` has the part of each row."""
    begins = np.flatnonzero(np.diff(rows.group, prepend=-1))
    spans = list(zip(begins.tolist(), [*begins[1:].tolist(), len(cells.place)], strict=True))
    while any(_count_units(cells, *span) > MOST_UNITS for span in spans):
        cells = cells.with_bits(min(cells.bits - 1, _FIRST_BITS))
    n_sums, first, sums, rest = terms.n_sums, list[int](), list[NDArray](), list[NDArray]()
    for start, stop in spans:
        own = np.arange(start, stop)
        whole = _sums_of_rows(metric, rows, own, n_sums)
        units, begin = np.unique(cells.place[own], return_index=True)
        less = [whole]
        if len(units) > 1:
            less = [
                whole - _sums_of_rows(metric, rows, own[cells.place[own] != u], n_sums)
                for u in units
            ]
        difference = np.stack(less)
        if isinstance(metric, LossMetric) and len(units) > 1:
            # A loss of a group may grow with its rows; without each unit it is on average itself.
            difference -= difference.mean(axis=0)
        first += (start + begin).tolist()
        sums.append(difference)
        rest.append(whole - difference.sum(axis=0))
    return SharedGroupTerms(
        _to_terms(terms, np.array(first, np.int64), np.concatenate(sums)),
        cells,
        _to_terms(terms, begins, np.stack(rest)).table(parts),
    )


def _count_units(cells: UnitCells, start: int, stop: int) -> int:
    return len(np.unique(cells.place[start:stop]))


def _sums_of_rows(metric: Metric, rows: MetricRows, own_rows: NDArray, n_sums: int) -> NDArray:
    """Return the sums of some rows of one group, 0 where nothing counts."""
    if not len(own_rows):
        return np.zeros(n_sums)
    prediction, target, start, weight, where, *_ = rows
    some = MetricRows(
        prediction[own_rows],
        target[own_rows],
        start,
        None if weight is None else weight[own_rows],
        None if where is None else where[own_rows],
        np.zeros(len(own_rows), np.int64),
    )
    try:
        terms = metric.observe(some).terms
    except LossfwError:
        return np.zeros(n_sums)
    assert terms is not None
    return np.bincount(terms.sum_index, terms.values, n_sums)


def _to_terms(template: RowTerms, rows: NDArray, sums: NDArray) -> RowTerms:
    every = [SumTerm(np.full(len(rows), place), sums[:, place]) for place in range(template.n_sums)]
    return RowTerms.of(template.columns, template.n_sums, rows, every)
