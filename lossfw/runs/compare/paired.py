"""Paired differences of two runs on the same rows, with intervals.

Two runs on the same rows have correlated errors. The interval of a difference therefore
comes from the difference itself, computed for many choices of folds, the same
choices for both runs (`lossfw.evaluation.intervals.by_fold`). Whether two separate
intervals overlap says little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lossfw.errors import LossfwError
from lossfw.evaluation.intervals.by_fold import interval_of
from lossfw.evaluation.intervals.folds import FOLDS, fold_of
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.resampling import Estimates
from lossfw.metrics import Metric, MetricRows
from lossfw.numerics.arrays import NDArray
from lossfw.runs.compare.finished import LOSS, FinishedRun
from lossfw.runs.rows import RowRecords

# A metric of the written rows agrees with that of the run up to the rounding of float32; a
# number that is farther off was computed from something else.
_SAME = 1e-4

_ANYWHERE = (-np.inf, np.inf)


class Estimated(NamedTuple):
    """A loss or a metric of all rows, with its values for other choices of folds.

    For `estimates` see `lossfw.evaluation.intervals.by_fold.interval_of`. `bounds` are the
    least and the largest value that it can have, and `counted` the folds with rows that count,
    of those that `estimates` takes.
    """

    value: NDArray
    estimates: Estimates
    bounds: tuple[float, float]
    counted: NDArray


@dataclass(eq=False)
class RunWithRows:
    """A run with its rows, sorted by number, and its metrics by their names in its results.

    The loss is among the metrics. For a part of the rows, `whole` has all of them, and `cells`
    the folds that they have among all.
    """

    run: FinishedRun
    rows: RowRecords
    metrics: Mapping[str, Metric]
    whole: RunWithRows | None = None
    cells: NDArray | None = None
    _known: dict[str, Estimated | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cells = self.cells
        if cells is None:
            # The rows of a group are in the fold of the first, as in an evaluation.
            begins = self.rows.begins
            cells = fold_of(np.repeat(begins, np.diff(begins, append=len(self.rows.row))))
        present = np.unique(cells)
        self.folds = len(present)
        # From the number of a fold to its place among the folds that have rows.
        self._place = np.zeros(FOLDS, np.int64)
        self._place[present] = np.arange(len(present))
        self._cells = cells
        # The metrics whose number is that of the rows without their weights.
        self._unweighted: set[str] = set()

    def part(self, chosen: NDArray) -> RunWithRows:
        """Return the rows at these places as a run of their own, in the folds that they have."""
        rows = self.rows.take(chosen)
        return RunWithRows(self.run, rows, self.metrics, self, self._cells[chosen])

    def estimated(self, name: str) -> Estimated | None:
        """Return a loss or a metric, None if the rows do not reproduce its number."""
        if name not in self._known:
            whole = self.whole
            self._known[name] = self._agreeing(name) if whole is None else self._like(whole, name)
        return self._known[name]

    def weight_of(self, name: str) -> NDArray | None:
        """Return the weights of the rows in a loss or a metric; None where all are equal."""
        whole = self.whole or self
        whole.estimated(name)
        return None if name in whole._unweighted else self.rows.weight

    def _agreeing(self, name: str) -> Estimated | None:
        reported = self.run.numbers[name].value
        # The written weights may be those of the loss only.
        weights = [self.rows.weight] if self.rows.weight is None else [self.rows.weight, None]
        for weight in weights:
            found = self._estimated(name, weight)
            if found is not None and _agree(found.value, reported):
                if weight is None:
                    self._unweighted.add(name)
                return found
        return None

    def _like(self, whole: RunWithRows, name: str) -> Estimated | None:
        """Return the number of a part of the rows, computed as that of all of them is."""
        if whole.estimated(name) is None:
            return None
        return self._estimated(name, self.weight_of(name))

    def _estimated(self, name: str, weight: NDArray | None) -> Estimated | None:
        try:
            with np.errstate(all="ignore"):
                return self._loss() if name == LOSS else self._metric(name, weight)
        except (LossfwError, KeyError, NotImplementedError):
            return None

    def _loss(self) -> Estimated:
        begins = self.rows.begins if self.rows.of_groups else np.arange(len(self.rows.row))
        weight = np.ones(len(begins)) if self.rows.weight is None else self.rows.weight[begins]
        weighted = np.where(weight > 0, weight * self.rows.loss[begins], 0.0)
        place = self._place[self._cells[begins]]
        sums = [np.bincount(place, part, self.folds) for part in (weighted, weight)]

        def estimates(times: NDArray) -> NDArray:
            total, count = ((times * part).sum(axis=1) for part in sums)
            return np.asarray(total / count)

        bounds = self.metrics[LOSS].bounds if LOSS in self.metrics else _ANYWHERE
        counted = np.flatnonzero(np.bincount(place, weight > 0, self.folds))
        mean = np.asarray(weighted.sum() / weight.sum())
        return Estimated(mean, estimates, bounds, counted)

    def _metric(self, name: str, weight: NDArray | None) -> Estimated:
        metric, rows = self.metrics[name], self.rows
        group = None
        if metric.takes_groups:
            begins = rows.begins
            group = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(rows.row)))
        seen = MetricRows(rows.prediction, rows.target, sample_weight=weight, group=group)
        terms = metric.observe(seen).terms
        assert terms is not None
        sums = terms.table(self._cells)
        by_fold = sums.with_cells(self._place[sums.cells])
        return Estimated(
            metric.estimate(sums),
            lambda times: metric.estimates(by_fold, times),
            metric.bounds,
            np.unique(by_fold.cells),
        )


def _agree(value: NDArray, reported: Any) -> bool:
    try:
        expected = np.array(reported, np.float64)
    except (TypeError, ValueError):
        return False
    return value.shape == expected.shape and bool(
        np.allclose(value, expected, rtol=_SAME, atol=_SAME**2, equal_nan=True)
    )


def own_interval(run: RunWithRows, name: str, options: Intervals) -> Any:
    """Return the interval of a loss or a metric of one run, None if it is not defined."""
    one = run.estimated(name)
    if one is None:
        return None
    estimates = _of_counted(one.estimates, one.counted, run.folds)
    return interval_of(estimates, len(one.counted), one.value, options, one.bounds)


def paired_interval(one: RunWithRows, base: RunWithRows, name: str, options: Intervals) -> Any:
    """Return the interval of the difference of two runs on the same rows, or None.

    A difference that is the same for every choice of rows has no interval.
    """
    mine, theirs = one.estimated(name), base.estimated(name)
    if mine is None or theirs is None or mine.value.shape != theirs.value.shape:
        return None
    with np.errstate(invalid="ignore"):
        difference = mine.value - theirs.value
    counted = np.union1d(mine.counted, theirs.counted)
    estimates = _of_counted(
        lambda times: mine.estimates(times) - theirs.estimates(times), counted, one.folds
    )
    return interval_of(estimates, len(counted), difference, options)


def _of_counted(estimates: Estimates, counted: NDArray, folds: int) -> Estimates:
    """Return the estimates as a function of the folds that count, as an evaluation has them."""

    def of_counted(times: NDArray) -> NDArray:
        whole = np.ones((len(times), folds))
        whole[:, counted] = times
        return estimates(whole)

    return of_counted
