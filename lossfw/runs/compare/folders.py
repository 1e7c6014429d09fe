"""Compare the runs in folders, or the trainings in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lossfw.components.plugin_choice import Plugins
from lossfw.errors import ArgumentError
from lossfw.evaluation.slices import Slice
from lossfw.runs.compare.compare import compare
from lossfw.runs.compare.comparison import Comparison
from lossfw.runs.compare.finished_run import find_runs
from lossfw.runs.compare.trainings import TrainingComparison, find_trainings


def compare_folders(
    paths: Sequence[Path],
    plugins: Plugins,
    *,
    level: float | None = None,
    side_by_side: bool = False,
    by: Slice | None = None,
) -> tuple[Comparison | TrainingComparison, list[str]]:
    """Compare the runs or the trainings in folders, and return messages about unfinished ones.

    For parameters see `compare` and `find_runs`.

    Raises
    ------
    ArgumentError
        If there are both, fewer than two, or runs of different data.
    DataError
        If a folder holds neither, or a file is damaged.
    """
    trainings, rest, told = find_trainings(paths)
    if (trainings or told) and rest:
        raise ArgumentError(
            f"{rest[0]} holds no training, and other folders do: compare trainings with trainings, "
            "and runs with runs."
        )
    if trainings or told:
        if by is not None:
            raise ArgumentError("--by tells rows apart, and trainings keep none: compare runs.")
        _need_two("trainings", len(trainings), told)
        return TrainingComparison.of(trainings, level), told
    runs, left_out = find_runs(paths, plugins)
    _need_two("runs", len(runs), left_out)
    return compare(runs, level=level, side_by_side=side_by_side, by=by), left_out


def _need_two(what: str, count: int, left_out: Sequence[str]) -> None:
    """Refuse to compare too few, with the reason why others are left out."""
    if count < 2 and left_out:
        raise ArgumentError(
            f"a comparison needs at least two {what}, got {count}: {'; '.join(left_out)}."
        )
