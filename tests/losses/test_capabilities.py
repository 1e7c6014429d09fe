"""Capabilities are types: a third party's loss is fused, guarded and checked as ours are."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

import lossfw
from lossfw.check import check
from lossfw.cli import main
from lossfw.losses.capabilities import guard_of, without_guard
from support import surprise
from support.surprise import Surprise

OURS, THEIRS = lossfw.loss("cross_entropy"), Surprise()

NETWORK = """\
lossfw: 1
plugins: [surprise.py]
data: {name: inline, inputs: [[1.0, 2.0], [-3.0, 1.0]], targets: [0, 1]}
network: {layers: [{units: 3, activation: relu}, {units: 2, activation: softmax}], weights: w.npz}
"""
SAVED = """\
lossfw: 1
plugins: [surprise.py]
data: {name: inline, targets: [0, 1, 1]}
network: {predictions: [[0.0, 1.0], [0.5, 0.5], [1e-5, 0.99999]]}
"""


@pytest.fixture
def run(folder):
    """Run a configuration with a loss; returns the result of the command."""
    shutil.copy(surprise.__file__, folder / "surprise.py")
    rng = np.random.default_rng(0)
    shapes = {"W1": (2, 3), "b1": 3, "W2": (3, 2), "b2": 2}
    np.savez(folder / "w.npz", **{name: rng.normal(size=size) for name, size in shapes.items()})

    def run(text, loss, *options):
        (folder / "run.yaml").write_text(f"{text}loss: {loss}\n")
        return CliRunner().invoke(main, ["run", "run.yaml", *options])

    return run


def numbers(result):
    """Return the loss and its form from the JSON of a run."""
    written = json.loads(result.stdout)["loss"]
    return written["value"], written["form"]


@pytest.mark.parametrize(
    ("theirs", "ours", "form"),
    [
        ("surprise", "cross_entropy", "logits"),
        ("{name: surprise, eps: 1e-3}", "{name: cross_entropy, delta: 1e-3}", "prediction"),
        ("{name: surprise, fuse: false}", "{name: cross_entropy, fuse: false}", "prediction"),
        ("{name: scaled, scale: 2, of: surprise}", "{name: scaled, scale: 2, of: cross_entropy}",
         "logits"),
        ("{name: scaled, scale: 2, of: {name: surprise, eps: 1e-3}}",
         "{name: scaled, scale: 2, of: {name: cross_entropy, delta: 1e-3}}", "prediction"),
    ],
)  # fmt: skip
def test_a_run_fuses_it_as_it_fuses_ours_unless_its_guard_is_set(run, theirs, ours, form):
    found = numbers(run(NETWORK, theirs, "--json"))
    assert found == numbers(run(NETWORK, ours, "--json"))
    assert found[1] == form


def test_a_run_notices_where_its_guard_decides(run):
    def warning(loss):
        output = run(SAVED, loss).stdout
        return [line.split() for line in output.splitlines() if line.startswith("warning")]

    theirs = warning("{name: surprise, eps: 1.0e-4}")
    assert theirs == warning("{name: cross_entropy, delta: 1.0e-4}")
    assert "1 of 3 target probabilities are below delta = 0.0001," in " ".join(theirs[0])


def test_mistakes_name_its_own_parameters(run):
    raw = run(NETWORK, "{name: surprise, raw: true}").stderr
    assert "leave the loss's raw out" in raw
    logits = SAVED.replace("predictions", "raw_outputs")
    assert "the loss has eps" in run(logits, "{name: surprise, eps: 1.0e-3}").stderr


@pytest.mark.parametrize(
    "theirs", [THEIRS, pytest.param(THEIRS.on_raw_outputs(), marks=pytest.mark.slow)], ids=str
)
def test_the_harness_checks_it_with_its_guard_where_that_counts(theirs):
    report = check(theirs, examples=10, only=["value"])
    assert report.ok
    guarded = "value:guard" in [one.check for one in report.passed]
    assert guarded == (theirs._input_form == "prediction")


def test_the_guard_is_known_by_its_type():
    assert guard_of(THEIRS) == ("normalised", 1e-7) == guard_of(OURS)
    assert guard_of(THEIRS.on_raw_outputs()) is guard_of(2 * THEIRS) is None
    assert without_guard(OURS).guard == "none"
    assert without_guard(THEIRS) is THEIRS
