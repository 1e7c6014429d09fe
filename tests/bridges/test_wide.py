"""Losses of groups and of rows with named columns in boosting: what the libraries hand over."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, DivergenceError, DomainError, ShapeError
from lossfw.learning.derivatives import TargetTable, derivatives
from lossfw.losses.engine import compiled
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.kernels import watched
from support.author_columns import Gumbel

RNG = np.random.default_rng(4)
SIZES = np.array([5, 1, 9, 15])
X = RNG.normal(size=(30, 2))
RELEVANCE = RNG.integers(0, 4, 30).astype(float)
PRICES = np.exp(X[:, 0] + 0.3 * RNG.normal(size=30))
# The time at which something was seen, and until when at the latest.
TIMES = np.stack([PRICES, np.where(RNG.random(30) < 0.4, np.inf, PRICES)], axis=-1)
STUMPS = {"xgboost": {"max_depth": 1}, "lightgbm": {"verbosity": -1, "min_data_in_leaf": 1}}


@pytest.fixture(params=["xgboost", "lightgbm"])
def bridge(request):
    pytest.importorskip(request.param)
    return __import__(f"lossfw.bridges.{request.param}", fromlist=["train"])


def data_set(bridge, labels, sizes=None):
    if bridge.__name__.endswith("xgboost"):
        import xgboost

        data = xgboost.DMatrix(X, labels)
        if sizes is not None:
            data.set_group(sizes)
        return data
    import lightgbm

    return lightgbm.Dataset(X, labels, group=sizes, free_raw_data=False)


def raw(bridge, model):
    if bridge.__name__.endswith("xgboost"):
        return model.predict(data_set(bridge, RELEVANCE))
    return model.predict(X, raw_score=True)


def train(bridge, loss, data, rounds=8, **kwargs):
    return bridge.train(loss, STUMPS[bridge.__name__.rpartition(".")[2]], data, rounds, **kwargs)


@pytest.mark.parametrize("loss", ["pairwise_logistic", "lambda_ndcg", "pairwise_hinge"])
def test_a_ranking_is_trained(bridge, loss):
    group = np.repeat(np.arange(4), SIZES)
    scores = raw(bridge, train(bridge, loss, data_set(bridge, RELEVANCE, SIZES)))
    before = lossfw.loss(loss)(np.zeros(30), RELEVANCE, group=group)
    assert lossfw.loss(loss)(scores.astype(float), RELEVANCE, group=group) < 0.95 * before


def test_a_distribution_is_trained(bridge):
    loss = lossfw.loss("lognormal_nll")
    columns = raw(bridge, train(bridge, loss, data_set(bridge, PRICES)))
    assert columns.shape == (30, 2)
    start = np.tile(bridge.best_constant(loss, PRICES), (30, 1))
    assert loss(columns.astype(float), PRICES) < loss(start, PRICES) - 0.1


def test_targets_of_columns_come_by_row_number(bridge):
    loss = lossfw.loss("aft")
    straight = raw(bridge, train(bridge, loss, data_set(bridge, np.arange(30)), target=TIMES))
    order = RNG.permutation(30)
    table = np.empty_like(TIMES)
    table[order] = TIMES
    turned = raw(bridge, train(bridge, loss, data_set(bridge, order), target=table))
    np.testing.assert_array_equal(straight, turned)
    assert loss(straight.astype(float), TIMES) < loss(np.zeros(30), TIMES)
    one, other = TargetTable(TIMES), TargetTable(TIMES.copy())
    assert (one, hash(one)) == (other, hash(other))
    assert one != TargetTable(TIMES + 1.0)


def test_mistakes_get_words(bridge):
    with pytest.raises(ArgumentError, match="the data has none: give the data set its groups"):
        train(bridge, "pairwise_logistic", data_set(bridge, RELEVANCE))
    with pytest.raises(ShapeError, match=r"several columns \(lower, upper\).* as target="):
        train(bridge, "aft", data_set(bridge, PRICES))
    with pytest.raises(DomainError, match=r"not the number of a row of target, 0 \.\. 29"):
        train(bridge, "aft", data_set(bridge, np.arange(30) + 1), target=TIMES)
    with pytest.raises(ArgumentError, match="pass classes= to settings"):
        train(bridge, "normal_mixture_nll", data_set(bridge, PRICES))
    with pytest.raises(ArgumentError, match="needs expected_second_derivative"):
        bridge.objective("pairwise_logistic", curvature="expected")


@pytest.mark.parametrize("name", ["catboost", "sklearn"])
def test_libraries_without_a_place_refuse(name):
    pytest.importorskip(name)
    module = __import__(f"lossfw.bridges.{name}", fromlist=["objective"])
    make = getattr(module, "objective", None) or module.hist_loss
    with pytest.raises(ArgumentError, match="does not pass groups"):
        make("pairwise_logistic")
    with pytest.raises(ArgumentError, match="rows of several numbers"):
        make("lognormal_nll")


def test_weights_of_groups_reach_the_rows():
    found = derivatives("pairwise_logistic", wide=True)
    plain, weighted = (
        found(np.zeros(30), RELEVANCE, w, SIZES) for w in (None, np.array([1.0, 2.0, 3.0, 0.5]))
    )
    factor = np.repeat([1.0, 2.0, 3.0, 0.5], SIZES)
    for one, other in zip(plain, weighted, strict=True):
        np.testing.assert_allclose(other, factor * one, rtol=1e-12, atol=1e-15)
    with pytest.raises(DivergenceError, match="at row 7 has the raw prediction nan"):
        found(np.where(np.arange(30) == 7, np.nan, 0.0), RELEVANCE, None, SIZES)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [Gumbel(), lossfw.loss("crps_normal")])
def test_a_round_of_columns_has_kernels_and_the_bits_of_tiles(loss, weighted):
    pytest.importorskip("llvmlite", reason="llvmlite is not installed")
    rng = np.random.default_rng(0)
    # LightGBM hands over predictions class by class.
    raw, t = np.asfortranarray(rng.normal(size=(900, 2))), rng.normal(size=900)
    made = derivatives(loss, wide=True)
    targets = made.prepare_targets(t, rng.random(900) if weighted else None)
    results = []
    for mode in ("tiles", "compiled"):
        compiled.forget()
        with use_engine(mode), compiled.trust_kernels():
            results.append((*made(raw, targets), made.mean(raw, targets)))
    for tiles, kernels in zip(*results, strict=True):
        np.testing.assert_array_equal(tiles, kernels)
    forms = {key[2] for key, entry in watched._entries.items() if entry.kernel is not None}
    compiled.forget()
    second = {"hessian"} if made.rule == "gradient" else set()
    assert forms == {"gradient", "value"} | second
