"""Each kind of loss trains XGBoost and LightGBM, and CatBoost where it takes it."""

import json
import re

import numpy as np
import pytest

import lossfw
from lossfw import DistanceLoss
from lossfw.components.registry import registry
from lossfw.data import Dataset
from lossfw.errors import ArgumentError, ConfigError, DivergenceError, RunError, ShapeError
from lossfw.models import Card, ModelParameterError
from support.configs import build_training
from support.models import fitted

N, ROUNDS = 240, 4
RNG = np.random.default_rng(7)
X = RNG.normal(size=(N, 3))
NOISE = RNG.normal(size=N)
Y = X[:, 0] + 0.3 * NOISE
TIMES = np.exp(0.5 * X[:, 0] + 0.2 * NOISE)


class OwnFair(DistanceLoss):
    """Fair's loss, with a value only."""

    def value(self, xp, r):
        return xp.abs(r) - xp.log1p(xp.abs(r))


# The loss, targets, raw outputs of a row, and further fields of the data.
CASES = {
    "elements": ("huber", Y, 1, {}),
    "own": (OwnFair(), Y, 1, {}),
    "margin": ("logistic", np.where(Y > 0, 1.0, -1.0), 1, {}),
    "classes": ("cross_entropy", np.digitize(Y, [-0.5, 0.5]), 3, {}),
    "interval of times": (
        "aft",
        np.stack([TIMES, np.where(NOISE > 1, np.inf, TIMES)], axis=1),
        1,
        {"target_names": ("lower", "upper")},
    ),
    "events": (
        "cox",
        np.stack([TIMES, (NOISE < 1).astype(float)], axis=1),
        1,
        {"target_names": ("time", "event")},
    ),
    "mean and scale": ("crps_normal", Y, 2, {}),
    "quantiles": ({"name": "multi_quantile", "levels": [0.1, 0.5, 0.9]}, Y, 3, {}),
    "ranking": (
        "lambda_ndcg",
        np.digitize(Y, [-0.5, 0.5]).astype(float),
        1,
        {"groups": np.repeat(np.arange(N // 12), 12)},
    ),
}
OF_CATBOOST = ("elements", "own", "margin", "classes")
QUIET = {"lightgbm": {"min_data_in_leaf": 5}}


def model(name, **parameters):
    pytest.importorskip(name)
    return registry().create("model", {"name": name, **QUIET.get(name, {}), **parameters})


def case(kind):
    loss, targets, units, fields = CASES[kind]
    return lossfw.loss(loss), Dataset(kind, targets, X, **fields), units


def mean(loss, data, raw):
    form = loss.on_raw_outputs() or loss
    group = None if data.groups is None else data.group_numbers
    raw = raw if raw.ndim == 2 and raw.shape[1] > 1 else np.ravel(raw)
    return float(form(np.asarray(raw, np.float64), data.targets, group=group))


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_a_loss_of_each_kind_falls(name, kind):
    made = model(name)
    loss, data, units = case(kind)
    if name == "catboost" and kind not in OF_CATBOOST:
        assert "lossfw.bridges has XGBoost and LightGBM for it" in made.refusal(loss)
        return
    assert made.refusal(loss) is None
    fit = fitted(made, data, loss, ROUNDS, units=units)
    found = [mean(loss, data, raw) for raw in fit.train]
    assert found == sorted(found, reverse=True)
    assert found[-1] < found[0]
    predictor = made.load_predictor(fit.content, Card("identity", units, "", ""))
    assert predictor.units == units
    raw = predictor.raw(np.ascontiguousarray(X, predictor.dtype))
    np.testing.assert_array_equal(raw, fit.train[-1])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
@pytest.mark.parametrize("kind", ["classes", "mean and scale", "ranking"])
def test_weights_count_and_a_second_leg_continues(name, kind):
    made = model(name)
    loss, data, units = case(kind)
    weight = np.repeat(np.linspace(0.5, 2.0, N // 12), 12)
    weighted = Dataset(kind, data.targets, X, weight, groups=CASES[kind][3].get("groups"))
    first = fitted(made, weighted, loss, 2, units=units)
    assert first.content != fitted(made, data, loss, 2, units=units).content
    second = fitted(made, weighted, loss, 2, units=units, first=2, saved=first.content)
    assert second.content == fitted(made, weighted, loss, 4, units=units).content


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
@pytest.mark.parametrize(
    ("override", "at", "what"),
    [
        ("model.more={max_dept: 3}", "-o model.more={max_dept: 3}", "has no parameter 'max_dept'"),
        ("model.monotone_constraints=[1]", "-o model.m", "has 1 numbers, but a row has 2 inputs"),
        ("model.file=run.yaml", "-o model.file=run.yaml", "starts without trees: leave file out"),
        ("data.targets=[1e300, 1.0]", "-o data.targets", "target[0] = 1e+300 is too large: "),
        ("data.inputs=[[[1.0]], [[2.0]]]", "-o data.inputs", "Flatten them: `flatten: true`"),
    ],
)
def test_what_a_model_cannot_learn_from_is_told_before_the_training(
    folder, name, override, at, what
):
    (folder / "run.yaml").write_text(
        "lossfw: 1\ndata: {name: inline, inputs: [[1.0, 2.0], [2.0, 3.0]], targets: [1.0, 2.0]}\n"
        f"model: {{name: {name}}}\nloss: squared_error\ntrain: {{rounds: 2}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        build_training("run.yaml", [override])
    (problem,) = caught.value.problems
    assert problem.where.startswith(at)
    assert what in problem.message


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("xgboost", {"refresh_leaf": "x"}, r"XGBoost refuses what more holds: .* boolean .*'x'\.$"),
        ("lightgbm", {"top_rate": 5.0}, r"LightGBM refuses what more holds: .*top_rate\) <= \(1"),
    ],
)
def test_a_value_in_more_that_the_library_refuses_is_told(name, more, told):
    loss, data, _ = case("elements")
    with pytest.raises(ModelParameterError, match=told):
        model(name, more=more).check_data(data, lossfw.loss(loss))


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_constraints_are_one_for_each_input(name):
    data = Dataset("named", -X[:, 0], X[:, :2].copy(), input_names=("a", "b"))
    with pytest.raises(ModelParameterError, match="has 1 numbers, but a row has 2 inputs"):
        fitted(model(name, monotone_constraints=[1]), data, "squared_error", 1)
    # Against the data nothing but the constant is left.
    bound = fitted(model(name, monotone_constraints=[1, 0]), data, "squared_error", 1)
    free = fitted(model(name), data, "squared_error", 1)
    assert np.ptp(bound.train[0]) < np.ptp(free.train[0])


def test_a_card_that_is_not_there_is_told():
    made = model("xgboost", device="cuda")
    loss, data, _ = case("elements")
    with pytest.raises(ArgumentError, match="does not find a GPU"):
        fitted(made, data, loss, 1)
    assert model("xgboost", device="auto").identity()["device"] == "cpu"


# By library: parameters, targets, inputs and rounds of trainings that end in words.
ONE_ROW = ([1.0], [[1.0]], 1)
ENDED = [
    ("catboost", {"learning_rate": 1e6}, ([1.5, 2.5, 0.5, 4.0], [[0.0], [1.0], [2.0], [3.0]], 60),
     DivergenceError, r"Lower model\.learning_rate, or scale"),
    ("catboost", {"bootstrap_type": "No", "subsample": 0.5}, (Y, X, 1),
     RunError, r"^CatBoost cannot train the model: [^\n]*\.$"),
    ("xgboost", {"max_depth": 0, "tree_method": "exact"}, (Y, X, 1),
     RunError, "exact tree method doesn't support unlimited depth"),
    *((name, {}, ONE_ROW, RunError, "no input has two values to split between")
      for name in ("lightgbm", "catboost")),
    ("lightgbm", {"min_data_in_leaf": 200}, (Y, X, 1), RuntimeWarning, "no split in 240 rows")
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "rows", "kind", "words"), ENDED)
def test_a_training_that_comes_to_nothing_is_told_in_words(name, parameters, rows, kind, words):
    targets, inputs, rounds = rows
    told = pytest.warns if issubclass(kind, Warning) else pytest.raises
    with told(kind, match=words):
        fitted(model(name, **parameters), Dataset("r", targets, inputs), "squared_error", rounds)


def ends(tree):
    """Yield the ends of nested mappings with their names."""
    for key, value in tree.items():
        branches = value if isinstance(value, list) else [value]
        if any(isinstance(branch, dict) for branch in branches):
            for branch in branches:
                yield from ends(branch)
        else:
            yield key, value


def defaults_of_library(name):
    library, rows = pytest.importorskip(name), (X[:30, :2], Y[:30])
    if name == "xgboost":
        config = library.train({"nthread": 1}, library.DMatrix(*rows), 1).save_config()
        # It names the method that it chose.
        return dict(ends(json.loads(config))) | {"tree_method": "hist"}
    text = library.train({"verbosity": -1}, library.Dataset(*rows), 1).model_to_string()
    return dict(re.findall(r"^\[(\w+): (.*)\]$", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_defaults_are_those_of_the_library(name):
    theirs = defaults_of_library(name)
    # LightGBM writes true as 1, and others have floats of 32 bits.
    ours = {
        key: value
        for key, value in registry().create("model", name).parameters.items()
        if key in theirs and isinstance(value, int | float | str)
    }
    assert len(ours) >= 8
    for key, value in ours.items():
        if isinstance(value, str):
            assert theirs[key] == value, key
        else:
            assert float(theirs[key]) == pytest.approx(float(value), rel=1e-6), key


def test_more_rows_than_labels_can_number_are_refused(monkeypatch):
    monkeypatch.setattr("lossfw_std.models.booster._MOST_LABELS", N - 1)
    loss, data, _ = case("events")
    with pytest.raises(ShapeError, match="row numbers"):
        fitted(model("xgboost"), data, loss, 1)


REFUSED = [
    ("lightgbm", "pairs", "squared_error", "one target per row, but these rows have 2"),
    ("catboost", "pairs", "squared_error", "one target per row, but these rows have 2"),
    ("hist_gradient_boosting", "pairs", "squared_error", "these rows have 2"),
    ("catboost", "classes", "cross_entropy", "two raw outputs for two classes, but catboost makes"),
    ("hist_gradient_boosting", "classes", "cross_entropy", "two raw outputs for two classes"),
]


@pytest.mark.parametrize(("name", "key", "loss", "what"), REFUSED)
def test_raw_outputs_that_are_not_made_are_refused_at_the_loss(folder, name, key, loss, what):
    pytest.importorskip("skops" if name == "hist_gradient_boosting" else name)
    inputs = np.arange(12.0).reshape(6, 2)
    np.savez(folder / "d.npz", inputs=inputs, pairs=inputs, classes=np.arange(6) % 2)
    (folder / "t.yaml").write_text(
        f"lossfw: 1\ndata: {{name: arrays, file: d.npz, targets_key: {key}}}\n"
        f"model: {name}\nloss: {loss}\ntrain: {{rounds: 2}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        build_training("t.yaml", [])
    (problem,) = caught.value.problems
    assert problem.where == "t.yaml:4:7"
    assert what in problem.message
    assert problem.hint.startswith("use" if key == "classes" else "train one model per target")
