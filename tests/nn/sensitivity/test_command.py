"""``lossfw sensitivity``: from a configuration to tables, numbers and a picture."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from lossfw.cli import main
from lossfw.extras import install_command
from support.configs import DIGITS

CONFIG = (
    DIGITS
    + """\
evaluate: {metrics: [accuracy]}
sensitivity: {points: 21, activations: [step]}
"""
)
NAME = ("--parameter", "layers.0.weights[20,4]")


@pytest.fixture
def lossfw(folder):
    """Run the command on a configuration; returns exit_code, stdout and stderr."""
    (folder / "study.yaml").write_text(CONFIG)
    return lambda *arguments: CliRunner().invoke(main, ["sensitivity", "study.yaml", *arguments])


def told(lossfw, *arguments):
    result = lossfw(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_one_hot_targets_beside_a_loss_of_numbers(lossfw):
    loss = "loss={name: squared_error, factor: 0.5, per: row}"
    by_class = told(lossfw, *NAME, "--range=-1:1", "-o", "loss=brier")
    by_number = told(lossfw, *NAME, "--range=-1:1", "-o", "data.one_hot=true", "-o", loss)
    # Brier's score is the sum of squares without the half.
    halves = [number / 2 for number in by_class["curves"]["sigmoid"]["loss"]]
    assert by_number["curves"]["sigmoid"]["loss"] == pytest.approx(halves, rel=1e-14)


def test_the_numbers(lossfw):
    found = told(lossfw, *NAME, "--range=-5:5")
    assert found["count"] == 597
    assert found["along"] == NAME[1]
    assert (found["ways"][0], found["ways"][-1], len(found["ways"])) == (-5, 5, 21)
    assert list(found["zeros"]) == ["sigmoid", "step"]
    assert list(found["curves"]) == ["sigmoid", "step"]
    assert found["zeros"]["step"]["loss"] == [3250, 5100, 0]
    # Six pixels are blank in every image.
    assert found["zeros"]["sigmoid"]["loss"] == found["zeros"]["sigmoid"]["unseen"] == [300, 0, 0]
    assert len(set(found["curves"]["step"]["derivative"])) == 1
    assert found == told(lossfw, *NAME, "--range=-5:5")
    report = lossfw(*NAME, "--range=-5:5").stdout
    assert "accuracy flat   around here from" in report
    assert "exactly 0 at 21 of 21 points" in report
    assert "3250 (100.0%)" in report
    assert told(lossfw, *NAME, "-o", "evaluate.sample={count: 50}")["count"] == 50
    # All parameters may move along the gradient.
    found = told(lossfw, "--parameter", "gradient")
    assert (found["along"], found["value"], [*found["curves"]]) == ("gradient", None, ["sigmoid"])
    assert found["curves"]["sigmoid"]["derivative"][10] > 0


def test_the_value_itself_is_a_point_of_any_range(lossfw):
    for reach in ("-1:2", "0:1", "-0.3:0", "-1:1e-3"):
        ways = told(lossfw, *NAME, f"--range={reach}", "--points", "8")["ways"]
        assert 0.0 in ways
        assert len(ways) == 8
        assert (np.diff(ways) > 0).all()


@pytest.mark.slow
def test_the_folder_gets_numbers_a_picture_and_a_page(lossfw, folder):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    for out in "ab":
        assert lossfw(*NAME, "--out", out).exit_code == 0
    names = ["report.html", "sensitivity.json", "sensitivity.svg"]
    assert sorted(path.name for path in (folder / "a").iterdir()) == names
    for name in names:
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()
    picture = (folder / "a" / "sensitivity.svg").read_text()
    assert picture.lstrip().startswith("<?xml")
    assert "NaN" not in picture


WRONG = [
    (("--parameter", "layers.7.bias[0]"), "there is no parameter 'layers.7.bias[0]'"),
    (("--parameter", "layers.7.bias[0]"), "layers.1.weights (50, 100), layers.1.bias (100,)"),
    ((), "sensitivity.parameter is missing"),
    ((*NAME, "--range=1:-1"), "should be two finite numbers around 0, got 1 and -1"),
    ((*NAME, "--range=1:2"), "got 1 and 2"),
    ((*NAME, "--range=-1:inf"), "sensitivity.range"),
    ((*NAME, "--range=1:2:3"), "sensitivity.range"),
    ((*NAME, "--points", "1"), "sensitivity.points should be at least 2, got 1"),
    ((*NAME, "--points", "x"), "sensitivity.points"),
    ((*NAME, "-o", "sensitivity.activations=[stp]"), "did you mean 'step'?"),
    ((*NAME, "-o", "sensitivity.pionts=3"), "did you mean 'points'?"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[" ".join(w[0]) for w in WRONG])
def test_a_mistake_is_told_in_words(arguments, said, lossfw):
    result = lossfw(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "bug" not in result.stderr


def test_the_weights_of_a_network_that_are_missing_or_not_finite(lossfw, folder):
    (folder / "study.yaml").write_text(CONFIG.replace("  weights: digits-mlp.npz\n", ""))
    assert "network.weights is missing" in lossfw(*NAME).stderr
    (folder / "study.yaml").write_text(CONFIG.replace("digits-mlp.npz", "missing.npz"))
    assert "there is no file" in lossfw(*NAME).stderr
    arrays = {
        f"{letter}{n}": np.zeros(shape, "f4")
        for n, (w, u) in enumerate(((64, 50), (50, 100), (100, 10)), start=1)
        for letter, shape in (("W", (w, u)), ("b", (u,)))
    }
    arrays["W2"][3, 4] = np.nan
    np.savez(folder / "w.npz", **arrays)
    (folder / "study.yaml").write_text(CONFIG.replace("digits-mlp.npz", "w.npz"))
    assert "W2[3, 4] is nan" in lossfw(*NAME).stderr
    (folder / "study.yaml").write_text(
        "lossfw: 1\ndata: {name: inline, targets: [0, 1]}\n"
        "network: {predictions: [[0.5, 0.5], [0.1, 0.9]]}\nloss: cross_entropy\n"
    )
    told = lossfw(*NAME).stderr
    assert "study.yaml:3:1: error: the network has saved outputs, but no weights" in told


@pytest.mark.parametrize("missing", ["matplotlib", "jinja2"])
def test_without_what_pages_need_it_says_so_before_anything_is_computed(
    lossfw, folder, monkeypatch, missing
):
    monkeypatch.setitem(sys.modules, missing, None)
    result = lossfw(*NAME, "--out", "a")
    assert result.exit_code == 2
    assert install_command("report") in result.stderr
    assert not (folder / "a").exists()
    assert lossfw(*NAME).exit_code == 0
