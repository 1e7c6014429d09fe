"""Try the file of a model in a process of its own, with limits of time and memory.

A file of a few bytes can say that its library loops for years, or fills the memory. The process
ends then, and not the one that wants to use the model. It works in an empty folder, so that a
model which needs other files fails here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lossfw.processes import command_of
from lossfw.temporary import temporary_folder

# Seconds of a clock for one of a processor, on a machine that others use as well.
_PATIENCE = 20


def tried_apart(
    module: str, content: bytes, *, seconds: int, memory: int, **settings: Any
) -> str | None:
    """Return what is wrong with the file of a model by a trial in a new process; None if nothing.

    Parameters
    ----------
    module : str
        A module whose function ``main()`` calls `in_trial`.
    content : bytes
        Of the file.
    seconds : int
        Of a processor that the trial may take.
    memory : int
        Bytes that it may take besides those of the modules it has imported.
    **settings
        Plain values for the trial.
    """
    header = {"seconds": seconds, "memory": memory, "settings": settings}
    with temporary_folder() as empty:
        try:
            done = subprocess.run(  # noqa: S603
                command_of(module),
                input=json.dumps(header).encode() + b"\n" + content,
                capture_output=True,
                timeout=_PATIENCE * seconds,
                cwd=empty,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it did not finish within {_PATIENCE * seconds} seconds"
    if done.returncode == 0:
        # Its last line: a library may have written others.
        return str(json.loads(done.stdout.splitlines()[-1])) or None
    if done.returncode == -getattr(signal, "SIGXCPU", 0):
        return f"two rows take more than {seconds} seconds of CPU time"
    if done.returncode < 0:
        return f"it ends the process with {signal.Signals(-done.returncode).name}"
    told = done.stderr.decode(errors="replace").strip().splitlines()
    return f"it cannot be tried: {told[-1] if told else done.returncode}"


def in_trial(trial: Callable[[bytes, Mapping[str, Any]], str]) -> None:
    """Call a trial with the content and the settings that `tried_apart` sends to this process.

    The trial returns what is wrong, as a text that is empty if nothing is. It imports its library
    before: what is imported already does not count.
    """
    header = json.loads(sys.stdin.buffer.readline())
    _limit(int(header["seconds"]), int(header["memory"]))
    try:
        told = trial(sys.stdin.buffer.read(), header["settings"])
    except MemoryError:
        told = too_much(header["memory"])
    sys.stdout.write(f"\n{json.dumps(told)}\n")
    sys.stdout.flush()
    # Threads of a library may hold a process up that has nothing left to do.
    os._exit(0)


def too_much(memory: int) -> str:
    """Return the text for a trial that needs more memory than it may take."""
    return f"two rows take more than {memory / 2**20:,.0f} MiB of memory"


def _limit(seconds: int, memory: int) -> None:
    """Limit the time and the memory of this process, where the system can."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows has only the timeout
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):  # macOS knows no size of a process by this file
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
