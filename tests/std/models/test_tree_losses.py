"""Each kind of loss trains XGBoost and LightGBM, and CatBoost where it takes it."""

import numpy as np
import pytest

import lossfw
from lossfw import DistanceLoss
from lossfw.components.registry import registry
from lossfw.data import Dataset
from lossfw.errors import ArgumentError, ConfigError, ShapeError
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


def flat(tree):
    """Return the ends of nested mappings by name."""
    found = {}
    for key, value in tree.items():
        branches = value if isinstance(value, list) else [value]
        if any(isinstance(branch, dict) for branch in branches):
            for branch in branches:
                found |= flat(branch)
        else:
            found[key] = value
    return found


def test_more_rows_than_labels_can_number_are_refused(monkeypatch):
    monkeypatch.setattr("lossfw_std.models.booster._MOST_LABELS", N - 1)
    loss, data, _ = case("events")
    with pytest.raises(ShapeError, match="row numbers"):
        fitted(model("xgboost"), data, loss, 1)
