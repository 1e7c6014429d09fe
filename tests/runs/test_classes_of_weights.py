"""Labels of classes are kept with trained weights, and data are numbered like them."""

import numpy as np
import pytest

TRAIN = """\
lossfw: 1
data: {name: arrays, file: train.csv, inputs_key: [x], targets_key: kind}
network:
  layers: [{units: 3, activation: softmax}]
loss: cross_entropy
evaluate: {metrics: [accuracy]}
train: {epochs: 40, optimizer: {name: adam, learning_rate: 0.3}}
"""
KINDS = ("ant", "bee", "cat")


@pytest.fixture
def trained(folder, lossfw):
    """Train on three labels, and write rows of the last two alone."""
    lines = [f"{number - 1},{kind}" for number, kind in enumerate(KINDS)]
    (folder / "train.csv").write_text("\n".join(["x,kind", *lines]))
    (folder / "test.csv").write_text("\n".join(["x,kind", *lines[:0:-1]]))
    (folder / "train.yaml").write_text(TRAIN)
    assert lossfw("train", "train.yaml", "--out", "out").exit_code == 0
    weights = ("-o", "network.weights=out/weights.npz", "-o", "data.file=test.csv")
    return lambda *more, command="run": lossfw(command, "train.yaml", *weights, *more)


def test_another_order_or_another_label_is_refused(trained, folder):
    done = trained("-o", "data.classes=[bee, ant, cat]")
    assert done.exit_code == 2
    assert "the training had ant, bee, cat, in this order" in done.stderr
    (folder / "test.csv").write_text("x,kind\n1,dog\n0,ant\n")
    done = trained()
    assert done.exit_code == 2
    assert "have the label 'dog', but the training had ant, bee, cat" in done.stderr


def test_a_training_that_begins_with_the_weights_keeps_their_order(trained, folder):
    more = ("-o", "train.initializer={name: file, file: out/weights.npz}", "--out", "more")
    assert trained(*more, command="train").exit_code == 0
    with np.load(folder / "more/weights.npz") as kept:
        assert kept["classes"].tolist() == list(KINDS)


def test_classes_of_a_file_may_be_those_of_scikit_learn(trained, folder):
    with np.load(folder / "out/weights.npz") as kept:
        arrays = {name: kept[name] for name in ("W1", "b1")}
    np.savez(folder / "w.npz", **arrays, classes=np.array([["ant", "bee"]]))
    done = trained("-o", "network.weights=w.npz")
    assert done.exit_code == 2
    assert "classes should be one label for each class" in done.stderr
