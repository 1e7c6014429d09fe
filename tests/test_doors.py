"""Doors: an optional room can be deleted, and the rest neither fails nor gives another number."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The door to kernels without what is behind it.
WITHOUT_KERNELS = '''"""There are no kernels."""

from contextlib import nullcontext
from types import SimpleNamespace

_WHY = "there are no kernels"


def forget(): ...
def wait(): ...
def trusted(): return nullcontext()
def is_available(): return False
def why_not_compiled(*args, **options): return _WHY
def why_activation_is_not_compiled(*args, **options): return _WHY
def apply_activation(activation, use, arrays, by_body): return by_body()


def kernels_for(*args, **options):
    return SimpleNamespace(tile_function=None, block_kernel=None, waiting=())


class RowKernels:
    def __init__(self, loss, forms, columns): ...
    def results(self, y, index): return None
    def add_seconds(self, seconds): ...
'''


def copied(folder):
    """Return a copy of the code and of its tests."""
    for name in ("lossfw", "plugins", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.slow
def test_losses_and_networks_do_without_kernels(tmp_path):
    tree = copied(tmp_path)
    shutil.rmtree(tree / "lossfw/losses/engine/kernels")
    shutil.rmtree(tree / "lossfw/numerics/compiled")
    (tree / "lossfw/losses/engine/compiled.py").write_text(WITHOUT_KERNELS)
    tests = ("losses", "nn/test_large_arrays.py", "bridges/test_derivatives.py")
    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
            "--ignore=tests/losses/engine/kernels", *(f"tests/{name}" for name in tests),
        ],
        cwd=tree, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]


def test_only_the_door_names_kernels():
    behind = ("lossfw.losses.engine.kernels", "lossfw.numerics.compiled")
    rooms = [ROOT / name.replace(".", "/") for name in behind]
    door = ROOT / "lossfw/losses/engine/compiled.py"
    others = [
        path
        for base in ("lossfw", "plugins", "scripts")
        for path in (ROOT / base).rglob("*.py")
        if path != door and not any(path.is_relative_to(room) for room in rooms)
    ]
    named = [path for path in others if any(name in path.read_text() for name in behind)]
    assert named == []
