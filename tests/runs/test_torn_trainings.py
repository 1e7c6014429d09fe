"""A training that ends at any moment leaves the files of one training, or a status that warns."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from support.killed import said_by
from support.waiting import HANGS

TEXT = """\
lossfw: 1
data: {name: arrays, file: d.npz, standardize: true}
MODEL
loss: squared_error
train: {TRAIN}
"""
LAYERS = "network: {layers: [{units: 1, activation: identity}]}"


@pytest.fixture
def write(folder):
    """Write a configuration, and the data that it needs."""
    random = np.random.default_rng(0)
    inputs = random.normal(5, 30, (60, 2))
    np.savez(folder / "d.npz", inputs=inputs, targets=inputs[:, 0] + random.normal(size=60))

    def written(model=LAYERS, train="optimizer: sgd, epochs: 2"):
        text = TEXT.replace("MODEL", model).replace("TRAIN", train)
        (folder / "t.yaml").write_text(text)

    return written


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("over", [(), ("over",)], ids=["in a new folder", "over an older one"])
def test_every_state_that_a_kill_leaves_is_whole_or_says_so(write, folder, over):
    pytest.importorskip("xgboost")
    write("model: {name: xgboost, max_depth: 2}", "rounds: 2, hold_out: {folds: 2, fold: 0}")
    words = [folder / "t.yaml", "model.max_depth=1", folder / "o", *over]
    said = said_by("tearing.py", *words, timeout=HANGS)
    assert said["wrong"] == []
    assert said["killed"] > 20
    assert any(state.startswith("running: ") for state in said["states"])


@pytest.fixture
def train(write, lossfw):
    """Train into the folder m, where there is a training already."""
    write()
    assert lossfw("train", "t.yaml", "--out", "m").exit_code == 0
    return lambda *more: lossfw("train", "t.yaml", "--out", "m", *more)


def test_a_training_that_ends_early_is_not_taken_for_the_older_one(
    train, lossfw, folder, monkeypatch
):
    assert lossfw("train", "t.yaml", "--out", "n").exit_code == 0
    older, fewer = content_of(folder / "m"), ("-o", "train.epochs=1")

    def killed(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lossfw.runs.training_folder.TrainingFolder.finish", killed)
        assert train(*fewer).exit_code == 130
    # The older training is still whole, except for the checkpoint.
    now = content_of(folder / "m")
    assert [name for name in older if older[name] != now[name]] == ["checkpoint.npz", "status"]
    assert now["status"] == b"running\n"
    compared = lossfw("compare", "m", "n", "n")
    assert "m is left out: its training has not ended; --resume" in compared.stderr
    evaluated = lossfw("run", "t.yaml", "-o", "network-", "-o", "model={name: trained, folder: m}")
    assert evaluated.exit_code == 2
    assert "holds an unfinished training: its status is not done" in evaluated.stderr
    assert train(*fewer, "--resume").exit_code == 0
    assert (folder / "m/status").read_text() == "done\n"


def test_a_training_that_fails_says_why_to_who_compares(train, lossfw, folder):
    assert train("-o", "train.optimizer.learning_rate=1e300").exit_code == 1
    compared = lossfw("compare", "m", "m")
    assert "m is left out: its training failed: The training diverged" in compared.stderr
    assert train().exit_code == 0
    assert not (folder / "m/error.txt").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system names no open files")
def test_a_disk_that_is_full_at_the_end_leaves_the_older_training(train, folder, monkeypatch):
    older, sync = content_of(folder / "m"), os.fsync

    def full(descriptor):
        if "training.json" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        result = train("-o", "train.epochs=1")
    assert result.exit_code == 1
    assert "training.json cannot be written: No space left on device" in result.stderr
    now = content_of(folder / "m")
    changed = {name for name in {*older, *now} if older.get(name) != now.get(name)}
    assert changed == {"checkpoint.npz", "status", "error.txt"}


def test_files_of_an_older_training_that_the_new_one_does_not_have_go(write, lossfw, folder):
    pytest.importorskip("sklearn")
    pytest.importorskip("skops")
    write("model: {name: sklearn, estimator: sklearn.linear_model.LinearRegression}", "")
    (folder / "m").mkdir()
    (folder / "m/mine.txt").write_text("of the user")
    result = lossfw("train", "t.yaml", "--out", "m")
    assert result.exit_code == 0, result.stderr
    assert {"model.skops", "model.json"} <= set(content_of(folder / "m"))
    (folder / "m/report.html").write_text("of the older training")
    write()
    assert lossfw("train", "t.yaml", "--out", "m").exit_code == 0
    names = "checkpoint.npz config.yaml mine.txt status training.json weights.npz"
    assert " ".join(sorted(content_of(folder / "m"))) == names


def test_a_run_does_not_write_over_a_training(train, lossfw, folder):
    (folder / "m/training.json").unlink()  # as one that has not ended
    refused = lossfw("run", "t.yaml", "--out", "m", "-o", "network.weights=m/weights.npz")
    assert refused.exit_code == 1
    assert "config.yaml was not written by a run" in refused.stderr
