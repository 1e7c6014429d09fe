"""``lossfw train``: files, resuming, and mistakes told in words."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest

from lossfw.data.state_file import npz_bytes
from lossfw.data.weights import read_weights
from support.tables import read_npz
from support.training_text import CONFIG
from support.waiting import wait_for

FILES = ("weights.npz", "checkpoint.npz", "training.json")


@pytest.fixture(autouse=True)
def written(config):
    config()


def told(lossfw, *arguments):
    """Return the result as JSON."""
    result = lossfw(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.fixture
def trained(lossfw):
    """Train to the folder ``a``; the result as JSON."""
    return told(lossfw, "train", "train.yaml", "--out", "a")


def test_it_writes_weights_that_run_evaluates(trained, lossfw, folder):
    names = sorted(path.name for path in (folder / "a").iterdir())
    assert names == ["checkpoint.npz", "config.yaml", "status", "training.json", "weights.npz"]
    kept = json.loads((folder / "a" / "training.json").read_text())
    assert kept.pop("versions")["numpy"] == np.__version__
    assert kept == trained
    evaluated = told(lossfw, "run", "train.yaml", "-o", "network.weights=a/weights.npz")
    last = trained["epochs"][-1]["train"]
    assert evaluated["loss"]["value"] == last["loss"]
    assert evaluated["metrics"]["accuracy"]["value"] == last["metrics"]["accuracy"]


def test_more_epochs_on_the_same_folder_are_those_of_one_run(trained, lossfw, folder):
    more = ("-o", "train.epochs=7")
    resumed = told(lossfw, "train", "train.yaml", *more, "--out", "a", "--resume")
    whole = told(lossfw, "train", "train.yaml", *more, "--out", "b")
    assert resumed == whole
    for name in FILES:
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()


def test_without_a_folder_nothing_is_written(lossfw, folder):
    before = sorted(folder.iterdir())
    refused = lossfw("train", "train.yaml")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "give --out DIR to save it, or --no-out" in refused.stderr
    assert lossfw("train", "train.yaml", "--no-out", "--out", "a").exit_code == 2
    result = lossfw("train", "train.yaml", "--no-out")
    assert result.exit_code == 0
    assert sorted(folder.iterdir()) == before
    assert "2-4-2, tanh, softmax, float32" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in lines if line and line[0].isdecimal()] == ["0", "1", "2", "3"]
    # Many epochs are shown in part, and written in full.
    many = ("train", "train.yaml", "--no-out", "-o", "train.epochs=45")
    lines = [line.split() for line in lossfw(*many).stdout.splitlines()]
    shown = [int(line[0]) for line in lines if line and line[0].isdecimal()]
    assert len(shown) <= 21
    assert (shown[0], shown[-1]) == (0, 45)
    assert len(told(lossfw, *many)["epochs"]) == 46


def test_what_is_known_of_the_data_is_shown(lossfw, folder):
    rows = ["x0,kind", "0.5,cat", "1.5,dog", ",dog", "2.5,cat"]
    (folder / "pets.csv").write_text("\n".join(rows))
    data = "data={name: arrays, file: pets.csv, targets_key: kind, missing: drop}"
    layers = "network.layers=[{units: 2, activation: softmax}]"
    result = lossfw("train", "train.yaml", "--no-out", "-o", data, "-o", layers)
    assert result.exit_code == 0, result.stderr
    assert "classes    0 cat, 1 dog\n" in result.stdout
    assert result.stdout.endswith("warning   1 row is dropped, because a value is missing.\n")


def test_a_divergence_keeps_the_last_good_checkpoint(lossfw, folder):
    result = lossfw("train", "train.yaml", "--out", "a", "-o", "train.optimizer.learning_rate=1e9")
    assert result.exit_code == 1
    assert "The training diverged in epoch 1, batch 1" in result.stderr
    assert "Traceback" not in result.stderr
    kept = sorted(path.name for path in (folder / "a").iterdir())
    assert kept == ["checkpoint.npz", "config.yaml", "error.txt", "status"]
    arrays = read_weights(folder / "a" / "checkpoint.npz")
    assert all(np.isfinite(array).all() for array in arrays.values())


class TestResuming:
    def wrong(self, lossfw, *arguments, code=2):
        result = lossfw("train", "train.yaml", "--resume", *arguments)
        assert (result.exit_code, result.stdout) == (code, "")
        assert "Traceback" not in result.stderr
        return result.stderr

    def test_without_a_checkpoint_it_begins_anew(self, lossfw, folder):
        # As after an interruption before the first epoch.
        for name, more in (("a", []), ("b", ["--resume"])):
            told(lossfw, "train", "train.yaml", "--out", name, *more)
        for name in FILES:
            assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()

    @pytest.mark.parametrize("kept", [0, 100, 0.5, -1, "a wrong byte"])
    def test_a_checkpoint_that_is_cut_short_or_wrong(self, kept, trained, lossfw, folder):
        file = folder / "a" / "checkpoint.npz"
        whole = bytearray(file.read_bytes())
        if kept == "a wrong byte":
            whole[len(whole) // 2] ^= 1
        else:
            del whole[int(kept * len(whole)) if isinstance(kept, float) else kept :]
        file.write_bytes(whole)
        said = self.wrong(lossfw, "--out", "a")
        assert "a/checkpoint.npz" in said
        assert "train again without --resume" in said

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"header": b"x"}, "is not a checkpoint of lossfw"),
            ({"header": b"[]"}, "is not a checkpoint of lossfw"),
            ({"header": b'{"version": 3}'}, "is not a checkpoint of lossfw"),
            ({"header": b'{"version": 3, "history": []}'}, "is not a checkpoint of lossfw"),
            ({"header": b'{"version": 2}'}, "of version 2, but this lossfw reads version 3"),
            ({"model": None}, "it has no model"),
            ({"model": b"four"}, "the network in it cannot be read"),
            ({"W1": None}, "it lacks W1 of layers.0"),
            ({"b2": b"four"}, "it lacks b2 of layers.1"),
            ({"W1.0": None}, "it lacks the optimizer's state of W1"),
        ],
        ids=str,
    )
    def test_a_file_that_somebody_made(self, change, said, trained, lossfw, folder):
        file = folder / "a" / "checkpoint.npz"
        arrays = read_npz(file)
        inside = read_npz(io.BytesIO(arrays["model"].tobytes()))
        for name, content in change.items():
            changed = arrays if name in arrays else inside
            changed[name] = np.frombuffer(content or b"", np.uint8)
            if content is None:
                del changed[name]
        if changed is inside:
            arrays["model"] = np.frombuffer(npz_bytes(inside), np.uint8)
        np.savez(file, **arrays)
        assert said in self.wrong(lossfw, "--out", "a")

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ("seed=1", "seed, network"),
            ("train.batch_size=7", "train.batch_size"),
            ("train.optimizer.momentum=0.5", "train.optimizer"),
            ("loss.label_smoothing=0.1", "loss"),
            ("evaluate.metrics=[]", "evaluate.metrics"),
            ("network.layers.0.activation=relu", "network"),
        ],
    )
    def test_another_training_is_refused_with_what_differs(self, change, named, trained, lossfw):
        said = self.wrong(lossfw, "--out", "a", "-o", change)
        assert f"is the checkpoint of another training: {named} differ" in said

    def test_another_number_of_epochs_or_no_checkpoint(self, lossfw, folder):
        assert "give --out DIR too" in self.wrong(lossfw)
        linear = ("-o", "train.schedule=linear")
        told(lossfw, "train", "train.yaml", "--out", "a", *linear)
        # The end of a falling rate cannot be moved.
        said = self.wrong(lossfw, "--out", "a", *linear, "-o", "train.epochs=9")
        assert "train.epochs differs" in said
        told(lossfw, "train", "train.yaml", "--out", "b")
        said = self.wrong(lossfw, "--out", "b", "-o", "train.epochs=2")
        assert "already has 3 epochs and train.epochs is 2" in said
        (folder / "a" / "weights.npz").replace(folder / "a" / "checkpoint.npz")
        assert "no array 'header'" in self.wrong(lossfw, "--out", "a", *linear)


def test_every_mistake_is_told_and_nothing_is_made(lossfw, config, folder):
    config(CONFIG.replace("epochs: 3", "epochs: 0").replace("name: sgd", "name: sdg"))
    result = lossfw("train", "train.yaml", "--out", "a")
    assert result.exit_code == 2
    assert "train.yaml:7:11: error: train.epochs should be greater than 0" in result.stderr
    assert "did you mean 'sgd'?" in result.stderr
    assert not (folder / "a").exists()
    (folder / "a").write_text("")
    config()
    result = lossfw("train", "train.yaml", "--out", "a")
    assert result.exit_code == 1
    assert "is a file; expected a folder" in result.stderr


@pytest.mark.slow
def test_a_process_that_is_killed_goes_on_to_the_same_bytes(lossfw, folder):
    arguments = ["train", "train.yaml", "-o", "train.epochs=60", "--out"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lossfw", *arguments, "a"], stdout=subprocess.DEVNULL
    )
    checkpoint = folder / "a" / "checkpoint.npz"
    wait_for(lambda: checkpoint.exists() or process.poll() is not None)
    process.kill()
    process.wait()
    told(lossfw, *arguments, "a", "--resume")
    told(lossfw, *arguments, "b")
    for name in FILES:
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()
