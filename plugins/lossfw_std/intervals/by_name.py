"""The distributions of the logarithm of a time, by the names that losses use."""

from lossfw_std.intervals.base import StandardDistribution
from lossfw_std.intervals.extreme import EXTREME
from lossfw_std.intervals.logistic import LOGISTIC
from lossfw_std.intervals.normal import NORMAL

DISTRIBUTIONS: dict[str, StandardDistribution] = {
    "normal": NORMAL,
    "logistic": LOGISTIC,
    "extreme": EXTREME,
}
