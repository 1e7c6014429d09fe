"""A session of tests that leaves a file in the tree of the project fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.clean_tree import files_of
from support.waiting import HANGS

TESTS = Path(__file__).parent
LEAVES = "from pathlib import Path\n\n\ndef test_it():\n    Path({file!r}).touch()\n"


@pytest.mark.parametrize("inside", [True, False])
def test_a_session_that_leaves_a_file_fails(tmp_path, inside):
    tree = tmp_path / "tree"
    (tree / "tests/support").mkdir(parents=True)
    for name in ("conftest.py", "support/__init__.py", "support/clean_tree.py"):
        (tree / "tests" / name).write_text((TESTS / name).read_text())
    file = (tree if inside else tmp_path) / "left.txt"
    (tree / "tests/test_one.py").write_text(LEAVES.format(file=str(file)))
    (tree / "pytest.ini").write_text("[pytest]\npythonpath = tests\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert ran.returncode == int(inside), ran.stdout + ran.stderr
    assert ("left files in the tree: left.txt" in ran.stderr) == inside


def test_hidden_files_and_those_of_tools_are_not_looked_at(tmp_path):
    for name in (".hypothesis/a", "build/b", "pack/__pycache__/c.pyc", ".d", "pack/e.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert files_of(tmp_path) == {tmp_path / "pack/e.py"}
