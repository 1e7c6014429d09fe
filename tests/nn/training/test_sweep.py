"""Sweeps of trainings, their page, and plugins that follow trainings."""

import json

import numpy as np
import pytest

from lossfw.data.weights import read_weights

SWEEP = "sweep={grid: {train.epochs: [2, 3]}, seeds: 2}"
FOLLOWER = """\
from lossfw import hookimpl

@hookimpl
def lossfw_training_start(run):
    print("start", run.name, run.training.total, run.seed)

@hookimpl
def lossfw_epoch(run, epoch):
    print("epoch", epoch.number, epoch.train.loss > 0)
    if epoch.number == 2:
        raise ValueError("enough")

@hookimpl
def lossfw_training_end(run, trained):
    print("end", None if trained is None else trained.kept_epoch)
"""


@pytest.fixture(autouse=True)
def written(config):
    config()


@pytest.mark.slow
def test_each_training_has_its_folder_and_they_are_resumed(lossfw, folder):
    result = lossfw("train", "train.yaml", "--out", "s", "-o", SWEEP, "--jobs", "2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "trainings over seeds  seeds  loss" in result.stdout
    assert "Over seeds: mean ± standard deviation; differences are paired by seed." in result.stdout
    assert "lossfw compare" in result.stdout.splitlines()[-1]
    names = sorted(path.name for path in (folder / "s").iterdir())
    assert names == [f"train.epochs={n},seed={seed}" for n in (2, 3) for seed in (0, 1)]
    files = {path: path.read_bytes() for path in (folder / "s").rglob("*.npz")}
    assert len(files) == 8
    (folder / "s" / names[0] / "checkpoint.npz").unlink()
    again = lossfw("train", "train.yaml", "--out", "s", "-o", SWEEP, "--resume", "--json")
    plain = json.loads(again.stdout)
    assert [run["status"] for run in plain] == ["done"] * 4
    for one, group in zip(plain, (0, 0, 1, 1), strict=True):
        of, members = one["over_seeds"], plain[2 * group : 2 * group + 2]
        losses = [own["result"]["epochs"][-1]["train"]["loss"] for own in members]
        assert of["members"] == [own["name"] for own in members]
        assert of["numbers"]["loss"]["mean"] == pytest.approx(sum(losses) / 2)
        assert of["numbers"]["loss"]["deviation"] == pytest.approx(np.std(losses, ddof=1))
    assert {path: path.read_bytes() for path in (folder / "s").rglob("*.npz")} == files
    alone = lossfw("train", "train.yaml", "--out", "one", "-o", "train.epochs=2", "-o", "seed=1")
    assert alone.exit_code == 0
    weights = [read_weights(folder / f / "weights.npz") for f in ("one", f"s/{names[1]}")]
    assert all(np.array_equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_a_training_that_fails_does_not_stop_the_others(lossfw):
    sweep = "sweep={grid: {train.optimizer.learning_rate: [1e9, 0.1]}}"
    result = lossfw("train", "train.yaml", "--no-out", "-o", sweep)
    assert result.exit_code == 1
    assert "1 of 2 runs failed: train.optimizer.learning_rate=1000000000.0" in result.stderr
    assert "The training diverged" in result.stderr
    refused = lossfw("train", "train.yaml", "-o", SWEEP)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "give --out DIR" in refused.stderr


def test_the_page_shows_curves_weights_and_epochs(lossfw, folder):
    pytest.importorskip("matplotlib")
    result = lossfw("train", "train.yaml", "--out", "a", "--report")
    assert (result.exit_code, result.stderr) == (0, "wrote a/report.html\n")
    page = (folder / "a" / "report.html").read_text()
    epochs = json.loads((folder / "a" / "training.json").read_text())["epochs"]
    assert page.count("<svg") >= 1 + 2
    for text in ("Learning curves", "layers.0", "layers.1", f"of epoch {epochs[-1]['epoch']}"):
        assert text in page
    assert page.count("<svg") == page.count("</svg>")
    again = lossfw("report", "a")
    assert again.stdout == "wrote a/report.html\n"
    assert (folder / "a" / "report.html").read_text() == page


@pytest.mark.parametrize(
    "content", ["{}", '{"epochs": []}', "[]", '{"epochs": 3, "kept": 0, "loss": {}}']
)
def test_a_damaged_training_is_told_in_words(content, lossfw, folder):
    pytest.importorskip("matplotlib")
    (folder / "a").mkdir()
    (folder / "a" / "training.json").write_text(content)
    result = lossfw("report", "a")
    assert result.exit_code == 2
    assert "training.json" in result.stderr
    assert "bug" not in result.stderr


def test_plugins_follow_the_epochs(lossfw, folder):
    (folder / "follow.py").write_text(FOLLOWER)
    result = lossfw("train", "train.yaml", "--out", "a", "--plugin", "follow.py")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()[:5]
    assert lines == ["start train 3 0", *(f"epoch {n} True" for n in range(3)), "end 3"]
    assert "lossfw_epoch failed and is not called again: ValueError: enough" in result.stderr
    more = ("--resume", "-o", "train.epochs=4", "--plugin", "follow.py")
    resumed = lossfw("train", "train.yaml", "--out", "a", *more)
    assert resumed.stdout.splitlines()[:3] == ["start train 4 0", "epoch 4 True", "end 4"]
    bad = ("-o", "train.optimizer.learning_rate=1e9", "--no-out", "--plugin", "follow.py")
    assert "end None" in lossfw("train", "train.yaml", *bad).stdout
