"""The resolved configuration runs to the same digest and numbers, from any folder."""

import textwrap
from pathlib import Path

import numpy as np
import pytest
import yaml

from lossfw.components.plugin_choice import Plugins
from lossfw.errors import ConfigError
from lossfw.evaluation.evaluate import evaluate
from support.configs import SHARPNESS, build, expand, resolve, resolved_text

CONFIGS = Path(__file__).parents[3] / "configs"

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


def rerun(text, tmp_path, monkeypatch):
    """Build a resolved text in another folder, without the environment."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "config.yaml").write_text(text)
    monkeypatch.chdir(elsewhere)
    monkeypatch.delenv("SEED", raising=False)
    return build("config.yaml")


def test_the_round_trip_keeps_the_digest_and_the_numbers(written, tmp_path, monkeypatch):
    overrides = ["loss.scale=3", "evaluate.metrics.0-"]
    plan = build("run.yaml", overrides)
    again = rerun(resolved_text("run.yaml", overrides), tmp_path, monkeypatch)
    assert again.digest == plan.digest
    assert evaluate(again).to_dict() == evaluate(plan).to_dict()
    assert again.loss.scale == 3
    assert len(again.metrics) == 2


def test_resolving_twice_changes_nothing(written, tmp_path, monkeypatch):
    text = resolved_text("run.yaml")
    rerun(text, tmp_path, monkeypatch)
    assert resolved_text("config.yaml") == text


def test_the_annotated_form_runs_as_well(written, tmp_path, monkeypatch):
    plan = build("run.yaml")
    text = resolve("run.yaml").to_annotated_yaml()
    assert rerun(text, tmp_path, monkeypatch).digest == plan.digest


@pytest.mark.parametrize("name", ["digits.yaml", "book/cross-entropy.yaml"])
def test_a_shipped_configuration_goes_round(name, folder, tmp_path, monkeypatch):
    plan = build(str(CONFIGS / name))
    again = rerun(resolved_text(str(CONFIGS / name)), tmp_path, monkeypatch)
    assert again.digest == plan.digest
    assert evaluate(again).to_dict() == evaluate(plan).to_dict()


def test_each_value_says_where_it_was_written(written):
    lines = resolve("run.yaml", ["loss.scale=3"]).to_annotated_yaml().splitlines()
    told = {}
    for line in lines:
        text, _, origin = line.rpartition("  # ")
        told[text.strip()] = origin.strip()
    assert told["scale: 3"] == "-o loss.scale=3"
    assert told["name: scaled"] == "far/base.yaml:8:14"
    assert told["seed: 7"] == "run.yaml:2:7"
    assert told["count: 2"] == "run.yaml:5:19"
    assert told["batch_size: 1024"] == "default"
    assert told["replace: false"] == "default"
    # What a component was not told is a comment: a guard that is set prevents fusing.
    assert told["# delta: 1e-07"] == "default"


def test_origins_are_a_list_as_well(written):
    origins = {".".join(map(str, o["path"])): o for o in resolve("run.yaml").origins()}
    assert origins["evaluate.metrics.1.name"]["origin"] == "run.yaml:4:30"
    assert origins["network.layers.0.units"]["value"] == 3
    assert origins["evaluate.batch_size"]["origin"] == "default"


def test_files_that_come_with_a_plugin_keep_their_names(folder):
    assert resolve(str(CONFIGS / "digits.yaml")).root.to_plain()["network"]["weights"] == (
        "digits-mlp.npz"
    )


def test_plugins_of_the_command_line_are_written_down(written, tmp_path, monkeypatch):
    plugins = Plugins(local=["mine.py"])
    without = RUN.replace("plugins: [mine.py]\n", "")
    (written / "run.yaml").write_text(without)
    text = resolved_text("run.yaml", (), plugins)
    assert rerun(text, tmp_path, monkeypatch).digest == build("config.yaml").digest
    assert yaml.safe_load(text)["plugins"] == [f"{written}/mine.py"]


def test_each_run_of_a_sweep_goes_round(written, tmp_path, monkeypatch):
    sweep = "sweep: {grid: {loss.scale: [1, 2]}, zip: {network.weights: [far/w.npz]}}\n"
    (written / "run.yaml").write_text(RUN + sweep)
    for run in expand("run.yaml"):
        plan = build("run.yaml", run.overrides)
        text = resolved_text("run.yaml", run.overrides)
        monkeypatch.setenv("SEED", "7")
        assert rerun(text, tmp_path, monkeypatch).digest == plan.digest
        monkeypatch.chdir(written)
        monkeypatch.setenv("SEED", "7")


def test_a_sweep_goes_round_whole(written, tmp_path, monkeypatch):
    sweep = textwrap.dedent(
        """\
        sweep:
          grid:
            data: [{name: arrays, inputs: far/x.npy, targets: far/t.npy}]
            loss: [cross_entropy, {name: poly_cross_entropy}]
          zip: {network.weights: [far/w.npz]}
          seeds: 2
        """
    )
    (written / "run.yaml").write_text(RUN + sweep)
    before = expand("run.yaml")
    digests = [build("run.yaml", run.overrides).digest for run in before]
    text = resolved_text("run.yaml")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "config.yaml").write_text(text)
    monkeypatch.chdir(tmp_path / "elsewhere")
    after = expand("config.yaml")
    # The name of a run that sets a file says which.
    assert len(after) == len(before)
    assert [build("config.yaml", run.overrides).digest for run in after] == digests


def test_a_training_is_resolved_too(folder, tmp_path, monkeypatch):
    text = resolved_text(str(CONFIGS / "train" / "digits.yaml"))
    assert "schedule" in text
    (folder / "config.yaml").write_text(text)
    assert resolved_text("config.yaml") == text


def test_a_mistake_is_told_as_ever(folder):
    (folder / "run.yaml").write_text("lossfw: 1\nloss: hubber\n")
    with pytest.raises(ConfigError) as caught:
        resolved_text("run.yaml")
    assert len(caught.value.problems) == 3
