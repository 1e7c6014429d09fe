"""The folder of a training is a model for later runs, with the labels of its classes."""

import json

import numpy as np
import pytest

import lossfw as package
from lossfw.errors import ArgumentError, ConfigError
from support.tables import read_npz

TEXT = """\
lossfw: 1
data: {name: arrays, file: d.npz, standardize: true}
MODEL
loss: squared_error
evaluate: {metrics: [mae]}
train: {TRAIN}
"""
LAYERS = "network: {layers: [{units: 1, activation: identity}]}", "optimizer: sgd, epochs: 2"
LIBRARY = "model: {name: sklearn, estimator: sklearn.linear_model.LinearRegression}", ""


@pytest.fixture
def train(folder, lossfw):
    """Train a model into the folder m; return what the command says."""
    random = np.random.default_rng(0)
    inputs = random.normal(5, 30, (600, 2))
    for name, shift in (("d", 0), ("other", 1)):
        targets = inputs[:, 0] + shift + random.normal(size=600)
        np.savez(folder / f"{name}.npz", inputs=inputs, targets=targets)

    def trained(model=LAYERS):
        (folder / "t.yaml").write_text(TEXT.replace("MODEL", model[0]).replace("TRAIN", model[1]))
        done = lossfw("train", "t.yaml", "--out", "m", "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return trained


@pytest.mark.parametrize("model", [LAYERS, LIBRARY], ids=["layers", "a library"])
def test_the_model_of_a_training_is_evaluated_on_its_data(train, lossfw, folder, model):
    if model == LIBRARY:
        pytest.importorskip("sklearn")
        pytest.importorskip("skops")
    last = train(model)["epochs"][-1]["train"]
    run = lossfw("run", "m", "--json", "--out", "r")
    assert run.exit_code == 0, run.stderr
    numbers = json.loads(run.stdout)
    assert numbers["loss"]["value"] == pytest.approx(last["loss"], rel=1e-12)
    assert numbers["metrics"]["mae"]["value"] == pytest.approx(last["metrics"]["mae"], rel=1e-12)
    other = json.loads(lossfw("run", "m/", "--json", "-o", "data.file=other.npz").stdout)
    assert other["loss"]["value"] != numbers["loss"]["value"]
    # The folder that it writes is one that other commands read, and batches leave the bits.
    assert lossfw("rerun", "r").exit_code == 0
    assert lossfw("run", "m", "--out", "b", "-o", "evaluate.batch_size=7").exit_code == 0
    assert (folder / "b/metrics.json").read_bytes() == (folder / "r/metrics.json").read_bytes()


def test_other_folders_say_what_to_write(train, lossfw, folder):
    def refused(name):
        result = lossfw("run", name)
        assert (result.exit_code, result.stdout) == (2, "")
        return result.stderr

    (folder / "empty").mkdir()
    assert "empty is a folder without config.yaml: give a YAML file" in refused("empty")
    train()
    assert lossfw("run", "m", "--out", "r").exit_code == 0
    assert "r is the folder of a run: lossfw rerun r repeats it" in refused("r")
    folds = lossfw("train", "t.yaml", "--out", "f", "-o", "train.hold_out={folds: 2}")
    assert folds.exit_code == 0, folds.stderr
    assert "evaluate the model of one of them, as in lossfw run f/fold=0" in refused("f")
    assert lossfw("run", "f/fold=0").exit_code == 0
    (folder / "m/status").write_text("running\n")
    assert "holds an unfinished training" in refused("m")


def test_python_takes_the_folder_as_the_command_does(train, lossfw, folder):
    train()
    other = ["data.file=other.npz"]
    for overrides in ([], other):
        words = [word for one in overrides for word in ("-o", one)]
        numbers = json.loads(lossfw("run", "m", "--json", *words).stdout)
        result = package.run(folder / "m", overrides=overrides)
        assert result.to_dict()["loss"]["value"] == numbers["loss"]["value"]
        assert package.evaluate(package.plan("m", *overrides)).loss == result.loss
    grid = "sweep={grid: {data.file: [d.npz, other.npz]}}"
    found = package.run_all("m", overrides=[grid], out="s")
    assert found["data.file=other.npz"].loss == package.run("m", overrides=other).loss
    package.run("m", out="r")
    assert package.run("m", out="r", resume=True).loss == package.run("m").loss
    with pytest.raises(ArgumentError, match="r is the folder of a run: lossfw rerun r repeats it"):
        package.run("r")
    with pytest.raises(ArgumentError, match="overrides should be a list of strings"):
        package.run("m", overrides="seed=1")
    with pytest.raises(ConfigError, match="this is a folder"):
        package.train("m")


CLASSES = """\
lossfw: 1
data: {name: arrays, file: train.csv, inputs_key: [x], targets_key: kind}
network: {layers: [{units: 3, activation: softmax}]}
loss: cross_entropy
evaluate: {metrics: [accuracy]}
train: {epochs: 40, optimizer: {name: adam, learning_rate: 0.3}}
"""


@pytest.fixture
def later(folder, lossfw):
    """Train on three labels; return what runs the weights on rows of the last two alone."""
    (folder / "train.csv").write_text("x,kind\n-1,ant\n0,bee\n1,cat\n")
    (folder / "test.csv").write_text("x,kind\n1,cat\n0,bee\n")
    (folder / "train.yaml").write_text(CLASSES)
    assert lossfw("train", "train.yaml", "--out", "out").exit_code == 0
    weights = ("-o", "network.weights=out/weights.npz", "-o", "data.file=test.csv")
    return lambda *more, command="run": lossfw(command, "train.yaml", *weights, *more)


def test_another_order_or_another_label_is_refused(later, folder):
    def refused(words, *more):
        done = later(*more)
        assert done.exit_code == 2
        assert words in done.stderr

    ordered = "the training had ant, bee, cat, in this order"
    refused(ordered, "-o", "data.classes=[bee, ant, cat]")
    # Classes of a file may be those of scikit-learn.
    kept = read_npz(folder / "out/weights.npz")
    np.savez(folder / "w.npz", W1=kept["W1"], b1=kept["b1"], classes=np.array([["ant", "bee"]]))
    refused("classes should be one label for each class", "-o", "network.weights=w.npz")
    (folder / "test.csv").write_text("x,kind\n1,dog\n0,ant\n")
    refused("have the label 'dog', but the training had ant, bee, cat")


def test_a_training_that_begins_with_the_weights_keeps_their_order(later, folder):
    more = ("-o", "train.initializer={name: file, file: out/weights.npz}", "--out", "more")
    assert later(*more, command="train").exit_code == 0
    assert read_npz(folder / "more/weights.npz")["classes"].tolist() == ["ant", "bee", "cat"]
