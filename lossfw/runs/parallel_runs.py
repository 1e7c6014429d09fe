"""Several runs in parallel, each in its own process; a failure does not stop the others."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossfw.config.build.sweep import expand
from lossfw.config.schema.checked import CheckedConfig
from lossfw.losses.engine.threads import thread_count
from lossfw.runs.records import RunRequest


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of one of several runs.

    Attributes
    ----------
    request : RunRequest
        The request for it.
    result : mapping or None
        The content of ``metrics.json``; None for a run that failed.
    error : str
        Why it failed; empty if it did not.
    seconds : float
        Its duration.
    before : bool
        Whether the result is that of an earlier run, and was not computed now.
    notes : str
        Warnings about plugins.
    texts : tuple of str
        Texts that plugins add to its report.
    nan : bool
        Whether its loss is NaN, and its configuration does not accept that.
    """

    request: RunRequest
    result: dict[str, Any] | None
    error: str
    seconds: float
    before: bool = False
    notes: str = ""
    texts: tuple[str, ...] = ()
    nan: bool = False

    @property
    def status(self) -> str:
        """``"done"`` or ``"failed"``."""
        return "failed" if self.result is None else "done"


def requests_of(
    configs: Sequence[CheckedConfig],
    folder: Path | None,
    *,
    resume: bool,
    trains: bool = False,
    cluster: str | None = None,
) -> list[RunRequest]:
    """Return a request for each run of some configurations, every sweep expanded and checked.

    Each run has a name, and a folder of its own in `folder` that is called so.

    Raises
    ------
    ConfigError
        All mistakes of the first configuration whose sweep is wrong.
    """
    runs = [(config, run) for config in configs for run in expand(config, training=trains)]
    names = _distinct([_joined(c.source.name, run.name, len(configs)) for c, run in runs])
    return [
        RunRequest(
            run.config, name, None if folder is None else folder / name, resume, trains, cluster
        )
        for (_, run), name in zip(runs, names, strict=True)
    ]


def _joined(config: str, variant: str, configs: int) -> str:
    stem = Path(config).stem
    return variant if configs == 1 or variant == stem else f"{stem},{variant}"


def _distinct(names: Sequence[str]) -> list[str]:
    """Return unique names, by a number behind each repeated one.

    Examples
    --------
    >>> _distinct(["a", "b", "a"])
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
    """Carry out requests in parallel, and return their outcomes in the same order.

    Parameters
    ----------
    requests : sequence of RunRequest
        The runs.
    jobs : int
        Number of parallel processes, which share the threads.
    ended : callable
        Called with each run that has ended.
    """
    threads = max(1, thread_count() // jobs)
    live: set[subprocess.Popen[bytes]] = set()

    def carry_out(request: RunRequest) -> RunOutcome:
        outcome = _in_process(request, threads, live)
        ended(outcome)
        return outcome

    with ThreadPoolExecutor(jobs, "lossfw-runs") as pool:
        waiting = [pool.submit(carry_out, request) for request in requests]
        try:
            return [future.result() for future in waiting]
        except BaseException:
            # Interrupted by the user: no more runs begin, and running ones are ended.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(live):
                process.terminate()
            raise


def _in_process(
    request: RunRequest, threads: int, live: set[subprocess.Popen[bytes]]
) -> RunOutcome:
    begin = time.monotonic()
    # In files: a full pipe would stop the run.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "lossfw.runs.worker"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=errors,
            env={"LOSSFW_THREADS": str(threads), **os.environ},
        )
        live.add(process)
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it ended at once, and says why
            process.stdin.write(pickle.dumps(request))
            process.stdin.flush()
        code = process.wait()
        live.discard(process)
        with suppress(BrokenPipeError):
            process.stdin.close()
        seconds = time.monotonic() - begin
        out.seek(0)
        errors.seek(0)
        told = errors.read().strip()
        if code == 0:
            plain = json.loads(out.read())
            texts = tuple(plain["texts"])
            before, nan = plain["before"], plain["nan"]
            return RunOutcome(request, plain["result"], "", seconds, before, told, texts, nan)
    if code < 0:
        told = f"{told}\nended by signal {-code}".lstrip()
    return RunOutcome(request, None, told or f"ended with exit code {code}", seconds)
