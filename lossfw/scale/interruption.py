"""Interruption: Ctrl-C reaches this process alone, and waits until a cluster has started.

A terminal sends it to all processes that it has started. Workers that are half imported
would end in tracebacks, and a cluster that is half started does not close.
"""

from __future__ import annotations

import importlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruption_waits() -> Iterator[None]:
    """Hold SIGINT back inside the ``with`` block, and let it come at its end.

    Threads and processes that are started inside never get it. In another thread than the
    main one, which has no signals to answer, only this holds.
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


@contextmanager
def interruption_blocked() -> Iterator[None]:
    """Block SIGINT in this thread; threads and processes that it starts inside never get it.

    Where there are no masks of signals, as on Windows, nothing is blocked.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
