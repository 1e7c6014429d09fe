"""Tasks on the workers of a Dask cluster, which repeats the tasks of a lost worker.

Dask gives a task to any worker, whatever its code. So each task compares the fingerprint of its
process with that of the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from lossfw.errors import RunError
from lossfw.scale.cluster import import_distributed
from lossfw.scale.fingerprint import fingerprint, fingerprint_differences

# Seconds between two looks at the workers, where no result comes.
_LOOK_SECONDS = 1.0
# Tasks for each thread of the cluster at a time: the next ones are there when a worker ends one.
# Results of more would wait on the workers where this process merges them more slowly.
_AHEAD = 4
# Seconds in which a result that is there arrives. If its worker was lost, nobody answers, and the
# scheduler has the task computed again.
_FETCH_SECONDS = 5.0


class ClusterTask(NamedTuple):
    """A call on a worker: its title in messages, and the arguments."""

    title: str
    arguments: tuple[Any, ...]


def run_tasks(
    client: Any,
    function: Callable[..., Any],
    tasks: Iterable[ClusterTask],
    *,
    packages: Iterable[str],
    describe_rest: Callable[[], str],
    patience: float,
) -> Generator[Any, None, None]:
    """Yield the result of each task as soon as it is finished.

    Parameters
    ----------
    client : distributed.Client
        A client of the cluster.
    function : callable
        The function that a worker calls with the arguments of a task.
    tasks : iterable of ClusterTask
        The tasks.
    packages : iterable of str
        The packages, besides lossfw, that must be the same on a worker.
    describe_rest : callable
        Returns what remains to be done, for messages.
    patience : float
        Seconds without a worker after which an error is raised.

    Raises
    ------
    RunError
        If a worker has other code, there is no worker, or the scheduler is gone. Errors of tasks
        are raised unchanged.
    """
    expected, waiting = fingerprint(packages), iter(tasks)
    given: dict[Any, ClusterTask] = {}
    done: SimpleQueue[Any] = SimpleQueue()
    threads = _thread_counts(client, describe_rest)
    if not threads:
        raise RunError(f"the cluster has no worker; start at least one: {describe_rest()}.")
    looked = alive = time.monotonic()
    try:
        while True:
            room = max(_AHEAD * threads - len(given), 0 if given else 1)
            for task in islice(waiting, room):
                future = client.submit(
                    _compare_and_call, expected, function, *task.arguments, pure=False
                )
                given[future] = task
                future.add_done_callback(done.put)
            if not given:
                return
            try:
                future = done.get(timeout=_LOOK_SECONDS)
                value = _result_of(future, given[future], describe_rest)
            except Empty:
                pass
            except _ResultLostError:
                future.add_done_callback(done.put)
            else:
                del given[future]
                future.release()
                yield value
            now = time.monotonic()
            if now - looked < _LOOK_SECONDS:
                continue
            looked, threads = now, _thread_counts(client, describe_rest)
            if threads:
                alive = now
            elif now - alive > patience:
                none = f"no worker is left, and none has joined for {patience:g} s (see their logs)"
                raise RunError(f"{none}: {describe_rest()}.")
    finally:
        _cancel_futures(client, list(given))


class _ResultLostError(Exception):
    """The result of a task that was done is not there any more."""


def _thread_counts(client: Any, describe_rest: Callable[[], str]) -> int:
    """Return the threads of all workers; raise `RunError` without a scheduler."""
    try:
        if client.status in ("running", "connecting"):
            return int(sum(client.nthreads().values()))
    except (OSError, TimeoutError):
        pass
    raise _scheduler_gone_error(describe_rest)


def _result_of(future: Any, task: ClusterTask, describe_rest: Callable[[], str]) -> Any:
    """Return the value of a task that has ended, or raise its error."""
    try:
        told, value = future.result(timeout=_FETCH_SECONDS)
    except import_distributed().KilledWorker:
        raise RunError(
            f"several workers ended one after the other, each with {task.title}, perhaps because "
            "memory ran out: see their logs. --resume continues with the others."
        ) from None
    except Exception as error:
        if future.status == "cancelled":
            raise _scheduler_gone_error(describe_rest) from None
        # Its worker ended, and the scheduler gives the task to another one; or the connection
        # broke. The task has not failed, and `_thread_counts` sees a dead scheduler.
        if future.status == "lost" or (future.status != "error" and isinstance(error, OSError)):
            raise _ResultLostError from None
        raise
    if told:
        raise RunError(
            f"{told}: {describe_rest()}. Give every worker the same packages. A process keeps "
            "the code that it has loaded: start it again after a change."
        )
    return value


def _compare_and_call(
    expected: Mapping[str, str], function: Callable[..., Any], *arguments: Any
) -> tuple[str, Any]:
    """Call a function on a worker; return why it has not the code for it, or the result."""
    if told := fingerprint_differences(expected):
        address = import_distributed().get_worker().address
        return f"the worker {address} cannot run this, {told}", None
    return "", function(*arguments)


def _scheduler_gone_error(describe_rest: Callable[[], str]) -> RunError:
    return RunError(f"the scheduler of the cluster is gone: {describe_rest()}.")


def _cancel_futures(client: Any, futures: list[Any]) -> None:
    """Give up what is not done; ignore a cluster that is gone."""
    try:
        client.cancel(futures, asynchronous=False)
    except Exception:
        return
