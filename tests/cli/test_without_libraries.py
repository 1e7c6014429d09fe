"""The commands that look at all components, where no optional library is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.waiting import HANGS

HIDDEN = Path(__file__).parents[1] / "support" / "hidden.py"

# Every library of an extra but those of `check`; the others come with these.
LIBRARIES = (
    *("catboost", "dask", "distributed", "jax", "jaxlib", "keras", "lightgbm", "llvmlite"),
    *("matplotlib", "onnx", "onnxruntime", "optax", "pandas", "PIL", "pyarrow", "safetensors"),
    *("scipy", "skl2onnx", "sklearn", "skops", "tensorflow", "torch", "xgboost"),
)
OF_DOCS = ("jinja2", "sphinx")

# A file that offers a class that cannot be imported, next to one that can.
PLUGIN = """
from lossfw import DistanceLoss, hookimpl


class Whole(DistanceLoss):
    '''In order.'''

    def value(self, xp, r):
        return r * r


@hookimpl
def lossfw_losses():
    return {"whole": Whole, "lost": "no_such_library:Lost"}
"""


@pytest.fixture
def lossfw(tmp_path):
    """Run the command without libraries, in a process of its own."""

    def run(*arguments, hidden=(*LIBRARIES, *OF_DOCS)):
        command = [sys.executable, str(HIDDEN), ",".join(hidden), *arguments]
        options = {"capture_output": True, "text": True, "timeout": HANGS, "check": False}
        return subprocess.run(command, cwd=tmp_path, **options)

    return run


@pytest.mark.slow
def test_a_check_of_all_skips_what_it_cannot_import_and_names_it_in_a_line(lossfw):
    # One check of each component is enough to see that it can be made.
    few = ("--examples", "10", "--time", "1e-9", "--allow-unfinished", "--defaults")
    done = lossfw("check", "--all", "--no-plugins", "--jobs", "1", *few)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stdout[-2000:]
    (line,) = [x for x in done.stdout.splitlines() if x.startswith("skipped ")]
    head, _, names = line.partition(": ")
    assert head.endswith("components whose library is not installed")
    assert int(head.split()[1]) == len(names.split(", ")) >= 8
    for name in ("sklearn (scikit-learn)", "torch (torch)", "onnx (onnxruntime)"):
        assert name in names.split(", ")
    assert "skipped: it needs" not in done.stdout
    assert "SquaredError(factor=1.0): nothing refuted by the checks that ran" in done.stdout


@pytest.mark.slow
def test_a_site_has_a_page_of_what_is_not_installed(lossfw, tmp_path):
    pytest.importorskip("sphinx")
    (tmp_path / "mine.py").write_text(PLUGIN)
    done = lossfw("site", "--out", "site", "--no-plugins", hidden=LIBRARIES)
    assert (done.returncode, done.stderr) == (0, "")
    assert "wrote " in done.stdout
    assert (tmp_path / "site/components/model/sklearn.html").is_file()
    one = lossfw("site", "--out", "one", "--plugin", "mine.py", hidden=LIBRARIES)
    assert one.returncode == 0
    assert "skipped 1 component that cannot be used: lost" in one.stderr
