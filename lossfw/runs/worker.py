"""A run in a process of its own, which `lossfw.runs.parallel_runs` starts.

It reads an order as one line of JSON from standard input, and writes what came
out as JSON to standard output; what plugins print goes to standard error.
Standard input stays open: when it ends, the
process that gave the order has ended, and so does this one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from lossfw.components.plugin_choice import Plugins
from lossfw.errors import LossfwError
from lossfw.runs.execute import Outcome, carry_out
from lossfw.runs.files import to_json
from lossfw.runs.records import RunRequest

# What is wrong with the program itself, or with a plugin.
_BUG = 1


def to_line(order: RunRequest) -> str:
    """Return an order as a line of JSON.

    Examples
    --------
    >>> order = RunRequest("a.yaml", ("seed=1",), folder=Path("out"))
    >>> from_line(to_line(order)) == order
    True
    """
    plugins = order.plugins
    plain = {
        "config": order.config,
        "overrides": list(order.overrides),
        "plugins": [list(plugins.local), list(plugins.disable), plugins.installed],
        "name": order.name,
        "folder": None if order.folder is None else str(order.folder),
        "resume": order.resume,
    }
    return json.dumps(plain) + "\n"


def from_line(line: str) -> RunRequest:
    """Return the order that a line of JSON holds."""
    plain = json.loads(line)
    local, disable, installed = plain["plugins"]
    return RunRequest(
        config=plain["config"],
        overrides=tuple(plain["overrides"]),
        plugins=Plugins(tuple(local), tuple(disable), installed),
        name=plain["name"],
        folder=None if plain["folder"] is None else Path(plain["folder"]),
        resume=plain["resume"],
    )


def main() -> int:
    """Carry out one order, and return the exit code."""
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    order = from_line(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        outcome = carry_out(order, warn=_warn)
        if outcome.failure is not None:
            raise outcome.failure
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
        answer.write(to_json(_plain(outcome)))
    return 0


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "result": outcome.result.to_dict(),
        "texts": list(outcome.texts),
        "before": outcome.before,
    }


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")


def _end_with_parent() -> None:
    sys.stdin.read()
    # The run can go on from its checkpoint; nobody waits for it any more.
    os._exit(_BUG)


if __name__ == "__main__":
    # Not sys.exit: the thread that waits for the end of standard input would be waited for.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
