"""Many runs: side by side in processes of their own; one that fails stops no other."""

from __future__ import annotations

import itertools
import json
import os
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

from lossfw.components.plugin_choice import Plugins
from lossfw.config.build.sweep import expand
from lossfw.losses.engine.threads import thread_count
from lossfw.runs.records import RunRequest
from lossfw.runs.worker import to_line


@dataclass(frozen=True)
class RunOutcome:
    """A run of several, when it has ended.

    Attributes
    ----------
    order : RunRequest
        What was run.
    result : mapping or None
        What ``metrics.json`` holds; None for a run that failed.
    error : str
        Why it failed; empty where it did not.
    seconds : float
        How long it took.
    before : bool
        Whether it was done before, and not computed now.
    notes : str
        Warnings about plugins.
    texts : tuple of str
        What plugins add to its report.
    """

    order: RunRequest
    result: dict[str, Any] | None
    error: str
    seconds: float
    before: bool = False
    notes: str = ""
    texts: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """``"done"`` or ``"failed"``."""
        return "failed" if self.result is None else "done"


def orders_of(
    configs: Sequence[str],
    overrides: tuple[str, ...],
    plugins: Plugins,
    folder: Path | None,
    *,
    resume: bool,
) -> list[RunRequest]:
    """Return an order for each run of some configurations, every sweep expanded and checked.

    Runs of a sweep, or of several configurations, have folders of their own in
    `folder`, which are called like the runs.

    Raises
    ------
    ConfigError
        All mistakes of the first configuration whose sweep is wrong.
    """
    named = [
        (config, variant.overrides, _joined(config, variant.name, len(configs)))
        for config in configs
        for variant in expand(config, overrides, plugins)
    ]
    if len(named) == 1 and named[0][1] == overrides:
        return [RunRequest(configs[0], overrides, plugins, folder=folder, resume=resume)]
    names = _distinct([name for _, _, name in named])
    return [
        RunRequest(config, chosen, plugins, name, None if folder is None else folder / name, resume)
        for (config, chosen, _), name in zip(named, names, strict=True)
    ]


def _joined(config: str, variant: str, configs: int) -> str:
    stem = Path(config).stem
    return variant if configs == 1 or variant == stem else f"{stem},{variant}"


def _distinct(names: Sequence[str]) -> list[str]:
    """Return the names, those that come again with a number.

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
    orders: Sequence[RunRequest], jobs: int, *, ended: Callable[[RunOutcome], None]
) -> list[RunOutcome]:
    """Carry out orders, so many at a time, and return what became of each, in their order.

    Parameters
    ----------
    orders : sequence of RunRequest
        What is to be run.
    jobs : int
        How many processes work at a time; they share the threads.
    ended : callable
        Called with each run that has ended.
    """
    threads = max(1, thread_count() // jobs)
    live: set[subprocess.Popen[str]] = set()

    def carry_out(order: RunRequest) -> RunOutcome:
        outcome = _in_process(order, threads, live)
        ended(outcome)
        return outcome

    with ThreadPoolExecutor(jobs, "lossfw-runs") as pool:
        waiting = [pool.submit(carry_out, order) for order in orders]
        try:
            return [future.result() for future in waiting]
        except BaseException:
            # The user has interrupted it: nothing more is begun, what runs is ended.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(live):
                process.terminate()
            raise


def _in_process(order: RunRequest, threads: int, live: set[subprocess.Popen[str]]) -> RunOutcome:
    begin = time.monotonic()
    # In files: a pipe that nobody empties would stop the run.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "lossfw.runs.worker"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=errors,
            text=True,
            env={"LOSSFW_THREADS": str(threads), **os.environ},
        )
        live.add(process)
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it ended at once, and says why
            process.stdin.write(to_line(order))
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
            return RunOutcome(order, plain["result"], "", seconds, plain["before"], told, texts)
    if code < 0:
        told = f"{told}\nended by signal {-code}".lstrip()
    return RunOutcome(order, None, told or f"ended with exit code {code}", seconds)
