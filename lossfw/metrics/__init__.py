"""Metrics: measures of predictions that merge from partial sums.

A metric is reported; a loss is learnt from, and reported too where it stands
among the metrics. The kinds fix what an author writes: `RowMetric` and
`ElementMetric` are means of something that each row or element has,
`SumMetric` is a function of a few sums over the rows, and `ScoreMetric` one of
sums that are kept apart by a number, of which rows are ranked.
"""

from lossfw.metrics.base import Mergeable, Metric, MetricUpdate
from lossfw.metrics.grouped_sums import Term
from lossfw.metrics.means import ElementMetric, LossMetric, RowMetric
from lossfw.metrics.sums import ScoreMetric, SumMetric

__all__ = [
    "ElementMetric",
    "LossMetric",
    "Mergeable",
    "Metric",
    "MetricUpdate",
    "RowMetric",
    "ScoreMetric",
    "SumMetric",
    "Term",
]
