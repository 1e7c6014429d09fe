"""Doors: an optional room can be deleted, and the rest neither fails nor gives another number."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

# The door to kernels without what is behind it.
WITHOUT_KERNELS = '''"""There are no kernels."""

from contextlib import nullcontext
from types import SimpleNamespace

_WHY = "there are no kernels"


def forget(): ...
def wait(): ...
def trust_kernels(): return nullcontext()
def is_available(): return False
def no_kernel_reason(*args, **options): return _WHY
def no_activation_kernel_reason(*args, **options): return _WHY
def apply_activation(activation, function_name, arrays, by_body): return by_body()


def kernels_for(*args, **options):
    return SimpleNamespace(tile_function=None, block_kernel=None, waiting=())


class RowKernels:
    def __init__(self, loss, forms, columns): ...
    def compute(self, y, index): return None
    def add_seconds(self, seconds): ...
'''


# The door to bridges without what is behind it.
WITHOUT_BRIDGES = '''"""There are no bridges."""

from lossfw import ArgumentError

BRIDGES: dict[str, str] = {}


def bridge_to(library, module=""):
    raise ArgumentError(f"there is no bridge to {library}")
'''


class Room(NamedTuple):
    """An optional room, the door to it, and tests of what does without it."""

    folders: tuple[str, ...]
    door: str
    tests: tuple[str, ...]
    # What the door is without the room; None where it goes, too.
    inside: str | None = None
    # The file and the line of a table that names the door.
    line: tuple[str, str] | None = None


ROOMS = {
    "kernels": Room(
        ("lossfw/losses/engine/kernels", "lossfw/numerics/compiled"),
        "lossfw/losses/engine/compiled.py",
        ("losses", "nn/test_large_arrays.py", "bridges/test_curvature.py"),
        inside=WITHOUT_KERNELS,
    ),
    "bridges": Room(
        ("lossfw/bridges",),
        "plugins/lossfw_std/bridges.py",
        ("nn/training", "config/plan/test_evaluation.py", "cli/test_lists.py", "report/text"),
        inside=WITHOUT_BRIDGES,
    ),
    "clusters": Room(
        ("lossfw/scale",),
        "lossfw/runs/cluster_runs.py",
        ("runs/test_folder.py", "runs/test_python.py", "evaluation/test_evaluate.py"),
    ),
    "site": Room(
        ("lossfw/report/site",),
        "lossfw/cli/site.py",
        ("cli/test_help.py", "cli/test_show.py", "report/text"),
        line=("lossfw/cli/main.py", '    "site": "site:site",\n'),
    ),
}


def python_files():
    """Return the files of code that may go through a door."""
    return [path for base in ("lossfw", "plugins") for path in (ROOT / base).rglob("*.py")]


@pytest.fixture
def tree(tmp_path):
    """Return a copy of the code and of its tests."""
    for name in ("lossfw", "plugins", "tests"):
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def without(tree, room):
    """Delete a room in a copy, and what names it; return the tests that go with it."""
    for folder in room.folders:
        shutil.rmtree(tree / folder)
    if room.inside is None:
        (tree / room.door).unlink()
    else:
        (tree / room.door).write_text(room.inside)
    if room.line is not None:
        file, line = room.line
        text = (tree / file).read_text()
        assert line in text
        (tree / file).write_text(text.replace(line, ""))
    return [f"--ignore=tests/{folder.removeprefix('lossfw/')}" for folder in room.folders]


@pytest.mark.slow
@pytest.mark.parametrize("name", ROOMS)
def test_the_rest_does_without_a_room(tree, name):
    left_out = without(tree, ROOMS[name])
    tests = [f"tests/{test}" for test in ROOMS[name].tests]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *left_out, *tests],
        cwd=tree, env={**os.environ, "PYTHONPATH": str(tree / "plugins")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]


@pytest.mark.parametrize("name", ROOMS)
def test_only_the_door_names_a_room(name):
    folders, door = ROOMS[name].folders, ROOT / ROOMS[name].door
    inside = [ROOT / folder for folder in folders]
    outside = [
        path
        for path in python_files()
        if path != door and not any(path.is_relative_to(room) for room in inside)
    ]
    modules = "|".join(re.escape(folder.replace("/", ".")) for folder in folders)
    # An import, or the name of a module as a string.
    reaches = re.compile(
        rf"^\s*(?:from|import) (?:{modules})\b|[\"'](?:{modules})[.:]", re.MULTILINE
    )
    assert [path for path in outside if reaches.search(path.read_text())] == []
