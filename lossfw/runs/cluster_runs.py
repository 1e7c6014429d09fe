"""Several runs on a cluster, one a task; their folders are on a disk that all workers have."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from lossfw.errors import LossfwError
from lossfw.runs.execute import plain_outcome
from lossfw.runs.records import RunOutcome, RunRequest
from lossfw.scale.cluster import connected
from lossfw.scale.evaluate import WORKER_SECONDS
from lossfw.scale.fingerprint import packages_in
from lossfw.scale.shipping import in_turn
from lossfw.scale.tasks import ClusterTask, run_tasks

# The cluster of a run that is a task itself: none.
_HERE = ""


def run_on(
    cluster: str, requests: Sequence[RunRequest], *, ended: Callable[[RunOutcome], None]
) -> list[RunOutcome]:
    """Carry out requests on a cluster, and return their outcomes in the same order."""
    outcomes: dict[int, RunOutcome] = {}

    def end(outcome: RunOutcome, number: int) -> None:
        outcomes[number] = outcome
        ended(outcome)

    contents = [pickle.dumps(_anywhere(request)) for request in requests]
    tasks = [
        ClusterTask(f"the run {request.shown_name}", (number, content))
        for number, (request, content) in enumerate(zip(requests, contents, strict=True))
    ]
    with connected(cluster) as client:
        results = run_tasks(
            client,
            _carry_out,
            tasks,
            packages=packages_in(*contents),
            left=lambda: f"{len(requests) - len(outcomes)} of {len(requests)} runs are not done",
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


def _anywhere(request: RunRequest) -> RunRequest:
    """Return a request whose files are named as any process finds them."""
    folder = None if request.folder is None else request.folder.absolute()
    source = request.config.source
    local = [str(Path(file).absolute()) for file in source.plugins.local]
    plugins = replace(source.plugins, local=local)
    config = replace(request.config, source=replace(source, plugins=plugins))
    return replace(request, config=config, folder=folder, cluster=_HERE)


def _carry_out(number: int, content: bytes) -> tuple[int, dict[str, Any]]:
    """Carry out a pickled request on a worker; return its number and its plain outcome."""
    request: RunRequest = pickle.loads(content)  # noqa: S301  # of the process that sent it
    begin = time.monotonic()
    notes: list[str] = []
    with in_turn():
        plain = plain_outcome(request, notes.append)
    return number, plain | {"notes": "\n".join(notes), "seconds": time.monotonic() - begin}
