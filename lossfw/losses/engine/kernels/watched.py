"""Watched functions: those with a kernel, and the thread that compiles kernels.

A function is compiled once its tiles have taken so long that a kernel pays. Until then, and without
a kernel, tiles compute the same bits.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import operator
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from lossfw.losses.engine.engine_mode import engine_mode
from lossfw.losses.engine.fast_path import SMALL
from lossfw.losses.engine.kernels.trial import Trial
from lossfw.numerics.compiled import llvm_target

if TYPE_CHECKING:
    # Imported on use, by the thread that compiles: most processes need no kernel.
    from lossfw.losses.engine.kernels.candidates import Candidate
    from lossfw.losses.engine.kernels.tile_function import TileFunction
    from lossfw.numerics.compiled.kernel import Kernel

# A kernel is made once the tiles of its function have taken so many seconds, half of the 70 to 130
# milliseconds that making it takes. A threshold of the whole cost never takes more than twice the
# time of the best choice in hindsight, and half of it is enough because another thread pays. With
# 0.03 a LightGBM training of 5,000 rows was a third slower: that thread holds Python's lock. They
# are seconds of the calling thread, since on a busy machine kernels take longer too.
_SECONDS = 0.06

# A function without a derivative is written out for tiles once these have taken so many seconds,
# about half of the 4 to 7 milliseconds that it takes: the tiles of a small batch take a third to a
# sixth of the time from then on, until there is a kernel.
_SECONDS_UNTIL_WRITTEN = 0.003

# The modes in which time decides.
_BY_TIME = ("auto", "explain")

# The largest number of functions that are watched; beyond it those without a kernel start over, as
# where a parameter changes with every call.
_MOST = 4096

# The largest number of kernels, of some 70 kB each. The one that was not used for the longest
# time is dropped, as where a parameter changes with every call.
_MOST_KERNELS = 256

# After so many compilations a kernel is made only on request: llvmlite never frees the 100 kB that
# LLVM's optimisation takes.
_MOST_COMPILED = 1024

# A tuple that identifies the function, its dtype and its use.
FunctionKey: TypeAlias = tuple[Any, ...]

_clock = itertools.count()
_lock = threading.Lock()
_trusts = ContextVar("_trusts", default=False)


class UsableKernel(NamedTuple):
    """A kernel, or a written function, and its trial."""

    kernel: Any
    trial: Trial | None


@contextmanager
def trust_kernels() -> Iterator[None]:
    """Use kernels without a trial inside the ``with`` block, because this thread compares them."""
    token = _trusts.set(True)
    try:
        yield
    finally:
        _trusts.reset(token)


def may_have_kernel(size: int) -> bool:
    """Return whether a call with a fast path may use a kernel for so many elements."""
    mode = engine_mode()
    return mode == "compiled" or (size >= SMALL and mode != "tiles")


@dataclass(slots=True, eq=False)
class WatchedFunction:
    """A function whose time is measured: not compiled, waiting, compiled, or without a kernel."""

    candidate: Callable[[], Candidate]  # called when it is time to compile
    dtype: np.dtype[Any]
    weighted: bool = False  # whether the kernel multiplies by weights
    may_be_written: bool = False  # whether it is to be written out for tiles
    seconds: float = 0.0  # that its tiles have taken
    kernel: Kernel | None = None
    written: TileFunction | None = None  # until there is a kernel, or where there is none
    problem: str = ""  # why there will never be a kernel
    is_pending: bool = False  # the thread that compiles will make it
    is_writing: bool = False  # the same thread will write it out
    used: int = 0  # a number that grows with the time of the last use
    trial: Trial | None = None  # of the kernel
    written_trial: Trial | None = None

    def usable_kernel(self) -> UsableKernel | None:
        """Return the kernel; None if there is none (yet)."""
        mode = engine_mode()
        if mode == "tiles":
            return None
        if mode == "compiled" and self._is_undecided():
            self._make()
        return self._as_usable(self.kernel, self.trial)

    def usable_tile_function(self) -> UsableKernel | None:
        """Return the function written out for tiles; None if there is none (yet)."""
        return self._as_usable(self.written, self.written_trial)

    def add_seconds(self, seconds: float) -> None:
        """Add the CPU seconds of a call in this thread, and compile what pays by then."""
        self.seconds += seconds
        if engine_mode() not in _BY_TIME:
            return
        if self.seconds >= _SECONDS and self._is_undecided():
            self._ask_for_kernel()
        is_due = self.may_be_written and self.seconds >= _SECONDS_UNTIL_WRITTEN
        if is_due and not self.is_writing:
            self.is_writing = True
            _worker.add(self._write)

    def _ask_for_kernel(self) -> None:
        if not llvm_target.is_available():
            self.problem = "llvmlite is not installed"
        elif llvm_target.compilation_count() >= _MOST_COMPILED:
            self.problem = f"this process has compiled {_MOST_COMPILED} kernels"
        if not self.problem:
            self.is_pending = True
            _worker.add(self._make)
        elif engine_mode() == "explain":
            _explain(f"{self.problem}: {self.candidate().owner} stays in tiles")

    def is_compiled(self) -> bool:
        """Tell whether there is a kernel or a written function."""
        return self.kernel is not None or self.written is not None

    def forget(self) -> None:
        """Release the kernel; a thread that computes with it keeps it until then."""
        # A function and its trial know each other, so that it is not freed at once.
        self.kernel = self.written = None

    def _is_undecided(self) -> bool:
        """Tell whether nobody has asked for a kernel yet."""
        return self.kernel is None and not self.problem and not self.is_pending

    def _as_usable(
        self, kernel: Kernel | TileFunction | None, trial: Trial | None
    ) -> UsableKernel | None:
        if kernel is None:
            return None
        self.used = next(_clock)
        is_over = trial is None or trial.passed or _trusts.get()
        return UsableKernel(kernel, None if is_over else trial)

    def _make(self) -> None:
        """Make a kernel, or find out that there is none."""
        from lossfw.losses.engine.kernels.candidates import NoKernelError

        started_at = time.perf_counter()
        candidate = self.candidate()
        subject = self._title_of(candidate)
        self.used, trial = next(_clock), Trial(functools.partial(self._drop, subject))
        try:
            kernel = candidate.kernel(self.dtype, weighted=self.weighted)
            self.trial, self.kernel, self.written = trial, kernel, None
            _forget_oldest()
        except NoKernelError as error:
            self.problem = str(error)
        except Exception as error:
            # Tiles compute the same, so whatever is wrong with LLVM stops no one.
            self.problem = f"{type(error).__name__}: {error}"
        is_told = bool(self.problem) and self._write()
        self.is_pending = False
        seconds = time.perf_counter() - started_at
        where = "tiles by a straight function" if self.written else "tiles"
        made = f"{where}: {self.problem}" if self.problem else f"compiled in {seconds:.3f} s"
        if not is_told:
            _explain(f"{subject}: {made}")

    def _write(self) -> bool:
        """Write the function out for tiles; where that fails, they compute with the body."""
        is_compiled = False
        with suppress(Exception):
            if self.may_be_written and self.kernel is None:
                candidate = self.candidate()
                subject = self._title_of(candidate)
                written = candidate.write_tiles(self.dtype)
                trial = Trial(functools.partial(self._drop_written, subject))
                self.used, self.written_trial, self.written = next(_clock), trial, written
                is_compiled = True
                _forget_oldest()
                why = self.problem or "until there is a kernel"
                _explain(f"{subject}: tiles by a straight function: {why}")
        self.may_be_written = self.is_writing = False
        return is_compiled

    def _title_of(self, candidate: Candidate) -> str:
        """Return what `LOSSFW_ENGINE=explain` calls the function."""
        return f"{candidate.owner}, {self.dtype}, {candidate.form}"

    def _drop_written(self, subject: str, problem: str) -> None:
        """Drop a function of tiles that has failed its trial; there may be a kernel yet."""
        if self.written is not None:
            self.written = None
            _explain(f"{subject}: tiles: {problem}")

    def _drop(self, subject: str, problem: str) -> None:
        """Drop a kernel that has failed its trial."""
        with _lock:
            was_made = self.is_compiled()
            self.forget()
            self.problem = problem
        if was_made:
            _explain(f"{subject}: tiles: {problem}")


_entries: dict[FunctionKey, WatchedFunction] = {}


def watch(
    key: FunctionKey,
    candidate: Callable[[], Candidate],
    dtype: np.dtype[Any],
    *,
    weighted: bool = False,
    may_be_written: bool = False,
) -> WatchedFunction:
    """Return the watched function of a key, which is equal for functions that compute the same."""
    key = (*key, dtype.char, weighted)
    found = _entries.get(key)
    if found is None:
        if len(_entries) >= _MOST:
            with _lock:
                for other, entry in list(_entries.items()):
                    if not entry.is_compiled():
                        del _entries[other]
        found = _entries.setdefault(
            key, WatchedFunction(candidate, dtype, weighted, may_be_written)
        )
    return found


def _forget_oldest() -> None:
    """Forget kernels that were not used for the longest time, if there are too many."""
    with _lock:
        used = [(entry.used, key) for key, entry in list(_entries.items()) if entry.is_compiled()]
        for _, key in sorted(used, key=operator.itemgetter(0))[:-_MOST_KERNELS]:
            _entries.pop(key).forget()


def _explain(text: str) -> None:
    if engine_mode() == "explain":
        print(f"lossfw: {text}", file=sys.stderr)  # noqa: T201  # asked for by LOSSFW_ENGINE


class _Worker:
    """The thread that compiles, started when there is something to do."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pending = 0

    def add(self, task: Callable[[], object]) -> None:
        """Run a task after those that were added before."""
        with self._lock:
            self._pending += 1
            self._tasks.put(task)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="lossfw-compile", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
            self._pending -= 1

    def finish(self) -> None:
        """Drop pending tasks, and end the present one: LLVM must not outlive Python."""
        llvm_target.stop_compiling()
        with self._lock:
            thread, self._thread = self._thread, None
            while not self._tasks.empty():
                self._tasks.get()
                self._pending -= 1
            self._tasks.put(None)
        if thread is not None:
            thread.join()
        llvm_target.keep_until_exit()

    def wait(self, seconds: float = 30.0) -> None:
        """Wait until nothing is left to compile."""
        end = time.monotonic() + seconds
        while self._pending and time.monotonic() < end:
            time.sleep(0.002)


_worker = _Worker()
atexit.register(lambda: _worker.finish())


def _start_over_in_child() -> None:
    """Forget, in a forked process, what the thread of the parent was about to make."""
    global _lock, _worker
    _lock, _worker = threading.Lock(), _Worker()
    for entry in _entries.values():
        entry.is_pending = entry.is_writing = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over_in_child)


def wait() -> None:
    """Wait until pending kernels are compiled or refused."""
    _worker.wait()


def forget() -> None:
    """Forget all kernels and times."""
    with _lock:
        entries = list(_entries.values())
        _entries.clear()
    for entry in entries:
        entry.forget()
