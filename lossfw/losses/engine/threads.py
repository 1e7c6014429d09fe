"""Threads: their number, and how they share tasks.

NumPy releases its lock inside every operation, so threads are enough. No
result depends on their number.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import numpy as np

from lossfw.errors import ParameterError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Fewer tasks than this are done before a second thread has started.
_TASKS_FOR_THREADS = 4

# Just under the largest size up to which glibc adapts the threshold above which
# it returns freed memory to the system, 32 MiB.
_RELEASED_BYTES = 30 * 2**20

# Those that this process may use, which a cluster's scheduler limits. Read once: Linux takes 15
# microseconds to answer.
PROCESSORS = (
    len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
)

_threads: ContextVar[int | None] = ContextVar("lossfw_threads", default=None)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with this many threads inside the ``with`` block.

    Without it, the number is the environment variable ``LOSSFW_THREADS``, or the number of
    processors that the process may use. No result depends on it.

    Examples
    --------
    >>> import lossfw
    >>> with lossfw.threads(1):
    ...     lossfw.loss("squared_error")([1.0], [3.0])
    4.0
    """
    if count < 1:
        raise ParameterError(f"threads should be a whole number of at least 1, got {count!r}.")
    token = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(token)


def thread_count() -> int:
    """Return the number of threads for a large input."""
    chosen = _threads.get()
    if chosen is not None:
        return chosen
    text = os.environ.get("LOSSFW_THREADS", "")
    if not text:
        return PROCESSORS
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ParameterError(f"LOSSFW_THREADS should be a whole number of at least 1, got {text!r}.")


def run(task: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """Run a task on every item and return the results in order.

    NumPy's floating-point warnings are off inside: an overflow or a NaN shows in the result. If
    tasks fail, the first failure in the order of the items is raised, in whatever order the threads
    ran.
    """
    keep_freed_memory()
    if len(items) < _TASKS_FOR_THREADS:
        with np.errstate(all="ignore"):
            return [task(item) for item in items]
    # Imported on use: most processes never have so much to do.
    from concurrent.futures import ThreadPoolExecutor

    results: dict[int, _Result] = {}
    failures: dict[int, BaseException] = {}
    # Workers take the next item from one iterator, so that none of them waits.
    queue = iter(enumerate(items))

    def work() -> None:
        with np.errstate(all="ignore"):
            for number, item in queue:
                if failures:
                    return
                try:
                    results[number] = task(item)
                except BaseException as failure:
                    # Also an interruption, which ends the other threads too.
                    failures[number] = failure

    with ThreadPoolExecutor(thread_count(), "lossfw") as pool:
        for _ in range(min(thread_count(), len(items)) - 1):
            pool.submit(work)
        work()
    if failures:
        # All items before a failed one were begun, so this is the same each time.
        raise failures[min(failures)]
    return [results[number] for number in range(len(items))]


@functools.cache
def keep_freed_memory() -> None:
    """Let the next tile reuse the temporaries of a tile.

    glibc returns freed blocks above a threshold to the system, and each tile would pay for its
    pages again (measured: six times the cost of a squared error). The threshold rises when one
    large block is freed.
    """
    np.empty(_RELEASED_BYTES, np.uint8)
