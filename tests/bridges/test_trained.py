"""A loss in XGBoost, LightGBM and CatBoost: both faces, saving, early stopping, bad input."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import lossfw
from lossfw.bridges import boosting
from lossfw.errors import ArgumentError, DivergenceError, DomainError, ShapeError

xgb = pytest.importorskip("xgboost")
lgb = pytest.importorskip("lightgbm")
cat = pytest.importorskip("catboost")
sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402  # after the skips
from sklearn.model_selection import GridSearchCV  # noqa: E402

from lossfw.bridges import catboost, lightgbm, xgboost  # noqa: E402

RNG = np.random.default_rng(3)
X = RNG.normal(size=(240, 4)).astype(np.float32)
Y = np.round(100 + 10 * X[:, 0] + 5 * X[:, 1] * X[:, 2] + RNG.normal(size=240), 2)
LABEL = (Y > 100).astype(int)
CLASS = np.digitize(Y, [95.0, 105.0])
QUIET = {"verbose": False, "allow_writing_files": False, "random_seed": 0, "thread_count": 1}
BRIDGES = pytest.mark.parametrize("bridge", [xgboost, lightgbm, catboost])


def fit(bridge, loss, y, rounds=20, x=X, weight=None, **more):
    """Train natively; return the model and its raw predictions."""
    params = more.pop("params", {})
    if bridge is xgboost:
        data = xgb.DMatrix(x, y, weight=weight)
        model = xgboost.train(loss, {"nthread": 1, **params}, data, rounds, **more)
        return model, model.predict(xgb.DMatrix(x), output_margin=True)
    if bridge is lightgbm:
        data = lgb.Dataset(x, y, weight=weight)
        model = lightgbm.train(
            loss, {"verbosity": -1, "num_threads": 1, **params}, data, rounds, **more
        )
        return model, model.predict(x, raw_score=True)
    pool = cat.Pool(x, y, weight=weight)
    model = catboost.train(loss, {**QUIET, "iterations": rounds, **params}, pool, **more)
    return model, model.predict(x, prediction_type="RawFormulaVal")


@BRIDGES
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("huber", Y),
        ("quantile", Y),
        ("poisson_deviance", np.round(Y)),
        ("hinge", LABEL),
        ("cross_entropy", CLASS),
    ],
)
def test_training_lowers_the_loss_below_that_of_the_start(bridge, loss, y):
    _, raw = fit(bridge, loss, y)
    begin = boosting.start(loss, y)
    mean = bridge.objective(loss).derivatives.mean
    assert mean(raw, y) < 0.9 * mean(np.broadcast_to(begin, (len(y), *np.shape(begin))), y)


@BRIDGES
def test_weight_2_is_the_row_twice(bridge):
    twice = np.concatenate([np.arange(240), np.arange(80)])
    weight = np.where(np.arange(240) < 80, 2.0, 1.0)
    params = {"bootstrap_type": "No", "random_strength": 0, "boosting_type": "Plain"}
    params = params if bridge is catboost else {"min_data_in_leaf": 1} if bridge is lightgbm else {}
    _, weighted = fit(bridge, "huber", Y, 5, weight=weight, params=params)
    _, doubled = fit(bridge, "huber", Y[twice], 5, x=X[twice], params=params)
    # CatBoost and the others may choose among splits of nearly the same gain.
    assert np.abs(weighted - doubled[:240]).mean() < 0.05 * np.std(Y)


@BRIDGES
def test_the_objective_is_immutable(bridge):
    one = bridge.objective({"name": "huber", "delta": 2.0})
    assert one == bridge.objective(lossfw.loss("huber", delta=2.0))
    assert one != bridge.objective("huber")
    assert one != bridge.objective({"name": "huber", "delta": 2.0}, curvature="one")
    assert hash(one) == hash(pickle.loads(pickle.dumps(one)))
    assert pickle.loads(pickle.dumps(one)) == one
    assert copy.deepcopy(one) is one
    assert copy.copy(one) is one
    with pytest.raises(AttributeError):
        one.derivatives = None


ESTIMATORS = {
    "xgboost": lambda loss: xgb.XGBRegressor(
        objective=xgboost.objective(loss), n_estimators=5, n_jobs=1,
        **xgboost.settings(loss, Y, face="regressor"),
    ),
    "lightgbm": lambda loss: lgb.LGBMRegressor(
        n_estimators=5, verbosity=-1, n_jobs=1, **lightgbm.settings(loss, Y, face="regressor")
    ),
    "catboost": lambda loss: cat.CatBoostRegressor(
        iterations=5, **QUIET, **catboost.settings(loss, Y)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_survives_clone_and_a_grid(name):
    bridge = {"xgboost": xgboost, "lightgbm": lightgbm, "catboost": catboost}[name]
    key = "loss_function" if name == "catboost" else "objective"
    estimator = clone(ESTIMATORS[name]("huber"))
    choices = [bridge.objective("huber"), bridge.objective("squared_error")]
    grid = GridSearchCV(estimator, {key: choices}, cv=2, error_score="raise").fit(X, Y)
    assert grid.best_params_[key] in choices


@pytest.mark.parametrize("bridge", [xgboost, lightgbm])
def test_derivatives_have_the_shape_of_the_raw_predictions(bridge):
    objective = bridge.objective("huber")
    for shape in ((240,), (240, 1)):
        g, h = objective(Y, np.zeros(shape))
        assert g.shape == h.shape == shape


def test_the_scikit_learn_faces_have_the_weights_of_fit():
    weight = np.where(np.arange(240) < 80, 2.0, 1.0)
    model = ESTIMATORS["xgboost"]("huber").fit(X, Y, sample_weight=weight)
    start = xgboost.settings("huber", Y)["base_score"]
    params = {"base_score": start, "nthread": 1}
    _, raw = fit(xgboost, "huber", Y, 5, weight=weight, params=params)
    assert model.predict(X) == pytest.approx(raw, rel=1e-6)
    begin = lightgbm.start("huber", Y, weight)
    model = ESTIMATORS["lightgbm"]("huber")
    model.fit(X, Y, sample_weight=weight, init_score=lightgbm.init_score(begin, len(Y)))
    _, raw = fit(lightgbm, "huber", Y, 5, weight=weight)
    assert lightgbm.with_start(model, begin).predict(X) == pytest.approx(raw)


def test_the_classifiers_take_labels():
    model = xgb.XGBClassifier(
        objective=xgboost.objective("logistic"), n_estimators=5, n_jobs=1,
        **xgboost.settings("logistic", LABEL, face="classifier"),
    ).fit(X, LABEL)  # fmt: skip
    assert model.score(X, LABEL) > 0.9
    texts = np.array(["low", "middle", "top"])[CLASS]
    model = lgb.LGBMClassifier(
        n_estimators=5,
        verbosity=-1,
        n_jobs=1,
        **lightgbm.settings("cross_entropy", CLASS, face="classifier"),
    ).fit(X, texts)
    with warnings.catch_warnings():
        # LightGBM warns that what it predicts is raw.
        warnings.simplefilter("ignore")
        assert (np.argmax(model.predict(X, raw_score=True), axis=1) == CLASS).mean() > 0.8
    model = cat.CatBoostClassifier(
        iterations=5, **QUIET, **catboost.settings("cross_entropy", texts, face="classifier")
    ).fit(X, texts)
    assert (model.predict(X)[:, 0] == texts).mean() > 0.7
    model = cat.CatBoostClassifier(
        iterations=5, **QUIET, **catboost.settings("logistic", LABEL, face="classifier")
    ).fit(X, LABEL)
    assert (model.predict(X) == LABEL).mean() > 0.8
    with pytest.raises(DomainError, match=r"numpy\.unique"):
        fit(catboost, "cross_entropy", texts)


def test_a_saved_model_holds_its_start(tmp_path):
    model, raw = fit(xgboost, "huber", Y)
    model.save_model(tmp_path / "model.ubj")
    loaded = xgb.Booster(model_file=tmp_path / "model.ubj")
    assert loaded.predict(xgb.DMatrix(X)) == pytest.approx(raw)
    model, raw = fit(lightgbm, "cross_entropy", CLASS)
    model.save_model(tmp_path / "model.txt")
    loaded = lgb.Booster(model_file=tmp_path / "model.txt")
    assert loaded.predict(X, raw_score=True) == pytest.approx(raw)
    model, raw = fit(catboost, "huber", Y)
    model.save_model(str(tmp_path / "model.cbm"))
    assert cat.CatBoost().load_model(str(tmp_path / "model.cbm")).predict(X) == pytest.approx(raw)
    for predictions in (fit(bridge, "huber", Y)[1] for bridge in (xgboost, lightgbm, catboost)):
        assert abs(predictions.mean() - Y.mean()) < 2.0


def test_xgboost_can_answer_with_responses():
    model, raw = fit(xgboost, "poisson_deviance", np.round(Y), respond=True)
    means = boosting.response("poisson_deviance", raw)
    assert model.predict(xgb.DMatrix(X)) == pytest.approx(means, rel=1e-5)
    model, raw = fit(xgboost, "cross_entropy", CLASS)
    assert model.predict(xgb.DMatrix(X)) == pytest.approx(
        boosting.response("cross_entropy", raw), rel=1e-5
    )


def test_training_can_be_continued():
    data = lgb.Dataset(X, Y, free_raw_data=False)
    params = {"verbosity": -1, "num_threads": 1}
    half = lightgbm.train("huber", params, data, 10)
    whole = lightgbm.train("huber", params, lgb.Dataset(X, Y), 10, init_model=half)
    assert np.abs(whole.predict(X) - Y).mean() < 0.9 * np.abs(half.predict(X) - Y).mean()


def test_data_is_as_it_was_before_a_training():
    data, pool = lgb.Dataset(X, Y, free_raw_data=False), cat.Pool(X, Y)
    for loss in ("squared_error", "huber"):
        ours = lightgbm.train(loss, {"verbosity": -1, "num_threads": 1}, data, 5).predict(X)
        assert ours == pytest.approx(fit(lightgbm, loss, Y, 5)[1])
        model = catboost.train(loss, {**QUIET, "iterations": 5}, pool)
        assert model.predict(X) == pytest.approx(fit(catboost, loss, Y, 5)[1])


@pytest.mark.parametrize("name", ["precision_loss", "auc_like", "huber"])
def test_early_stopping_minimises_whatever_the_metric_is_called(name):
    loss = lossfw.loss("huber")
    if name != "huber":
        kind = type("Called", (type(loss),), {"name": name, "__doc__": "Huber's loss."})
        loss = kind()
    train, watched = xgb.DMatrix(X[:160], Y[:160]), xgb.DMatrix(X[160:], Y[160:])
    model = xgboost.train(
        loss, {"nthread": 1}, train, 60,
        evals=[(watched, "watched")], early_stopping_rounds=5, verbose_eval=False,
    )  # fmt: skip
    assert 5 < model.best_iteration < 60
    history = {}
    lightgbm.train(
        loss, {"verbosity": -1, "num_threads": 1}, lgb.Dataset(X[:160], Y[:160]), 60,
        valid_sets=[lgb.Dataset(X[160:], Y[160:])],
        callbacks=[lgb.early_stopping(5, verbose=False), lgb.record_evaluation(history)],
    )  # fmt: skip
    losses = history["valid_0"][name]
    assert losses[-1] < losses[0]
    begin = lightgbm.start("huber", Y[:160])
    assert losses[0] < lossfw.loss("huber")(np.full(80, begin), Y[160:])


@pytest.mark.filterwarnings("ignore")
@BRIDGES
@pytest.mark.parametrize(
    ("loss", "y", "more", "error", "words"),
    [
        ("huber", np.where(np.arange(240) == 7, np.nan, Y), {}, DomainError, r"target\[7\] = nan"),
        ("logistic", CLASS, {}, DomainError, "takes 0 and 1, or -1 and 1"),
        ("cross_entropy", Y, {}, DomainError, "whole numbers"),
        ("brier", CLASS, {}, ArgumentError, "SIMPLEX"),
        ("zero_one", LABEL, {}, ArgumentError, "nothing can be learnt"),
        ("quantile", Y, {"curvature": "exact"}, ArgumentError, "kinks"),
        ("perceptron", LABEL, {}, ArgumentError, "give another start"),
        ("poisson_deviance", -Y, {}, DomainError, "NONNEGATIVE"),
        (
            "exponential", LABEL, {"curvature": "one", "params": {"learning_rate": 1e5}},
            DivergenceError, "smaller learning rate",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_our_words(bridge, loss, y, more, error, words):
    if bridge is xgboost and error is DomainError and np.isnan(y).any():
        # XGBoost refuses such labels itself, before anyone else sees them.
        error, words = xgb.core.XGBoostError, "Label contains NaN"
    with pytest.raises(error, match=words):
        fit(bridge, loss, y, **copy.deepcopy(more))


def test_a_loss_of_rows_needs_the_number_of_classes():
    data = xgb.DMatrix(X, CLASS)
    with pytest.raises(ShapeError, match="number of classes"):
        xgb.train({"base_score": 0.0}, data, 1, obj=xgboost.objective("cross_entropy"))


def test_a_loss_too_small_to_split_is_warned_of():
    tiny = {"name": "scaled", "of": {"name": "squared_error"}, "scale": 1e-4}
    with pytest.warns(RuntimeWarning, match="min_child_weight"):
        _, raw = fit(xgboost, tiny, Y)
    assert np.ptp(raw) == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, raw = fit(xgboost, tiny, Y, params={"min_child_weight": 0.0, "lambda": 0.0})
    assert np.ptp(raw) > 0.0


def test_a_start_needs_a_leaf_to_stand_in():
    linear = {"linear_tree": True}
    with pytest.raises(ArgumentError, match="linear_tree"):
        fit(lightgbm, "huber", Y, params=linear)
    fit(lightgbm, "huber", Y, params=linear, start=0.0)


def test_the_rows_of_catboost_have_the_derivatives_of_the_loss():
    z, weight = np.array([0.3, -1.2, 2.0]), 1.5
    for loss in (
        "cross_entropy",
        "categorical_focal",
        {"name": "class_weighted", "of": "cross_entropy", "weights": [1.0, 0.5, 3.0]},
    ):
        form = boosting.derivatives(loss).loss
        for label in range(3):
            slopes, bends = catboost.objective(loss).calc_ders_multi(z, float(label), weight)
            expected = form.gradient(z[None], [label], sample_weight=[weight], reduction="sum")
            assert slopes == pytest.approx(-expected[0])
            second = form.hessian(z[None], [label], sample_weight=[weight], reduction="sum")
            if loss != "categorical_focal":
                assert np.diag(bends) == pytest.approx(-second[0])
                # A shift of all logits changes nothing.
                assert np.sum(bends, axis=1) == pytest.approx(np.zeros(3))


@BRIDGES
def test_training_data_of_another_kind_is_told(bridge):
    bare = {xgboost: xgb.DMatrix(X), lightgbm: lgb.Dataset(X), catboost: cat.Pool(X)}[bridge]
    with pytest.raises(ArgumentError, match=f"expected {bridge.__name__.rpartition('.')[2]}"):
        bridge.train("huber", {}, X)
    with pytest.raises(ArgumentError, match="no labels"):
        bridge.train("huber", {}, bare)


@pytest.mark.parametrize("bridge", [lightgbm, catboost])
def test_a_start_has_a_number_for_each_class(bridge):
    with pytest.raises(ShapeError, match="or 3, one for each class"):
        fit(bridge, "cross_entropy", CLASS, start=[0.0, 1.0])
    _, one = fit(bridge, "cross_entropy", CLASS, 1, start=0.5)
    _, each = fit(bridge, "cross_entropy", CLASS, 1, start=[0.5, 0.5, 0.5])
    np.testing.assert_array_equal(one, each)


def test_labels_that_are_texts_are_told():
    with pytest.raises(DomainError, match=r"such as 'no'.*numpy\.unique"):
        lightgbm.start("logistic", np.array(["no", "yes"]))
    assert lightgbm.start("huber", np.array(["1", "3"])) == 2.0


def test_catboost_has_other_classes_than_a_loss_of_rows():
    with pytest.raises(ArgumentError, match="binary_cross_entropy"):
        fit(catboost, "cross_entropy", LABEL)
    with pytest.raises(ArgumentError, match="class 0 of 4 never occurs"):
        fit(catboost, "cross_entropy", CLASS + 1)


@BRIDGES
def test_an_unknown_face_is_told(bridge):
    with pytest.raises(ArgumentError, match="choose one of native"):
        bridge.settings("huber", Y, face="sk")
