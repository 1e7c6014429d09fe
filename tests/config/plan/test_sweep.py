"""Sweeps and resolved configurations: their runs, and that they go round whole."""

import textwrap

import numpy as np
import pytest

from lossfw.config.plan.sweep import MAX_RUN_NAME
from lossfw.config.schema.section_types import MAX_RUNS
from lossfw.errors import ConfigError
from lossfw.evaluation.evaluate import evaluate
from support.configs import SAVED, SHARPNESS, build, expand, resolved_text

GOOD = SAVED.replace("cross_entropy", "{name: cross_entropy, delta: 1e-3}")
GOOD += "evaluate: {batch_size: 7, metrics: [accuracy]}\n"


@pytest.fixture
def runs(folder):
    """Return the runs of the good configuration with a sweep."""

    def find(text, *overrides, base=GOOD):
        (folder / "run.yaml").write_text(base + textwrap.dedent(text))
        return expand("run.yaml", overrides)

    return find


@pytest.fixture
def mistakes(runs):
    def find(text, *overrides, base=GOOD):
        with pytest.raises(ConfigError) as caught:
            runs(text, *overrides, base=base)
        return [(p.where, p.message) for p in caught.value.problems]

    return find


def names(found):
    return [run.name for run in found]


@pytest.mark.parametrize(
    ("seeds", "wanted"), [("3", ["seed=0", "seed=1", "seed=2"]), ("[5, 0]", ["seed=5", "seed=0"])]
)
def test_seeds_are_a_number_of_them_or_a_list(seeds, wanted, runs):
    assert names(runs(f"sweep: {{seeds: {seeds}}}")) == wanted


def test_all_three_together(runs):
    text = """\
    sweep:
      grid: {loss.delta: [0.1, 0.2]}
      zip: {evaluate.batch_size: [1, 2], evaluate.metrics: [[], [accuracy, brier]]}
      seeds: 2
    """
    found = names(runs(text))
    assert len(found) == len(set(found)) == 8
    first = "loss.delta=0.1,evaluate.batch_size=2"
    assert found[3] == f"{first},evaluate.metrics=accuracy+brier,seed=1"


def test_a_long_name_is_cut_and_still_its_own(runs):
    of = "[" + ", ".join(["{name: cross_entropy, delta: 0.001}"] * 20) + "]"
    text = f"sweep: {{grid: {{loss.of: [{of}, {of[:-1]}, brier]]}}}}"
    base = GOOD.replace("{name: cross_entropy, delta: 1e-3}", "sum")
    found = names(runs(text, base=base))
    assert len(set(found)) == 2
    assert all(len(name) == MAX_RUN_NAME for name in found)


def test_files_in_a_sweep_are_beside_the_file_that_names_them(folder, monkeypatch):
    home = folder / "far"
    home.mkdir()
    np.save(home / "t.npy", np.array([0, 1]))
    np.save(home / "y.npy", np.array([[0.5, 0.5], [0.25, 0.75]]))
    text = GOOD.replace("{name: inline, targets: [0, 1]}", "inline")
    sweep = "sweep: {zip: {data: [{name: arrays, targets: t.npy}], network.predictions: [y.npy]}}"
    (home / "run.yaml").write_text(text + sweep)
    (run,) = expand("far/run.yaml")
    assert build("far/run.yaml", run.overrides).outputs.tolist() == [[0.5, 0.5], [0.25, 0.75]]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("sweep: {}", "6:1", "sweep needs at least one of grid, zip, seeds"),
        ("sweep: 3", "6:8", "sweep should be a mapping, got 3"),
        ("sweep: {gird: {a: [1]}}", "6:9", "unknown key 'sweep.gird'"),
        ("sweep: {grid: {loss.delta: 1}}", "6:28", "sweep.grid.loss.delta should be a list, got 1"),
        ("sweep: {grid: {loss..delta: [1]}}", "6:16", "'loss..delta' is not the name of a setting"),
        ("sweep: {grid: {sweep.seeds: [1]}}", "6:16", "sweep is the same for all runs"),
        ("sweep: {grid: {seed.x: [1]}}", "6:16", "seed should be a whole number, got a mapping"),
        ("sweep: {grid: {evaluate.metrics.1: [x]}}", "6:16", "evaluate.metrics has the indices 0"),
        ("sweep: {grid: {seed: [1]}, seeds: 2}", "6:28", "the sweep sets seed twice"),
        ("sweep: {grid: {seed: [1, 1]}}", "6:26", "two runs have the name seed=1"),
        ("sweep: {seeds: 0}", "6:16", "sweep.seeds should be a number of seeds from 1 to 1000"),
        ("sweep: {seeds: [-1]}", "6:17", "sweep.seeds.0 should be at least 0, got -1"),
        ("sweep: {zip: {seed: [1, 2], loss.delta: [1]}}", "6:29", "loss.delta has 1 values but"),
        ("sweep: {grid: {loss.delta: [!x 1]}}", "6:29", "the tag '!x' is not read"),
    ],
)
def test_what_is_no_sweep(text, where, what, mistakes):
    found = mistakes(text)
    assert found[0][0] == f"run.yaml:{where}"
    assert found[0][1].startswith(what)


def test_too_many_runs_are_not_even_tried(mistakes):
    values = ", ".join(map(str, range(100)))
    grid = f"{{evaluate.batch_size: [{values}], seed: [{values}]}}"
    ((_, what),) = mistakes(f"sweep: {{grid: {grid}}}")
    assert what == f"the sweep has 10000 runs, and at most {MAX_RUNS} are checked and run"


def test_a_sweep_is_no_single_run(refused):
    refused(GOOD + "sweep: {seeds: 2}\n", at="6:1", what="several runs", hint="-o sweep-")


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


def test_a_sweep_goes_round_whole(written, elsewhere):
    (written / "run.yaml").write_text(RUN + SWEEP)
    before = expand("run.yaml")
    digests = [build("run.yaml", run.overrides).digest for run in before]
    elsewhere(resolved_text("run.yaml"))
    after = expand("config.yaml")
    # The name of a run that sets a file says which.
    assert len(after) == len(before)
    assert [build("config.yaml", run.overrides).digest for run in after] == digests
