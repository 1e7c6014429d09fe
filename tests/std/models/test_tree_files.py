"""Files of XGBoost, LightGBM and CatBoost: raw outputs and activations are theirs."""

import json
from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.components.registry import registry
from lossfw.errors import DataError, ParameterError

FILES = Path(__file__).parents[2] / "data" / "models"
# Made by the libraries alone, with their predictions and with losses by scikit-learn.
REFERENCE = json.loads((FILES / "reference.json").read_text())["models"]


# By file: the loss, its key in the reference, and how well it agrees.
LOSSES = {
    "tweedie.ubj": ({"name": "tweedie_deviance", "power": 1.5}, "tweedie_deviance_1_5", 1e-6),
    "some.json": ("binary_cross_entropy", "binary_cross_entropy", 1e-6),
    "poisson.txt": ("poisson_deviance", "poisson_deviance", 1e-12),
    "iris.txt": ({"name": "cross_entropy", "guard": "none"}, "cross_entropy", 1e-12),
    "rmse.cbm": ("absolute_error", "absolute_error", 1e-12),
}


def model(name, **parameters):
    pytest.importorskip(name)
    return registry().create("model", {"name": name, **parameters})


def of_file(file, **parameters):
    return model(REFERENCE[file]["model"]["name"], file=FILES / file, **parameters)


def rows(file):
    table = np.loadtxt(
        FILES / ("iris.csv" if "iris" in file else "claims.csv"), delimiter=",", skiprows=1
    )
    targets = table[:, -1]
    if file == "some.json":
        targets = (targets > 0).astype(float)
    return table[:, :-1], targets.astype(int) if "iris" in file else targets


@pytest.mark.parametrize("file", LOSSES)
def test_outputs_and_losses_are_those_of_the_library(file):
    inputs, targets = rows(file)
    predictor = of_file(file).load_predictor()
    outputs = predictor.run_block(inputs)
    assert np.squeeze(outputs.raw_outputs[:5]).tolist() == REFERENCE[file]["raw"]
    y = np.squeeze(np.asarray(outputs.predictions, np.float64))
    np.testing.assert_allclose(y[:5], REFERENCE[file]["predictions"], 3e-7)
    loss, key, rtol = LOSSES[file]
    np.testing.assert_allclose(lossfw.loss(loss)(y, targets), REFERENCE[file]["losses"][key], rtol)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
@pytest.mark.parametrize("content", [b"junk", b"{}", b"tree\nversion=v4\n", b"CBM1junk"])
def test_a_file_of_something_else_is_told_in_one_clause(name, content):
    with pytest.raises(DataError, match=r"^m\.x is not a model of \w+ \(\.[^:]*\): [^\n]+\.$"):
        model(name, file=Path("m.x")).load_predictor(content)


@pytest.mark.parametrize("file", ["tweedie.ubj", "some.json", "poisson.txt", "rmse.cbm"])
@pytest.mark.parametrize("kept", [0.01, 0.4, 0.9])
def test_a_file_that_was_cut_off_does_not_end_the_process(file, kept):
    content = (FILES / file).read_bytes()
    with pytest.raises(DataError, match="is not a model of"):
        of_file(file).load_predictor(content[: int(len(content) * kept)])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_a_file_with_an_objective_from_outside_has_a_note_until_its_link_is_told(name):
    content = trained_from_outside(name)
    (note,) = model(name).load_predictor(content).notes
    assert "does not say what its raw outputs mean" in note
    told = model(name, output_activation="exp").load_predictor(content)
    assert told.output_activation.name == "exp"
    assert told.notes == ()


def trained_from_outside(name):
    bridge = pytest.importorskip(f"lossfw.bridges.{name}")
    library = pytest.importorskip(name)
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = np.exp(x[:, 0])
    if name == "xgboost":
        booster = bridge.train("poisson_deviance", {"nthread": 1}, library.DMatrix(x, y), 2)
        return bytes(booster.save_raw("ubj"))
    if name == "lightgbm":
        quiet = {"verbosity": -1, "num_threads": 1}
        booster = bridge.train("poisson_deviance", quiet, library.Dataset(x, y), 2)
        return booster.model_to_string().encode()
    quiet = {"iterations": 2, "verbose": False, "allow_writing_files": False, "thread_count": 1}
    booster = bridge.train("poisson_deviance", quiet, library.Pool(x, y))
    return booster._serialize_model()


@pytest.mark.parametrize(
    ("name", "key", "cure"),
    [
        ("xgboost", "seed", "`seed`"),
        ("xgboost", "nthread", "LOSSFW_THREADS"),
        ("lightgbm", "objective", "write it next to the model's name"),
        ("lightgbm", "metric", "`evaluate.metrics`"),
        ("catboost", "verbose", "progress"),
        ("catboost", "iterations", "`train.rounds`"),
        ("catboost", "depth", "write it next to the model's name"),
    ],
)
def test_more_refuses_what_a_configuration_decides_elsewhere(name, key, cure):
    with pytest.raises(ParameterError, match=cure):
        registry().create("model", {"name": name, "more": {key: 1}})


# Models whose raw outputs are not a sum of trees, or whose trees are not as others.
KINDS = {
    "forest": ("lightgbm", {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}),
    "linear leaves": ("lightgbm", {"linear_tree": True}),
    "dropped trees": ("lightgbm", {"boosting": "dart", "drop_rate": 0.3}),
    "classes": ("lightgbm", {"objective": "multiclass", "num_class": 3}),
    "dart": ("xgboost", {"booster": "dart", "rate_drop": 0.3}),
    "linear": ("xgboost", {"booster": "gblinear"}),
    "parallel": ("xgboost", {"num_parallel_tree": 3, "subsample": 0.5}),
    "softmax": ("xgboost", {"objective": "multi:softprob", "num_class": 3}),
    "hazard": ("xgboost", {"objective": "count:poisson"}),
}


# XGBoost 3.4 warns of boosters that are not of trees.
@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_model_predicts_what_its_library_predicts(kind):
    name, params = KINDS[kind]
    library = pytest.importorskip(name)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    y = np.digitize(x[:, 0], [-0.5, 0.5]).astype(float)
    if name == "xgboost":
        rows = library.DMatrix(x, y, nthread=1)
        booster = library.train({"nthread": 1, "seed": 1, **params}, rows, 5)
        content, expected = bytes(booster.save_raw("ubj")), booster.predict(rows)
    else:
        quiet = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, **params}
        booster = library.train(quiet, library.Dataset(x, y), 5)
        content, expected = booster.model_to_string().encode(), booster.predict(x)
    predictions = model(name).load_predictor(content).run_block(x).predictions
    np.testing.assert_allclose(np.squeeze(predictions), expected, rtol=1e-6, atol=1e-7)


def test_labels_of_a_table_are_found_in_the_file():
    library = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    x = np.stack([rng.normal(size=90), np.repeat([0.0, 1.0, 2.0], 30)], axis=1)
    options = {"feature_name": ["age", "kind"], "categorical_feature": [1]}
    data = library.Dataset(x, x[:, 1] == 1, **options)
    text = library.train({"verbosity": -1, "num_threads": 1}, data, 2).model_to_string()
    (note,) = model("lightgbm").load_predictor(text.encode()).notes
    assert "takes categories (kind) by number" in note
    # As LightGBM writes the categories of a table of pandas.
    labelled = text.replace("pandas_categorical:null", 'pandas_categorical:[["tram","bus","car"]]')
    predictor = model("lightgbm").load_predictor(labelled.encode())
    assert predictor.categories == {"kind": ("tram", "bus", "car")}
    assert predictor.notes == ()
