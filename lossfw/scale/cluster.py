"""Dask clusters: connect to one, or start one on this machine."""

from __future__ import annotations

import importlib
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lossfw.errors import ArgumentError, MissingExtraError, RunError
from lossfw.extras import install_command
from lossfw.losses.engine.threads import PROCESSORS
from lossfw.processes import interruption_blocked, safe_starts
from lossfw.temporary import temporary_folder

# The prefix of worker processes that are started on this machine.
_LOCAL = "local:"
# Loggers of the libraries that hold the connections.
_LOGGERS = frozenset({"asyncio", "distributed", "tornado"})
# More processes than this on one machine are a mistake.
_MOST_LOCAL = 1024
# A worker of this machine that has been silent for so many seconds, as one that is stopped, is
# ended and started again. The scheduler looks once in this time.
_SILENT_SECONDS = 120
# Seconds in which a scheduler answers, or is taken for one that is not there.
CONNECT_SECONDS = 20


def import_distributed() -> Any:
    """Return the library, imported on use."""
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise MissingExtraError(
            "a cluster needs the library dask.distributed, which is not installed: "
            f"{install_command('dask')}"
        ) from None


def local_workers(scheduler: str) -> int | None:
    """Return N of ``local:N``; None for the address of a scheduler.

    Examples
    --------
    >>> local_workers("local:4"), local_workers("tcp://host:8786")
    (4, None)
    """
    if not scheduler.startswith(_LOCAL):
        return None
    text = scheduler.removeprefix(_LOCAL)
    if not (text.isdecimal() and 1 <= int(text) <= _MOST_LOCAL):
        raise ArgumentError(
            f"the cluster {scheduler!r}: expected the number of processes after local:, from 1 to "
            f"{_MOST_LOCAL}, as in local:2."
        )
    return int(text)


@contextmanager
def connect(scheduler: str) -> Iterator[Any]:
    """Return a client of a cluster inside the ``with`` block.

    Parameters
    ----------
    scheduler : str
        The address of a scheduler (``tcp://host:8786``), the file that a scheduler
        wrote, or ``local:N`` for N processes on this machine, which end with the block.

    Raises
    ------
    ArgumentError
        If it is none of these.
    RunError
        If the scheduler does not answer.
    MissingExtraError
        If Dask is not installed.
    """
    count = local_workers(scheduler)
    with _local_client(count) if count is not None else _remote_client(scheduler) as client:
        yield client


def thread_count_of(scheduler: str) -> int:
    """Return the number of threads of a cluster, without starting ``local:N``."""
    count = local_workers(scheduler)
    if count is not None:
        return count * _threads_per_worker(count)
    with connect(scheduler) as client:
        return int(sum(client.nthreads().values()))


def _threads_per_worker(count: int) -> int:
    return max(1, PROCESSORS // count)


@contextmanager
def _local_client(count: int) -> Iterator[Any]:
    dask, config = import_distributed(), importlib.import_module("dask.config")
    # A worker that was lost is started again, so this holds until the end.
    with safe_starts(), ExitStack() as stack:
        with delay_interruption():
            # Samples of what the workers do, a hundred a second, are for a dashboard that is not
            # there.
            stack.enter_context(config.set({"distributed.worker.profile.enabled": False}))
            folder = stack.enter_context(temporary_folder())
            try:
                cluster = dask.LocalCluster(
                    n_workers=count,
                    threads_per_worker=_threads_per_worker(count),
                    processes=True,
                    # No dashboard; without a port of its own the scheduler would ask for the usual
                    # one, and warn where another cluster has it.
                    dashboard_address=":0",
                    scheduler_kwargs={"dashboard": False, "worker_ttl": _SILENT_SECONDS},
                    local_directory=str(folder),
                    silence_logs=logging.CRITICAL,
                )
            except (RuntimeError, OSError, TimeoutError) as error:
                raise RunError(
                    f"a process of the cluster {_LOCAL}{count} could not be started, or ended "
                    f"while it started ({str(error).rstrip('.')}): start again."
                ) from None
            client = dask.Client(stack.enter_context(cluster))
            stack.enter_context(client)
        yield client


@contextmanager
def _remote_client(scheduler: str) -> Iterator[Any]:
    dask = import_distributed()
    given = {"address": scheduler}
    if Path(scheduler).is_file():
        given = {"scheduler_file": scheduler}
    elif "://" not in scheduler:
        raise ArgumentError(
            f"the cluster {scheduler!r} is neither an address, as tcp://host:8786, nor the file of "
            "a scheduler, nor local:N for processes on this machine."
        )
    with _silence_logs():
        try:
            client = dask.Client(**given, timeout=CONNECT_SECONDS)
        except (OSError, ValueError, TimeoutError) as error:
            raise RunError(f"the scheduler {scheduler} does not answer: {error}.") from None
        with client:
            yield client


@contextmanager
def _silence_logs() -> Iterator[None]:
    """Keep errors of connections out of the terminal: one message names a lost scheduler."""
    names = [n for n in logging.root.manager.loggerDict if n.partition(".")[0] in _LOGGERS]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def delay_interruption() -> Iterator[None]:
    """Delay SIGINT to the end of the ``with`` block.

    Threads and processes started inside never get it. Outside of the main thread, which handles
    signals, only the latter applies.
    """
    if hasattr(signal, "pthread_sigmask"):
        # It starts with the first process, and then unblocks the signal in the thread at hand.
        importlib.import_module("multiprocessing.resource_tracker").ensure_running()
    come: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    # Threads of other libraries block nothing, and take the signal for the whole process: the
    # handler is for these.
    before = signal.signal(signal.SIGINT, lambda number, _: come.append(number)) if main else None
    try:
        with interruption_blocked():
            yield
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
            if come:
                signal.raise_signal(signal.SIGINT)
