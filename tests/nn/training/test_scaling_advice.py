"""Advice to scale the inputs: once, where the loss did not fall, and nowhere else."""

import warnings

import numpy as np
import pytest

import lossfw

rng = np.random.default_rng(1)
SMALL = rng.normal(size=(120, 3))
GRADIENTS = np.array([1.0, 2.0, -1.0])
CONFIG = """\
lossfw: 1
data: {name: arrays, file: rows.npz}
network: {layers: [{units: 8, activation: HIDDEN}, {units: 1, activation: identity}]}
loss: squared_error
train: {epochs: 8, optimizer: {name: sgd, learning_rate: 0.05}}
"""


def told(folder, scale, hidden, *overrides):
    np.savez(folder / "rows.npz", inputs=SMALL * scale + 5 * scale, targets=SMALL @ GRADIENTS)
    (folder / "c.yaml").write_text(CONFIG.replace("HIDDEN", hidden))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        lossfw.train(folder / "c.yaml", overrides=overrides)
    return [str(warning.message) for warning in found]


@pytest.mark.parametrize(
    ("scale", "overrides", "advised"),
    [
        (100.0, [], True),
        (100.0, ["data.standardize=true"], False),
        (0.1, [], False),
        (100.0, ["data.scale=1000"], False),
    ],
)
def test_large_inputs_without_a_lower_loss_are_told_once(scale, overrides, advised, tmp_path):
    texts = told(tmp_path, scale, "sigmoid", *overrides)
    assert ["data.standardize: true, or data.scale" in text for text in texts] == [True] * advised


def test_a_training_that_diverges_says_it_only_of_large_inputs(tmp_path):
    with pytest.raises(lossfw.DivergenceError, match=r"The inputs reach [\d,]+.*data.standardize"):
        told(tmp_path, 100.0, "relu")
    with pytest.raises(lossfw.DivergenceError) as found:
        told(tmp_path, 1.0, "relu", "train.optimizer.learning_rate=1e3")
    assert "The inputs reach" not in str(found.value)
