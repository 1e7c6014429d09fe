"""A loss in XGBoost, LightGBM and CatBoost: both faces, saving, early stopping, bad input."""

import copy
import warnings

import numpy as np
import pytest

import lossfw
from lossfw.errors import ArgumentError, DivergenceError, DomainError, ShapeError
from lossfw.learning import derivatives

xgb = pytest.importorskip("xgboost")
lgb = pytest.importorskip("lightgbm")
cat = pytest.importorskip("catboost")
sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402  # after the skips
from sklearn.model_selection import GridSearchCV  # noqa: E402

from lossfw.bridges import catboost, lightgbm, xgboost  # noqa: E402
from support.boosting_libraries import LIBRARIES  # noqa: E402

RNG = np.random.default_rng(3)
X = RNG.normal(size=(240, 4)).astype(np.float32)
Y = np.round(100 + 10 * X[:, 0] + 5 * X[:, 1] * X[:, 2] + RNG.normal(size=240), 2)
LABEL = (Y > 100).astype(int)
CLASS = np.digitize(Y, [95.0, 105.0])
LIBRARY = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
XGB, LGB, CAT = LIBRARIES.values()
WEIGHTED = {"name": "class_weighted", "of": "cross_entropy", "weights": [1.0, 0.5, 3.0]}


def fit(library, loss, y, rounds=20, x=X, weight=None, **kwargs):
    """Return a model and its raw predictions."""
    model = library.train(loss, x, y, weight, rounds, **kwargs)
    return model, library.raw(model, x)


# What the harness proves of every bridge is not repeated here: see `lossfw.check.bridges`.


@LIBRARY
def test_an_objective_is_immutable_and_differs_by_its_parameters(library):
    make = library.bridge.objective
    one = make({"name": "huber", "delta": 2.0})
    assert one == make(lossfw.loss("huber", delta=2.0))
    assert one not in (make("huber"), make({"name": "huber", "delta": 2.0}, curvature="one"))
    assert copy.copy(one) is copy.deepcopy(one) is one
    with pytest.raises(AttributeError):
        one.derivatives = None


@LIBRARY
def test_an_estimator_survives_clone_and_a_grid(library):
    key, make = library.objective, library.bridge.objective
    estimator = clone(library.estimator_of("huber", Y))
    choices = [make("huber"), make("squared_error")]
    grid = GridSearchCV(estimator, {key: choices}, cv=2, error_score="raise").fit(X, Y)
    assert grid.best_params_[key] in choices


def test_the_scikit_learn_faces_have_the_weights_of_fit():
    weight = np.where(np.arange(240) < 80, 2.0, 1.0)
    model = XGB.estimator_of("huber", Y).fit(X, Y, sample_weight=weight)
    start = xgboost.estimator_params("huber", Y)["base_score"]
    _, raw = fit(XGB, "huber", Y, 5, weight=weight, params={"base_score": start})
    assert model.predict(X) == pytest.approx(raw, rel=1e-6)
    begin = lightgbm.best_constant("huber", Y, weight)
    model = LGB.estimator_of("huber", Y)
    model.fit(X, Y, sample_weight=weight, init_score=lightgbm.init_score(begin, len(Y)))
    _, raw = fit(LGB, "huber", Y, 5, weight=weight)
    assert lightgbm.add_start(model, begin).predict(X) == pytest.approx(raw)


def test_the_classifiers_take_labels():
    model = XGB.estimator_of("logistic", LABEL).fit(X, LABEL)
    assert model.score(X, LABEL) > 0.9
    texts = np.array(["low", "middle", "top"])[CLASS]
    model = LGB.estimator_of("cross_entropy", CLASS).fit(X, texts)
    with warnings.catch_warnings():
        # LightGBM warns that what it predicts is raw.
        warnings.simplefilter("ignore")
        assert (np.argmax(LGB.raw(model, X), axis=1) == CLASS).mean() > 0.8
    settings = catboost.estimator_params("cross_entropy", texts, estimator="classifier")
    model = CAT.estimator(CLASS, settings).fit(X, texts)
    assert (model.predict(X)[:, 0] == texts).mean() > 0.7
    model = CAT.estimator_of("logistic", LABEL).fit(X, LABEL)
    assert (model.predict(X) == LABEL).mean() > 0.8


def test_a_saved_model_holds_its_start(tmp_path):
    path = str(tmp_path / "model.ubj")
    for library, loss, y, load in (
        (XGB, "huber", Y, lambda path: xgb.Booster(model_file=path)),
        (LGB, "cross_entropy", CLASS, lambda path: lgb.Booster(model_file=path)),
        (CAT, "huber", Y, lambda path: cat.CatBoost().load_model(path)),
    ):
        model, raw = fit(library, loss, y)
        model.save_model(path)
        assert library.raw(load(path), X) == pytest.approx(raw)
    for library in LIBRARIES.values():
        assert abs(fit(library, "huber", Y)[1].mean() - Y.mean()) < 2.0


def test_xgboost_can_answer_with_responses():
    model, raw = fit(XGB, "poisson_deviance", np.round(Y), apply_activation=True)
    means = derivatives.predictions_of("poisson_deviance", raw)
    assert model.predict(xgb.DMatrix(X)) == pytest.approx(means, rel=1e-5)
    model, raw = fit(XGB, "cross_entropy", CLASS)
    assert model.predict(xgb.DMatrix(X)) == pytest.approx(
        derivatives.predictions_of("cross_entropy", raw), rel=1e-5
    )


def test_data_is_as_it_was_before_a_training():
    data, pool = lgb.Dataset(X, Y, free_raw_data=False), cat.Pool(X, Y)
    for loss in ("squared_error", "huber"):
        ours = lightgbm.train(loss, LGB.params, data, 5).predict(X)
        assert ours == pytest.approx(fit(LGB, loss, Y, 5)[1])
        model = catboost.train(loss, {**CAT.params, "iterations": 5}, pool)
        assert model.predict(X) == pytest.approx(fit(CAT, loss, Y, 5)[1])


@pytest.mark.parametrize("name", ["precision_loss", "auc_like", "huber"])
def test_early_stopping_minimises_whatever_the_metric_is_called(name):
    loss = lossfw.loss("huber")
    if name != "huber":
        kind = type("Called", (type(loss),), {"name": name, "__doc__": "Huber's loss."})
        loss = kind()
    train, watched = xgb.DMatrix(X[:160], Y[:160]), xgb.DMatrix(X[160:], Y[160:])
    model = xgboost.train(
        loss, XGB.params, train, 60,
        evals=[(watched, "watched")], early_stopping_rounds=5, verbose_eval=False,
    )  # fmt: skip
    assert 5 < model.best_iteration < 60
    history = {}
    lightgbm.train(
        loss, LGB.params, lgb.Dataset(X[:160], Y[:160]), 60,
        valid_sets=[lgb.Dataset(X[160:], Y[160:])],
        callbacks=[lgb.early_stopping(5, verbose=False), lgb.record_evaluation(history)],
    )  # fmt: skip
    losses = history["valid_0"][name]
    assert losses[-1] < losses[0]
    begin = lightgbm.best_constant("huber", Y[:160])
    assert losses[0] < lossfw.loss("huber")(np.full(80, begin), Y[160:])


@pytest.mark.filterwarnings("ignore")
@LIBRARY
@pytest.mark.parametrize(
    ("loss", "y", "more", "error", "words"),
    [
        ("huber", np.where(np.arange(240) == 7, np.nan, Y), {}, DomainError, r"target\[7\] = nan"),
        ("logistic", CLASS, {}, DomainError, "takes 0 and 1, or -1 and 1"),
        ("cross_entropy", Y, {}, DomainError, "whole numbers"),
        ("brier", CLASS, {}, ArgumentError, "SIMPLEX"),
        ("zero_one", LABEL, {}, ArgumentError, "no model can be trained"),
        ("quantile", Y, {"curvature": "exact"}, ArgumentError, "kinks"),
        ("perceptron", LABEL, {}, ArgumentError, "Give another start"),
        ("poisson_deviance", -Y, {}, DomainError, "NONNEGATIVE"),
        (
            "exponential", LABEL, {"curvature": "one", "params": {"learning_rate": 1e5}},
            DivergenceError, "smaller learning rate",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_our_words(library, loss, y, more, error, words):
    if library is XGB and error is DomainError and np.isnan(y).any():
        # XGBoost refuses such labels itself, before anyone else sees them.
        error, words = xgb.core.XGBoostError, "Label contains NaN"
    with pytest.raises(error, match=words):
        fit(library, loss, y, **more)


NAN = np.where(np.arange(240) == 2, np.nan, 1.0)
ROWS_OF_LABELS = [("cross_entropy", np.eye(3)[CLASS]), ("huber", np.stack([Y, Y], axis=1))]
# A library, a loss, targets, the arguments of `fit`, and the message.
MISTAKES = [
    *(
        (library, loss, y, {}, ShapeError, r"takes one label for each row.*argmax\(axis=1\)")
        for library in (LGB, CAT) for loss, y in ROWS_OF_LABELS
    ),
    (XGB, "huber", None, {}, ArgumentError, "no labels"),
    (LGB, "huber", None, {}, ArgumentError, "no labels"),
    (CAT, "huber", None, {}, ArgumentError, "no labels"),
    (LGB, "huber", Y[:-1], {}, ShapeError, "240 rows but 239 labels"),
    (LGB, "huber", Y, {"weight": NAN}, DomainError, r"sample_weight\[2\] = nan is not finite"),
    (LGB, "huber", Y, {"params": {"objective": "l2"}}, ArgumentError, "='l2', but the loss huber"),
    (
        CAT, "huber", Y, {"params": {"loss_function": "RMSE"}}, ArgumentError,
        "='RMSE', but the loss huber",
    ),
    (LGB, "huber", Y, {"params": {"linear_tree": True}}, ArgumentError, "linear_tree"),
    (LGB, "cross_entropy", CLASS, {"start": [0.0, 1.0]}, ShapeError, "or 3, one for each class"),
    (CAT, "cross_entropy", CLASS, {"start": [0.0, 1.0]}, ShapeError, "or 3, one for each class"),
    (CAT, "cross_entropy", LABEL, {}, ArgumentError, "binary_cross_entropy"),
    (CAT, "cross_entropy", CLASS + 1, {}, ArgumentError, "class 0 of 4 never occurs"),
    (CAT, "cross_entropy", np.array(["a", "b", "c"])[CLASS], {}, DomainError, r"numpy\.unique"),
]  # fmt: skip


@pytest.mark.parametrize(("library", "loss", "y", "kwargs", "error", "words"), MISTAKES)
def test_a_mistake_is_told_in_our_words(library, loss, y, kwargs, error, words):
    with pytest.raises(error, match=words):
        fit(library, loss, y, 3, **kwargs)


@LIBRARY
def test_wrong_arguments_are_told(library):
    with pytest.raises(ArgumentError, match=f"expected {library.name}"):
        library.bridge.train("huber", {}, X)
    with pytest.raises(ArgumentError, match="choose one of native"):
        library.bridge.estimator_params("huber", Y, estimator="sk")


def test_what_else_a_training_may_be_given():
    own = {"objective": lightgbm.objective("huber", curvature="one")}
    assert fit(LGB, "huber", Y, 3, params=own)[0].num_trees() == 3
    # Without a start no leaf is needed.
    fit(LGB, "huber", Y, params={"linear_tree": True}, start=0.0)
    with pytest.raises(DomainError, match=r"such as 'no'.*numpy\.unique"):
        lightgbm.best_constant("logistic", np.array(["no", "yes"]))
    assert lightgbm.best_constant("huber", np.array(["1", "3"])) == 2.0
    for objective in (xgboost.objective("huber"), lightgbm.objective("huber")):
        for shape in ((240,), (240, 1)):
            g, h = objective(Y, np.zeros(shape))
            assert g.shape == h.shape == shape
    data, objective = xgb.DMatrix(X, CLASS), xgboost.objective("cross_entropy")
    with pytest.raises(ShapeError, match="number of classes"):
        xgb.train({"base_score": 0.0}, data, 1, obj=objective)


def test_equal_targets_are_no_kink():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        _, raw = fit(XGB, "huber", np.ones(240), 3)
    np.testing.assert_array_equal(raw, np.ones(240))


def test_xgboost_reads_the_labels_of_one_training_and_not_of_another():
    data = xgb.DMatrix(X, Y)
    first = xgboost.train("huber", {"nthread": 1}, data, 3).predict(data)
    data.set_label(-Y)
    second = xgboost.train("huber", {"nthread": 1}, data, 3).predict(data)
    assert second == pytest.approx(-first, rel=1e-5)


def test_a_loss_too_small_to_split_is_warned_of():
    tiny = {"name": "scaled", "of": {"name": "squared_error"}, "scale": 1e-4}
    with pytest.warns(RuntimeWarning, match="min_child_weight"):
        _, raw = fit(XGB, tiny, Y)
    assert np.ptp(raw) == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, raw = fit(XGB, tiny, Y, params={"min_child_weight": 0.0, "lambda": 0.0})
    assert np.ptp(raw) > 0.0


@pytest.mark.parametrize("loss", ["cross_entropy", WEIGHTED], ids=str)
def test_the_rows_of_catboost_have_the_whole_matrix_of_curvatures(loss):
    z, weight = np.array([0.3, -1.2, 2.0]), 1.5
    form = derivatives.derivatives(loss).loss
    for label in range(3):
        gradients, curvatures = catboost.objective(loss).calc_ders_multi(z, float(label), weight)
        for found, derivative in ((gradients, form.gradient), (np.diag(curvatures), form.hessian)):
            expected = derivative(z[None], [label], sample_weight=[weight], reduction="sum")
            assert found == pytest.approx(-expected[0])
        # A shift of all logits changes nothing.
        assert np.sum(curvatures, axis=1) == pytest.approx(np.zeros(3))


@pytest.mark.parametrize("library", [LGB, CAT], ids=["lightgbm", "catboost"])
def test_a_start_has_a_number_for_each_class(library):
    _, one = fit(library, "cross_entropy", CLASS, 1, start=0.5)
    _, each = fit(library, "cross_entropy", CLASS, 1, start=[0.5, 0.5, 0.5])
    np.testing.assert_array_equal(one, each)
