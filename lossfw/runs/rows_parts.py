"""The rows of a run in parts: a folder with a file for each part, and a manifest that joins them.

On a cluster, each worker writes the rows of its parts. A file gets its name when it is whole,
and it counts where a checkpoint or the manifest names it: what a worker writes that was given
up does no harm. Without a manifest a folder has no rows, so they are complete or absent.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np

from lossfw.errors import DataError
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.state import EvaluationState
from lossfw.runs.files import read_json, temporary_of, write_file, writing
from lossfw.runs.rows import rows_of
from lossfw.runs.rows_writer import ParquetRows, RowsFile, RowsFormat, digest_of_bytes

# The folder of the parts of an unfinished run.
PARTS_FOLDER = "results.parts"
# The underscore hides it from readers of a folder of Parquet files.
MANIFEST_FILE = "_manifest.json"
MANIFEST_VERSION = 1
# The file by which a worker is known to see the folder.
_SIGN_FILE = "_run"
# Digits of a row number in a name: the order of the names is that of the rows.
_DIGITS = 12


class PartFile(NamedTuple):
    """The file of a part that is whole: its rows end before `stop`; the digest is SHA-256."""

    name: str
    start: int
    stop: int
    size: int
    digest: str

    @classmethod
    def of(cls, path: Path, start: int, stop: int) -> PartFile:
        """Return a file that has just been written."""
        size = path.stat().st_size
        with path.open("rb") as file:
            return cls(path.name, start, stop, size, digest_of_bytes(file, size))


@dataclass(frozen=True)
class RowsParts:
    """Writes the parts of a run. It is pickled, and goes to the workers."""

    folder: Path
    form: RowsFormat
    token: str

    @classmethod
    def of(cls, folder: Path, form: RowsFormat) -> RowsParts:
        """Return the parts of a run in its folder."""
        return cls((folder / PARTS_FOLDER).absolute(), form, uuid4().hex[:8])

    @property
    def sign(self) -> Path:
        """A file that every worker has to see."""
        return self.folder / _SIGN_FILE

    def begin(self, kept: Sequence[PartFile]) -> None:
        """Make the folder, and remove all parts but those that are kept."""
        names = {file.name for file in kept}
        with writing(self.folder):
            self.folder.mkdir(exist_ok=True)
            for path in self.folder.iterdir():
                if path.name not in names:
                    path.unlink()
        write_file(self.folder, _SIGN_FILE, f"{self.token}\n".encode())

    def path(self, start: int) -> Path:
        """Return the file of the part that begins with a row."""
        return self.folder / f"part-{start:0{_DIGITS}d}-{self.token}.{self.form}"

    @contextmanager
    def writing_part(self, plan: Plan, start: int, stop: int) -> Iterator[PartJournal]:
        """Write the rows of a part inside the ``with`` block; then its file is whole, or absent."""
        target = self.path(start)
        # Dask may run a task twice at once: each has a name of its own.
        temporary = temporary_of(target, uuid4().hex[:8])
        try:
            with writing(target):
                lines = self.form == "jsonl"
                sink = RowsFile(temporary, self.form) if lines else ParquetRows(temporary)
                journal = PartJournal(plan, sink)
                with closing(journal.sink):
                    yield journal
                    journal.sink.settle()
                temporary.replace(target)
                journal.file = PartFile.of(target, start, stop)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


class PartJournal:
    """Writes the rows of a part; see `lossfw.evaluation.evaluate.Journal`."""

    def __init__(self, plan: Plan, sink: Any) -> None:
        self.sink = sink
        self.file: PartFile | None = None
        self._plan = plan
        self._sample = None if plan.sample is None else np.array(plan.sample)

    def resume(self, state: EvaluationState) -> None:
        """Begin with the first row of the part."""

    def add(self, rows: PredictedBatch, state: EvaluationState) -> None:
        """Write some rows; see `Journal.add`."""
        with state.clock.stage("rows"):
            self.sink.add(rows_of(self._plan, rows, self._sample))


def covering(files: Sequence[PartFile], spans: Sequence[tuple[int, int]]) -> list[PartFile] | None:
    """Return the parts that lie in some ranges of rows, None if they do not cover them.

    Examples
    --------
    >>> one, two = PartFile("a", 0, 4, 9, ""), PartFile("b", 4, 8, 9, "")
    >>> covering([two, one], [(0, 4)]) == [one], covering([one], [(0, 8)])
    (True, None)
    """
    found = []
    for start, stop in spans:
        for file in sorted(files, key=lambda file: file.start):
            if file.start == start and file.stop <= stop:
                found.append(file)
                start = file.stop
        if start != stop:
            return None
    return found


def finish_parts(folder: Path, target: Path, files: Sequence[PartFile]) -> None:
    """Join the parts of a run by a manifest, and give their folder its name."""
    parts = folder / PARTS_FOLDER
    listed = [
        {"file": f.name, "start": f.start, "stop": f.stop, "bytes": f.size, "sha256": f.digest}
        for f in files
    ]
    content = {"version": MANIFEST_VERSION, "rows": files[-1].stop, "parts": listed}
    with writing(target):
        for path in parts.iterdir():
            if path.name not in {file.name for file in files}:
                path.unlink()
        write_file(parts, MANIFEST_FILE, f"{json.dumps(content, indent=1)}\n".encode())
        remove_rows(target)
        parts.replace(target)


def find_parts(folder: Path, target: Path, files: Sequence[PartFile]) -> list[PartFile] | None:
    """Return the parts of a checkpoint that are missing or damaged; None without their folder.

    A run that was killed at its very end may have renamed their folder; it is renamed back.
    """
    parts = folder / PARTS_FOLDER

    def is_sound(file: PartFile) -> bool:
        if not _is_whole(parts, file):
            return False
        with (parts / file.name).open("rb") as opened:
            return digest_of_bytes(opened, file.size) == file.digest

    if not parts.exists() and (target / MANIFEST_FILE).is_file():
        target.replace(parts)
    return [file for file in files if not is_sound(file)] if parts.is_dir() else None


def _is_whole(folder: Path, file: PartFile) -> bool:
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.size


def has_rows(target: Path) -> bool:
    """Tell whether the file of rows of a finished run is there, or a folder of parts."""
    return target.is_file() or (target / MANIFEST_FILE).is_file()


def row_files(target: Path) -> list[Path]:
    """Return the files of the rows of a finished run, in the order of the rows."""
    if target.is_file():
        return [target]
    manifest = target / MANIFEST_FILE
    try:
        content = read_json(manifest) or {}
        if content["version"] != MANIFEST_VERSION:
            raise DataError(
                f"{manifest} has version {content['version']!r}, and this lossfw reads "
                f"{MANIFEST_VERSION}: run again."
            )
        files = [
            PartFile(
                str(part["file"]),
                int(part["start"]),
                int(part["stop"]),
                int(part["bytes"]),
                str(part.get("sha256", "")),
            )
            for part in content["parts"]
        ]
        whole = covering(files, [(0, int(content["rows"]))])
    except DataError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError):
        whole, files = None, []
    if whole is None or len(whole) != len(files):
        raise DataError(f"{manifest} was not written by a run, or is damaged: run again.")
    for file in whole:
        if Path(file.name).name != file.name or not _is_whole(target, file):
            raise DataError(
                f"{target / file.name} is missing or not whole, though {MANIFEST_FILE} names it: "
                "run again."
            )
    return [target / file.name for file in whole]


def remove_rows(target: Path) -> None:
    """Remove a file of rows, or a folder of parts, its manifest first; ignore that it is absent."""
    if not target.is_dir() or target.is_symlink():
        target.unlink(missing_ok=True)
        return
    (target / MANIFEST_FILE).unlink(missing_ok=True)
    shutil.rmtree(target)
