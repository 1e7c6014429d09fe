"""Locks: one live process at a time works in a run folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lossfw.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows, which has no such locks: there nobody is refused
    fcntl = None  # type: ignore[assignment]  # None where it is missing


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder inside the ``with`` block.

    The system itself gives the lock back when the process ends, however it
    ends, and it leaves no file. A file system without locks refuses nobody.

    Parameters
    ----------
    folder : Path
        It is there.

    Raises
    ------
    OutputError
        If another live process holds it.
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
                f"{folder} is in use: another process that is alive writes its run there. Wait "
                "for it, or name another folder."
            ) from None
        except OSError:
            # This file system has no locks.
            pass
        yield
    finally:
        os.close(descriptor)
