"""An interruption while the command is imported is told as any other."""

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

{ignored}
sys.meta_path.insert(0, Finder())
lossfw_command.main()
"""


@pytest.mark.parametrize(
    ("ignored", "code", "told"),
    [
        ("", 130, "lossfw: interrupted\n"),
        ("signal.signal(signal.SIGINT, signal.SIG_IGN)", 1, "went on\n"),
    ],
    ids=["usual", "ignored by who started it"],
)
def test_an_interruption_during_the_import(ignored, code, told):
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(ignored=ignored)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (code, told)
