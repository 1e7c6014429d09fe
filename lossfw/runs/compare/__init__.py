"""Comparison of runs: what differs in configuration and in result, paired by row."""

from lossfw.runs.compare.compare import compare
from lossfw.runs.compare.comparison import Comparison, Difference
from lossfw.runs.compare.finished_run import FinishedRun, RunNumber, find_runs, is_run, read_ran

__all__ = [
    "Comparison",
    "Difference",
    "FinishedRun",
    "RunNumber",
    "compare",
    "find_runs",
    "is_run",
    "read_ran",
]
