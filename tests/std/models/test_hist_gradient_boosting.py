"""HistGradientBoosting as a model: files that name only scikit-learn, and what it takes."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import lossfw
from lossfw.data import Dataset
from lossfw.errors import ArgumentError, DataError
from support.models import fitted

ensemble = pytest.importorskip("sklearn.ensemble")
skops = pytest.importorskip("skops.io")

from sklearn.linear_model import Ridge  # noqa: E402  # after the skip

from lossfw_std.models.hist_gradient_boosting import HistGradientBoosting  # noqa: E402

RNG = np.random.default_rng(6)
X = RNG.normal(size=(250, 3))
Y = np.exp(X[:, 0] + 0.3 * X[:, 1] ** 2 + 0.1 * RNG.normal(size=250))
CLASS = np.digitize(Y, [0.7, 1.5])
SMALL = HistGradientBoosting(max_leaf_nodes=4, min_samples_leaf=10)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Let scikit-learn have one thread: its threads wait for each other on a busy machine."""
    with threadpool_limits(1):
        yield


def test_it_learns_what_scikit_learn_learns():
    own = ensemble.HistGradientBoostingRegressor(
        max_iter=6, max_leaf_nodes=4, min_samples_leaf=10, early_stopping=False
    ).fit(X, Y)
    content = fitted(SMALL, Dataset("rows", targets=Y, inputs=X), "squared_error", 6).content
    np.testing.assert_allclose(
        SMALL.load_predictor(content).run_block(X).predictions[:, 0], own.predict(X)
    )


def test_missing_numbers_and_categories_are_trained_on():
    kind = RNG.integers(0, 12, 250)
    effect = RNG.permutation(12.0 * np.arange(12))[kind]
    holes = np.where(RNG.uniform(size=250) < 0.2, np.nan, X[:, 1])
    inputs = np.stack([holes, kind.astype(float)], axis=1)
    codes = {1: tuple(f"k{i:02}" for i in range(12))}
    data = Dataset("rows", targets=effect, inputs=inputs, codes=codes, missing=True)
    plain = Dataset("rows", targets=effect, inputs=inputs, missing=True)
    of_codes, of_numbers = (
        fitted(SMALL, rows, "squared_error", 5).train[-1] for rows in (data, plain)
    )
    errors = [np.mean((raw.ravel() - effect) ** 2) for raw in (of_codes, of_numbers)]
    assert errors[0] < 0.7 * errors[1]
    loaded = SMALL.load_predictor(fitted(SMALL, data, "squared_error", 5).content)
    np.testing.assert_array_equal(loaded.run_block(inputs).raw_outputs, of_codes)


def test_what_it_does_not_take_is_refused_in_words(tmp_path):
    skops.dump(Ridge().fit(X, Y), tmp_path / "ridge.skops")
    with pytest.raises(DataError, match=r"holds a Ridge; expected .* write name: sklearn"):
        HistGradientBoosting(file=tmp_path / "ridge.skops").load_predictor()
    assert "0 almost everywhere" in SMALL.refusal(lossfw.loss("zero_one"))
    two = Dataset("two", targets=(CLASS > 1).astype(int), inputs=X, classes=("a", "b"))
    with pytest.raises(ArgumentError, match="binary_cross_entropy"):
        fitted(SMALL, two, "cross_entropy", 2)
    many = Dataset(
        "many",
        targets=Y,
        inputs=np.arange(250.0)[:, None],
        codes={0: tuple(f"{i:03}" for i in range(250))},
    )
    with pytest.raises(ArgumentError, match="cardinality <= 100"):
        fitted(SMALL.replace(max_bins=100), many, "huber", 2)
