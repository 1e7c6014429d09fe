"""The scorer knows what boosting estimators predict: logarithms, log-odds, scores or responses."""

import pickle

import numpy as np
import pytest
from scipy import special

import lossfw
from lossfw.errors import ArgumentError

xgb = pytest.importorskip("xgboost")
lgb = pytest.importorskip("lightgbm")
cat = pytest.importorskip("catboost")
sklearn = pytest.importorskip("sklearn")

from sklearn import metrics  # noqa: E402  # after the skips
from sklearn.base import clone  # noqa: E402
from sklearn.compose import TransformedTargetRegressor  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import PoissonRegressor  # noqa: E402
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from lossfw.bridges import xgboost  # noqa: E402
from lossfw.bridges.sklearn import hist_loss, scorer  # noqa: E402
from support.boosting_libraries import LIBRARIES  # noqa: E402

ROWS = 120
RNG = np.random.default_rng(4)
X = RNG.normal(size=(ROWS, 3))
Y = 3 * X[:, 0] + X[:, 1] ** 2 + RNG.normal(size=ROWS)
COUNT = RNG.poisson(np.exp(1 + 0.5 * X[:, 0]))
POSITIVE = RNG.gamma(2.0, np.exp(X[:, 0]))
CLAIM = np.where(X[:, 1] > 0, POSITIVE, 0.0)
LABEL = (Y > 1).astype(int)
CLASS = np.digitize(Y, [0.0, 2.0])
WEIGHT = RNG.uniform(0.5, 2.0, ROWS)
FOLDS = KFold(3, shuffle=True, random_state=0)
TWEEDIE = {"name": "tweedie_deviance", "power": 1.2}
PLAIN = {"guard": "none"}


def own(loss, *, sides=False):
    """Return the loss itself as a measure; labels are sides for a loss of the margin."""
    of = lossfw.loss(loss)
    return lambda t, y, **w: of(y, 2.0 * t - 1.0 if sides else t, **w)


def tweedie(power):
    return lambda t, y, **w: metrics.mean_tweedie_deviance(t, y, power=power, **w)


def same(z):
    return z


def softmax(z):
    return special.softmax(z, axis=1)


def fitted(name, loss, y):
    return LIBRARIES[name].estimator_of(loss, y).fit(X, y)


def squared(y, z, sample_weight=None):
    return z - y, np.ones_like(z)


# A loss, its targets, the response of raw predictions, and what measures it, from elsewhere.
NUMBERS = {
    "poisson": ("poisson_deviance", COUNT, np.exp, metrics.mean_poisson_deviance),
    "gamma": ("gamma_deviance", POSITIVE, np.exp, metrics.mean_gamma_deviance),
    "tweedie 1.5": ("tweedie_deviance", CLAIM, np.exp, tweedie(1.5)),
    "tweedie 1.2": (TWEEDIE, CLAIM, np.exp, tweedie(1.2)),
    "half": (
        {"name": "scaled", "of": "poisson_deviance", "scale": 0.5}, COUNT, np.exp,
        lambda *given, **w: 0.5 * metrics.mean_poisson_deviance(*given, **w),
    ),
    "squared": ("squared_error", Y, same, metrics.mean_squared_error),
    "absolute": ("absolute_error", Y, same, metrics.mean_absolute_error),
    "quantile": (
        {"name": "quantile", "q": 0.8}, Y, same,
        lambda *given, **w: metrics.mean_pinball_loss(*given, alpha=0.8, **w),
    ),
    "huber": ("huber", Y, same, own("huber")),
}  # fmt: skip
LABELS = {
    "two classes": (
        {"name": "binary_cross_entropy", **PLAIN}, LABEL, special.expit, metrics.log_loss,
    ),
    "focal": ({"name": "focal", "gamma": 2.0}, LABEL, special.expit, own("focal")),
    "logistic": ("logistic", LABEL, same, own("logistic", sides=True)),
    "hinge": ("hinge", LABEL, same, own("hinge", sides=True)),
    "classes": ({"name": "cross_entropy", **PLAIN}, CLASS, softmax, metrics.log_loss),
    "scores": ("multiclass_hinge", CLASS, same, own("multiclass_hinge")),
}  # fmt: skip
CASES = {**NUMBERS, **LABELS}


LIBRARY = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
UNNAMED = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


def assert_scores(loss, model, y, expected, rel=1e-9, **weight):
    """Hold the scorer of a loss to minus the loss that is measured elsewhere."""
    assert scorer(loss)(model, X, y, **weight) == pytest.approx(-expected, rel=rel)


@pytest.mark.turns(5)
@UNNAMED
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@LIBRARY
@pytest.mark.parametrize("case", CASES)
def test_a_cross_validation_measures_responses(case, library, weighted):
    loss, y, output_activation, measure = CASES[case]
    estimator = library.estimator_of(loss, y)
    score, found, expected = scorer(loss), [], []
    for train, test in FOLDS.split(X):
        weight = {"sample_weight": WEIGHT[train]} if weighted else {}
        model = clone(estimator).fit(X[train], y[train], **weight)
        measured = {"sample_weight": WEIGHT[test]} if weighted else {}
        found.append(score(model, X[test], y[test], **measured))
        expected.append(
            -measure(y[test], output_activation(library.raw(model, X[test])), **measured)
        )
    assert found == pytest.approx(expected, rel=1e-9)
    if not weighted:
        crossed = cross_val_score(estimator, X, y, scoring=score, cv=FOLDS, error_score="raise")
        assert crossed == pytest.approx(found, rel=1e-9)
    if case in ("two classes", "classes") and library.name != "lightgbm" and not weighted:
        theirs = cross_val_score(estimator, X, y, scoring="neg_log_loss", cv=FOLDS)
        # XGBoost makes its probabilities in float32.
        assert crossed == pytest.approx(theirs, rel=1e-6 if library.name == "xgboost" else 1e-9)


LINKED = [
    entry.name
    for entry in lossfw.registry().entries("loss")
    for kind in [lossfw.registry().class_of(entry)]
    if kind.output_activation is not None and "of" not in kind.model_fields
]
WRAPPERS = [
    {"name": "class_weighted", "of": "cross_entropy", "weights": [1.0, 0.5, 3.0]},
    {"name": "label_smoothed", "of": "cross_entropy", "smoothing": 0.2},
    {"name": "focal_modulated", "of": "binary_cross_entropy"},
]


@pytest.mark.turns(5)
@UNNAMED
@pytest.mark.parametrize("loss", LINKED + WRAPPERS, ids=str)
@LIBRARY
def test_every_loss_with_a_link_is_measured_at_the_results_of_its_link(library, loss):
    found = lossfw.loss(loss)
    y = {"exp": POSITIVE, "sigmoid": LABEL, "softmax": CLASS}[found.output_activation]
    model = library.estimator_of(loss, y).fit(X, y, sample_weight=WEIGHT)
    link = {"exp": np.exp, "sigmoid": special.expit, "softmax": softmax}[found.output_activation]
    responses = link(library.raw(model, X))
    expected = found(responses, y.astype(float) if y is not CLASS else y, sample_weight=WEIGHT)
    assert_scores(loss, model, y, expected, sample_weight=WEIGHT)


@pytest.mark.parametrize("case", CASES)
def test_hist_gradient_boosting_predicts_responses(case):
    loss, y, _, measure = CASES[case]
    kind = HistGradientBoostingClassifier if case in LABELS else HistGradientBoostingRegressor
    model = kind(loss=hist_loss(loss), max_iter=3).fit(X, y, sample_weight=WEIGHT)
    if case in ("logistic", "hinge", "scores"):
        responses = model.decision_function(X)
    else:
        responses = model.predict_proba(X) if case in LABELS else model.predict(X)
    if case == "focal":
        responses = responses[:, 1]
    measured = measure(y, responses, sample_weight=WEIGHT)
    assert_scores(loss, model, y, measured, sample_weight=WEIGHT)


SMALL_XGB, SMALL_LGB = {"n_estimators": 3, "n_jobs": 1}, {"n_estimators": 3, "verbosity": -1}
SMALL_CAT = {"iterations": 3, "verbose": False, "allow_writing_files": False}
# An estimator with an objective of its library, and a case of `CASES`.
OWN = {
    "reg:tweedie": (xgb.XGBRegressor(objective="reg:tweedie", **SMALL_XGB), "tweedie 1.5"),
    "count:poisson": (xgb.XGBRegressor(objective="count:poisson", **SMALL_XGB), "poisson"),
    "squares": (xgb.XGBRegressor(**SMALL_XGB), "squared"),
    "a function": (xgb.XGBRegressor(objective=squared, base_score=3.0, **SMALL_XGB), "poisson"),
    "tweedie": (lgb.LGBMRegressor(objective="tweedie", **SMALL_LGB), "tweedie 1.5"),
    "Tweedie": (
        cat.CatBoostRegressor(loss_function="Tweedie:variance_power=1.5", **SMALL_CAT),
        "tweedie 1.5",
    ),
    "PoissonRegressor": (PoissonRegressor(), "poisson"),
    "XGBClassifier": (xgb.XGBClassifier(**SMALL_XGB), "two classes"),
    "LGBMClassifier": (lgb.LGBMClassifier(**SMALL_LGB), "two classes"),
    "CatBoostClassifier": (cat.CatBoostClassifier(**SMALL_CAT), "two classes"),
}


@UNNAMED
@pytest.mark.parametrize("name", OWN)
def test_an_objective_of_the_library_predicts_what_its_methods_return(name):
    estimator, case = OWN[name]
    loss, y, _, measure = CASES[case]
    model = clone(estimator).fit(X, y)
    responses = model.predict_proba(X)[:, 1] if case == "two classes" else model.predict(X)
    assert_scores(loss, model, y, measure(y, responses.astype(float)))


WRAPPED = {
    "pipeline": lambda model: make_pipeline(StandardScaler(), model),
    "search": lambda model: GridSearchCV(
        model, {"random_state": [0, 1]}, cv=2, scoring=scorer("poisson_deviance")
    ),
    "pipeline in a search": lambda model: GridSearchCV(
        make_pipeline(StandardScaler(), model), {"standardscaler__with_mean": [True, False]}, cv=2,
        scoring=scorer("poisson_deviance"),
    ),
    "copied": lambda model: pickle.loads(pickle.dumps(clone(model))),
}  # fmt: skip


def inside(model, x):
    """Return the booster inside estimators and its rows, by scikit-learn's public names alone."""
    if hasattr(model, "best_estimator_"):
        return inside(model.best_estimator_, x)
    if hasattr(model, "steps"):
        return inside(model[-1], model[:-1].transform(x) if len(model) > 1 else x)
    return model, x


@UNNAMED
@pytest.mark.parametrize("wrap", WRAPPED)
@LIBRARY
def test_an_estimator_is_found_inside_others(library, wrap):
    model = WRAPPED[wrap](library.estimator_of("poisson_deviance", COUNT)).fit(X, COUNT)
    means = np.exp(library.raw(*inside(model, X)))
    assert_scores("poisson_deviance", model, COUNT, metrics.mean_poisson_deviance(COUNT, means))


@LIBRARY
def test_a_link_that_is_applied_by_hand_is_not_applied_again(library):
    estimator = library.estimator_of("gamma_deviance", POSITIVE)
    score, model = scorer("gamma_deviance"), clone(estimator).fit(X, POSITIVE)
    expected = TransformedTargetRegressor(
        estimator, func=same, inverse_func=np.exp, check_inverse=False
    ).fit(X, POSITIVE)
    assert score(expected, X, POSITIVE) == pytest.approx(score(model, X, POSITIVE), rel=1e-6)


@LIBRARY
def test_another_loss_than_the_objective_is_scored_at_responses(library, tmp_path):
    model = library.estimator_of("poisson_deviance", COUNT).fit(X, COUNT)
    means = np.exp(library.raw(model, X))
    assert_scores("squared_error", model, COUNT, metrics.mean_squared_error(COUNT, means))
    # A loaded model needs its objective again.
    if library.name == "xgboost":
        model.save_model(tmp_path / "model.ubj")
        loaded = xgb.XGBRegressor()
        loaded.load_model(tmp_path / "model.ubj")
        loaded.set_params(objective=xgboost.objective("poisson_deviance"))
        assert_scores("squared_error", loaded, COUNT, metrics.mean_squared_error(COUNT, means))
    logs = scorer({"name": "poisson_deviance", "link": "log"})
    assert logs(model, X, COUNT) == pytest.approx(scorer("poisson_deviance")(model, X, COUNT))
    model = library.estimator_of("logistic", LABEL).fit(X, LABEL)
    p = special.expit(library.raw(model, X))
    expected = metrics.log_loss(LABEL, p)
    assert_scores({"name": "binary_cross_entropy", **PLAIN}, model, LABEL, expected, rel=1e-6)
    # Labels, of which the squared error is the fraction of wrong ones.
    labels = (p > 0.5).astype(int)
    assert scorer("squared_error")(model, X, LABEL) == -np.mean(labels != LABEL)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_weights_are_routed_to_an_estimator_and_to_the_scorer(name):
    estimator, raw = LIBRARIES[name].estimator_of("poisson_deviance", COUNT), LIBRARIES[name].raw
    score = scorer("poisson_deviance").set_score_request(sample_weight=True)
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_val_score(
            estimator.set_fit_request(sample_weight=True), X, COUNT, scoring=score, cv=FOLDS,
            params={"sample_weight": WEIGHT}, error_score="raise",
        )  # fmt: skip
    expected = []
    for train, test in FOLDS.split(X):
        model = clone(estimator).fit(X[train], COUNT[train], sample_weight=WEIGHT[train])
        means, options = np.exp(raw(model, X[test])), {"sample_weight": WEIGHT[test]}
        expected.append(-metrics.mean_poisson_deviance(COUNT[test], means, **options))
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("loss", "make", "words"),
    [
        ("binary_cross_entropy", lambda: fitted("xgboost", "hinge", LABEL), "Calibrated"),
        ("binary_cross_entropy", lambda: fitted("catboost", "hinge", LABEL), "scores"),
        ("cross_entropy", lambda: fitted("lightgbm", "multiclass_hinge", CLASS), "scores"),
        ("binary_cross_entropy", lambda: fitted("xgboost", "poisson_deviance", COUNT), "means"),
        ("binary_cross_entropy", lambda: fitted("xgboost", "cross_entropy", CLASS), "has 3"),
        (
            {"name": "binary_cross_entropy", "from_logits": True},
            lambda: fitted("xgboost", "poisson_deviance", COUNT),
            "by sigmoid, and those of XGBRegressor do by exp",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_loss_is_refused(loss, make, words):
    with pytest.raises(ArgumentError, match=words):
        scorer(loss)(make(), X, LABEL)


# A loss and what `settings` says to apply_activation=True; nothing where it changes nothing.
RESPONDING = [
    ("poisson_deviance", COUNT, "regressor", "lossfw.learning.predictions_of"),
    ("binary_cross_entropy", LABEL, "regressor", "XGBRegressor.predict returns raw"),
    ("hinge", LABEL, "classifier", "no output activation to probabilities"),
    ("multiclass_hinge", CLASS, "native", "output_margin"),
    ("huber", Y, "regressor", ""),
    ("binary_cross_entropy", LABEL, "classifier", ""),
    ("logistic", LABEL, "classifier", ""),
    ("cross_entropy", CLASS, "classifier", ""),
]


@pytest.mark.parametrize(("loss", "y", "estimator", "words"), RESPONDING)
def test_xgboost_refuses_responses_that_it_cannot_return(loss, y, estimator, words):
    if words:
        with pytest.raises(ArgumentError, match=words):
            xgboost.estimator_params(loss, y, estimator=estimator, apply_activation=True)
    else:
        asked = xgboost.estimator_params(loss, y, estimator=estimator, apply_activation=True)
        assert asked == xgboost.estimator_params(loss, y, estimator=estimator)
