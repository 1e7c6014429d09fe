"""FinishedRun: results and configuration of a run, read from its folder."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from lossfw.components.plugin_choice import Plugins
from lossfw.errors import DataError
from lossfw.evaluation.intervals.options import Intervals
from lossfw.runs.compare.settings import flat, read_settings
from lossfw.runs.files import RESULT_FILE, numbers_in, read_json
from lossfw.runs.folder import CONFIG_FILE, ERROR_FILE, RECORD_FILE, RunFolder
from lossfw.runs.provenance import chosen_of
from lossfw.runs.stored import check_result

# The name of the loss among the metrics.
LOSS = "loss"

_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)")


# A plugin file that a folder names is not executed unless its reader says so.
_UNTRUSTED = Plugins(trusted=False)


class RunNumber(NamedTuple):
    """A loss or a metric of a run.

    Attributes
    ----------
    value : float or nested list of float or None
        None if it is not defined.
    interval : list or None
        Two floats in place of each float of `value`; None if it was not computed.
    """

    value: Any
    interval: Any = None

    @property
    def single(self) -> bool:
        """Whether it is one number."""
        return isinstance(self.value, int | float)


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A finished run.

    Attributes
    ----------
    name : str
        The shortest end of the folder's path that no other run has.
    path : Path
        The folder.
    result : mapping
        The object of ``metrics.json``, with infinities and NaN as numbers.
    record : mapping
        The object of ``run.json``.
    settings : mapping of str to Any
        The values of ``config.yaml`` by their dotted keys.
    plugins : Plugins
        The plugins that may be used to make its components again.
    """

    name: str
    path: Path
    result: Mapping[str, Any]
    record: Mapping[str, Any]
    settings: Mapping[str, Any]
    plugins: Plugins = _UNTRUSTED

    @property
    def loss_name(self) -> str:
        """The canonical name of the loss."""
        return str(self.result["loss"]["name"])

    @property
    def numbers(self) -> dict[str, RunNumber]:
        """The loss, called ``loss``, and the metrics."""
        numbers = {LOSS: _number_of(self.result["loss"])}
        for name, metric in self.result["metrics"].items():
            numbers[name if name != LOSS else f"metric {name}"] = _number_of(metric)
        return numbers

    @property
    def classes(self) -> tuple[str, ...]:
        """The label of each class; empty where the classes have none."""
        return tuple(self.result.get("classes") or ())

    @property
    def intervals(self) -> Intervals | None:
        """How the intervals of its numbers were made; None if it has none."""
        options = self.result.get("intervals")
        return Intervals(**options) if isinstance(options, Mapping) else None

    @property
    def not_imported(self) -> tuple[str, ...]:
        """The plugin files that its configuration names and `plugins` does not admit."""
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
        # Splits of one file share its digest and differ in name.
        return data.get("digest"), data.get("name"), rows


def _number_of(plain: Mapping[str, Any]) -> RunNumber:
    return RunNumber(plain.get("value"), plain.get("interval"))


def find_runs(
    paths: Sequence[Path], plugins: Plugins = _UNTRUSTED
) -> tuple[list[FinishedRun], list[str]]:
    """Return the finished runs in folders, and messages about unfinished ones.

    Parameters
    ----------
    paths : sequence of Path
        Folders of runs, or folders that hold such folders.
    plugins : Plugins
        The plugin files that may be imported. By default none that a folder names is.

    Raises
    ------
    DataError
        If a folder holds no run, or one whose files are damaged.
    """
    folders = list(dict.fromkeys(folder for path in paths for folder in _folders(path)))
    left_out = [message for folder in folders if (message := _unfinished(folder))]
    done = [folder for folder in folders if not _unfinished(folder)]
    found = [(read_finished_run(path), name) for path, name in names_of(done)]
    return [
        replace(run, name=name, plugins=chosen_of(run.record, plugins)) for run, name in found
    ], left_out


def _folders(path: Path) -> Iterator[Path]:
    """Yield the folder itself if it is that of a run, else the folders of runs in it."""
    if not path.is_dir():
        fault = "is a file" if path.exists() else "does not exist"
        raise DataError(f"{path} {fault}: name the folder that a run was written to by --out.")
    inside = inside_of(path, is_run)
    if not inside:
        raise DataError(
            f"{path} holds no run, and no folders of runs: a run is written by "
            "lossfw run CONFIG --out DIR."
        )
    yield from inside


def inside_of(path: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """Return the folder itself if it is a wanted one, else the wanted folders in it."""
    if wanted(path):
        return [path]
    inside = path.iterdir() if path.is_dir() else ()
    return sorted((p for p in inside if p.is_dir() and wanted(p)), key=_natural)


def is_run(path: Path) -> bool:
    """Tell whether a folder is that of a run, finished or not."""
    return (path / RECORD_FILE).is_file()


def _natural(path: Path) -> list[Any]:
    """Return a sort key that compares the numbers in names as numbers."""
    parts = _NUMBER.split(path.name)
    return [(1, float(p), "") if n % 2 else (0, 0.0, p) for n, p in enumerate(parts)]


def _unfinished(path: Path) -> str:
    """Return why a run cannot be compared, empty if it can."""
    status = RunFolder(path).status or "without a status"
    if status == "done":
        return ""
    reason = path / ERROR_FILE
    why = f": {_first_line(reason)}" if status == "failed" and reason.is_file() else ""
    if status == "running":
        why = ", or was interrupted: run it again with --resume"
    return f"{path.name} is left out: it is {status}{why}"


def _first_line(path: Path) -> str:
    return next(iter(path.read_text(errors="replace").strip().splitlines()), "")


def names_of(folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return each folder with the shortest end of its path that is unique."""
    parts = [folder.absolute().parts for folder in folders]
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(own[-length:]) for own in parts]
        if len(set(names)) == len(names):
            return list(zip(folders, names, strict=True))
    return [(folder, str(folder)) for folder in folders]


def read_finished_run(path: Path) -> FinishedRun:
    """Return the finished run in a folder.

    Raises
    ------
    DataError
        If one of its files is missing or damaged.
    """
    result = numbers_in(_object(path / RESULT_FILE, read_json(path / RESULT_FILE)))
    record = _object(path / RECORD_FILE, RunFolder(path).record())
    check_result(path / RESULT_FILE, result)
    return FinishedRun(path.name, path, result, record, flat(read_settings(path / CONFIG_FILE)))


def _object(path: Path, value: dict[str, Any] | None) -> dict[str, Any]:
    if value is None:
        raise DataError(f"{path} is missing; a finished run has this file.")
    return value


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)
