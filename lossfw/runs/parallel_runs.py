"""Several runs in parallel, each in its own process; a failure does not stop the others."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lossfw.config.plan.folds import count_folds, first_fold, with_repeats
from lossfw.config.plan.sweep import KEY, expand
from lossfw.config.schema.checked import CheckedConfig
from lossfw.errors import DataError
from lossfw.losses.engine.threads import thread_count
from lossfw.runs.files import RESULT_FILE, read_json
from lossfw.runs.folder import RunFolder
from lossfw.runs.records import RunOutcome, RunRequest
from lossfw.runs.stored import check_result, result_with_numbers
from lossfw.runs.worker import WorkerProcesses


def requests_of(
    configs: Sequence[CheckedConfig],
    folder: Path | None,
    *,
    resume: bool,
    trains: bool = False,
    cluster: str | None = None,
) -> list[RunRequest]:
    """Return a request per run of some configurations, with sweeps expanded and checked.

    Each run has a name, and its own folder of this name in `folder`. A single training with
    folds has no name, because its folds have folders in `folder`.
    """

    def full_name(config: str, variant: str) -> str:
        stem = Path(config).stem
        if trains and not configs[0].has_value(KEY) and count_folds(configs[0]):
            return ""
        return variant if len(configs) == 1 or variant == stem else f"{stem},{variant}"

    if trains:
        configs = [with_repeats(config) for config in configs]
    for config in configs:
        if trains and not config.has_value(KEY) and count_folds(config):
            # Imported on use: an evaluation needs none of it.
            from lossfw.config.plan.training import training_of

            # As the runs of a sweep are: all of them would have its mistakes.
            training_of(first_fold(config))
    runs = [(config, run) for config in configs for run in expand(config, training=trains)]
    names = _make_unique([full_name(c.source.name, run.name) for c, run in runs])
    return [
        RunRequest(
            run.config,
            name,
            None if folder is None else folder / name,
            resume,
            trains,
            cluster,
            run.digest,
        )
        for (_, run), name in zip(runs, names, strict=True)
    ]


def common_folder(requests: Sequence[RunRequest]) -> Path | None:
    """Return the folder that holds the folders of the runs; None if they write nothing.

    The caller locks it, because two sweeps at once would have runs of the same name.
    """
    folder, depth = requests[0].folder, len(Path(requests[0].name).parts)
    return folder if folder is None or not depth else folder.parents[depth - 1]


def _make_unique(names: Sequence[str]) -> list[str]:
    """Return unique names, by a number behind each repeated one.

    Examples
    --------
    >>> _make_unique(["a", "b", "a"])
    ['a', 'b', 'a-2']
    """
    distinct: list[str] = []
    for name in names:
        tries = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        distinct.append(next(tried for tried in tries if tried not in distinct))
    return distinct


def run_all(
    requests: Sequence[RunRequest], jobs: int, *, ended: Callable[[RunOutcome], None]
) -> list[RunOutcome]:
    """Carry out requests in parallel, and return their outcomes in the same order."""
    workers = WorkerProcesses(max(1, thread_count() // jobs))
    interrupted = threading.Event()

    def carry_out(request: RunRequest) -> RunOutcome:
        outcome = outcome_done_before(request) or workers.carry_out(request)
        # A run does not fail because its process was ended on purpose.
        if not interrupted.is_set():
            ended(outcome)
        return outcome

    with ThreadPoolExecutor(jobs, "lossfw-runs") as pool:
        waiting = [pool.submit(carry_out, request) for request in requests]
        try:
            return [future.result() for future in waiting]
        finally:
            # Where the user interrupts it, no more runs begin, and running ones are ended.
            interrupted.set()
            pool.shutdown(wait=False, cancel_futures=True)
            workers.end()


def outcome_done_before(request: RunRequest) -> RunOutcome | None:
    """Return the outcome of a run to resume that is already done, only from its folder.

    It is None for an unfinished or another run, which the run's process then reports.
    """
    if not (request.resume and request.digest) or request.folder is None:
        return None
    folder = RunFolder(request.folder)
    try:
        record, result = folder.record(), read_json(request.folder / RESULT_FILE)
        if folder.status != "done" or record is None or result is None:
            return None
        check_result(request.folder / RESULT_FILE, result_with_numbers(result))
    except DataError:
        return None
    same = record.get("digest") == result["digest"] == request.digest
    rows = request.rows_file is None or (request.folder / request.rows_file).is_file()
    if not (same and rows):
        return None
    return RunOutcome(request, result, before=True, warnings=tuple(record.get("warnings") or ()))
