"""Continued training: trees that are there stay, and further ones are those of the library."""

import numpy as np
import pytest

from lossfw.errors import ArgumentError

xgb = pytest.importorskip("xgboost")
lgb = pytest.importorskip("lightgbm")
cat = pytest.importorskip("catboost")
pytest.importorskip("sklearn")

from sklearn.ensemble import (  # noqa: E402  # after the skips
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from lossfw.bridges import catboost, lightgbm, xgboost  # noqa: E402
from lossfw.bridges.sklearn import hist_loss  # noqa: E402
from lossfw.learning import derivatives  # noqa: E402
from support.boosting_libraries import LIBRARIES, ROUNDS  # noqa: E402
from support.parity import ROWS  # noqa: E402

RNG = np.random.default_rng(7)
X, OTHER = RNG.normal(size=(2, 200, 3))
WEIGHT = RNG.integers(1, 4, 200).astype(float)
# Of raw predictions, in parts of their standard deviation, as in test_parity.py.
SAME = 1e-5
SQUARE = {"name": "squared_error", "factor": 0.5}
HALF = {"name": "scaled", "of": "poisson_deviance", "scale": 0.5}


def numbers(x):
    return 20 + 3 * x[:, 0] + np.random.default_rng(1).normal(size=len(x))


def labels(x):
    return (x[:, 0] + x[:, 1] > 0.5).astype(int)


def counts(x):
    return np.random.default_rng(2).poisson(np.exp(1 + 0.5 * x[:, 0]))


def classes(x):
    return np.digitize(x[:, 0] + 0.5 * x[:, 1], [-0.5, 0.7])


# A loss, its targets, and the objective of each library that trains the same model.
TRAININGS = {
    "numbers": (SQUARE, numbers, ("reg:squarederror", "regression", "RMSE"), {}),
    "labels": ("binary_cross_entropy", labels, ("binary:logistic", "binary", "Logloss"), {}),
    "counts": (
        HALF, counts, ("count:poisson", "poisson", "Poisson"),
        {
            "xgboost": {"max_delta_step": 0.0},
            "lightgbm": {"poisson_max_delta_step": 1e-12},
        },
    ),
    "classes": ("cross_entropy", classes, ("multi:softprob", "multiclass", "MultiClass"), {}),
}  # fmt: skip
# Whether the library's own objective and the loss train one model, in the installed release.
SAME_MODEL = {(row.library, row.theirs): row.holds_here for row in ROWS}
# As CatBoost's own objectives do, which begin at 0 except for squared errors.
NEWTON = {"leaf_estimation_method": "Newton", "leaf_estimation_iterations": 1}


def own_objective(name, row):
    """Return the parameters of a library for its own objective of a row of `TRAININGS`."""
    _, targets, objectives, more = TRAININGS[row]
    own = {LIBRARIES[name].objective: dict(zip(LIBRARIES, objectives, strict=True))[name]}
    if targets is classes and name != "catboost":
        own["num_class"] = 3
    return {**own, **more.get(name, {}), **(NEWTON if name == "catboost" else {})}


def exact(loss):
    """Return the curvature of the library's own objective."""
    return "exact" if loss is HALF else "auto"


def trained(name, loss, x, y, w=None, model=None, own=None, rounds=ROUNDS):
    """Return a model of a library, with a loss or with an objective of its own."""
    library = LIBRARIES[name]
    if own is not None:
        return library.train_own(own, x, y, w, rounds, model)
    begin = {"start": 0.0} if name == "catboost" and loss is not SQUARE else {}
    return library.train(loss, x, y, w, rounds, model=model, curvature=exact(loss), **begin)


def fitted(name, loss, x, y, w=None, model=None, own=None):
    """Return an estimator, which is continued from a model."""
    library = LIBRARIES[name]
    given = {k: v for k, v in (own or {}).items() if k != "num_class"}
    if own is None:
        more = {"xgb_model": model} if name == "xgboost" else {}
        given = library.estimator_params(loss, y, w, curvature=exact(loss), **more)
    elif name == "catboost" and y.min() > 5:
        given["boost_from_average"] = False  # An estimator with a loss begins at 0.
    estimator, kwargs = library.estimator(y, given), {library.continued: model}
    if name != "lightgbm" or own is not None or model is not None:
        return estimator.fit(x, y, sample_weight=w, **kwargs)
    begin = lightgbm.best_constant(loss, y, w)
    estimator.fit(x, y, sample_weight=w, init_score=lightgbm.init_score(begin, len(y)))
    return lightgbm.add_start(estimator, begin)


def gap(ours, theirs):
    """Return the largest difference in parts of the standard deviation; of classes of shares."""
    if ours.ndim == 2:
        ours, theirs = (derivatives.predictions_of("cross_entropy", raw) for raw in (ours, theirs))
    return np.abs(ours - theirs).max() / np.std(theirs)


# One case of each library in turn; the others are slow.
@pytest.mark.turns(32)
@pytest.mark.parametrize(
    ("data", "weighted"),
    [
        ("same", False), ("other", True), pytest.param("same", True, marks=pytest.mark.slow),
        pytest.param("other", False, marks=pytest.mark.slow),
    ],
)  # fmt: skip
@pytest.mark.parametrize("train", [trained, fitted])
@pytest.mark.parametrize("row", TRAININGS)
@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_training_is_continued_as_the_library_continues_its_own(
    name, row, train, data, weighted, tmp_path
):
    library, (loss, targets, *_), own = LIBRARIES[name], TRAININGS[row], own_objective(name, row)
    if (name, row, train) == ("catboost", "classes", fitted):
        pytest.skip("CatBoost refuses it, see below")
    if not SAME_MODEL.get((name, own[library.objective]), True):
        pytest.skip("this release trains another model with its own objective from the start")
    y, w = targets(X), WEIGHT if weighted else None
    ours, theirs = train(name, loss, X, y, w), train(name, loss, X, y, w, own=own)
    before = library.raw(ours, X)
    assert gap(before, library.raw(theirs, X)) < SAME
    x = X if data == "same" else OTHER
    z = y if data == "same" else targets(x) + (100.0 if targets is numbers else 0)
    for how in library.sources:
        if how == "estimator" and train is trained:
            continue
        begun, begun_theirs = (library.source(m, how, tmp_path) for m in (ours, theirs))
        more = train(name, loss, x, z, w, begun)
        more_theirs = train(name, loss, x, z, w, begun_theirs, own)
        assert library.raw(more, X, ROUNDS).tolist() == before.tolist(), how
        assert gap(library.raw(more, X), library.raw(more_theirs, X)) < SAME, how
        # It can be gone on with.
        last = train(name, loss, x, z, w, library.source(more, how, tmp_path))
        assert library.raw(last, X, 2 * ROUNDS).tolist() == library.raw(more, X).tolist(), how


@pytest.mark.turns(5)
@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        ("huber", numbers), ({"name": "quantile", "q": 0.8}, numbers), ("logistic", labels),
        ("tweedie_deviance", counts), ("cross_entropy", classes),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", LIBRARIES)
def test_two_legs_are_one_training(name, loss, targets, tmp_path):
    library, y = LIBRARIES[name], targets(X)
    if name == "catboost":
        params, pool = library.params, cat.Pool(X, y)
        half = catboost.train(loss, params, pool)
        whole = catboost.train(loss, {**params, "iterations": 2 * ROUNDS}, pool)
        # It goes on from memory once; later, and from a file, it draws its samples anew.
        legs = [catboost.train(loss, params, pool, init_model=half)]
        others = [
            catboost.train(loss, params, pool, init_model=begun)
            for begun in (half, library.source(half, "file", tmp_path))
        ]
        estimator = catboost.estimator_params(loss, y)
        others.append(cat.CatBoost({**estimator, **params}).fit(pool, init_model=half))
        for other in others:
            assert library.raw(other, X, ROUNDS).tolist() == library.raw(half, X).tolist()
            assert library.raw(other, X) == pytest.approx(library.raw(others[0], X))
    else:
        half, whole = (library.train(loss, X, y, rounds=n) for n in (ROUNDS, 2 * ROUNDS))
        legs = [
            library.train(loss, X, y, model=library.source(half, how, tmp_path))
            for how in ("memory", "file")
        ]
    for leg in legs:
        assert library.raw(leg, X) == pytest.approx(library.raw(whole, X), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("targets", [numbers, labels, classes])
def test_hist_gradient_boosting_goes_on_as_with_its_own(targets):
    ours = {numbers: SQUARE, labels: "binary_cross_entropy", classes: "cross_entropy"}[targets]
    kind = HistGradientBoostingRegressor if targets is numbers else HistGradientBoostingClassifier
    theirs, y = "squared_error" if targets is numbers else "log_loss", targets(X)
    raws = []
    for loss in (hist_loss(ours), theirs):
        model = kind(loss=loss, max_iter=ROUNDS, warm_start=True).fit(X, y)
        before = model._raw_predict(X)
        model.set_params(max_iter=2 * ROUNDS).fit(X, y)
        assert model.n_iter_ == 2 * ROUNDS
        first = next(iter(model._staged_raw_predict(X)))
        assert np.abs(first - before).max() < np.abs(model._raw_predict(X) - first).max()
        raws.append(model._raw_predict(X))
    assert gap(*(raw[:, 0] if raw.shape[1] == 1 else raw for raw in raws)) < SAME


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.turns(3)
@pytest.mark.parametrize("targets", [numbers, labels, counts])
@pytest.mark.parametrize("name", LIBRARIES)
def test_an_estimator_is_continued_by_train(name, targets):
    library, y = LIBRARIES[name], targets(X)
    loss = TRAININGS[targets.__name__][0]
    half = fitted(name, loss, X, y)
    more = trained(name, loss, OTHER, targets(OTHER), model=half)
    assert library.raw(more, X, ROUNDS).tolist() == library.raw(half, X).tolist()
    assert library.raw(more, X).tolist() != library.raw(half, X).tolist()


@pytest.mark.parametrize(
    ("loss", "targets", "estimator"),
    [
        ("poisson_deviance", counts, "regressor"), ("logistic", labels, "classifier"),
        ("binary_cross_entropy", labels, "classifier"), ("cross_entropy", classes, "classifier"),
    ],
)  # fmt: skip
@pytest.mark.turns(3)
@pytest.mark.parametrize("apply_activation", [False, True])
def test_the_faces_of_xgboost_continue_each_other(loss, targets, estimator, apply_activation):
    library, y = LIBRARIES["xgboost"], targets(X)
    data, params = xgb.DMatrix(X, y), library.params
    native = xgboost.train(loss, params, data, ROUNDS, apply_activation=apply_activation)
    before = library.raw(native, X)
    kind = xgb.XGBClassifier if estimator == "classifier" else xgb.XGBRegressor
    own = xgboost.estimator_params(loss, y, estimator=estimator, xgb_model=native)
    model = kind(objective=xgboost.objective(loss), n_estimators=ROUNDS, n_jobs=1, **own)
    model.fit(X, y, xgb_model=native)
    assert library.raw(model, X, ROUNDS) == pytest.approx(before, rel=1e-5, abs=1e-6)
    again = xgboost.train(
        loss, params, data, ROUNDS, apply_activation=not apply_activation, xgb_model=model
    )
    found = library.raw(again, X, 2 * ROUNDS)
    assert found == pytest.approx(library.raw(model, X), rel=1e-5, abs=1e-6)
    if not apply_activation and estimator == "regressor":
        assert again.predict(data) == pytest.approx(np.exp(library.raw(again, X)), rel=1e-5)


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_model_of_another_kind_is_told(name):
    library = LIBRARIES[name]
    single = library.train("huber", X, numbers(X))
    rows = library.train("cross_entropy", X, classes(X))
    # CatBoost itself would read past the end of the raw predictions.
    with pytest.raises(ArgumentError, match=r"a raw prediction for each class|takes 3 raw"):
        library.train("cross_entropy", X, classes(X), model=single)
    with pytest.raises(ArgumentError, match=r"single raw predictions|takes 1 raw"):
        library.train("huber", X, numbers(X), model=rows)
    if name != "catboost":
        # A class may be missing where training is continued.
        more = library.train("cross_entropy", OTHER, np.minimum(classes(OTHER), 1), model=rows)
        assert library.raw(more, X).shape == (200, 3)
        assert library.raw(more, X, ROUNDS).tolist() == library.raw(rows, X).tolist()


def test_what_catboost_and_lightgbm_cannot_continue_is_told(tmp_path):
    library, pool = LIBRARIES["catboost"], cat.Pool(X, numbers(X))
    for given, words in ((cat.CatBoost(), "is not trained"), (3, "is not a CatBoost model")):
        with pytest.raises(ArgumentError, match=words):
            catboost.train("huber", library.params, pool, init_model=given)
    with pytest.raises(ArgumentError, match="init_model has the type dict"):
        lightgbm.train("huber", {}, lgb.Dataset(X, numbers(X)), 1, init_model={})
    path = library.source(fitted("catboost", "cross_entropy", X, classes(X)), "file", tmp_path)
    with pytest.raises(cat.CatBoostError, match="two class labels"):
        fitted("catboost", "cross_entropy", X, classes(X), model=path)
    with pytest.raises(ArgumentError, match="train the first model with"):
        library.train("cross_entropy", X, classes(X), model=path)
    # A model that was changed is continued as it is.
    half = catboost.train("huber", library.params, pool)
    half.shrink(ROUNDS - 2)
    half.set_scale_and_bias(1.0, 7.0)
    more = catboost.train("huber", library.params, pool, init_model=half)
    assert more.tree_count_ == 2 * ROUNDS - 2
    assert more.predict(X, ntree_end=ROUNDS - 2).tolist() == half.predict(X).tolist()


def test_several_targets_of_xgboost_are_continued():
    y = np.stack([numbers(X), counts(X) + 1.0], axis=1)
    data, other = xgb.DMatrix(X, y), xgb.DMatrix(X, y + 50.0)
    half = xgboost.train("poisson_deviance", {"nthread": 1}, data, ROUNDS)
    for apply_activation in (False, True):
        kind = {"xgb_model": half, "apply_activation": apply_activation}
        whole = xgboost.train("poisson_deviance", {"nthread": 1}, other, ROUNDS, **kind)
        first = whole.predict(data, output_margin=True, iteration_range=(0, ROUNDS))
        assert first == pytest.approx(half.predict(data, output_margin=True), rel=1e-6)
        raw = whole.predict(data, output_margin=True)
        shown = np.exp(raw) if apply_activation else raw
        assert whole.predict(data) == pytest.approx(shown, rel=1e-5)


def test_parameters_that_do_not_fit_a_model_are_told():
    y = numbers(X)
    half = LIBRARIES["xgboost"].train("huber", X, y)
    data = xgb.DMatrix(X, y + 100.0)
    with pytest.raises(ArgumentError, match=r"base_score=120\.0 differs from the base_score"):
        xgboost.train("huber", {"base_score": 120.0}, data, 1, xgb_model=half)
    same = {"nthread": 1, **xgboost.estimator_params("huber", y)}
    more = xgboost.train("huber", same, data, 1, xgb_model=half)
    library = LIBRARIES["xgboost"]
    assert library.raw(more, X, ROUNDS).tolist() == library.raw(half, X).tolist()
    rows = library.train("cross_entropy", X, classes(X))
    with pytest.raises(ArgumentError, match="has 3 classes, but 4 were asked for"):
        xgboost.train("cross_entropy", {"num_class": 4}, data, 1, xgb_model=rows)
    rows = LIBRARIES["lightgbm"].train("cross_entropy", X, classes(X))
    data = lgb.Dataset(X, classes(X))
    with pytest.raises(ArgumentError, match="num_class=4, but the model"):
        lightgbm.train("cross_entropy", {"num_class": 4}, data, 1, init_model=rows)


def test_data_that_continued_a_model_begins_anew():
    y, params = numbers(X), {"verbosity": -1, "num_threads": 1}
    data = lgb.Dataset(X[:150], y[:150], free_raw_data=False)
    watched = lgb.Dataset(X[150:], y[150:], reference=data, free_raw_data=False)

    def trained(**more):
        seen = {}
        model = lightgbm.train(
            "huber", params, data, 5, valid_sets=[watched],
            callbacks=[lgb.record_evaluation(seen)], **more,
        )  # fmt: skip
        return model, model.predict(X), seen["valid_0"]["huber"]

    model, before, seen = trained()
    trained(init_model=model)
    _, again, seen_again = trained()
    assert again == pytest.approx(before, rel=1e-6)
    assert seen_again == pytest.approx(seen, rel=1e-6)
