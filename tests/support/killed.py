"""Run a script of this folder that kills what it starts, and return what it found."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from lossfw.runs.trainings import carry_out_training


def said_by(script, *words, timeout):
    """Return the JSON that a script printed, with one thread for each process."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "LOSSFW_THREADS": "1"}
    # A cluster that tests share may have set what keeps scripts from importing their neighbours.
    environment["PYTHONSAFEPATH"] = ""
    command = [sys.executable, Path(__file__).with_name(script), *words]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        env=environment,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def interrupted_at(name, monkeypatch):
    """Interrupt the training of this name in the ``with`` block, before it begins."""

    def stopped(request, run, **options):
        if request.name == name:
            raise KeyboardInterrupt
        return carry_out_training(request, run, **options)

    with monkeypatch.context() as patched:
        patched.setattr("lossfw.runs.trainings.carry_out_training", stopped)
        with pytest.raises(KeyboardInterrupt):
            yield
