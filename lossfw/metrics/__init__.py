"""Metrics: measures of predictions that merge from partial sums.

A metric is reported; a loss is learnt from, and reported too where it stands
among the metrics. The kinds fix the functions that an author writes: `RowMetric`
and `ElementMetric` are means of a number that each row or element has, `SumMetric`
is a function of a few sums over the rows, and `ScoreMetric` one of sums that are
kept apart by a score, by which rows are ranked.
"""

from lossfw.losses.inputs import Arguments, as_array, prepare
from lossfw.metrics.base import Mergeable, Metric, MetricRows, MetricUpdate, RowwiseMetric
from lossfw.metrics.cell_sums import CellSums, Term
from lossfw.metrics.engine_body import MetricBody
from lossfw.metrics.means import ElementMetric, LossMetric, RowMetric
from lossfw.metrics.sums import ScoreMetric, SumMetric

__all__ = [
    "Arguments",
    "CellSums",
    "ElementMetric",
    "LossMetric",
    "Mergeable",
    "Metric",
    "MetricBody",
    "MetricRows",
    "MetricUpdate",
    "RowMetric",
    "RowwiseMetric",
    "ScoreMetric",
    "SumMetric",
    "Term",
    "as_array",
    "prepare",
]
