"""Probabilities that a standard random variable is between two numbers, to full precision."""

from lossfw_std.intervals.base import IntervalEnds, StandardDistribution
from lossfw_std.intervals.by_name import DISTRIBUTIONS
from lossfw_std.intervals.extreme import EXTREME
from lossfw_std.intervals.logistic import LOGISTIC
from lossfw_std.intervals.normal import NORMAL

__all__ = ["DISTRIBUTIONS", "EXTREME", "LOGISTIC", "NORMAL", "IntervalEnds", "StandardDistribution"]
