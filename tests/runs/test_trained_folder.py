"""A run of the folder of a training evaluates its model; other folders say what to write."""

import json

import numpy as np
import pytest

import lossfw as package
from lossfw.errors import ArgumentError, ConfigError

TEXT = """\
lossfw: 1
data: {name: arrays, file: d.npz, standardize: true}
MODEL
loss: squared_error
evaluate: {metrics: [mae]}
train: {TRAIN}
"""
MODELS = {
    "layers": (
        "network: {layers: [{units: 1, activation: identity}]}",
        "optimizer: sgd, epochs: 2",
    ),
    "a library": ("model: {name: sklearn, estimator: sklearn.linear_model.LinearRegression}", ""),
}


@pytest.fixture
def write(folder):
    random = np.random.default_rng(0)
    inputs = random.normal(5, 30, (30, 2))
    for name, shift in (("d", 0), ("other", 1)):
        targets = inputs[:, 0] + shift + random.normal(size=30)
        np.savez(folder / f"{name}.npz", inputs=inputs, targets=targets)

    def written(model="layers"):
        if model == "a library":
            pytest.importorskip("sklearn")
            pytest.importorskip("skops")
        text, train = MODELS[model]
        (folder / "t.yaml").write_text(TEXT.replace("MODEL", text).replace("TRAIN", train))

    return written


@pytest.mark.parametrize("model", MODELS)
def test_the_model_of_a_training_is_evaluated_on_its_data(write, lossfw, folder, model):
    write(model)
    trained = lossfw("train", "t.yaml", "--out", "m", "--json")
    assert trained.exit_code == 0, trained.stderr
    last = json.loads(trained.stdout)["epochs"][-1]["train"]
    run = lossfw("run", "m", "--json", "--out", "r")
    assert run.exit_code == 0, run.stderr
    numbers = json.loads(run.stdout)
    assert numbers["loss"]["value"] == pytest.approx(last["loss"], rel=1e-12)
    assert numbers["metrics"]["mae"]["value"] == pytest.approx(last["metrics"]["mae"], rel=1e-12)
    other = json.loads(lossfw("run", "m/", "--json", "-o", "data.file=other.npz").stdout)
    assert other["loss"]["value"] != numbers["loss"]["value"]
    # The folder that it writes is one that other commands read.
    assert lossfw("rerun", "r").exit_code == 0


def test_other_folders_say_what_to_write(write, lossfw, folder):
    def refused(*arguments):
        result = lossfw(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        return result.stderr

    write()
    (folder / "empty").mkdir()
    assert "empty is a folder without config.yaml: give a YAML file" in refused("run", "empty")
    assert lossfw("train", "t.yaml", "--out", "m").exit_code == 0
    assert lossfw("run", "m", "--out", "r").exit_code == 0
    assert "r is the folder of a run: lossfw rerun r repeats it" in refused("run", "r")
    folds = lossfw("train", "t.yaml", "--out", "f", "-o", "train.hold_out={folds: 2}")
    assert folds.exit_code == 0, folds.stderr
    assert "evaluate the model of one of them, as in lossfw run f/fold=0" in refused("run", "f")
    assert lossfw("run", "f/fold=0").exit_code == 0
    (folder / "m/status").write_text("running\n")
    assert "holds an unfinished training" in refused("run", "m")


def test_python_takes_the_folder_as_the_command_does(write, lossfw, folder):
    write()
    assert lossfw("train", "t.yaml", "--out", "m").exit_code == 0
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
