"""Processes that carry out runs, one after the other: both ends of the pipes between them.

A process reads pickled `RunRequest`s from standard input, and writes a line of JSON with the
outcome of each to standard output; the output of plugins goes to standard error. When standard
input ends, the parent process has ended, so this process also ends.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue

from lossfw.processes import command_of, interruption_blocked
from lossfw.runs.execute import carry_out_to_dict
from lossfw.runs.files import to_json
from lossfw.runs.records import RunOutcome, RunRequest

# The exit code of a process whose parent has ended, or that was interrupted.
_ENDED = 1
# Seconds in which a process ends that is asked to.
_END_SECONDS = 5.0


class WorkerProcess:
    """A worker process with a number of threads, from its parent's side."""

    def __init__(self, threads: int) -> None:
        # In a file: a full pipe would stop the run.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # as long as the process
        # A terminal interrupts it too; its parent answers, and ends it.
        with interruption_blocked():
            self._process = subprocess.Popen(  # noqa: S603  # the words are ours
                command_of(__name__),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={"LOSSFW_THREADS": str(threads), **os.environ},
            )

    def carry_out(self, request: RunRequest) -> tuple[RunOutcome, bool]:
        """Return the outcome of a run, and whether the process is still alive."""
        begin = time.monotonic()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it ended at once, and says why
            self._process.stdin.write(pickle.dumps(request))
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        seconds, notes = time.monotonic() - begin, self._read_stderr()
        if not answer:
            return RunOutcome(request, None, self._exit_text(notes), seconds), False
        plain = json.loads(answer)
        error = plain.pop("error", "")
        for key in ("texts", "warnings"):
            plain[key] = tuple(plain.get(key, ()))
        return RunOutcome(request, **plain, error=error, seconds=seconds, notes=notes), True

    def stop(self) -> None:
        """Ask the process to end, even during a run."""
        self._process.terminate()

    def end(self) -> None:
        """End the process; kill it if it does not respond, for instance because it is stopped."""
        self.stop()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    def _read_stderr(self) -> str:
        """Return the text on standard error since the last call."""
        # The process writes at the place that both share: it continues from the beginning.
        self._errors.seek(0)
        text = self._errors.read().strip()
        self._errors.seek(0)
        self._errors.truncate()
        return text

    def _exit_text(self, text: str) -> str:
        code = self._process.wait()
        if code < 0:
            return f"{text}\nended by signal {-code}".lstrip()
        return text or f"ended with exit code {code}"


class WorkerProcesses:
    """Worker processes with a number of threads each; each waits for the next run."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._waiting: SimpleQueue[WorkerProcess] = SimpleQueue()
        self._live: set[WorkerProcess] = set()

    def carry_out(self, request: RunRequest) -> RunOutcome:
        """Carry out a run in a waiting process, or in a new one."""
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
        live = list(self._live)
        for process in live:
            process.stop()
        for process in live:
            process.end()


def main() -> None:
    """Carry out requests until there are no more."""
    with suppress(KeyboardInterrupt):
        _carry_out_all()
    os._exit(_ENDED)


def _carry_out_all() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    requests: SimpleQueue[RunRequest] = SimpleQueue()
    threading.Thread(target=_receive, args=(requests,), daemon=True).start()
    while True:
        plain = carry_out_to_dict(requests.get(), _warn)
        sys.stdout.flush()
        sys.stderr.flush()
        answers.write(f"{to_json(plain)}\n")
        answers.flush()


def _receive(requests: SimpleQueue[RunRequest]) -> None:
    try:
        while True:
            requests.put(pickle.load(sys.stdin.buffer))  # noqa: S301  # of the parent
    except (EOFError, OSError):
        # A run can be resumed from its checkpoint; nothing waits for it any more.
        os._exit(_ENDED)


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")
