"""Processes that carry out jobs, some of which depend on results of others.

Exact numbers are computed under the interpreter's lock, so threads would wait for each other. A
process starts fresh and makes its component only from names.
"""

from __future__ import annotations

import math
import multiprocessing
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeAlias

from lossfw.losses.engine.threads import PROCESSORS
from lossfw.processes import safe_starts

# How often progress is reported while nothing is finished.
_GLANCE_SECONDS = 0.1

# Gets the name of each step before it begins, and tells whether there is time for it.
Watch: TypeAlias = Callable[[str], bool]

# Gets the number of jobs that are done, of all jobs, and the name of the step that runs.
JobProgress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Job:
    """A function of a module, which also takes `watch`, and its arguments; can be pickled."""

    label: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    # When its time is over, by the monotonic clock that all processes share.
    until: float = math.inf

    def run(self, report_step: Callable[[str], None]) -> Any:
        """Run the job and report its steps; reports do not contain output of an author's code."""

        def watch(step: str) -> bool:
            report_step(f"{self.label}: {step}")
            return time.monotonic() < self.until

        with redirect_stdout(sys.stderr):
            return self.function(**self.arguments, watch=watch)


@dataclass(frozen=True)
class JobSeries:
    """Jobs in parts: `parts()` yields some, gets their results, and returns the final result.

    Its time limit counts the seconds in which one of its jobs ran. Afterwards no further job
    starts, and jobs that did not start have the result None.
    """

    parts: Callable[[], Generator[list[Job], list[Any], Any]]
    n_jobs: int
    seconds: float | None = None


def run_all(jobs: Sequence[Job | JobSeries], **options: Any) -> list[Any]:
    """Return the results of all jobs or series in order; see `as_completed`."""
    return [result for _, result in sorted(as_completed(jobs, **options), key=itemgetter(0))]


def as_completed(
    jobs: Sequence[Job | JobSeries],
    *,
    processes: int | None = None,
    progress: JobProgress | None = None,
) -> Iterator[tuple[int, Any]]:
    """Yield number and result of each job or series as it ends; by default a process per core.

    With one process they end in their order.
    """
    series = [
        _RunningSeries(_single_job_series(job) if isinstance(job, Job) else job) for job in jobs
    ]
    total = sum(one.n_jobs for one in series)
    count = min(processes or PROCESSORS, total)
    done = 0

    def report_step(step: str) -> None:
        if progress is not None:
            progress(done, total, step)

    with _workers(count, report_step) as workers:
        in_flight: dict[Future[Any], tuple[_RunningSeries, int]] = {}
        try:
            left = list(enumerate(series))
            while left:
                for _, one in left:
                    while len(in_flight) < count and (begun := one.begin()) is not None:
                        number, job = begun
                        in_flight[workers.submit(job)] = one, number
                finished, _ = wait(in_flight, _GLANCE_SECONDS, FIRST_COMPLETED)
                for future in finished:
                    one, number = in_flight.pop(future)
                    # A failure ends all at once.
                    one.finish(number, future.result())
                    done += 1
                workers.report_step()
                yield from ((at, one.result) for at, one in left if one.is_done)
                left = [(at, one) for at, one in left if not one.is_done]
        finally:
            for future in in_flight:
                future.cancel()


class _RunningSeries:
    """A series that is carried out."""

    def __init__(self, series: JobSeries) -> None:
        self.n_jobs = series.n_jobs
        self.is_done, self.result = False, None
        self._parts = series.parts()
        # The seconds that are left count while a job runs, and then the time is over at `_end`.
        self._seconds = math.inf if series.seconds is None else series.seconds
        self._end, self._running, self._has_begun = math.inf, 0, False
        self._waiting: deque[tuple[int, Job]] = deque()
        self._results: list[Any] | None = None
        self._missing = 0
        self._advance()

    def begin(self) -> tuple[int, Job] | None:
        """Return the next job, with its number among those of its part; None if none can begin."""
        while self._waiting:
            now = time.monotonic()
            if not self._running:
                self._end = now + self._seconds
            if now < self._end or not self._has_begun:
                self._running, self._has_begun = self._running + 1, True
                number, job = self._waiting.popleft()
                return number, replace(job, until=self._end)
            self._missing -= len(self._waiting)
            self._waiting.clear()
            self._advance()
        return None

    def finish(self, number: int, result: Any) -> None:
        """Take the result of a job."""
        assert self._results is not None
        self._running -= 1
        if not self._running:
            self._seconds = self._end - time.monotonic()
        self._results[number] = result
        self._missing -= 1
        self._advance()

    def _advance(self) -> None:
        """Go on to the next part if no job of this one is missing."""
        if self._missing:
            return
        try:
            jobs = self._parts.send(self._results)  # type: ignore[arg-type]  # None begins
        except StopIteration as end:
            self.is_done, self.result = True, end.value
            return
        self._waiting.extend(enumerate(jobs))
        self._results, self._missing = [None] * len(jobs), len(jobs)


def _single_job_series(job: Job) -> JobSeries:
    def part() -> Generator[list[Job], list[Any], Any]:
        (result,) = yield [job]
        return result

    return JobSeries(part, 1)


class _ThisProcess:
    """Does a job in this process when it is submitted."""

    def __init__(self, report_step: Callable[[str], None]) -> None:
        self._tell, self._label = report_step, ""

    def submit(self, job: Job) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(job.run(self._tell))
        self._label = job.label
        return future

    def report_step(self) -> None:
        """Tell the latest job."""
        self._tell(self._label)


class _OtherProcesses:
    """Processes that put their steps into a queue."""

    def __init__(
        self, pool: ProcessPoolExecutor, steps: Any, report_step: Callable[[str], None]
    ) -> None:
        self._pool, self._steps, self._tell = pool, steps, report_step
        self._step = ""

    def submit(self, job: Job) -> Future[Any]:
        # A process is started for a job, if all others are at work.
        with safe_starts():
            return self._pool.submit(_run_in_worker, job)

    def report_step(self) -> None:
        """Tell the latest step."""
        while not self._steps.empty():
            self._step = self._steps.get()
        self._tell(self._step)


@contextmanager
def _workers(
    count: int, report_step: Callable[[str], None]
) -> Iterator[_ThisProcess | _OtherProcesses]:
    if count <= 1:
        yield _ThisProcess(report_step)
        return
    # Not forked: a copy of a process with threads may wait for one of them for ever.
    context = multiprocessing.get_context("spawn")
    with safe_starts():
        # It starts a process that keeps its locks.
        steps: Any = context.SimpleQueue()
    with ProcessPoolExecutor(count, context, _set_steps, (steps,)) as pool:
        yield _OtherProcesses(pool, steps, report_step)


# Where a process of the pool puts its steps.
_steps: Any = None


def _set_steps(steps: Any) -> None:
    global _steps
    _steps = steps


def _run_in_worker(job: Job) -> Any:
    return job.run(_steps.put)
