"""Raw outputs that a library of trees does not make are refused before a training."""

import numpy as np
import pytest

from lossfw.errors import ConfigError
from support.configs import build_training

CONFIG = """\
lossfw: 1
data: {name: arrays, file: d.npz, targets_key: KEY}
model: MODEL
loss: LOSS
train: {rounds: 2}
"""
REFUSED = [
    ("lightgbm", "pairs", "squared_error", "one target per row, but these rows have 2"),
    ("catboost", "pairs", "squared_error", "one target per row, but these rows have 2"),
    ("hist_gradient_boosting", "pairs", "squared_error", "these rows have 2"),
    ("catboost", "classes", "cross_entropy", "two raw outputs for two classes, but catboost makes"),
    ("hist_gradient_boosting", "classes", "cross_entropy", "two raw outputs for two classes"),
]
LIBRARIES = {"hist_gradient_boosting": "skops"}


@pytest.fixture
def build(folder):
    """Build the training of a model by some targets and a loss."""
    inputs = np.arange(12.0).reshape(6, 2)
    classes = np.arange(6)
    np.savez(folder / "d.npz", inputs=inputs, pairs=inputs, classes=classes % 2, three=classes % 3)

    def make(model, key, loss):
        pytest.importorskip(LIBRARIES.get(model, model))
        text = CONFIG.replace("KEY", key).replace("MODEL", model).replace("LOSS", loss)
        (folder / "t.yaml").write_text(text)
        return build_training("t.yaml", [])

    return make


@pytest.mark.parametrize(("model", "key", "loss", "what"), REFUSED)
def test_outputs_that_are_not_made_are_refused_at_the_loss(model, key, loss, what, build):
    with pytest.raises(ConfigError) as caught:
        build(model, key, loss)
    (problem,) = caught.value.problems
    assert problem.where == "t.yaml:4:7"
    assert what in problem.message
    assert problem.hint.startswith("use" if "classes" in key else "train one model per target")
