import json
import os
import subprocess
import sys

import pytest

from support.configs import SAVED
from support.waiting import HANGS

GOOD = SAVED.replace("cross_entropy", "{name: cross_entropy, guard: none}")
GOOD += "evaluate: {metrics: [accuracy]}\n"


@pytest.fixture
def folder(folder):
    """A working folder with one good configuration, ``run.yaml``."""
    (folder / "run.yaml").write_text(GOOD)
    return folder


@pytest.fixture
def in_json(lossfw):
    """Run a command with ``--json``; return the object that it prints."""

    def run(*arguments):
        result = lossfw(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture
def refused(lossfw):
    """Give a command that is a mistake; return what it says: words, and nothing else."""

    def refuse(*arguments):
        result = lossfw(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "Traceback" not in result.stderr
        assert "bug" not in result.stderr
        return result.stderr

    return refuse


@pytest.fixture
def process(folder):
    """Run the command in a process of its own; returns returncode, stdout and stderr."""

    def run(*arguments, **options):
        command = [sys.executable, "-m", "lossfw", *arguments]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        return subprocess.run(command, text=True, env=environment, timeout=HANGS, **options)

    return run
