"""The configurations in configs/train: they teach what they say, and make the bundled weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from lossfw.cli import main
from lossfw.data.weights import read_weights

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "configs" / "train"
BUNDLED = ROOT / "plugins" / "lossfw_std" / "data" / "digits-mlp.npz"


@pytest.mark.slow
def test_the_digits_give_the_bundled_weights_and_what_is_held_out_is_read_right(tmp_path):
    out = tmp_path / "digits"
    result = CliRunner().invoke(main, ["train", str(FOLDER / "digits.yaml"), "--out", str(out)])
    assert (result.exit_code, result.stderr) == (0, "")
    last = json.loads((out / "training.json").read_text())["epochs"][-1]
    assert last["held_out"]["metrics"]["accuracy"] >= 0.95
    made, bundled = read_weights(out / "weights.npz"), read_weights(BUNDLED)
    assert {name: (a.shape, a.dtype) for name, a in made.items()} == {
        name: (a.shape, a.dtype) for name, a in bundled.items()
    }
    # Another BLAS adds in another order, and 6,480 steps make the most of it: the
    # weights stay near, and far from those of another seed.
    for name, array in bundled.items():
        spread = np.abs(array).max()
        assert np.abs(made[name] - array).mean() < 0.2 * spread, name


@pytest.mark.slow
def test_mnist_teaches_the_network_of_the_book(mnist, monkeypatch):
    monkeypatch.setenv("LOSSFW_DATA", str(mnist.resolve()))
    arguments = ["train", str(FOLDER / "mnist.yaml"), "--json", "--no-out"]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    epochs = json.loads(result.stdout)["epochs"]
    assert epochs[-1]["held_out"]["metrics"]["accuracy"] > 0.93
