"""Comparison of runs: what differs in configuration and in result, paired by row."""

from lossfw.compare.compare import compare
from lossfw.compare.comparison import Comparison, Difference
from lossfw.compare.ran import Number, Ran, find_runs, is_run, read_ran

__all__ = [
    "Comparison",
    "Difference",
    "Number",
    "Ran",
    "compare",
    "find_runs",
    "is_run",
    "read_ran",
]
