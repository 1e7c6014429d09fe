"""Record a run in its folder, from its beginning to its end, also where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from lossfw.config.plan.resolved import resolve_checked
from lossfw.errors import DataError, OutputError
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Result
from lossfw.runs.files import to_json, write_file
from lossfw.runs.folder import TEXTS_FILE, UNFINISHED_FILE, RunFolder, read_result
from lossfw.runs.journal import RunJournal, rows_format
from lossfw.runs.lock import hold_lock
from lossfw.runs.provenance import provenance_of
from lossfw.runs.records import Run, RunRequest
from lossfw.runs.results_file import ROWS_FILES
from lossfw.runs.units_file import to_bytes


class Recorder:
    """Records a run in its folder, if it has one."""

    def __init__(self, failure: OutputError | None = None) -> None:
        self.journal: RunJournal | None = None
        self.done: Result | None = None
        self.failure = failure
        self._folder: RunFolder | None = None
        self._plan: Plan | None = None
        self._record: dict[str, Any] = {}

    def begin(self, folder: RunFolder, request: RunRequest, run: Run) -> None:
        """Begin a run in a folder, or resume the run in it."""
        old = _resumable_record(folder, run.plan) if request.resume else None
        form = rows_format(run.plan)
        has_all = form is None or (folder.path / ROWS_FILES[form]).is_file()
        if old is not None and folder.status == "done" and has_all:
            self.done = read_result(folder, run.plan)
            folder.clear()
            return
        config = request.config
        self._record = provenance_of(run, config.entries, config.source.plugins)
        text = resolve_checked(config).to_yaml()
        if old is None:
            folder.begin(self._record, text)
        else:
            self._record["started"] = old.get("started")
            folder.continue_run(self._record, text)
        self._folder, self._plan = folder, run.plan
        unfinished = folder.path / UNFINISHED_FILE
        self.journal = RunJournal(unfinished, run.plan, resume=old is not None)

    def finish(self, result: Result, warnings: Sequence[str]) -> None:
        """Write the result."""
        folder, journal = self._folder, self.journal
        if folder is None or journal is None or self._plan is None:
            return
        self._record |= {
            "seconds": journal.seconds,
            "timings": dict(result.timings),
            "warnings": [*result.warnings, *warnings],
        }
        try:
            with closing(journal):
                journal.check()
                rows = rows_format(self._plan)
                intervals = result.numbers.intervals
                units = None
                if result.units is not None and intervals is not None:
                    units = to_bytes(result.units, intervals)
                folder.finish(self._record, result.to_dict(), rows, journal.contents(), units)
            folder.clear()
        except OutputError as error:
            self.failure = error
            self._fail(str(error))
        except Exception as error:
            self._fail(str(error) or type(error).__name__)
            raise

    def keep_texts(self, texts: Sequence[str]) -> None:
        """Write the texts of plugins next to the result, for its page."""
        if self._folder is None or self.failure is not None or not texts:
            return
        try:
            content = to_json({"texts": list(texts)})
            write_file(self._folder.path, TEXTS_FILE, f"{content}\n".encode())
        except OutputError as error:
            self.failure = error

    def fail(self, error: BaseException) -> None:
        """Write that the run failed; an interrupted run can be resumed."""
        if self._folder is None or self.journal is None:
            return
        self.journal.close()
        if isinstance(error, Exception):
            self._fail(str(error) or type(error).__name__)

    def _fail(self, message: str) -> None:
        assert self._folder is not None  # where a run was begun
        assert self.journal is not None
        # Another run may have made the folder anew.
        if self.journal.is_in_place:
            self._folder.fail(message)


@contextmanager
def record_run(request: RunRequest, run: Run) -> Iterator[Recorder]:
    """Record a run inside the ``with`` block, with its folder locked."""
    if run.folder is None:
        yield Recorder()
        return
    folder = RunFolder(run.folder)
    try:
        made = folder.create()
    except OutputError as error:
        # The numbers are computed and shown nevertheless.
        yield Recorder(error)
        return
    with hold_lock(folder.path):
        recorder = Recorder()
        try:
            recorder.begin(folder, request, run)
        except OutputError as error:
            recorder.failure = error
            if made:
                folder.remove_if_empty()
        yield recorder


def _resumable_record(folder: RunFolder, plan: Plan) -> dict[str, Any] | None:
    """Return the record of the run in a folder; None if no run has begun there."""
    record = folder.record()
    if record is None:
        return None
    if record.get("digest") != plan.digest:
        raise DataError(
            f"{folder.path} holds another run ({record.get('config')}, digest "
            f"{str(record.get('digest'))[:12]}, and this one has {plan.digest[:12]}): its "
            "configuration, plugins or data differ. Name another folder for --out, or leave out "
            "--resume to start over in this one."
        )
    return record
