"""A run in a process of its own, which `lossfw.runs.parallel_runs` starts.

It reads a pickled `RunRequest` from standard input, and writes the outcome as
JSON to standard output; the output of plugins goes to standard error. Standard
input stays open: when it ends, the process that made the request has ended,
and so does this one.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
from typing import Any

from lossfw.errors import LossfwError
from lossfw.runs.execute import carry_out
from lossfw.runs.files import to_json
from lossfw.runs.records import RunRequest

# The exit code of a mistake in the program itself, or in a plugin.
_BUG = 1


def main() -> int:
    """Carry out one request, and return the exit code."""
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    request: RunRequest = pickle.load(sys.stdin.buffer)  # noqa: S301  # of the process that began this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        plain = _trained(request) if request.trains else _evaluated(request)
    except LossfwError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return _BUG
    except Exception as error:
        traceback.print_exc()
        sys.stderr.write(f"{type(error).__name__}: {error}. This is a bug in lossfw or a plugin.\n")
        return _BUG
    with answer:
        answer.write(to_json(plain))
    return 0


def _trained(request: RunRequest) -> dict[str, Any]:
    # Imported on use: an evaluation starts without it.
    from lossfw.runs.trainings import carry_out_training, prepare_training

    outcome = carry_out_training(request, prepare_training(request), warn=_warn)
    return {"result": outcome.trained.to_dict(), "texts": [], "before": False, "nan": False}


def _evaluated(request: RunRequest) -> dict[str, Any]:
    outcome = carry_out(request, warn=_warn)
    if outcome.failure is not None:
        raise outcome.failure
    return {
        "result": outcome.result.to_dict(),
        "texts": list(outcome.texts),
        "before": outcome.before,
        "nan": outcome.nan,
    }


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    # The run can be resumed from its checkpoint; nothing waits for it any more.
    os._exit(_BUG)


if __name__ == "__main__":
    # Not sys.exit: the thread that waits for the end of standard input would be waited for.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
