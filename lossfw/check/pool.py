"""Run jobs in several processes, and return their results in order.

Exact numbers are computed one by one under the lock of the interpreter, so threads would wait
for each other.
A process is started anew and makes its component from names alone.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import redirect_stdout
from typing import Any, Protocol, TypeAlias, TypeVar

# How often progress is told while nothing is finished.
_GLANCE_SECONDS = 0.1

Answer = TypeVar("Answer", covariant=True)

# Told how many jobs are done, how many there are, and the name of the step that runs.
JobProgress: TypeAlias = Callable[[int, int, str], None]


class Job(Protocol[Answer]):
    """Work with a result; both can be pickled."""

    @property
    def label(self) -> str:
        """Its name while it runs."""

    def run(self, watch: Callable[[str], None]) -> Answer:
        """Do it, telling `watch` the name of each step."""


def run_all(
    jobs: Sequence[Job[Answer]],
    *,
    processes: int | None = None,
    progress: JobProgress | None = None,
) -> Iterator[Answer]:
    """Yield the result of each job, in their order.

    Parameters
    ----------
    jobs : sequence of Job
    processes : int, optional
        How many to use; as many as there are cores unless given.
    progress : callable, optional
        Told how many jobs are done, how many there are, and the name of the step that runs.
    """
    tell = progress or (lambda done, total, text: None)
    count = min(processes or os.cpu_count() or 1, len(jobs))
    if count > 1:
        yield from _in_processes(jobs, count, tell)
        return
    for done, job in enumerate(jobs):

        def watch(step: str, job: Job[Answer] = job, done: int = done) -> None:
            tell(done, len(jobs), f"{job.label}: {step}")

        result = _quietly(job, watch)
        tell(done + 1, len(jobs), job.label)
        yield result


def _in_processes(jobs: Sequence[Job[Answer]], count: int, tell: JobProgress) -> Iterator[Answer]:
    # Not forked: a copy of a process with threads may wait for one of them for ever.
    context = multiprocessing.get_context("spawn")
    told: Any = context.SimpleQueue()
    with ProcessPoolExecutor(count, context, _begin, (told,)) as pool:
        futures = [pool.submit(_work, job) for job in jobs]
        try:
            pending, text = set(futures), ""
            for future in futures:
                while future in pending:
                    finished, pending = wait(pending, _GLANCE_SECONDS, FIRST_COMPLETED)
                    for one in finished:
                        one.result()  # a failure ends all at once
                    while not told.empty():
                        text = told.get()
                    tell(len(jobs) - len(pending), len(jobs), text)
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


# Where a process of the pool tells its steps.
_told: Any = None


def _begin(told: Any) -> None:
    global _told
    _told = told


def _work(job: Job[Answer]) -> Answer:
    return _quietly(job, lambda step: _told.put(f"{job.label}: {step}"))


def _quietly(job: Job[Answer], watch: Callable[[str], None]) -> Answer:
    """Do a job; what an author's function prints does not get among the reports."""
    with redirect_stdout(sys.stderr):
        return job.run(watch)
