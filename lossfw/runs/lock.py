"""POSIX locks: only one live process works in a run folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lossfw.errors import OutputError

try:
    import fcntl
except ImportError:  # Not a POSIX system, as Windows: no lock is taken there.
    fcntl = None  # type: ignore[assignment]  # None if it is missing


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Hold a POSIX lock (``flock``) on a folder inside the ``with`` block.

    The system releases the lock when the process ends in any way, without leaving a file.
    Without POSIX locks, as on Windows or on some file systems, nothing is locked and
    two processes can work in the folder at once.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"{folder} is in use: another running process writes its run there and holds the "
                "POSIX lock. Wait for it, or name another folder."
            ) from None
        except OSError:
            # This file system has no locks.
            pass
        yield
    finally:
        os.close(descriptor)
