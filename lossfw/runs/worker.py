"""A process that carries out runs, one after the other, for `lossfw.runs.worker_process`.

It reads pickled `RunRequest`s from standard input, and writes a line of JSON with the
outcome of each to standard output; the output of plugins goes to standard error. When
standard input ends, the process that makes the requests has ended, and so does this one.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Any

from lossfw.errors import LossfwError
from lossfw.runs.files import to_json
from lossfw.runs.plain_outcome import plain_outcome
from lossfw.runs.records import RunRequest

# The exit code of a process whose parent has ended, or that was interrupted.
_ENDED = 1


def main() -> None:
    """Carry out requests until there are no more."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    requests: SimpleQueue[RunRequest] = SimpleQueue()
    threading.Thread(target=_receive, args=(requests,), daemon=True).start()
    while True:
        plain = _answer(requests.get())
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


def _answer(request: RunRequest) -> dict[str, Any]:
    """Return the outcome of a run, or why it failed, as plain values."""
    try:
        return plain_outcome(request, _warn)
    except LossfwError as error:
        told = str(error)
    except Exception as error:
        traceback.print_exc()
        told = f"{type(error).__name__}: {error}. This is a bug in lossfw or a plugin."
    return {"result": None, "error": told}


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        os._exit(_ENDED)
