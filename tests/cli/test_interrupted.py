"""An interruption while the command is imported is reported like any other."""

import subprocess
import sys

import pytest

# In place of the command line stands a module that is interrupted while it is imported.
INTERRUPTED = """\
import signal, sys, types
import lossfw_command

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "lossfw":
            signal.raise_signal(signal.SIGINT)
            raise SystemExit("went on")

signal.signal(signal.SIGINT, {answer})
sys.meta_path.insert(0, Finder())
lossfw_command.main()
"""


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        ("signal.default_int_handler", 130, "lossfw: interrupted\n"),
        ("signal.SIG_IGN", 1, "went on\n"),
    ],
    ids=["usual", "ignored by who started it"],
)
def test_an_interruption_during_the_import(answer, code, told):
    command = [sys.executable, "-c", INTERRUPTED.format(answer=answer)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (code, told)
