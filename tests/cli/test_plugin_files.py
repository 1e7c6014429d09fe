"""Plugin files are executed by a run, and else by nobody who has not said yes."""

import re

import numpy as np
import pytest

CONFIG = """\
lossfw: 1
data: {name: inline, targets: [1.0, 2.0, 3.0, 0.5]}
network: {predictions: [1.5, 2.0, 2.5, 0.25]}
loss: zigzagged
plugins: [mine.py]
evaluate: {save_rows: true}
"""
LOCAL = """\
from pathlib import Path
Path(__file__).with_name("executed").touch()
from lossfw import DistanceLoss
class Zigzagged(DistanceLoss):
    "The square."
    def value(self, xp, r):
        return xp.square(r)
"""


@pytest.fixture
def mine(folder):
    """Write a configuration with a plugin file, and return what appears when that is executed."""
    (folder / "mine.py").write_text(LOCAL)
    (folder / "run.yaml").write_text(CONFIG)
    return folder / "executed"


def forget(mine, folder):
    """Let the plugin file be one that this process has not imported."""
    mine.unlink(missing_ok=True)
    (folder / "mine.py").write_text(f"{LOCAL}# an edited file is another module\n")


# The commands that read a configuration or a folder of a run, and whether they carry it out.
COMMANDS = {
    ("run", "run.yaml"): True,
    ("run", "run.yaml", "--dry-run"): True,
    ("train", "run.yaml", "--no-out"): True,
    ("sensitivity", "run.yaml"): True,
    ("rerun", "o"): True,
    ("validate", "run.yaml"): False,
    ("config", "run.yaml"): False,
    ("compare", "o", "p"): False,
    ("report", "o"): False,
}
# The options, and whether the plugin file is executed with one of them by any command.
CHOICES = {"": None, "--trust": True, "--no-trust": False, "--plugin": True}


@pytest.mark.turns(4)
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("verb", COMMANDS, ids=" ".join)
def test_what_carries_out_a_configuration_executes_its_plugin_files(
    lossfw, mine, folder, verb, choice
):
    pytest.importorskip("matplotlib")
    if {"o", "p"} & {*verb}:
        for name in ("o", "p"):
            # Rows are not kept: a report wants to compute them.
            kept = f"evaluate.save_rows={'true' if verb[0] == 'compare' else 'false'}"
            assert lossfw("run", "run.yaml", "--out", name, "-o", kept).exit_code == 0
    forget(mine, folder)
    given = ["--plugin", "mine.py"] if choice == "--plugin" else [choice] * bool(choice)
    result = lossfw(*verb, *given)
    # A page without the plugin lacks a part, and a comparison needs none.
    assert result.exit_code == 0 or verb[0] not in ("compare", "report")
    assert mine.exists() == {"": COMMANDS[verb], "--trust": True, "--no-trust": False}.get(
        choice, True
    )
    # A hint names options that the command has.
    for option in re.findall(r"hint:.*?(--[a-z-]+)", result.output):
        assert option in lossfw(verb[0], "--help").output


def test_a_file_that_may_not_be_executed_is_told_at_its_place(lossfw, mine):
    for verb, code, word in (("validate", 0, "not checked"), ("config", 2, "error")):
        result = lossfw(verb, "run.yaml")
        assert (result.exit_code, mine.exists()) == (code, False)
        told = rf"^run\.yaml:5:11: {word}: .*'mine\.py' is not imported"
        assert re.search(told, result.output, re.M)
        assert lossfw(verb, "run.yaml", "--no-plugins").exit_code == code
        assert not mine.exists()
    # It holds for a run too.
    result = lossfw("run", "run.yaml", "--no-plugins")
    assert (result.exit_code, mine.exists()) == (2, False)
    assert "'mine.py' is not loaded because of --no-plugins" in result.stderr


@pytest.mark.slow
def test_without_the_plugin_a_page_lacks_the_curve_alone(lossfw, mine, folder):
    pytest.importorskip("matplotlib")
    # Inputs of 64 columns are images.
    np.save("x.npy", np.arange(4 * 64.0).reshape(4, 64))
    np.save("t.npy", np.array([1.0, 2.0, 3.0, 0.5]))
    data = "data: {name: arrays, inputs: x.npy, targets: t.npy}"
    (folder / "run.yaml").write_text(re.sub("data: .*", data, CONFIG))
    assert lossfw("run", "run.yaml", "--out", "o", "--report").exit_code == 0
    page = folder / "o" / "report.html"
    trusted = page.read_bytes()
    forget(mine, folder)
    assert lossfw("report", "o").exit_code == 0
    assert not mine.exists()
    assert b"loss-itself-1" in trusted
    assert b"<img" in trusted
    told = b"The loss cannot be drawn: a plugin was not loaded for this page."
    untrusted = page.read_bytes()
    assert b"loss-itself-1" not in untrusted
    assert b"<img" in untrusted
    assert told in untrusted
    assert told not in trusted
    assert lossfw("report", "o", "--trust").exit_code == 0
    assert page.read_bytes() == trusted


def test_rows_that_were_not_kept_want_the_plugin(lossfw, mine, folder):
    pytest.importorskip("matplotlib")
    assert lossfw("run", "run.yaml", "--out", "o", "-o", "evaluate.save_rows=false").exit_code == 0
    forget(mine, folder)
    result = lossfw("report", "o")
    assert result.exit_code == 0
    page = (folder / "o" / "report.html").read_text()
    assert not mine.exists()
    assert "is not imported: that would execute it" in result.stderr
    assert "hint: if you trust the file, give --plugin" in result.stderr
    # A reader of the page has neither the file nor the command.
    assert "cannot be made again: a plugin was not loaded for this page." in page
    assert "--plugin" not in page
    assert lossfw("report", "o", "--trust").exit_code == 0
    assert mine.exists()


@pytest.mark.parametrize("body", ["raise RuntimeError('no line')", "return xp.log(r - 1e9)"])
def test_a_loss_that_cannot_be_drawn_does_the_run_no_harm(lossfw, mine, folder, body):
    pytest.importorskip("matplotlib")
    # Only the points of a line are so many.
    code = LOCAL.replace("return xp", f"\n        if r.size > 1000: {body}\n        return xp")
    (folder / "mine.py").write_text(code)
    assert lossfw("run", "run.yaml", "--out", "o").exit_code == 0
    assert lossfw("report", "o", "--trust").exit_code == 0
    page = (folder / "o" / "report.html").read_text()
    assert ("The loss cannot be drawn: no line" in page) == ("no line" in body)
