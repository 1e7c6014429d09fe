"""Runs on a Dask cluster, the only interface to `lossfw.scale`.

Modules import this one on use. The folders of several runs must be on a disk that all workers
share.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from lossfw import scale
from lossfw.errors import LossfwError
from lossfw.evaluation.evaluate import Progress
from lossfw.evaluation.plan import Plan
from lossfw.evaluation.result import Result
from lossfw.runs.journal import RunJournal
from lossfw.runs.records import RunOutcome, RunRequest, Warn
from lossfw.scale.evaluate import WORKER_SECONDS
from lossfw.scale.fingerprint import packages_needed_by
from lossfw.scale.shipping import one_task_at_a_time
from lossfw.scale.tasks import ClusterTask, run_tasks

# The cluster of a run that is a task itself: none.
_HERE = ""


def evaluate_on(client: Any, plan: Plan, progress: Progress | None) -> Result:
    """Evaluate a plan on the cluster of a client; see `lossfw.scale.evaluate_on`."""
    return scale.evaluate_on(client, plan, progress=progress)


def evaluate_with_journal(
    cluster: str, plan: Plan, progress: Progress | None, journal: RunJournal | None
) -> Result:
    """Evaluate a plan on a cluster, and store the merged states in the journal of a run."""
    with scale.connect(cluster) as client:
        return scale.evaluate_on(client, plan, progress=progress, keeper=journal)


def tasks_text(cluster: str, plan: Plan) -> str:
    """Return one line about the tasks of a run on a cluster."""
    slots = scale.thread_count_of(cluster)
    parts = scale.cut_rows(plan, slots)
    return (
        f"{len(parts.parts)} tasks of {parts.rows} rows for {slots} threads of {cluster}; "
        f"{parts.bytes_read} bytes are read"
    )


def run_on(
    cluster: str,
    requests: Sequence[RunRequest],
    carry_out: Callable[[RunRequest, Warn], dict[str, Any]],
    *,
    ended: Callable[[RunOutcome], None],
) -> list[RunOutcome]:
    """Carry out requests on a cluster, and return their outcomes in the same order.

    `carry_out` carries out one request on a worker; see `lossfw.runs.execute.carry_out_to_dict`.
    """
    outcomes: dict[int, RunOutcome] = {}

    def end(outcome: RunOutcome, number: int) -> None:
        outcomes[number] = outcome
        ended(outcome)

    contents = [pickle.dumps((carry_out, _with_absolute_files(request))) for request in requests]
    tasks = [
        ClusterTask(f"the run {request.shown_name}", (number, content))
        for number, (request, content) in enumerate(zip(requests, contents, strict=True))
    ]
    with scale.connect(cluster) as client:
        results = run_tasks(
            client,
            _carry_out_pickled,
            tasks,
            packages=packages_needed_by(*contents),
            describe_rest=lambda: (
                f"{len(requests) - len(outcomes)} of {len(requests)} runs are not done"
            ),
            patience=WORKER_SECONDS,
        )
        try:
            with closing(results):
                for number, plain in results:
                    end(RunOutcome(requests[number], **plain), number)
        except LossfwError as error:
            for number in set(range(len(requests))) - set(outcomes):
                end(RunOutcome(requests[number], None, str(error)), number)
    return [outcomes[number] for number in range(len(requests))]


def _with_absolute_files(request: RunRequest) -> RunRequest:
    """Return a request whose files are named as any process finds them."""
    folder = None if request.folder is None else request.folder.absolute()
    source = request.config.source
    local = [str(Path(file).absolute()) for file in source.plugins.local]
    plugins = replace(source.plugins, local=local)
    config = replace(request.config, source=replace(source, plugins=plugins))
    return replace(request, config=config, folder=folder, cluster=_HERE)


def _carry_out_pickled(number: int, content: bytes) -> tuple[int, dict[str, Any]]:
    """Carry out a pickled request on a worker; return its number and its plain outcome."""
    request: RunRequest
    carry_out, request = pickle.loads(content)  # noqa: S301  # of the process that sent it
    begin = time.monotonic()
    notes: list[str] = []
    with one_task_at_a_time():
        plain = carry_out(request, notes.append)
    return number, plain | {"notes": "\n".join(notes), "seconds": time.monotonic() - begin}
