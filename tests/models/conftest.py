"""Trainings of a model of a plugin file."""

import json

import numpy as np
import pytest

from lossfw.models.training import loop, records

# Boosting of lines on rows that are drawn.
DRAWN = """\
import numpy as np

from lossfw import hookimpl
from support.liars import models


class Lines(models.Lines):
    share: float = 0.5

    def begun(self, leg):
        leg.cache["random"] = np.random.default_rng(leg.seed)
        return super().begun(leg)

    def step(self, x, g, h, leg):
        drawn = leg.cache["random"].random(len(x)) < self.share
        return super().step(x[drawn], g[drawn], h[drawn], leg)


@hookimpl
def lossfw_models():
    return {"lines": Lines}
"""

CONFIG = """\
lossfw: 1
data: {name: arrays, file: d.npz}
plugins: [drawn.py]
model: {name: lines, learning_rate: 0.2}
loss: {name: tweedie_deviance, power: 1.5}
evaluate: {metrics: [mae]}
train: {rounds: 25, hold_out: {fraction: 0.25}}
seed: 4
"""


def measured(history):
    """Return the numbers of the rounds or epochs that are in a history."""
    return [epoch["epoch"] for epoch in history]


@pytest.fixture
def written(folder, monkeypatch):
    """A configuration and its files, and legs of 10 rounds."""
    monkeypatch.setattr(records, "LEG", 10)
    random = np.random.default_rng(0)
    inputs = random.normal(size=(300, 3))
    targets = np.exp(inputs[:, 0]) * random.gamma(2.0, 0.5, 300)
    np.savez(folder / "d.npz", inputs=inputs, targets=targets)
    (folder / "drawn.py").write_text(DRAWN)
    (folder / "t.yaml").write_text(CONFIG)


@pytest.fixture
def train(lossfw, folder):
    """Train with overrides, and return the content of training.json."""

    def run(out, *overrides, resume=False):
        options = [part for override in overrides for part in ("-o", override)]
        result = lossfw(
            "train", "t.yaml", "--out", out, *options, *(["--resume"] if resume else [])
        )
        assert result.exit_code == 0, result.stderr
        return json.loads((folder / out / "training.json").read_text())

    return run


@pytest.fixture
def interrupted(lossfw, monkeypatch):
    """Train to the folder ``a`` until a round is about to be told, and interrupt there."""

    def run(stop, *overrides):
        tell = loop._Leg._report_outputs

        def until(leg, *raw):
            if leg.number + 1 == stop:
                raise KeyboardInterrupt
            return tell(leg, *raw)

        options = [part for override in overrides for part in ("-o", override)]
        with monkeypatch.context() as patch:
            patch.setattr(loop._Leg, "_report_outputs", until)
            assert lossfw("train", "t.yaml", "--out", "a", *options).exit_code == 130

    return run
