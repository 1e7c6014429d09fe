"""Models of trees are trained in legs with any loss, and repeat to the bit."""

import dataclasses

import numpy as np
import pytest

from lossfw.components.registry import registry
from lossfw.data import Dataset
from lossfw.models import Card
from support.models import fitted

# Rows and columns are sampled.
SAMPLED = {
    "xgboost": {"subsample": 0.7, "colsample_bytree": 0.7, "max_depth": 3},
    "lightgbm": {
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction": 0.7,
        "num_leaves": 6,
        "min_data_per_group": 5,
    },
    "catboost": {"depth": 3, "learning_rate": 0.2, "rsm": 0.7},
    "hist_gradient_boosting": {"max_features": 0.7, "max_leaf_nodes": 6},
}
NAMES = tuple(SAMPLED)
ROUNDS = 6
CARD = Card("exp", 1, "", "")
LOSS = "gamma_deviance"


def model(name, **parameters):
    pytest.importorskip("skops" if name == "hist_gradient_boosting" else name)
    return registry().create("model", {"name": name, **parameters})


def rows(count=300, seed=0, *, targets=None, **fields):
    """Return rows with missing numbers, categories and weights."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 4))
    x[:, 3] = rng.integers(0, 5, count)
    x[::9, 0] = np.nan
    y = np.exp(0.5 * x[:, 1] + 0.3 * (x[:, 3] % 3) + 0.3 * rng.normal(size=count))
    options = {
        "inputs": x,
        "missing": True,
        "codes": {3: tuple("abcde")},
        "input_names": ("age", "power", "density", "kind"),
        "sample_weight": rng.uniform(0.5, 2.0, count),
    }
    return Dataset("rows", y if targets is None else targets(x, rng), **{**options, **fields})


def raw(model, content, data, card=CARD):
    predictor = model.load_predictor(content, card)
    return predictor.raw(np.ascontiguousarray(data.inputs, predictor.dtype))


def same(made, told):
    np.testing.assert_array_equal(np.squeeze(made), np.squeeze(told))


@pytest.fixture(scope="module", params=NAMES)
def trained(request):
    made = model(request.param, **SAMPLED[request.param])
    data, held_out = rows(), rows(100, 1)
    return made, data, held_out, fitted(made, data, LOSS, ROUNDS, held_out=held_out)


def test_the_first_rounds_are_a_training_of_so_many(trained):
    made, data, _, fit = trained
    short = fitted(made, data, LOSS, 2)
    cut = made.cut(fit.content, 2)
    same(raw(made, cut, data), short.train[-1])
    # Tables of categories, and what has been seen of a training, stay in the others' files.
    if made.name in ("xgboost", "lightgbm"):
        assert cut == short.content
    assert made.cut(fit.content, ROUNDS) == fit.content


def test_a_second_leg_continues_the_first_and_repeats(trained):
    made, data, held_out, fit = trained
    leg = {"first": ROUNDS, "saved": fit.content, "seed": 77, "held_out": held_out}
    second, again = (fitted(made, data, LOSS, 3, **leg) for _ in range(2))
    assert second.content == again.content
    same(raw(made, second.content, held_out), second.held_out[-1])
    kept = made.cut(second.content, ROUNDS)
    same(raw(made, kept, data), fit.train[-1])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_rows_that_stay_in_a_file_train_the_same_model(name, tmp_path, monkeypatch):
    made = model(name, **SAMPLED[name])
    data, held_out = rows(), rows(100, 1)
    in_files = []
    for number, part in enumerate((data, held_out)):
        path = tmp_path / f"{number}.npy"
        np.save(path, part.inputs)
        mapped = np.load(path, mmap_mode="r")
        in_files.append(dataclasses.replace(part, inputs=mapped))
    # Several parts, of which the last is smaller.
    for module in ("xgboost", "lightgbm_rows"):
        monkeypatch.setattr(f"lossfw_std.models.{module}.PART_ROWS", 70)
    mapped, mapped_held_out = in_files
    assert not made.load_predictor(fitted(made, mapped, LOSS, 1).content, CARD).notes
    for leg in ({}, {"first": 2, "saved": fitted(made, data, LOSS, 2).content}):
        one = fitted(made, data, LOSS, 2, held_out=held_out, **leg)
        other = fitted(made, mapped, LOSS, 2, held_out=mapped_held_out, **leg)
        assert one.content == other.content
        np.testing.assert_array_equal(one.held_out, other.held_out)


@pytest.mark.parametrize("measured", [1, 4])
def test_what_lightgbm_remembers_of_the_leg_before_changes_no_bit(measured):
    made = model("lightgbm", **SAMPLED["lightgbm"])
    # Some categories of the held-out rows are new.
    data, held_out, memory = rows(), rows(1200, 1), {}
    held_out.inputs[::5, 3] = 4
    data = data.take(np.flatnonzero(data.inputs[:, 3] != 4))
    options = {"held_out": held_out, "measures": lambda number: number % measured == 0}
    first = fitted(made, data, LOSS, 3, cache=memory, **options)
    assert memory
    legs = [
        fitted(made, data, LOSS, 3, first=3, saved=first.content, cache=given, **options)
        for given in (memory, {})
    ]
    assert legs[0].content == legs[1].content
    for one, other in zip(*(leg.held_out for leg in legs), strict=True):
        np.testing.assert_array_equal(one, other)
