"""Kernels: which functions have one by now, and the thread that makes them.

A function is compiled once the elements that went through it make the work pay. Until then, and
where a function has no kernel, tiles compute the same bits.
"""

from __future__ import annotations

import atexit
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lossfw.losses.engine.engine_mode import engine_mode
from lossfw.numerics.compiled import machine

if TYPE_CHECKING:
    # Imported on use, by the thread that compiles: most processes need no kernel.
    from lossfw.losses.engine.candidates import Candidate
    from lossfw.losses.engine.row_candidates import RowCandidate
    from lossfw.numerics.compiled.kernel import Kernel
    from lossfw.numerics.compiled.row_kernel import RowKernel

# A kernel costs some 50 milliseconds of LLVM, and saves 1 to 60 nanoseconds an element.
_ELEMENTS = 4_000_000

# The largest number of functions that are watched; beyond it the table begins anew.
_MOST = 4096

# A tuple that identifies the function, its dtype and its use.
FunctionKey: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class _Entry:
    """The state of a function: counted, compiled, or without a kernel.

    Attributes
    ----------
    elements : int
        How many went through it.
    kernel : Kernel, RowKernel or None
    settled : bool
        There is a kernel, or there will never be one, or it is being made.
    """

    elements: int = 0
    kernel: Kernel | RowKernel | None = None
    settled: bool = False


_entries: dict[FunctionKey, _Entry] = {}


def find(
    key: FunctionKey,
    candidate: Callable[[], Candidate | RowCandidate],
    dtype: np.dtype[Any],
    elements: int,
    *,
    weighted: bool = False,
) -> Any:
    """Return the kernel of a function, None while or where there is none.

    Parameters
    ----------
    key : tuple
        Equal for functions that compute the same.
    candidate : callable
        Returns the candidate; called when it is time to compile.
    dtype : dtype
        float32 or float64.
    elements : int
        The size of this call.
    weighted : bool
        The kernel that multiplies by weights.
    """
    mode = engine_mode()
    if mode == "tiles":
        return None
    entry = _entry((*key, dtype.char, weighted))
    if entry.settled:
        return entry.kernel
    entry.elements += elements
    if mode == "compiled":
        _make(entry, candidate(), dtype, weighted)
    elif entry.elements >= _ELEMENTS:
        entry.settled = True
        if machine.is_there():
            _worker.make(lambda: _make(entry, candidate(), dtype, weighted))
        elif mode == "explain":
            _say(f"llvmlite is not installed: {candidate().owner} stays in tiles")
    return entry.kernel


def _entry(key: FunctionKey) -> _Entry:
    entry = _entries.get(key)
    if entry is None:
        if len(_entries) >= _MOST:
            _entries.clear()
        entry = _entries.setdefault(key, _Entry())
    return entry


def _make(
    entry: _Entry, candidate: Candidate | RowCandidate, dtype: np.dtype[Any], weighted: bool
) -> None:
    """Make a kernel, or find out that there is none."""
    from lossfw.losses.engine.compilable import NoKernelError

    begun = time.perf_counter()
    try:
        entry.kernel = candidate.kernel(dtype, weighted=weighted)
        told = f"compiled in {time.perf_counter() - begun:.3f} s"
    except NoKernelError as error:
        told = f"tiles: {error}"
    except Exception as error:
        # Tiles compute the same, so whatever is wrong with LLVM stops no one.
        told = f"tiles: {type(error).__name__}: {error}"
    entry.settled = True
    if engine_mode() == "explain":
        _say(f"{candidate.owner}, {dtype}, {candidate.form}: {told}")


def _say(text: str) -> None:
    print(f"lossfw: {text}", file=sys.stderr)  # noqa: T201  # asked for by LOSSFW_ENGINE=explain


class _Worker:
    """The thread that compiles, started when there is something to do."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._waiting = 0

    def make(self, task: Callable[[], None]) -> None:
        """Run a task after those that wait."""
        with self._lock:
            self._waiting += 1
            self._tasks.put(task)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="lossfw-compile", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
            self._waiting -= 1

    def finish(self) -> None:
        """Drop waiting tasks, and wait for the present one: LLVM must not outlive Python."""
        with self._lock:
            thread, self._thread = self._thread, None
            while not self._tasks.empty():
                self._tasks.get()
                self._waiting -= 1
            self._tasks.put(None)
        if thread is not None:
            thread.join()
        machine.release()

    def wait(self, seconds: float = 30.0) -> None:
        """Wait until nothing is left to compile."""
        end = time.monotonic() + seconds
        while self._waiting and time.monotonic() < end:
            time.sleep(0.002)


_worker = _Worker()
atexit.register(_worker.finish)
if hasattr(os, "register_at_fork"):
    # A child has no threads of its parent.
    os.register_at_fork(after_in_child=_worker._reset)


def wait() -> None:
    """Wait until the kernels that have been asked for are made, or refused."""
    _worker.wait()


def forget() -> None:
    """Forget all kernels and counts."""
    _entries.clear()
