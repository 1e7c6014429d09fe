"""Nothing is silently wrong: NaN, probabilities in place of logits, seeds that change nothing."""

import json

import numpy as np
import pytest

from support.configs import DIGITS

PLUGIN = """\
from lossfw import LOGITS, DistanceLoss, PointwiseLoss

class Holes(DistanceLoss):
    "A loss with a hole at r = 0."
    def value(self, xp, r):
        return r * r / r

class OfLogits(PointwiseLoss):
    "A loss that takes logits."
    prediction = LOGITS
    def value(self, xp, y, t):
        return xp.abs(y - t)
"""


HOLES = """\
lossfw: 1
plugins: [own.py]
data: {name: arrays, targets: t.npy}
network: {predictions: y.npy}
loss: holes
"""


@pytest.fixture(autouse=True)
def plugin(folder):
    (folder / "own.py").write_text(PLUGIN)


def test_a_loss_that_is_nan_names_its_rows_and_fails(lossfw, folder):
    np.save(folder / "y.npy", np.arange(1000) % 100 / 100)
    np.save(folder / "t.npy", np.full(1000, 0.5))
    (folder / "nan.yaml").write_text(HOLES)
    result = lossfw("run", "nan.yaml")
    assert result.exit_code == 1
    assert "holes    nan" in result.stdout
    assert "because of rows 50, 150, 250, 350, 450 and more." in result.stdout
    assert "evaluate.allow_nan: true" in result.stderr
    assert lossfw("run", "nan.yaml", "-o", "evaluate.allow_nan=true").exit_code == 0
    result = lossfw("run", "nan.yaml", "--json")
    assert (result.exit_code, json.loads(result.stdout)["loss"]["value"]) == (1, "nan")


def test_a_run_of_a_sweep_that_is_nan(lossfw, folder):
    np.save(folder / "y.npy", np.array([0.5, 0.75]))
    np.save(folder / "t.npy", np.array([0.5, 1.0]))
    (folder / "own.yaml").write_text(f"{HOLES}sweep: {{grid: {{loss: [holes, squared_error]}}}}\n")
    result = lossfw("run", "own.yaml")
    assert result.exit_code == 1
    assert "the loss of 1 of 2 runs is NaN: loss=holes." in result.stderr


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_plugins_loss_of_logits_behind_probabilities(activation, lossfw, folder):
    text = DIGITS.replace("loss: cross_entropy", "loss: of_logits\nplugins: [own.py]")
    text = text.replace("softmax", activation).replace("split: test", "split: test, one_hot: true")
    (folder / "own.yaml").write_text(text)
    result = lossfw("run", "own.yaml")
    assert result.exit_code == 2
    assert f"logits, but the last activation {activation} turns them into" in result.stderr
    assert "own.yaml:7:31" in result.stderr
    fixed = lossfw("run", "own.yaml", "-o", "network.layers.2.activation=identity")
    assert fixed.exit_code == 0


@pytest.mark.parametrize("command", [("validate",), ("run", "--dry-run")])
def test_logits_given_as_predictions(command, lossfw):
    name, *options = command
    given = ["-o", "network.predictions=[[2.0, -1.0], [0.5, 3.0]]", *options]
    result = lossfw(name, "run.yaml", *given)
    assert result.exit_code == 2
    told = result.stderr + result.stdout
    assert "-o network.predictions=" in told
    assert "hint: if they are logits, name them network.raw_outputs" in told


def test_from_logits_false_is_kept(lossfw, in_json, folder):
    (folder / "digits.yaml").write_text(DIGITS)
    for given, form in (((), "logits"), (("-o", "loss.from_logits=false"), "prediction")):
        assert in_json("run", "digits.yaml", *given)["loss"]["form"] == form
    saved = ["-o", "network={raw_outputs: [[1.0, 2.0], [2.0, 1.0]]}", "-o", "loss.guard-"]
    result = lossfw("run", "run.yaml", *saved, "-o", "loss.from_logits=false")
    assert "the loss has from_logits, and network.raw_outputs are given" in result.stderr
