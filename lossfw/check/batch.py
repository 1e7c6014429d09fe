"""Batch: many components or catalogue entries, checked in several processes.

Exact numbers are Python's own integers, so threads would wait for each other.
A process is started anew and makes what it checks from names alone. Reports
come in the order of the jobs, whoever is done first.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

from lossfw.check.component import prepared
from lossfw.check.report import Report
from lossfw.check.runner import run
from lossfw.components.plugin_choice import Plugins

# How often the bar is told which check runs.
_GLANCE_SECONDS = 0.1


@dataclass(frozen=True)
class Options:
    """How every job is checked.

    Attributes
    ----------
    seed, examples, time_limit
        As in `lossfw.check.check`.
    """

    seed: int = 0
    examples: int = 200
    time_limit: float | None = None


class Job(Protocol):
    """Something to check; it can be pickled."""

    @property
    def label(self) -> str:
        """What it is called while it runs."""

    def run(self, options: Options, watch: Callable[[str], None] | None = None) -> Report:
        """Check it, telling `watch` the name of each check."""


@dataclass(frozen=True)
class ComponentJob:
    """A loss or an activation by name and parameters.

    Attributes
    ----------
    kind : str
        ``"loss"`` or ``"activation"``.
    config : mapping
        What the registry makes it from.
    plugins : Plugins
        Where it comes from.
    expected_failures : mapping of str to str
        See `lossfw.check.check`.
    share : float
        Of the examples; less for one of many parameters.
    """

    kind: str
    config: Mapping[str, Any]
    plugins: Plugins = field(default_factory=Plugins)
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0

    @property
    def label(self) -> str:
        """Its name."""
        return str(self.config["name"])

    def run(self, options: Options, watch: Callable[[str], None] | None = None) -> Report:
        """Check it; see `Job`."""
        component = self.plugins.registry().create(self.kind, dict(self.config))
        return run(
            prepared(component),
            seed=options.seed,
            examples=max(1, round(options.examples * self.share)),
            time_limit=options.time_limit,
            expected_failures=self.expected_failures,
            watch=watch,
        )


# Told how many jobs are done, how many there are, and what runs.
CheckProgress = Callable[[int, int, str], None]


def run_all(
    jobs: Sequence[Job],
    options: Options,
    *,
    processes: int | None = None,
    progress: CheckProgress | None = None,
) -> list[Report]:
    """Return the report of each job, in their order.

    Parameters
    ----------
    jobs : sequence of Job
    options : Options
    processes : int, optional
        How many to use; as many as there are cores unless given.
    progress : callable, optional
        Told how many jobs are done, how many there are, and what runs.
    """
    count = min(processes or os.cpu_count() or 1, len(jobs))
    if count <= 1:
        return _in_this_process(jobs, options, progress)
    return _in_processes(jobs, options, count, progress)


def _in_this_process(
    jobs: Sequence[Job], options: Options, progress: CheckProgress | None
) -> list[Report]:
    reports = []
    for done, job in enumerate(jobs):

        def watch(check: str, job: Job = job, done: int = done) -> None:
            if progress is not None:
                progress(done, len(jobs), f"{job.label}: {check}")

        reports.append(job.run(options, watch))
    return reports


def _in_processes(
    jobs: Sequence[Job], options: Options, count: int, progress: CheckProgress | None
) -> list[Report]:
    # Not forked: a copy of a process with threads may wait for one of them for ever.
    context = multiprocessing.get_context("spawn")
    told: Any = context.SimpleQueue() if progress is not None else None
    with ProcessPoolExecutor(count, context, _begin, (told,)) as pool:
        futures = [pool.submit(_work, job, options) for job in jobs]
        try:
            pending, text = set(futures), ""
            while pending:
                done, pending = wait(pending, _GLANCE_SECONDS, FIRST_COMPLETED)
                for future in done:
                    future.result()  # a failure ends the batch at once
                while told is not None and not told.empty():
                    text = told.get()
                if progress is not None:
                    progress(len(jobs) - len(pending), len(jobs), text)
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()


# Of a process of the pool: where it tells what it does, None where nobody listens.
_told: Any = None


def _begin(told: Any) -> None:
    global _told
    _told = told


def _work(job: Job, options: Options) -> Report:
    if _told is None:
        return job.run(options)
    return job.run(options, lambda check: _told.put(f"{job.label}: {check}"))
