"""The resolved configuration runs to the same digest and numbers, from any folder."""

import numpy as np
import pytest

from lossfw.evaluation.evaluate import evaluate
from support.configs import SHARPNESS, build, expand, resolve, resolved_text

BASE = """\
lossfw: 1
data: {name: arrays, inputs: x.npy, targets: t.npy}
network:
  layers:
    - {units: 3, activation: sigmoid}
    - {units: 2, activation: softmax}
  weights: w.npz
loss: {name: scaled, scale: 2, of: cross_entropy}
evaluate: {metrics: [accuracy]}
"""

RUN = """\
extends: far/base.yaml
seed: ${env:SEED}
evaluate:
  metrics: [accuracy, {name: brier}, sharpness]
  sample: {count: 2}
plugins: [mine.py]
"""


SWEEP = """\
sweep:
  grid:
    data: [{name: arrays, inputs: far/x.npy, targets: far/t.npy}]
    loss: [cross_entropy, {name: poly_cross_entropy}]
  zip: {network.weights: [far/w.npz]}
  seeds: 2
"""


@pytest.fixture
def written(folder, monkeypatch):
    """Write a configuration that takes from everywhere."""
    far = folder / "far"
    far.mkdir()
    (far / "base.yaml").write_text(BASE)
    (folder / "run.yaml").write_text(RUN)
    (folder / "mine.py").write_text(SHARPNESS)
    rng = np.random.default_rng(0)
    np.save(far / "x.npy", rng.normal(size=(5, 4)))
    np.save(far / "t.npy", np.array([0, 1, 1, 0, 1]))
    shapes = {"W1": (4, 3), "b1": 3, "W2": (3, 2), "b2": 2}
    np.savez(far / "w.npz", **{key: rng.normal(size=shape) for key, shape in shapes.items()})
    monkeypatch.setenv("SEED", "7")
    return folder


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Write a resolved text to another folder, and go there, without the environment."""

    def go(text):
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        (folder / "config.yaml").write_text(text)
        monkeypatch.chdir(folder)
        monkeypatch.delenv("SEED", raising=False)

    return go


def test_the_round_trip_keeps_the_digest_and_the_numbers(written, elsewhere):
    overrides = ["loss.scale=3", "evaluate.metrics.0-"]
    plan = build("run.yaml", overrides)
    elsewhere(resolved_text("run.yaml", overrides))
    again = build("config.yaml")
    assert again.digest == plan.digest
    assert evaluate(again).to_dict() == evaluate(plan).to_dict()
    assert again.loss.scale == 3
    assert len(again.metrics) == 2


def test_origins_are_a_list_as_well(written):
    origins = {".".join(map(str, o["path"])): o for o in resolve("run.yaml").origins()}
    assert origins["evaluate.metrics.1.name"]["origin"] == "run.yaml:4:30"
    assert origins["network.layers.0.units"]["value"] == 3
    assert origins["evaluate.batch_size"]["origin"] == "default"


def test_a_sweep_goes_round_whole(written, elsewhere):
    (written / "run.yaml").write_text(RUN + SWEEP)
    before = expand("run.yaml")
    digests = [build("run.yaml", run.overrides).digest for run in before]
    elsewhere(resolved_text("run.yaml"))
    after = expand("config.yaml")
    # The name of a run that sets a file says which.
    assert len(after) == len(before)
    assert [build("config.yaml", run.overrides).digest for run in after] == digests
