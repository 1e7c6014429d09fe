"""Finished runs and trainings: their results and configurations, read from their folders."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from lossfw.components.plugin_choice import Plugins
from lossfw.data.selected_rows import digest_of_rows
from lossfw.errors import DataError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.metrics import Metric
from lossfw.models.training.checkpoint import CHECKPOINT_FILE
from lossfw.runs.compare.settings import flatten_settings, read_settings
from lossfw.runs.files import RESULT_FILE, read_json, restore_numbers
from lossfw.runs.folder import (
    CONFIG_FILE,
    ERROR_FILE,
    RECORD_FILE,
    TRAINING_FILE,
    RunFolder,
)
from lossfw.runs.folds import HELD_OUT_FILE, TRAINING_CONFIG_FILE
from lossfw.runs.provenance import plugins_of_run
from lossfw.runs.rows import RowRecords
from lossfw.runs.stored import (
    check_result,
    kept_numbers,
    numbers_of_epoch,
    result_with_numbers,
    unit_name_of,
)
from lossfw.runs.training_folder import unfinished_reason

# The name of the loss among the metrics.
LOSS = "loss"

_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)")

# A plugin file that a folder names is not executed unless its reader says so.
_UNTRUSTED = Plugins(trusted=False)


class RunNumber(NamedTuple):
    """A loss or a metric of a run, or its difference from that of the baseline run.

    Attributes
    ----------
    value : float or nested list of float or None
        None if it is not defined.
    interval : list or None
        Two floats for each float of `value`; None if it was not computed.
    star : {"*", ".", ""} or None
        For a difference: clear among all differences of its measure, clear only by itself, or not;
        None if no star applies.
    p, p_adjusted : float or None
        For a difference: its p-value by itself and adjusted for all others.
    """

    value: Any
    interval: Any = None
    star: str | None = None
    p: float | None = None
    p_adjusted: float | None = None

    @property
    def single(self) -> bool:
        """Whether it is one number."""
        return isinstance(self.value, int | float)

    @property
    def clear(self) -> bool:
        """Whether it is a single number whose interval excludes 0."""
        ends = self.interval
        return bool(isinstance(self.value, float) and ends and (ends[0] > 0 or ends[1] < 0))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and strings, with star and p-values if any."""
        plain = {"value": self.value, "interval": self.interval}
        if self.star is None:
            return plain
        return {**plain, "star": self.star, "p": self.p, "p_adjusted": self.p_adjusted}

    @property
    def mark(self) -> str:
        """The star or dot after the number, with a space before it; empty without one."""
        star = ("*" if self.clear else "") if self.star is None else self.star
        return f" {star}" if star else ""


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A finished run.

    Attributes
    ----------
    name : str
        The shortest unique end of the folder's path.
    path : Path
        The folder.
    result : mapping
        The object of ``metrics.json``, with infinities and NaN as numbers.
    record : mapping
        The object of ``run.json``.
    settings : mapping of str to Any
        The values of ``config.yaml`` by their dotted keys.
    plugins : Plugins
        The plugins that may be used to rebuild its components.
    rows : RowRecords or None
        Its rows, sorted by number, if they were read already.
    scores : mapping of str to Metric
        Further losses and metrics that score its rows; a loss as ``loss``.
    scored_by : str
        The loss that replaces its own, with its parameters; empty for its own.
    """

    name: str
    path: Path
    result: Mapping[str, Any]
    record: Mapping[str, Any]
    settings: Mapping[str, Any]
    plugins: Plugins = _UNTRUSTED
    rows: RowRecords | None = None
    scores: Mapping[str, Metric] = field(default_factory=dict)
    scored_by: str = ""

    @property
    def loss_name(self) -> str:
        """The canonical name of the loss."""
        return str(self.result["loss"]["name"])

    @property
    def numbers(self) -> dict[str, RunNumber]:
        """The loss, called ``loss``, and the metrics."""
        metrics = self.result["metrics"].items()
        plain = {name if name != LOSS else f"metric {name}": metric for name, metric in metrics}
        numbers = {LOSS: self.result["loss"], **plain}
        return {n: RunNumber(one.get("value"), one.get("interval")) for n, one in numbers.items()}

    @property
    def classes(self) -> tuple[str, ...]:
        """The label of each class; empty if the classes have no labels."""
        return tuple(self.result.get("classes") or ())

    @property
    def intervals(self) -> Intervals | None:
        """How its intervals were computed; None if it has none."""
        options = self.result.get("intervals")
        return Intervals.read(options) if isinstance(options, Mapping) else None

    @property
    def not_imported(self) -> tuple[str, ...]:
        """The plugin files of its configuration that `plugins` does not allow."""
        files = [value for key, value in self.settings.items() if key.startswith("plugins.")]
        return tuple(str(file) for file in files if not self.plugins.admits(Path(str(file))))

    @property
    def data(self) -> str:
        """A description of the data: name, number of rows and digest."""
        data = self.record.get("data") or {}
        digest = str(data.get("digest", ""))[:12]
        count = self.result["count"]
        drawn = "" if self.result.get("sample") is None else " drawn"
        return f"{data.get('name', 'data')}, {count} rows{drawn}, digest {digest or 'unknown'}"

    @property
    def rows_key(self) -> tuple[Any, ...]:
        """A key that is equal for runs on the same rows."""
        data, sample = self.record.get("data") or {}, self.result.get("sample")
        rows = self.result["count"] if sample is None else tuple(sorted(sample))
        whole = digest_of_rows(str(data.get("name")), str(data.get("digest")))
        return data.get("rows_digest", whole), rows


@dataclass(frozen=True, eq=False)
class FinishedTraining:
    """A finished training.

    Attributes
    ----------
    name : str
        The shortest unique end of the folder's path.
    trained : mapping
        The object of ``training.json``, with infinities and NaN as numbers.
    settings : mapping of str to Any
        The values of ``config.yaml`` by their dotted keys.
    path : Path or None
        The folder, if it has one.
    """

    name: str
    trained: Mapping[str, Any]
    settings: Mapping[str, Any]
    path: Path | None = None
    # The numbers of any two trainings can be subtracted.
    rows_key: ClassVar[None] = None

    @property
    def kept(self) -> int:
        """The epoch or round of the model."""
        return int(self.trained["kept"])

    @property
    def unit_name(self) -> str:
        """What the model is trained by: ``"round"`` or ``"epoch"``."""
        return unit_name_of(self.trained)

    @property
    def measured(self) -> list[int]:
        """The rounds, or epochs, that `epochs` describes."""
        return [int(epoch["epoch"]) for epoch in self.trained["epochs"]]

    @property
    def loss_name(self) -> str:
        """The canonical name of the loss."""
        return str(self.trained["loss"]["name"])

    @cached_property
    def epochs(self) -> list[dict[str, Any]]:
        """The single numbers after each measured round or epoch."""
        return [numbers_of_epoch(epoch) for epoch in self.trained["epochs"]]

    @property
    def numbers(self) -> dict[str, Any]:
        """The single numbers of the model."""
        return kept_numbers(self.trained)

    def curve(self, name: str) -> list[float]:
        """Return a number after each of `measured`; empty if the training does not have it."""
        return [epoch[name] for epoch in self.epochs if epoch.get(name) is not None]


def find_runs(
    paths: Sequence[Path], plugins: Plugins = _UNTRUSTED
) -> tuple[list[FinishedRun], list[str]]:
    """Return the finished runs in folders, and messages about unfinished ones."""
    folders = dict.fromkeys(folder for path in paths for folder in _run_folders(path))
    reasons = {folder: _unfinished_reason(folder) for folder in folders}
    done = [folder for folder, reason in reasons.items() if not reason]
    runs = []
    for path, name in _names_of(done):
        run = read_finished_run(path)
        runs.append(replace(run, name=name, plugins=plugins_of_run(run.record, plugins)))
    return runs, [reason for reason in reasons.values() if reason]


def find_trainings(
    paths: Sequence[Path],
) -> tuple[list[FinishedTraining], list[Path], list[str]]:
    """Return the finished trainings in folders, the folders without trainings, and messages."""

    def is_training(path: Path) -> bool:
        return (path / TRAINING_FILE).is_file() or (path / CHECKPOINT_FILE).is_file()

    # The folds of a cross-validated model are in the folder of the run of all rows.
    inside = {
        path: [] if is_run(path) and not is_training(path) else _matching_folders(path, is_training)
        for path in paths
    }
    folders = dict.fromkeys(folder for found in inside.values() for folder in found)
    reasons = {folder: unfinished_reason(folder) for folder in folders}
    done = [folder for folder, reason in reasons.items() if not reason]
    messages = [f"{one.name} is left out: {reason}" for one, reason in reasons.items() if reason]
    trainings = [read_finished_training(folder, name) for folder, name in _names_of(done)]
    return trainings, [path for path in paths if not inside[path]], messages


def is_run(path: Path) -> bool:
    """Tell whether a folder is that of a run, finished or not."""
    return (path / RECORD_FILE).is_file()


def _run_folders(path: Path) -> list[Path]:
    """Return the folder itself if it is that of a run, else the folders of runs in it."""
    if not path.is_dir():
        problem = "is a file" if path.exists() else "does not exist"
        raise DataError(f"{path} {problem}: name the folder that a run was written to by --out.")
    folders = _matching_folders(path, is_run)
    if not folders:
        raise DataError(
            f"{path} holds no run, and no folders of runs: a run is written by "
            "lossfw run CONFIG --out DIR."
        )
    return folders


def _matching_folders(path: Path, accepts: Callable[[Path], bool]) -> list[Path]:
    """Return the folder itself if it is accepted, else the accepted folders in it."""
    if accepts(path):
        return [path]
    inside = path.iterdir() if path.is_dir() else ()
    return sorted((p for p in inside if p.is_dir() and accepts(p)), key=_natural_sort_key)


def _natural_sort_key(path: Path) -> list[Any]:
    """Return a sort key that compares the numbers in names as numbers."""
    parts = _NUMBER.split(path.name)
    return [(1, float(p), "") if n % 2 else (0, 0.0, p) for n, p in enumerate(parts)]


def _unfinished_reason(path: Path) -> str:
    """Return why a run cannot be compared, empty if it can."""
    status, error = RunFolder(path).status or "without a status", path / ERROR_FILE
    why = ""
    if status == "failed" and error.is_file():
        why = f": {error.read_text(errors='replace').strip().partition(chr(10))[0]}"
    elif status == "running":
        why = ", or was interrupted: run it again with --resume"
    return "" if status == "done" else f"{path.name} is left out: it is {status}{why}"


def _names_of(folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return each folder with the shortest end of its path that is unique."""
    parts = [folder.absolute().parts for folder in folders]
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(own[-length:]) for own in parts]
        if len(set(names)) == len(names):
            return list(zip(folders, names, strict=True))
    return [(folder, str(folder)) for folder in folders]


def read_finished_run(path: Path) -> FinishedRun:
    """Return the finished run in a folder; raise `DataError` for a missing or damaged file."""
    result, record = read_json(path / RESULT_FILE), RunFolder(path).record()
    if result is None or record is None:
        missing = path / (RESULT_FILE if result is None else RECORD_FILE)
        raise DataError(f"{missing} is missing; a finished run has this file.")
    result = result_with_numbers(result)
    check_result(path / RESULT_FILE, result)
    return FinishedRun(path.name, path, result, record, _read_all_settings(path))


def _read_all_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a run: those of the trainings where it is of their held-out rows."""
    settings = flatten_settings(read_settings(path / CONFIG_FILE))
    is_of_folds = any(Path(str(value)).name == HELD_OUT_FILE for value in settings.values())
    trainings = path / TRAINING_CONFIG_FILE
    return (
        flatten_settings(read_settings(trainings))
        if is_of_folds and trainings.is_file()
        else settings
    )


def read_finished_training(path: Path, name: str) -> FinishedTraining:
    """Return the finished training in a folder; raise `DataError` for a damaged file."""
    config = path / CONFIG_FILE
    settings = flatten_settings(read_settings(config)) if config.is_file() else {}
    training = FinishedTraining(
        name, restore_numbers(read_json(path / TRAINING_FILE)), settings, path
    )
    try:
        # Looked at once, so that no later reader meets a damaged file.
        _ = training.numbers, training.loss_name
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise DataError(f"{path / TRAINING_FILE} is damaged ({error!r}): train again.") from None
    return training


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)
