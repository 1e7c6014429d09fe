"""Run a plugin's code so that any exit or error can be reported as a fault of the plugin."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from types import FrameType
from typing import Any


class Interrupts:
    """Records whether the user interrupted, or the plugin itself raised `KeyboardInterrupt`."""

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        """Handle the user's interrupt as the previous handler would."""
        self.came = True
        self._before(number, frame)

    def __enter__(self) -> Interrupts:
        self._before = signal.getsignal(signal.SIGINT)
        # Only the main thread gets interrupts, and only it may ask for them.
        if callable(self._before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self.handle_signal)
        return self

    def __exit__(self, *exception: object) -> None:
        if signal.getsignal(signal.SIGINT) == self.handle_signal:
            signal.signal(signal.SIGINT, self._before)


@contextmanager
def catch_exits() -> Iterator[Interrupts]:
    """Watch for interrupts, and turn `os._exit`, which ends a process silently, into an error.

    A forked process or another thread can still end by it. Output of the plugin goes to standard
    error, because standard output has the result.
    """
    leave, here = os._exit, (os.getpid(), threading.get_ident())

    def refuse(status: int = 0) -> None:
        if (os.getpid(), threading.get_ident()) != here:
            leave(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = refuse  # type: ignore[assignment]  # it returns nothing either
    try:
        with Interrupts() as interrupts, redirect_stdout(sys.stderr):
            yield interrupts
    finally:
        os._exit = leave
