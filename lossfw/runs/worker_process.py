"""Processes that carry out runs, as the process that starts them sees them."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from queue import Empty, SimpleQueue

from lossfw.runs.records import RunOutcome, RunRequest
from lossfw.scale.interruption import interruption_blocked


class WorkerProcess:
    """A process that carries out runs, one after the other.

    Parameters
    ----------
    threads : int
        The threads that it computes with.
    """

    def __init__(self, threads: int) -> None:
        # In a file: a full pipe would stop the run.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # as long as the process
        # A terminal interrupts it too; its parent answers, and ends it.
        with interruption_blocked():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lossfw.runs.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={"LOSSFW_THREADS": str(threads), **os.environ},
            )

    def carry_out(self, request: RunRequest) -> tuple[RunOutcome, bool]:
        """Return the outcome of a run, and whether the process is still there."""
        begin = time.monotonic()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it ended at once, and says why
            self._process.stdin.write(pickle.dumps(request))
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        seconds, notes = time.monotonic() - begin, self._told()
        if not answer:
            return RunOutcome(request, None, self._ending(notes), seconds), False
        plain = json.loads(answer)
        error = plain.pop("error", "")
        for key in ("texts", "warnings"):
            plain[key] = tuple(plain.get(key, ()))
        return RunOutcome(request, **plain, error=error, seconds=seconds, notes=notes), True

    def end(self) -> None:
        """End the process, in the middle of a run too."""
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    def _told(self) -> str:
        """Return the text on standard error since the last call."""
        # The process writes at the place that both share: it goes on from the beginning.
        self._errors.seek(0)
        told = self._errors.read().strip()
        self._errors.seek(0)
        self._errors.truncate()
        return told

    def _ending(self, told: str) -> str:
        code = self._process.wait()
        if code < 0:
            return f"{told}\nended by signal {-code}".lstrip()
        return told or f"ended with exit code {code}"


class WorkerProcesses:
    """Processes that carry out runs; each waits for the next one.

    Parameters
    ----------
    threads : int
        The threads of each.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._waiting: SimpleQueue[WorkerProcess] = SimpleQueue()
        self._live: set[WorkerProcess] = set()

    def carry_out(self, request: RunRequest) -> RunOutcome:
        """Carry out a run in a process that waits, or in a new one."""
        try:
            process = self._waiting.get_nowait()
        except Empty:
            process = WorkerProcess(self._threads)
            self._live.add(process)
        outcome, alive = process.carry_out(request)
        if alive:
            self._waiting.put(process)
        return outcome

    def end(self) -> None:
        """End all processes."""
        for process in list(self._live):
            process.end()
