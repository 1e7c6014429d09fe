"""A loss in scikit-learn: as a scorer, and as the loss of HistGradientBoosting."""

import pickle

import numpy as np
import pytest

import lossfw
from lossfw.bridges import sklearn as bridge
from lossfw.errors import ArgumentError, DomainError

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402  # after the skip
from sklearn.ensemble import (  # noqa: E402
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402

RNG = np.random.default_rng(8)
X = RNG.normal(size=(150, 3))
Y = 3 * X[:, 0] + X[:, 1] ** 2 + 0.3 * RNG.normal(size=150)
LABEL = np.where(Y > 1, "yes", "no")
NUMBER = np.digitize(Y, [0.0, 2.0])
CLASS = np.array(["a", "b", "c"])[NUMBER]
WEIGHT = RNG.integers(1, 4, 150).astype(float)
PLAIN = {"name": "cross_entropy", "guard": "none"}


def regressor(loss, **kwargs):
    return HistGradientBoostingRegressor(loss=bridge.hist_loss(loss), **kwargs)


def classifier(loss, **kwargs):
    return HistGradientBoostingClassifier(loss=bridge.hist_loss(loss), **kwargs)


@pytest.mark.parametrize(
    ("estimator", "target", "loss", "theirs"),
    [
        (Ridge(), Y, "squared_error", "neg_mean_squared_error"),
        (Ridge(), Y, "absolute_error", "neg_mean_absolute_error"),
        (LogisticRegression(), CLASS, PLAIN, "neg_log_loss"),
        (LogisticRegression(), LABEL, PLAIN, "neg_log_loss"),
        (LogisticRegression(), LABEL, {**PLAIN, "name": "binary_cross_entropy"}, "neg_log_loss"),
    ],
)
def test_a_scorer_is_minus_the_loss(estimator, target, loss, theirs):
    ours = cross_val_score(estimator, X, target, scoring=bridge.scorer(loss))
    expected = cross_val_score(estimator, X, target, scoring=theirs)
    assert ours == pytest.approx(expected, rel=1e-13)


def test_a_loss_of_margins_is_scored_at_the_decision_function():
    model = LogisticRegression().fit(X, LABEL)
    margin = model.decision_function(X) * np.where(LABEL == "yes", 1.0, -1.0)
    hinge = np.maximum(0.0, 1.0 - margin)
    found = bridge.scorer("hinge")(model, X, LABEL, sample_weight=WEIGHT)
    assert found == pytest.approx(-np.average(hinge, weights=WEIGHT))
    several = LogisticRegression().fit(X, CLASS)
    assert bridge.scorer("multiclass_hinge")(several, X, CLASS) < 0.0


def scored(loss, model, y, other=None):
    return bridge.scorer(loss)(model.fit(X, y), X, y if other is None else other)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: bridge.scorer("huber", response="score"), ArgumentError, "choose one of predict"),
        (lambda: scored("cross_entropy", Ridge(), Y), ArgumentError, "which Ridge does not have"),
        (lambda: scored("binary_cross_entropy", LogisticRegression(), CLASS), ArgumentError,
         "LogisticRegression has 3"),
        (lambda: scored("logistic", LogisticRegression(), LABEL, CLASS), DomainError,
         "not been trained on: it knows"),
        (lambda: scored("huber", LogisticRegression(), CLASS), ArgumentError,
         "are labels, such as"),
        (lambda: regressor("cross_entropy").fit(X, NUMBER), ArgumentError, "use HistGradientBoost"),
        (lambda: classifier("huber").fit(X, CLASS), ArgumentError, "3 for as many classes"),
        (lambda: classifier("huber").fit(X, LABEL).predict_proba(X), AttributeError,
         "Use HistGradientBoostingRegressor"),
        (lambda: bridge.hist_loss("brier"), ArgumentError, "SIMPLEX"),
        (lambda: bridge.hist_loss("quantile", curvature="exact"), ArgumentError, "kinks"),
        (lambda: bridge.hist_loss("logistic", refit=True), ArgumentError, "leave refit out"),
        (lambda: classifier("cross_entropy").fit(X, LABEL), ArgumentError,
         "choose a loss of single logits"),
        (lambda: regressor("poisson_deviance").fit(X, Y), DomainError, "NONNEGATIVE"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_the_private_class_of_scikit_learn_is_as_it_was():
    from sklearn._loss.loss import BaseLoss

    from lossfw.bridges.hist_loss import missing_members

    assert missing_members(BaseLoss) == [], (
        f"scikit-learn {sklearn.__version__} calls a loss of HistGradientBoosting differently: "
        "lossfw/bridges/hist_loss.py has to follow"
    )


def test_a_changed_private_class_is_told(monkeypatch):
    from lossfw.bridges import hist_loss

    required = {**hist_loss.REQUIRED, "loss": ("y_true", "raw")}
    monkeypatch.setattr(hist_loss, "REQUIRED", required)
    with pytest.raises(ArgumentError, match=r"lacks loss\(raw=\): install an earlier release"):
        bridge.hist_loss("huber")


@pytest.mark.parametrize("loss", ["huber", "cauchy", "quantile", "tukey", "log_cosh"])
def test_a_regressor_trains_with_any_loss_of_the_residual(loss):
    model = clone(regressor(loss, max_iter=15)).fit(X, Y, sample_weight=WEIGHT)
    loss = lossfw.loss(loss)
    constant = np.full(150, bridge.hist_loss(loss).fit_intercept_only(Y, WEIGHT))
    trained = loss(model.predict(X), Y, sample_weight=WEIGHT)
    assert trained < 0.7 * loss(constant, Y, sample_weight=WEIGHT)
    assert pickle.loads(pickle.dumps(model)).predict(X).tolist() == model.predict(X).tolist()


def test_a_classifier_trains_with_losses_of_margins_and_classes():
    hinge = classifier("hinge", max_iter=20)
    assert hinge.fit(X, LABEL).score(X, LABEL) > 0.8
    with pytest.raises(ArgumentError, match="are not log-odds"):
        hinge.predict_proba(X)
    focal = classifier("categorical_focal", max_iter=20)
    assert focal.fit(X, CLASS).score(X, CLASS) > 0.9
    again = pickle.loads(pickle.dumps(focal))
    np.testing.assert_array_equal(again.predict_proba(X), focal.predict_proba(X))
    assert focal.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(150))


def test_what_a_loss_says_of_itself():
    one = bridge.scorer({"name": "huber", "delta": 2.0})
    assert one == bridge.scorer(lossfw.loss("huber", delta=2.0)) != bridge.scorer("huber")
    assert pickle.loads(pickle.dumps(one)) == one
    # With probabilities HistGradientBoosting would draw rows for early stopping class by class.
    assert not hasattr(bridge.hist_loss("huber"), "predict_proba")
    assert regressor("huber", early_stopping=True).fit(X, Y).n_iter_ > 0
    # Leaves are refitted where the curvature says nothing.
    assert not bridge.hist_loss("absolute_error").differentiable
    assert bridge.hist_loss("absolute_error", refit=False).differentiable
    assert bridge.hist_loss("huber").differentiable
    assert not bridge.hist_loss("huber", refit=True).differentiable
