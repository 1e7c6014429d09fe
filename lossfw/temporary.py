"""Temporary folders, which are also removed where a signal ends the process."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

# What service managers and terminals that are closed send; Windows has no SIGHUP.
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

# The folders that are open, each with the process that made it: a fork has the list too.
_open: list[tuple[int, str]] = []


@contextmanager
def temporary_folder(*, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that is removed at the end of the block, also by SIGTERM or SIGHUP.

    Parameters
    ----------
    parent : path, optional
        A file or folder next to which it is made, under a hidden name: on the same disk.
    """
    folder, prefix = (None, "lossfw-") if parent is None else (parent.parent, f".{parent.name}.")
    _answer_signals(signal.SIG_DFL, _end_process)
    made: tuple[int, str] | None = None
    try:
        with TemporaryDirectory(dir=folder, prefix=prefix) as name:
            made = os.getpid(), name
            _open.append(made)
            yield Path(name)
    finally:
        # After the folder has gone: a large file takes a while to be removed.
        if made is not None:
            _open.remove(made)
        if not _open:
            _answer_signals(_end_process, signal.SIG_DFL)


def _answer_signals(previous: object, handler: object) -> None:
    """Answer signals where nobody else does; only the main thread may."""
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            if signal.getsignal(number) == previous:
                signal.signal(number, handler)  # type: ignore[arg-type]  # one of the two


def _end_process(number: int, frame: FrameType | None) -> None:
    """Remove the folders of this process, and end it as if nobody had answered the signal."""
    for process, name in _open:
        if process == os.getpid():
            # Processes that were started may still write into it.
            shutil.rmtree(name, ignore_errors=True)
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
