"""Trainings of layers stay what they were when they had a loop of their own."""

import json

import numpy as np
import pytest

from support.tables import read_npz

# All numbers here are of that loop. Other processors round the last digits otherwise.
DIGITS = 1e-9
CONFIG = """\
lossfw: 1
data: {name: arrays, file: reg.npz, sample_weight_key: sample_weight}
network:
  layers: [{units: 4, activation: relu}, {units: 1, activation: identity}]
  dtype: float64
loss: {name: huber, delta: 2.0}
train:
  epochs: 6
  optimizer: {name: sgd, learning_rate: 0.01, momentum: 0.9}
  schedule: cosine
  initializer: he
  hold_out: {fraction: 0.2}
evaluate: {metrics: [mae]}
"""
LAST = {
    "epoch": 6,
    "rate": 4.277569313094809e-05,
    "largest_weight": 1.6032232490542215,
    "train": {"loss": 1.7776103373369079, "metrics": {"mae": 1.6333774459984207}},
    "held_out": {"loss": 1.5755393645191584, "metrics": {"mae": 1.467341865835617}},
}


def flat(plain):
    """Return keys and numbers of nested mappings in their order."""
    for key, value in plain.items():
        yield key
        yield from flat(value) if isinstance(value, dict) else [value]


def test_a_training_has_the_numbers_of_before(lossfw, folder):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(500, 3))
    targets = inputs @ [1.0, 2.0, -1.0] + 0.1 * random.normal(size=500)
    np.savez(folder / "reg.npz", inputs=inputs, targets=targets, sample_weight=random.random(500))
    (folder / "t.yaml").write_text(CONFIG)
    assert lossfw("train", "t.yaml", "--out", "a").exit_code == 0
    trained = json.loads((folder / "a/training.json").read_text())
    assert list(trained) == [
        "lossfw", "loss", "inputs", "epochs", "kept", "stopped", "moved", "baseline", "digest",
        "versions",
    ]  # fmt: skip
    assert trained["epochs"][3]["rate"] == pytest.approx(0.005652630961100259, rel=DIGITS)
    pairs = zip(flat(trained["epochs"][-1]), flat(LAST), strict=True)
    for found, wanted in pairs:
        assert found == (wanted if isinstance(wanted, str) else pytest.approx(wanted, rel=DIGITS))
    assert (trained["kept"], trained["stopped"]) == (6, "epochs")
    assert trained["moved"] == pytest.approx([0.5321980389310281, 0.526206752509482], rel=DIGITS)
    weights = read_npz(folder / "a/weights.npz")
    assert list(weights) == ["W1", "b1", "W2", "b2", "inputs_divisor"]
    assert weights["W1"].dtype == np.float64
