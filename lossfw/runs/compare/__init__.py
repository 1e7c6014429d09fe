"""Compare runs: differing settings, and differences of results, paired by row."""

from lossfw.runs.compare.compare import compare
from lossfw.runs.compare.comparison import ComparedSlice, Comparison, Difference
from lossfw.runs.compare.finished_run import (
    FinishedRun,
    RunNumber,
    find_runs,
    is_run,
    read_finished_run,
)
from lossfw.runs.compare.folders import compare_folders
from lossfw.runs.compare.trainings import FinishedTraining, TrainingComparison, find_trainings

__all__ = [
    "ComparedSlice",
    "Comparison",
    "Difference",
    "FinishedRun",
    "FinishedTraining",
    "RunNumber",
    "TrainingComparison",
    "compare",
    "compare_folders",
    "find_runs",
    "find_trainings",
    "is_run",
    "read_finished_run",
]
