"""Whether two runs can be paired: the same rows, targets, groups and weights in both."""

from __future__ import annotations

import numpy as np

from lossfw.config.schema.checked import require
from lossfw.evaluation.intervals.freedom import size_of
from lossfw.evaluation.intervals.unit_sums import UnitSums, align_tables
from lossfw.evaluation.predictor import squeeze_column
from lossfw.numerics.arrays import NDArray
from lossfw.runs.compare.paired import RunWithRows, RunWithSums, RunWithUnits

# Weights are written as float64, and only their ratios count.
_SAME_WEIGHT = 1e-9


def difference_of_rows(one: RunWithRows, other: RunWithRows) -> str:
    """Return why the rows of two runs cannot be paired; empty if they can.

    The rows are sorted by number (`RowRecords.sorted_by_number`); rows of a group stay together.
    """
    mine, theirs = one.rows, other.rows
    if not np.array_equal(np.sort(mine.row), np.sort(theirs.row)):
        return "rows"
    # A fold of an interval has whole groups, so the folds of other groups have other rows.
    if not (
        np.array_equal(mine.group_starts, theirs.group_starts)
        and np.array_equal(mine.row, theirs.row)
    ):
        return "groups"
    # A model of one output has targets (n, 1), where saved outputs (n,) have (n,).
    same = np.array_equal(squeeze_column(mine.target), squeeze_column(theirs.target))
    return "" if same else "targets"


def have_same_units(one: RunWithSums, other: RunWithSums) -> bool:
    """Tell whether the sums of two runs have the same units."""
    mine, theirs = align_tables(one.stored.tables.sizes, other.stored.tables.sizes)
    return one.units == other.units and np.array_equal(mine.present_units, theirs.present_units)


def have_same_weights(one: RunWithUnits, other: RunWithUnits, name: str) -> bool:
    """Tell whether a loss or a metric has the same row weights in two runs with the same rows.

    Otherwise it is measured on two populations, and the difference is not one of the models. A
    number that the rows do not reproduce has unknown weights, and has no interval anyway.
    """
    if one.estimate_metric(name) is None or other.estimate_metric(name) is None:
        return True
    if isinstance(one, RunWithSums) or isinstance(other, RunWithSums):
        return _have_same_sizes(*(require(run.estimate_metric(name)).sizes for run in (one, other)))
    mine, theirs = (
        _relative_weights(run.weight_of(name), len(run.rows.row)) for run in (one, other)
    )
    return np.allclose(mine, theirs, rtol=_SAME_WEIGHT, atol=0, equal_nan=True)


def _have_same_sizes(one: UnitSums, other: UnitSums) -> bool:
    """Tell whether each unit has the same fraction of all weights."""
    mine, theirs = align_tables(one, other)
    if not np.array_equal(mine.present_units, theirs.present_units):
        return False
    first, second = (size_of(sizes, sizes.present_units)[0] for sizes in (mine, theirs))
    return np.allclose(
        _relative_weights(first, 0), _relative_weights(second, 0), rtol=_SAME_WEIGHT, atol=0
    )


def _relative_weights(weight: NDArray | None, count: int) -> NDArray:
    """Return the weight of each row as a fraction of the mean weight."""
    if weight is None:
        return np.ones(count)
    with np.errstate(invalid="ignore"):
        return np.asarray(weight / weight.mean())
