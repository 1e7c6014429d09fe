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
NUMBERS = np.arange(30)


@pytest.fixture(params=["xgboost", "lightgbm"])
def library(request):
    for name in ("xgboost", "lightgbm", "catboost"):
        pytest.importorskip(name)
    from support.boosting_libraries import LIBRARIES

    return LIBRARIES[request.param]


def train(library, loss, y, **kwargs):
    """Return a model."""
    small = {"min_data_in_leaf": 1} if library.name == "lightgbm" else {"max_depth": 1}
    return library.train(loss, X, y, rounds=8, params=small, **kwargs)


def raw(library, loss, y, **kwargs):
    """Return the raw predictions of a model."""
    return library.raw(train(library, loss, y, **kwargs), X)


@pytest.mark.parametrize("loss", ["pairwise_logistic", "lambda_ndcg", "pairwise_hinge"])
def test_a_ranking_is_trained(library, loss):
    group = np.repeat(np.arange(4), SIZES)
    scores = raw(library.with_groups(SIZES), loss, RELEVANCE)
    before = lossfw.loss(loss)(np.zeros(30), RELEVANCE, group=group)
    assert lossfw.loss(loss)(scores, RELEVANCE, group=group) < 0.95 * before


def test_a_distribution_is_trained(library):
    loss = lossfw.loss("lognormal_nll")
    columns = raw(library, loss, PRICES)
    assert columns.shape == (30, 2)
    start = np.tile(library.bridge.best_constant(loss, PRICES), (30, 1))
    assert loss(columns, PRICES) < loss(start, PRICES) - 0.1


def test_targets_of_columns_come_by_row_number(library):
    loss = lossfw.loss("aft")
    straight = raw(library, loss, NUMBERS, target=TIMES)
    order = RNG.permutation(30)
    table = np.empty_like(TIMES)
    table[order] = TIMES
    np.testing.assert_array_equal(straight, raw(library, loss, order, target=table))
    assert loss(straight, TIMES) < loss(np.zeros(30), TIMES)
    one, other = TargetTable(TIMES), TargetTable(TIMES.copy())
    assert (one, hash(one)) == (other, hash(other))
    assert one != TargetTable(TIMES + 1.0)


def test_mistakes_get_words(library):
    for loss, y, more, error, words in (
        ("pairwise_logistic", RELEVANCE, {}, ArgumentError,
         "the data has none: give the data set its groups"),
        ("aft", PRICES, {}, ShapeError, r"several columns \(lower, upper\).* as target="),
        ("aft", NUMBERS + 1, {"target": TIMES}, DomainError,
         r"not the number of a row of target, 0 \.\. 29"),
        ("normal_mixture_nll", PRICES, {}, ArgumentError, "pass classes= to settings"),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            train(library, loss, y, **more)
    with pytest.raises(ArgumentError, match="needs expected_second_derivative"):
        library.bridge.objective("pairwise_logistic", curvature="expected")


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
