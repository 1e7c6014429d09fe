"""Trainings of three libraries, which draw rows and columns, killed at any moment."""

import os

import numpy as np
import pytest

from support.killed import said_by
from support.waiting import HANGS

CONFIG = """\
lossfw: 1
data: {{name: arrays, file: d.npz}}
model: {model}
loss: {{name: tweedie_deviance, power: 1.5}}
train: {{rounds: 330, measure_every: 5, hold_out: {{fraction: 0.25, patience: 60}}}}
"""
MODELS = {
    "xgboost": "{name: xgboost, subsample: 0.7, colsample_bytree: 0.6, max_depth: 3}",
    "lightgbm": "{name: lightgbm, bagging_fraction: 0.7, bagging_freq: 1, num_leaves: 4}",
    # Draws rows by default.
    "catboost": "{name: catboost, depth: 3}",
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("library", MODELS)
def test_a_training_killed_at_random_moments_goes_on_to_the_same_bytes(library, tmp_path):
    pytest.importorskip(library)
    random = np.random.default_rng(0)
    inputs = random.normal(size=(400, 3))
    targets = np.exp(0.5 * inputs[:, 0]) * random.gamma(2.0, 0.5, 400)
    np.savez(tmp_path / "d.npz", inputs=inputs, targets=targets)
    (tmp_path / "t.yaml").write_text(CONFIG.format(model=MODELS[library]))
    words = [tmp_path / "t.yaml", tmp_path / "out", library, 4, 0]
    said = said_by("killing_trainings.py", *words, timeout=HANGS)
    assert said["wrong"] == []
    assert said["killed"] == 4
