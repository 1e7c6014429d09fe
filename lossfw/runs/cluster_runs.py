"""Several runs on a cluster, one a task; their folders are on a disk that all workers have."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lossfw.errors import LossfwError
from lossfw.runs.plain_outcome import plain_outcome
from lossfw.runs.records import RunOutcome, RunRequest
from lossfw.scale.cluster import connected, distributed
from lossfw.scale.shipping import in_turn

# The cluster of a run that is a task itself: none.
_HERE = ""


def run_on(
    cluster: str, requests: Sequence[RunRequest], *, ended: Callable[[RunOutcome], None]
) -> list[RunOutcome]:
    """Carry out requests on a cluster, and return their outcomes in the same order.

    Parameters
    ----------
    cluster : str
        See `lossfw.scale.cluster.connected`.
    requests : sequence of RunRequest
        The runs.
    ended : callable
        Called with each run that has ended.
    """
    outcomes: dict[int, RunOutcome] = {}
    with connected(cluster) as client:
        numbers = {
            client.submit(_carry_out, pickle.dumps(_anywhere(request)), pure=False): number
            for number, request in enumerate(requests)
        }
        for future in distributed().as_completed(numbers):
            number = numbers[future]
            outcomes[number] = _outcome(requests[number], future)
            ended(outcomes[number])
    return [outcomes[number] for number in range(len(requests))]


def _anywhere(request: RunRequest) -> RunRequest:
    """Return a request whose files are named as any process finds them."""
    folder = None if request.folder is None else request.folder.absolute()
    source = request.config.source
    local = [str(Path(file).absolute()) for file in source.plugins.local]
    plugins = replace(source.plugins, local=local)
    config = replace(request.config, source=replace(source, plugins=plugins))
    return replace(request, config=config, folder=folder, cluster=_HERE)


def _carry_out(content: bytes) -> dict[str, Any]:
    """Carry out a pickled request on a worker, and return its outcome as plain values."""
    request: RunRequest = pickle.loads(content)  # noqa: S301  # of the process that sent it
    begin = time.monotonic()
    notes: list[str] = []
    plain: dict[str, Any] = {"result": None}
    try:
        with in_turn():
            plain = plain_outcome(request, notes.append)
    except LossfwError as error:
        plain["error"] = str(error)
    return plain | {"notes": "\n".join(notes), "seconds": time.monotonic() - begin}


def _outcome(request: RunRequest, future: Any) -> RunOutcome:
    try:
        return RunOutcome(request, **future.result())
    except Exception as error:  # of the cluster, or a mistake in a plugin
        return RunOutcome(request, None, f"{type(error).__name__}: {error}", 0.0)
