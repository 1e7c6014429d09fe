"""What a user may get wrong in XGBoost, LightGBM, CatBoost and scikit-learn is told in words."""

import pickle
import warnings

import numpy as np
import pytest

from lossfw.errors import ArgumentError, DomainError, ShapeError

xgb = pytest.importorskip("xgboost")
lgb = pytest.importorskip("lightgbm")
cat = pytest.importorskip("catboost")
pytest.importorskip("sklearn")

from sklearn.ensemble import (  # noqa: E402  # after the skips
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression  # noqa: E402

from lossfw.bridges import catboost, lightgbm, xgboost  # noqa: E402
from lossfw.bridges.sklearn import hist_loss, scorer  # noqa: E402

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 2))
Y = 3 * X[:, 0] + RNG.normal(size=60)
CLASS = np.digitize(Y, [-2.0, 2.0])
TEXT = np.array(["low", "middle", "high"])[CLASS]
LIGHT = {"verbosity": -1, "num_threads": 1}
CAT = {"verbose": False, "allow_writing_files": False, "thread_count": 1, "iterations": 3}


@pytest.mark.parametrize("labels", [np.eye(3)[CLASS], np.stack([Y, Y], axis=1)])
def test_rows_of_labels_are_told_where_a_row_has_one(labels):
    loss = "cross_entropy" if labels.shape[1] == 3 else "huber"
    with pytest.raises(ShapeError, match=r"lightgbm takes one label.*argmax\(axis=1\)"):
        lightgbm.train(loss, LIGHT, lgb.Dataset(X, labels), 3)
    with pytest.raises(ShapeError, match=r"catboost takes one label.*argmax\(axis=1\)"):
        catboost.train(loss, CAT, cat.Pool(X, labels))


def test_too_few_labels_are_told():
    with pytest.raises(ShapeError, match="60 rows and 59 labels"):
        lightgbm.train("huber", LIGHT, lgb.Dataset(X, Y[:-1]), 3)


def test_a_weight_that_is_no_number_is_called_a_weight():
    weight = np.where(np.arange(60) == 2, np.nan, 1.0)
    with pytest.raises(DomainError, match=r"sample_weight\[2\] = nan is not finite"):
        lightgbm.train("huber", LIGHT, lgb.Dataset(X, Y, weight=weight), 3)


def test_two_objectives_are_told():
    with pytest.raises(ArgumentError, match="objective='l2', but the loss huber"):
        lightgbm.train("huber", {**LIGHT, "objective": "l2"}, lgb.Dataset(X, Y), 3)
    with pytest.raises(ArgumentError, match="loss_function='RMSE', but the loss huber"):
        catboost.train("huber", {**CAT, "loss_function": "RMSE"}, cat.Pool(X, Y))
    # One of a loss is a choice of its curvature.
    own = {**LIGHT, "objective": lightgbm.objective("huber", curvature="one")}
    assert lightgbm.train("huber", own, lgb.Dataset(X, Y), 3).num_trees() == 3


def test_equal_targets_are_no_kink():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        model = xgboost.train("huber", {"nthread": 1}, xgb.DMatrix(X, np.ones(60)), 3)
    np.testing.assert_array_equal(model.predict(xgb.DMatrix(X)), np.ones(60))


def test_xgboost_reads_the_labels_of_one_training_and_not_of_another():
    data = xgb.DMatrix(X, Y)
    first = xgboost.train("huber", {"nthread": 1}, data, 3).predict(data)
    data.set_label(-Y)
    second = xgboost.train("huber", {"nthread": 1}, data, 3).predict(data)
    assert second == pytest.approx(-first, abs=1e-5)


def test_a_regressor_of_scikit_learn_has_no_classes():
    model = HistGradientBoostingRegressor(loss=hist_loss("cross_entropy"))
    with pytest.raises(ArgumentError, match="use HistGradientBoostingClassifier"):
        model.fit(X, CLASS)
    model = HistGradientBoostingClassifier(loss=hist_loss("cross_entropy"), max_iter=3)
    again = pickle.loads(pickle.dumps(model.fit(X, TEXT)))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_classifier_of_scikit_learn_has_no_numbers():
    model = HistGradientBoostingClassifier(loss=hist_loss("huber"), max_iter=3)
    with pytest.raises(ArgumentError, match="3 for as many classes"):
        model.fit(X, TEXT)
    with pytest.raises(AttributeError, match="Use HistGradientBoostingRegressor"):
        model.fit(X, Y > 0).predict_proba(X)


def test_a_loss_of_numbers_measures_no_labels():
    with pytest.raises(ArgumentError, match="are labels, such as"):
        scorer("huber")(LogisticRegression().fit(X, TEXT), X, TEXT)
