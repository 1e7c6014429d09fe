"""Compare runs: differing settings, and differences of results, paired by row."""

from lossfw.runs.compare.best import BestRun
from lossfw.runs.compare.compare import compare, compare_folders, winner_of
from lossfw.runs.compare.comparison import ComparedSlice, Comparison, TrainingComparison
from lossfw.runs.compare.finished import (
    FinishedRun,
    FinishedTraining,
    RunNumber,
    find_runs,
    find_trainings,
    is_run,
    read_finished_run,
)

__all__ = [
    "BestRun",
    "ComparedSlice",
    "Comparison",
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
    "winner_of",
]
