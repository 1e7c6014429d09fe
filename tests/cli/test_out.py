import json
import os
from pathlib import Path

import pytest

from lossfw.runs import execute

FULL = Path("/dev/full")


SPOILT = {
    "in the way": (lambda out: out.write_text("a file"), "out", "is a file"),
    "above in the way": (lambda out: out.write_text("a file"), "out/deep/er", "is a file"),
    "a folder": (lambda out: (out / "metrics.json").mkdir(parents=True), "out", "is a folder"),
    "read only": (lambda out: out.mkdir(0o555), "out", "is not writable"),
    "too long a name": (lambda out: None, "x" * 5_000, "File name too long"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(
    spoilt, lossfw, folder, monkeypatch
):
    spoil, out, piece = SPOILT[spoilt]
    spoil(folder / "out")
    if spoilt == "read only":
        # For root, who may write anywhere, the answer of the system is made.
        monkeypatch.setattr(os, "access", lambda path, mode: "out" not in str(path))
    monkeypatch.setattr(execute, "evaluate", None)
    before = sorted(folder.rglob("*"))
    result = lossfw("run", "run.yaml", "--out", out)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("lossfw: error: ")
    assert piece in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(folder.rglob("*")) == before


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="this system has no /proc")
def test_a_folder_that_cannot_be_made_does_not_cost_the_result(lossfw):
    result = lossfw("run", "run.yaml", "--json", "--out", "/proc/lossfw")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["count"] == 2
    assert "/proc/lossfw cannot be written" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.turns(3)
@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "arguments", [["run", "run.yaml"], ["run", "run.yaml", "--json"], ["list"]]
)
def test_a_standard_output_that_is_full_is_told_in_words(arguments, process, folder):
    with FULL.open("w") as full:
        done = process(*arguments, stdout=full)
    assert done.returncode == 1
    told = "lossfw: error: standard output cannot be written: No space left on device.\n"
    assert done.stderr == told
