"""Run folder: the files of a run, consistent at any moment.

::

    status          running, done or failed: written last
    run.json        versions, plugins, seed, digests, git state, times
    config.yaml     the configuration, which runs from anywhere
    metrics.json    the numbers
    units.npz       the sums of each unit of the intervals, where there are some
    results.jsonl   each row with its loss, prediction and target, with evaluate.save_rows
    error.txt       why a run failed

and while a run is not done, ``unfinished.sqlite``, from which it is resumed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lossfw.errors import DataError, OutputError
from lossfw.evaluation.accumulator import named_metrics
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Result
from lossfw.runs.files import (
    RESULT_FILE,
    read_json,
    to_json,
    translate_write_errors,
    write_file,
)
from lossfw.runs.lock import hold_lock
from lossfw.runs.results_file import ROWS_FILES, RowsFormat, write_rows
from lossfw.runs.stored import check_record, check_result, result_with_numbers
from lossfw.runs.units_file import UNITS_FILE

STATUS_FILE = "status"
RECORD_FILE = "run.json"
CONFIG_FILE = "config.yaml"
ERROR_FILE = "error.txt"
REPORT_FILE = "report.html"
# The numbers of a training. Its folder also has a status and a configuration.
TRAINING_FILE = "training.json"
# The rows and the state of an unfinished run.
UNFINISHED_FILE = "unfinished.sqlite"
# What an older lossfw kept of an unfinished run.
_OLDER_UNFINISHED = ("partials.npz", "results.part", "results.parts")
# SQLite's own journal first: beside another database it would be played back into that.
_UNFINISHED = (f"{UNFINISHED_FILE}-journal", UNFINISHED_FILE, *_OLDER_UNFINISHED)
# The texts that plugins add to the report.
TEXTS_FILE = "texts.json"
# The record of an older run, until that of the new one is written.
_ASIDE = f".{RECORD_FILE}.old.tmp"


class RunFolder:
    """The files of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def status(self) -> str | None:
        """The state of the run; None if there is none."""
        file = self.path / STATUS_FILE
        try:
            return file.read_text("utf-8", "replace").strip() if file.is_file() else None
        except OSError as error:
            raise DataError(f"{file} cannot be read: {error.strerror}.") from None

    def record(self) -> dict[str, Any] | None:
        """Return the object in ``run.json``; None without this file."""
        path = self.path / RECORD_FILE
        record = read_json(path)
        if record is not None:
            check_record(path, record)
        return record

    def create(self) -> bool:
        """Create the folder if it does not exist, and return whether it was created."""
        exists = self.path.is_dir()
        with translate_write_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        return not exists

    def remove_if_empty(self) -> None:
        """Remove the folder if it is empty."""
        with suppress(OSError):
            self.path.rmdir()

    def begin(self, record: Mapping[str, Any], config: str) -> None:
        """Begin a new run. The results of an older one remain until new ones are written."""
        self.remove_temporary()
        before = {name: _content_or_none(self.path / name) for name in (CONFIG_FILE, STATUS_FILE)}
        has_record = (self.path / RECORD_FILE).exists()
        try:
            # Without a record the folder is not taken for that of a run.
            if has_record:
                self._rename(RECORD_FILE, _ASIDE)
            self.write(STATUS_FILE, "running\n")
            self._remove_files(*_UNFINISHED, ERROR_FILE)
            self.write(CONFIG_FILE, config)
            self.write(RECORD_FILE, f"{to_json(record)}\n")
            self._remove_files(_ASIDE)
        except OutputError:
            with suppress(OutputError):
                self._restore(before)
                if has_record:
                    self._rename(_ASIDE, RECORD_FILE)
            raise

    def continue_run(self, record: Mapping[str, Any], config: str) -> None:
        """Resume a run that was interrupted, has failed, or needs further files."""
        if any((self.path / name).exists() for name in _OLDER_UNFINISHED):
            raise DataError(
                f"{self.path} holds an unfinished run that began with an older lossfw: start over, "
                "by running without --resume."
            )
        self.remove_temporary()
        self.write(STATUS_FILE, "running\n")
        self._remove_files(ERROR_FILE)
        # The configuration may have changed without a change of results.
        self.write(CONFIG_FILE, config)
        self.write(RECORD_FILE, f"{to_json(record)}\n")

    def finish(
        self,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        rows: RowsFormat | None,
        contents: Iterable[bytes] = (),
        units: bytes | None = None,
    ) -> None:
        """Write the results of a run; `contents` are its rows, `units` those of ``units.npz``."""
        old = [name for form, name in ROWS_FILES.items() if form != rows]
        self._remove_files(*old, REPORT_FILE, TEXTS_FILE)
        if rows is not None:
            target = self.path / ROWS_FILES[rows]
            # The parts that an older lossfw wrote on a cluster.
            if target.is_dir():
                self._remove_files(target.name)
            write_rows(target, rows, contents)
        if units is None:
            self._remove_files(UNITS_FILE)
        else:
            write_file(self.path, UNITS_FILE, units)
        self.write(RESULT_FILE, f"{to_json(result)}\n")
        self.write(RECORD_FILE, f"{to_json(record)}\n")
        self.write(STATUS_FILE, "done\n")

    def clear(self) -> None:
        """Remove the files from which an unfinished run is resumed."""
        self._remove_files(*_UNFINISHED)
        self.remove_temporary()

    def fail(self, message: str) -> None:
        """Write that the run failed, and why; ignore an error while writing."""
        with suppress(OutputError):
            self.write(ERROR_FILE, f"{message}\n")
            self.write(STATUS_FILE, "failed\n")

    def write(self, name: str, text: str) -> None:
        """Write a file; see `lossfw.runs.files.write_file`."""
        write_file(self.path, name, text.encode())

    def _remove_files(self, *names: str) -> None:
        for name in names:
            with translate_write_errors(self.path / name):
                path = self.path / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)

    def remove_temporary(self) -> None:
        """Remove unfinished files of killed processes."""
        self._remove_files(*(path.name for path in self.path.glob(".*.tmp")))

    def _restore(self, before: Mapping[str, bytes | None]) -> None:
        """Restore the files from before."""
        for name, content in before.items():
            if content is None:
                self._remove_files(name)
            elif content != _content_or_none(self.path / name):
                write_file(self.path, name, content)

    def _rename(self, old: str, new: str) -> None:
        with translate_write_errors(self.path / new):
            (self.path / old).replace(self.path / new)


def files_of_run(folder: Path) -> tuple[str, ...]:
    """Return the files that identify the folder of a run; a training also has a status."""
    if not (folder / STATUS_FILE).exists():
        return (RECORD_FILE,)
    # Imported on use: a run in a new folder starts without it.
    from lossfw.models.training.checkpoint import CHECKPOINT_FILE as CHECKPOINT_OF_TRAINING

    trained = any((folder / name).exists() for name in (TRAINING_FILE, CHECKPOINT_OF_TRAINING))
    return (RECORD_FILE,) if trained else (RECORD_FILE, STATUS_FILE)


def refuse_foreign_config(folder: Path, kind: str, files: Sequence[str]) -> None:
    """Refuse to overwrite a configuration in a folder that is not of the same kind."""
    config = folder / CONFIG_FILE
    if config.exists() and not any((folder / name).exists() for name in files):
        raise OutputError(
            f"{config} was not written by a {kind}, but a {kind} writes its own configuration "
            "there: choose another folder for --out."
        )


@contextmanager
def locked_folder(path: Path | None) -> Iterator[None]:
    """Create a folder and lock it inside the ``with`` block; do nothing for None.

    Unfinished files of killed processes are removed.
    """
    if path is None:
        yield
        return
    folder = RunFolder(path)
    made = folder.create()
    with hold_lock(path):
        try:
            folder.remove_temporary()
            yield
        finally:
            if made:
                folder.remove_if_empty()


def _content_or_none(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def read_texts(path: Path) -> list[str]:
    """Return the texts that plugins added to the report of the run in a folder."""
    found = read_json(path / TEXTS_FILE) or {}
    texts = found.get("texts")
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []


def read_result(folder: RunFolder, plan: Plan) -> Result:
    """Return the result of a run that is done, from its files."""
    from lossfw.evaluation.result import Numbers

    result, record = read_json(folder.path / RESULT_FILE), folder.record()
    try:
        assert result is not None
        assert record is not None
        result = result_with_numbers(result)
        check_result(folder.path / RESULT_FILE, result)
        assert set(result["metrics"]) == set(named_metrics(plan.all_metrics))
        loss = result["loss"]
        kept = Result(
            count=result["count"],
            weight=float(result["weight"]),
            loss_name=loss["name"],
            loss_text=str(plan.loss),
            form=loss["form"],
            sample=None if result["sample"] is None else tuple(result["sample"]),
            digest=result["digest"],
            warnings=tuple(record.get("warnings", ())),
            classes=tuple(result.get("classes", ())),
            groups=result.get("groups"),
            timings=dict(record.get("timings", {})),
            numbers=Numbers(
                {key: value for key, value in loss.items() if key not in ("name", "form")},
                result["metrics"],
                slices=None if "slices" not in result else tuple(result["slices"]),
                intervals=result.get("intervals"),
            ),
        )
        # Both look their values up.
        assert isinstance(kept.loss, float)
        assert isinstance(kept.metrics, dict)
        return kept
    except (AssertionError, LookupError, TypeError, ValueError, AttributeError):
        raise DataError(
            f"{folder.path} does not hold the complete result of a finished run: run without "
            "--resume, which starts over."
        ) from None
