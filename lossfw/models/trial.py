"""Try the file of a model in a subprocess, with limits of time and memory.

A file of a few bytes can make its library loop for years, or fill the memory. Then the subprocess
ends, not the process that wants to use the model. It works in an empty folder, so a model that
needs other files fails here.
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


def try_in_subprocess(
    module: str, content: bytes, *, seconds: int, memory: int, **settings: Any
) -> str | None:
    """Try the file of a model in a new process, and return what is wrong with it, or None.

    Parameters
    ----------
    module : str
        A module whose function ``main()`` calls `run_trial`.
    content : bytes
        Content of the file.
    seconds : int
        CPU time that the trial may take.
    memory : int
        Bytes that the trial may take besides those of its imported modules.
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


def run_trial(trial: Callable[[bytes, Mapping[str, Any]], str]) -> None:
    """Call a trial with the content and the settings from `try_in_subprocess` in this process.

    The trial returns what is wrong, or an empty string. It imports its library first: the limit of
    memory does not count what is already imported.
    """
    header = json.loads(sys.stdin.buffer.readline())
    _limit(int(header["seconds"]), int(header["memory"]))
    try:
        told = trial(sys.stdin.buffer.read(), header["settings"])
    except MemoryError:
        told = memory_limit_message(header["memory"])
    sys.stdout.write(f"\n{json.dumps(told)}\n")
    sys.stdout.flush()
    # Threads of a library may hold a process up that has nothing left to do.
    os._exit(0)


def memory_limit_message(memory: int) -> str:
    """Return the message for a trial that exceeds its limit of memory."""
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
