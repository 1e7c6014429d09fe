"""Metrics that are not means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

import lossfw
from lossfw.evaluation.intervals.apart import have_shared_groups, shared_group_terms
from lossfw.evaluation.intervals.freedom import size_terms
from lossfw.evaluation.intervals.options import Intervals
from lossfw.evaluation.intervals.paired import MeasuredNumber, difference_interval
from lossfw.evaluation.intervals.unit_keys import hashed_numbers
from lossfw.evaluation.intervals.unit_sums import UnitCells, UnitSums
from lossfw.evaluation.intervals.units import Units
from lossfw.metrics import MetricRows
from support.calibration.setting import LEVEL, Outcome, Setting


def of_metric(metric, predictions, targets, keys, group=None) -> MeasuredNumber:
    """Return a metric by the sums that an evaluation keeps."""
    rows = MetricRows(predictions, targets, group=group)
    terms, cells, rest = metric.observe(rows).terms, UnitCells.of(keys), None
    counted = np.arange(len(targets))
    if have_shared_groups(rows, cells):
        terms, cells, rest = shared_group_terms(metric, rows, terms, cells, None)
    elif group is not None:
        counted = np.flatnonzero(np.diff(group, prepend=-1))
    table = UnitSums.of(terms, cells, rest=rest)
    sizes = UnitSums.of(size_terms(counted, np.ones(len(counted))), UnitCells.of(keys))
    return MeasuredNumber(metric, metric.from_sums(table.total()), table, sizes)


class Models(NamedTuple):
    """The predictions of two equally good models, with targets, units and groups."""

    predictions: tuple[np.ndarray, np.ndarray]
    targets: np.ndarray
    unit: np.ndarray
    group: np.ndarray | None = None


def metric_star(metric, draw) -> Callable:
    """Return the comparison of two models by a metric."""
    asked = Intervals(LEVEL, resample=Units("column", "who"))

    def compared(random):
        models = draw(random)
        keys = hashed_numbers(models.unit)
        one, base = (
            of_metric(metric, each, models.targets, keys, models.group)
            for each in models.predictions
        )
        ends = difference_interval(one, base, asked).interval
        return Outcome(ends is not None and not ends[0] <= 0 <= ends[1])

    return compared


def _noise(random, rows, clusters, who):
    """Return noise of rows, 0.7 of whose variance their cluster has in common."""
    own = random.normal(0, 1, rows)
    if not clusters:
        return own
    return np.sqrt(0.7) * random.normal(0, 1, clusters)[who] + np.sqrt(0.3) * own


def _who(rows, clusters):
    return np.repeat(np.arange(clusters), rows // clusters) if clusters else np.arange(rows)


def _logistic(z):
    return 1 / (1 + np.exp(-z))


def classes(rows, clusters):
    """Return a draw of probabilities and classes."""
    who = _who(rows, clusters)

    def draw(random):
        z = random.normal(0, 1.5, rows)
        if clusters:
            z = 1.2 * random.normal(0, 1, clusters)[who] + 0.9 * random.normal(0, 1, rows)
        targets = (random.random(rows) < _logistic(z - 1)).astype(float)
        noise = (_noise(random, rows, clusters, who) for _ in range(2))
        return Models(tuple(_logistic(z - 1 + one) for one in noise), targets, who)

    return draw


def numbers(rows, clusters):
    """Return a draw of predicted numbers."""
    who = _who(rows, clusters)

    def draw(random):
        z = random.normal(0, 1.5, rows)
        targets = z + _noise(random, rows, clusters, who)
        made = tuple(z + 0.5 * _noise(random, rows, clusters, who) for _ in range(2))
        return Models(made, targets, who)

    return draw


def queries(rows, clusters):
    """Return a draw of queries of ten rows: how well a user's are ranked depends on the user."""
    group = np.arange(rows) // 10
    who = group if not clusters else _who(rows // 10, clusters)[group]

    def draw(random):
        z = random.normal(0, 1, rows)
        targets = np.clip(np.round(z + 1), 0, 3)
        made = []
        for _ in range(2):
            spread = np.exp(0.8 * random.normal(0, 1, clusters))[who] if clusters else 1.0
            made.append(z + spread * random.normal(0, 1, rows))
        return Models(tuple(made), targets, who, group)

    return draw


def survival(rows, clusters):
    """Return a draw of risks and times, of which some are censored: all rows are one group."""
    who = _who(rows, clusters)
    units = clusters or rows

    def draw(random):
        z = random.normal(0, 1, units)[who]
        time, end = np.exp(-z) * random.exponential(1, rows), random.exponential(3, rows)
        targets = np.stack([np.minimum(time, end), time <= end], axis=1)
        made = tuple(z + random.normal(0, 1, units)[who] for _ in range(2))
        return Models(made, targets, who, np.zeros(rows, np.int64))

    return draw


# By metric: the models, its parameters, and rows, clusters and percentage before of settings.
METRICS = {
    "accuracy": (classes, {}, ((100, 0, 4.2), (1000, 0, 5.5), (1000, 40, 9.2))),
    "f1": (classes, {"average": "macro"}, ((100, 0, 4.2), (1000, 0, 6.0), (1000, 40, 10.8))),
    "roc_auc": (classes, {}, ((100, 0, 3.8), (1000, 0, 7.5), (1000, 40, 13.8))),
    "average_precision": (classes, {}, ((100, 0, 2.5), (1000, 40, 11.2))),
    "r2": (numbers, {}, ((100, 0, 3.8), (1000, 0, 3.8), (1000, 40, 60.5))),
    "rmse": (numbers, {}, ((100, 0, 5.2), (1000, 0, 3.8), (1000, 40, 60.8))),
    "quantile_coverage": (numbers, {}, ((100, 0, 4.8), (1000, 0, 5.2), (1000, 40, 46.8))),
    "ndcg": (queries, {"k": 5}, ((300, 0, 5.2), (2000, 0, 4.2), (2000, 40, 25.8))),
    "concordance": (survival, {}, ((100, 0, None), (400, 40, None))),
}


def metrics() -> Iterator[Setting]:
    for name, (draw, parameters, sizes) in METRICS.items():
        for rows, clusters, before in sizes:
            counted = "queries" if draw is queries else "rows"
            units = f"{clusters} clusters" if clusters else counted
            made = metric_star(lossfw.metric(name, **parameters), draw(rows, clusters))
            yield Setting(f"{name}, {rows:,} rows by {units}", made, before)
