"""Configurations as mappings, with arrays, data frames and components in them."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ConfigError

rng = np.random.default_rng(4)
X = rng.normal(size=(40, 3))
Y = X @ np.array([1.0, 2.0, -1.0])
LAYERS = [{"units": 3, "activation": "tanh"}, {"units": 1, "activation": "identity"}]
TRAIN = {"epochs": 2, "optimizer": {"name": "adam", "learning_rate": 0.05}}
CONFIG = {
    "data": {"inputs": X, "targets": Y},
    "network": {"layers": LAYERS},
    "loss": {"name": "huber", "delta": 2.0},
    "train": TRAIN,
}
SAVED = {"data": {"targets": Y}, "network": {"predictions": Y + 1}, "loss": "squared_error"}


@pytest.fixture(autouse=True)
def there(folder):
    """An own working folder."""


def test_weights_of_a_training_are_those_of_a_run(folder):
    data = CONFIG["data"] | {"standardize": True, "scale": 2.0}
    trained = lossfw.train(CONFIG | {"data": data}, out="out")
    with np.load(folder / "out" / "weights.npz") as arrays:
        for name, array in trained.weights.items():
            np.testing.assert_array_equal(arrays[name], array)
        assert list(arrays) == list(trained.weights)
    for weights in (trained.weights, "out/weights.npz"):
        network = {"layers": LAYERS, "weights": weights}
        result = lossfw.run(CONFIG | {"data": data, "network": network})
        assert result.loss == trained.history[-1].train.loss
        with pytest.raises(lossfw.ConfigError, match=r"scale: 2.*\n.*standardised inputs"):
            lossfw.run(CONFIG | {"network": network})


GIVEN = {
    "array": lambda: Y,
    "list": Y.tolist,
    "tuple": lambda: tuple(Y),
    "torch": lambda: pytest.importorskip("torch").from_numpy(Y),
    "series": lambda: pytest.importorskip("pandas").Series(Y, name="y"),
    "frame": lambda: pytest.importorskip("pandas").DataFrame({"y": Y}),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_arrays_of_other_libraries(given):
    result = lossfw.run(SAVED | {"data": {"targets": given()}})
    assert result.loss == pytest.approx(1.0)


@pytest.fixture
def frame():
    pandas = pytest.importorskip("pandas")
    columns = {"area": [70.5, 140.0, None, 48.0], "rooms": [3, 5, 4, 2]}
    columns |= {"kind": ["flat", "house", None, "flat"], "price": [210, 455, 390, 150]}
    columns["sold"] = pandas.date_range("2026-01-01", periods=4)
    return pandas.DataFrame(columns)


@pytest.mark.parametrize("out", [None, "out"])
def test_a_data_frame_is_a_table(frame, out):
    config = {
        "data": {"file": frame, "targets_key": "price"},
        "network": {"predictions": np.array([200.0, 455.0, 390.0, 150.0])},
        "loss": "squared_error",
        "evaluate": {"slices": ["column.kind"]},
    }
    result = lossfw.run(config, out=out)
    assert result.loss == 25.0
    counts = {part["value"]: part["count"] for part in result.numbers.slices}
    assert counts == {"flat": 2, "house": 1, "missing": 1}


@pytest.mark.parametrize("out", [None, "out"])
def test_texts_are_labels_and_rows_are_dropped(frame, out):
    data = {"file": frame, "inputs_key": ["area", "rooms"], "targets_key": "kind"}
    config = {
        "data": data | {"missing": "drop", "standardize": True},
        "network": {"layers": [{"units": 2, "activation": "softmax"}]},
        "loss": "cross_entropy",
        "train": TRAIN,
    }
    trained = lossfw.train(config, out=out)
    assert trained.weights["classes"].tolist() == ["flat", "house"]
    assert trained.weights["inputs_columns"].tolist() == ["area", "rooms"]


PRICED = {"targets_key": "price"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, r"data.file has no column 'targets'.*targets_key"),
        (PRICED | {"inputs_key": ["kind"]},
         r"'kind' holds strings.*name other columns, or .* categories: \[kind\]"),
        (PRICED, r"'kind' holds strings.*exclude: \[kind, sold\]"),
        (PRICED | {"exclude": ["kind", "sold"]},
         r"data.file, row 2, column 'area': the value is missing. Write missing: drop"),
    ],
)  # fmt: skip
def test_a_frame_leads_to_a_training_by_its_messages(frame, data, message):
    with pytest.raises(lossfw.ConfigError, match=message):
        lossfw.train(CONFIG | {"data": {"file": frame} | data})


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, lossfw.ConfigError, "configuration: error: data is missing"),
        (3, lossfw.ArgumentError, "a mapping with the same keys; got int"),
        ({"data": X}, lossfw.ConfigError, r"a ndarray of shape \(40, 3\) cannot be used"),
        ({"loss": {1, 2}}, lossfw.ConfigError, "loss: error: a set cannot be part"),
        ({"data": {None: 1}}, lossfw.ConfigError, "the key None is a NoneType"),
        (SAVED | {"data": {"targets": Y + 1j}}, lossfw.ConfigError, "data.targets has dtype compl"),
        (SAVED | {"data": {"targets": [[1], [1, 2]]}}, lossfw.ConfigError, "data.targets cannot"),
        (SAVED | {"data": {"targets": Y[:3]}}, lossfw.ConfigError, "network.predictions: error"),
        (SAVED | {"loss": "squared_eror"}, lossfw.ConfigError, "loss: error.*squared_eror"),
    ],
)
@pytest.mark.parametrize("call", [lossfw.run, lossfw.plan, lossfw.train])
def test_mistakes_are_told_at_their_place(call, given, error, message):
    if call is lossfw.train and isinstance(given, dict) and len(given) > 1:
        pytest.skip("a mistake of an evaluation")
    with pytest.raises(error, match=message):
        call(given)


def test_a_mapping_that_holds_itself_and_a_class_of_another_name_are_told():
    config = dict(SAVED)
    config["train"] = config
    with pytest.raises(lossfw.ConfigError, match="levels"):
        lossfw.run(config)

    class Huber(lossfw.DistanceLoss):
        """Another loss of the name."""

        def value(self, xp, r):
            return xp.abs(r)

    told = r"(?s)'huber' means the class of lossfw_std.*plugins="
    with pytest.raises(lossfw.ConfigError, match=told):
        lossfw.run(SAVED | {"loss": Huber()})


def test_every_run_of_a_sweep(folder):
    grid = {"loss": ["squared_error", lossfw.loss("huber", delta=3.0)]}
    results = lossfw.run_all(SAVED | {"sweep": {"grid": grid}}, out="all")
    assert [round(result.loss, 9) for result in results.values()] == [1.0, 0.5]


def test_arrays_by_their_names_are_a_file_of_arrays():
    table = {
        "query": np.array(["b", "b", "a"]),
        "targets": np.array([1.0, 0.0, 2.0]),
        "inputs": np.arange(6.0).reshape(3, 2),
    }
    config = {
        "data": {"file": table, "group_key": "query"},
        "network": {"predictions": np.array([0.5, 0.25, 1.0])},
        "loss": "pairwise_logistic",
    }
    result = lossfw.run(config)
    assert result.groups == 2
    assert result.loss == pytest.approx(np.log1p(np.exp(-0.25)) / 2)
    wrong = {**table, "targets": np.array(["x", "y", "z"])}
    with pytest.raises(ConfigError, match="array 'targets' has dtype <U1; expected numbers"):
        lossfw.run({**config, "data": {"file": wrong, "group_key": "query"}})
