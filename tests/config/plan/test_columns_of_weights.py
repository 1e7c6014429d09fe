"""Columns by their names: a network is not run on others, or on the same in another order."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ConfigError

TRAINED = """\
lossfw: 1
data: {name: arrays, file: rows.csv, targets_key: y}
network: {layers: [{units: 1, activation: identity}], weights: out/weights.npz}
loss: squared_error
train: {epochs: 3, optimizer: {name: sgd, learning_rate: 0.01}}
"""
ROWS = np.random.default_rng(2).normal(size=(12, 3))


def write(folder, name, header="a,b,y", rows=ROWS):
    np.savetxt(folder / name, rows, delimiter=",", header=header, comments="")


@pytest.fixture(autouse=True)
def trained(folder):
    write(folder, "rows.csv")
    write(folder, "turned.csv", "b,a,y", ROWS[:, [1, 0, 2]])
    (folder / "run.yaml").write_text(TRAINED)
    return lossfw.train("run.yaml", out="out")


def test_another_order_is_refused_and_the_hint_mends_it(problem, trained):
    _, what, hint = problem(TRAINED, "data.file=turned.csv")
    assert what == (
        "the column 'b' of the data 'arrays (turned.csv)' is input 0, "
        "but it was input 1 of the training"
    )
    assert hint == "write inputs_key: [a, b]"
    mended = ["data.file=turned.csv", "data.inputs_key=[a, b]"]
    assert lossfw.run("run.yaml", overrides=mended).loss == trained.history[-1].train.loss


def test_held_out_data_in_another_order_are_refused():
    held = "train.hold_out.data={name: arrays, file: turned.csv, targets_key: y}"
    with pytest.raises(ConfigError, match="input 1 of the training"):
        lossfw.train("run.yaml", overrides=[held])


@pytest.mark.parametrize("header", ["c,d,y", "# no names"])
def test_of_other_names_nothing_is_said(header, folder, trained):
    write(folder, "other.csv", header)
    overrides = ["data.file=other.csv", f"data.targets_key={'y' if 'y' in header else 2}"]
    assert lossfw.run("run.yaml", overrides=overrides).loss == trained.history[-1].train.loss
