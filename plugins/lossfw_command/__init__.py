"""The entry point of the command ``lossfw``.

Importing lossfw takes some tenths of a second, during which Ctrl-C would end in a traceback. This
package is outside of lossfw, so that it can handle the interruption before.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

# 128 and the number of the signal, as shells count; the same as in lossfw.cli.main.
_INTERRUPTED = 130


def main() -> None:
    """Import the command line and hand over to it."""
    answered = signal.getsignal(signal.SIGINT)
    # Where the signal is ignored, as behind nohup, it stays ignored.
    if answered is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    from lossfw.cli import main as command_line

    signal.signal(signal.SIGINT, answered)
    command_line()


def _stop(signum: int, frame: FrameType | None) -> None:
    # Without Python's own end: imports are half done, and nothing was begun.
    os.write(2, b"lossfw: interrupted\n")
    os._exit(_INTERRUPTED)
