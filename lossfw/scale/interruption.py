"""Interruption: Ctrl-C reaches this process alone, and waits until a cluster has started.

A terminal sends it to all processes that it has started. Workers that are half imported
would end in tracebacks, and a cluster that is half started does not close.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any


@contextmanager
def interruption_waits() -> Iterator[None]:
    """Hold SIGINT back inside the ``with`` block, and let it come at its end.

    Threads and processes that are started inside never get it. In another thread than the
    main one, which has no signals to answer, only this holds.
    """
    # It starts with the first process, and then unblocks the signal in the thread at hand.
    resource_tracker.ensure_running()
    come: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    # Processes inherit the mask of the thread that starts them. Threads of other libraries may
    # have none, and take the signal for the whole process: the handler is for these.
    before = signal.signal(signal.SIGINT, lambda number, _: come.append(number)) if main else None
    mask = _block()
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, before)
            if come:
                signal.raise_signal(signal.SIGINT)


def _block() -> Any:
    """Block SIGINT in this thread, and return the mask before; None where there are no masks."""
    if not hasattr(signal, "pthread_sigmask"):
        return None
    return signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
