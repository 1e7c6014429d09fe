"""Compare runs: differing settings, and differences of results, paired by row."""

from lossfw.runs.compare.compare import compare
from lossfw.runs.compare.comparison import Comparison, Difference
from lossfw.runs.compare.finished_run import (
    FinishedRun,
    RunNumber,
    find_runs,
    is_run,
    read_finished_run,
)

__all__ = [
    "Comparison",
    "Difference",
    "FinishedRun",
    "RunNumber",
    "compare",
    "find_runs",
    "is_run",
    "read_finished_run",
]
