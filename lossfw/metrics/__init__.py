"""Metrics: measures of predictions that merge from partial sums.

A metric is only reported; a loss is minimised, and also reported if it is among the metrics. The
kind of a metric determines the functions that an author writes: `RowMetric` and `ElementMetric` are
means of one number per row or element, `SumMetric` is a function of a few sums over rows, and
`ScoreMetric` of sums per score, by which rows are ranked. `GroupMetric` is a mean of one number per
group of rows, and `GroupSumMetric` a function of sums over groups. A parameter of the type
`NestedLoss` takes a loss.
"""

from lossfw.losses.inputs import Arguments, as_array, prepare
from lossfw.losses.nested import NestedLoss
from lossfw.metrics.base import Mergeable, Metric, MetricRows, MetricUpdate, RowwiseMetric
from lossfw.metrics.cell_sums import CellSums, SumTerm
from lossfw.metrics.engine_body import MetricBody
from lossfw.metrics.group_means import GroupMetric
from lossfw.metrics.group_sums import GroupSumMetric
from lossfw.metrics.means import ElementMetric, LossMetric, RowMetric
from lossfw.metrics.sums import ScoreMetric, SumMetric

__all__ = [
    "Arguments",
    "CellSums",
    "ElementMetric",
    "GroupMetric",
    "GroupSumMetric",
    "LossMetric",
    "Mergeable",
    "Metric",
    "MetricBody",
    "MetricRows",
    "MetricUpdate",
    "NestedLoss",
    "RowMetric",
    "RowwiseMetric",
    "ScoreMetric",
    "SumMetric",
    "SumTerm",
    "as_array",
    "prepare",
]
