"""The laws of bridges for this one, and a training."""

import pickle

import numpy as np
import pytest
from lossfw import ArgumentError
from lossfw.bridges.sklearn import scorer
from lossfw.check import check
from ngboost import NGBoost
from sklearn.metrics import mean_poisson_deviance

from lossfw_ngboost import estimator_params

LOSSES = ["huber", "absolute_error", "tukey", "logistic", "poisson_deviance", "cross_entropy"]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_bridge_holds_its_laws(loss):
    report = check(loss, bridges=True, only=["bridge"])
    assert report.ok, report
    checked = [one.check for one in report.passed if one.check.startswith("bridge:ngboost")]
    refused = [name for name in report.not_applicable if name.startswith("bridge:ngboost")]
    assert checked or "takes rows" in report.not_applicable[refused[0]]


def test_a_robust_loss_is_not_moved_by_outliers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    truth = 5 * x[:, 0]
    y = truth + np.where(rng.random(300) < 0.1, 200.0, 0.1 * rng.normal(size=300))
    robust, square = (
        NGBoost(**estimator_params(loss, y), n_estimators=60, learning_rate=0.1, verbose=False).fit(
            x, y
        )
        for loss in ("tukey", "squared_error")
    )
    errors = [np.abs(model.pred_param(x)[:, 0] - truth).mean() for model in (robust, square)]
    assert errors[0] < 0.5 * errors[1]


def test_a_model_is_pickled_with_its_loss():
    x = np.random.default_rng(0).normal(size=(80, 2))
    model = NGBoost(**estimator_params("huber", x[:, 0]), n_estimators=5, verbose=False).fit(
        x, x[:, 0]
    )
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.pred_param(x), model.pred_param(x))
    assert estimator_params("huber", x[:, 0]) == estimator_params("huber", x[:, 0])


def test_the_scorer_measures_means():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    counts = rng.poisson(np.exp(1 + x[:, 0]))
    own = estimator_params("poisson_deviance", counts)
    model = NGBoost(**own, n_estimators=5, verbose=False).fit(x, counts)
    expected = -mean_poisson_deviance(counts, np.exp(model.predict(x)))
    assert scorer("poisson_deviance")(model, x, counts) == pytest.approx(expected)


def test_a_loss_of_rows_is_refused():
    with pytest.raises(ArgumentError, match="takes rows"):
        estimator_params("cross_entropy", np.arange(3))
