"""Comparison of runs: what differs in configuration and in result, paired by row."""

from lossfw.runs.compare.compare import compare
from lossfw.runs.compare.comparison import Comparison, Difference
from lossfw.runs.compare.finished_run import Number, Ran, find_runs, is_run, read_ran

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
