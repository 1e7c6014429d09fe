"""The README's two commands: what they say where Python cannot make an environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments, **environment):
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("missing", ["ensurepip", "venv"])
@pytest.mark.parametrize("command", ["demo", "test"])
def test_a_missing_module_is_told_with_the_package_that_has_it(tmp_path, missing, command):
    (tmp_path / f"{missing}.py").write_text("raise ImportError")
    done = make(
        command, f"PYTHON={sys.executable}", f"VENV={tmp_path}/venv", PYTHONPATH=str(tmp_path)
    )
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stdout
    assert not (tmp_path / "venv").exists()


def test_an_old_python_is_told(tmp_path):
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.6.15" && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = make("demo", f"PYTHON='{old}'", f"VENV={tmp_path}/venv")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stdout
    assert "Python 3.6.15" in done.stdout
