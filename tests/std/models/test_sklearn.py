"""Estimators of scikit-learn as models: files of skops, outputs, and what is refused."""

import functools
import json
import operator
import os

import numpy as np
import pytest

import lossfw
from lossfw.data import Dataset
from lossfw.errors import ArgumentError, DataError, ParameterError
from support.models import fitted

pytest.importorskip("sklearn")
skops = pytest.importorskip("skops.io")

from sklearn import ensemble, linear_model, metrics, preprocessing, svm  # noqa: E402, I001  # after the skip
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.multioutput import MultiOutputClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler  # noqa: E402
from lossfw_std.models.sklearn import Sklearn  # noqa: E402

RNG = np.random.default_rng(5)
X = RNG.normal(size=(300, 4))
Y = X[:, 0] + X[:, 1] ** 2 + 0.1 * RNG.normal(size=300)
CLASS = np.digitize(Y, [0.3, 1.5])
NUMBERS = Dataset("numbers", targets=Y, inputs=X, input_names=("a", "b", "c", "d"))
CLASSES = Dataset("classes", targets=CLASS, inputs=X, classes=("low", "mid", "high"))
LINEAR = "sklearn.linear_model"
SCALED = ["sklearn.preprocessing.StandardScaler", f"{LINEAR}.LogisticRegression"]
# The plain definition, as scikit-learn measures it.
LOG_LOSS = {"name": "cross_entropy", "guard": "none"}


def of_file(estimator, tmp_path, loss=None, **parameters):
    """Return an estimator that scikit-learn has trained, as its file is loaded."""
    file = tmp_path / "model.skops"
    skops.dump(estimator, file)
    model = Sklearn(file=file, **parameters)
    return (model.for_loss(lossfw.loss(loss)) if loss else model).load_predictor()


def predictions(predictor, x):
    """Return the predictions of rows, block by block."""
    size = predictor.block_rows
    with predictor.call_context():
        return np.concatenate(
            [predictor.run_block(x[i : i + size]).predictions for i in range(0, len(x), size)]
        )


@pytest.mark.parametrize(
    ("estimator", "data", "loss", "theirs"),
    [
        ({"name": f"{LINEAR}.Ridge", "alpha": 2}, NUMBERS, "squared_error", "mean_squared_error"),
        (f"{LINEAR}.HuberRegressor", NUMBERS, "absolute_error", "mean_absolute_error"),
        (SCALED, CLASSES, LOG_LOSS, "log_loss"),
    ],
)
def test_the_loss_of_a_trained_estimator_is_that_of_scikit_learn(estimator, data, loss, theirs):
    model = Sklearn(estimator=estimator).for_loss(lossfw.loss(loss))
    content = fitted(model, data, loss, 1).content
    ours = lossfw.loss(loss)(predictions(model.load_predictor(content), X).squeeze(), data.targets)
    same = skops.loads(content, trusted=skops.get_untrusted_types(data=content))
    method = same.predict_proba if theirs == "log_loss" else same.predict
    assert ours == pytest.approx(getattr(metrics, theirs)(data.targets, method(X)), rel=1e-12)


SCORES = {
    "logistic": (linear_model.LogisticRegression(), CLASS, "softmax"),
    "two classes": (linear_model.LogisticRegression(), CLASS > 1, "sigmoid"),
    "discriminant": (LinearDiscriminantAnalysis(), CLASS, "softmax"),
    "boosting": (ensemble.GradientBoostingClassifier(n_estimators=3), CLASS, "softmax"),
    "exponential": (
        ensemble.GradientBoostingClassifier(n_estimators=3, loss="exponential"),
        CLASS > 1,
        None,
    ),
    "descent": (linear_model.SGDClassifier(loss="log_loss"), CLASS > 1, "sigmoid"),
    "one to rest": (linear_model.SGDClassifier(loss="log_loss"), CLASS, None),
    "vectors": (svm.LinearSVC(), CLASS, None),
}


@pytest.mark.parametrize("name", SCORES)
def test_scores_have_a_link_where_it_makes_the_probabilities(name, tmp_path):
    estimator, target, output_activation = SCORES[name]
    estimator = make_pipeline(StandardScaler(), estimator).fit(X, target)
    predictor = of_file(estimator, tmp_path, output="decision_function")
    assert (predictor.output_activation and predictor.output_activation.name) == output_activation
    if output_activation:
        expected = estimator.predict_proba(X)[:, -predictor.units :]
        np.testing.assert_allclose(predictions(predictor, X), expected, rtol=1e-12)
    else:
        np.testing.assert_allclose(
            np.squeeze(predictions(predictor, X)), estimator.decision_function(X), rtol=1e-13
        )


def test_weights_reach_the_estimator_that_takes_them():
    weight = RNG.uniform(size=300)
    data = Dataset("weighted", targets=Y, inputs=X, sample_weight=weight)
    scaler = preprocessing.StandardScaler().fit(X)
    expected = linear_model.Ridge().fit(scaler.transform(X), Y, weight)

    def fitted_model(described):
        return Sklearn().load_predictor(
            fitted(Sklearn(estimator=described), data, "huber", 1).content
        )

    made = predictions(fitted_model([SCALED[0], f"{LINEAR}.Ridge"]), X)
    np.testing.assert_allclose(made[:, 0], expected.predict(scaler.transform(X)), rtol=1e-12)
    ridge = {"estimator": {"name": f"{LINEAR}.Ridge"}, "param_grid": {"alpha": [1.0]}}
    search = fitted_model({"name": "sklearn.model_selection.GridSearchCV", **ridge})
    assert str(search).startswith("Ridge, 4 inputs")
    with pytest.raises(ArgumentError, match="KNeighborsRegressor does not take sample weights"):
        fitted_model("sklearn.neighbors.KNeighborsRegressor")


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (f"{LINEAR}.Rigde", r"no estimator '.*Rigde'. Did you mean 'sklearn.linear_model.Ridge'\?"),
        ("Ridge", r"Did you mean 'sklearn.linear_model.Ridge'\?"),
        ("os.system", "has no estimator 'os.system'"),
        ("sklearn.base.clone", "has no estimator 'sklearn.base.clone'"),
        ("sklearn.base.joblib.Memory", "has no estimator"),
        ({"name": f"{LINEAR}.Ridge", "alhpa": 1}, r"no parameter 'alhpa'. Did you mean 'alpha'\?"),
        ({"name": f"{LINEAR}.Ridge", "alpha": -1}, r"'alpha' .*must be a float.*Got -1"),
        ({"name": f"{LINEAR}.Ridge", "random_state": 1}, "`seed` of the configuration"),
        ({"name": "sklearn.ensemble.RandomForestRegressor", "n_jobs": 2}, "on one thread"),
        ({"name": "sklearn.pipeline.Pipeline", "steps": [], "memory": "x"}, "a cache executes"),
        ({"name": "sklearn.ensemble.VotingRegressor"}, "needs the parameter 'estimators'"),
        ([SCALED[0], {"alpha": 1}], "an estimator needs a name"),
        ([SCALED[0], f"{LINEAR}.Lass"], "Did you mean 'sklearn.linear_model.Lasso'"),
        ([], "expected a scikit-learn estimator by its name"),
    ],
)
def test_what_is_not_an_estimator_of_scikit_learn_is_refused(described, words):
    with pytest.raises(ParameterError, match=words):
        Sklearn(estimator=described)


class OwnStep(preprocessing.StandardScaler):
    """A step of a person's own."""


def one_hot():
    columns = np.array([["car", 1.0], ["bus", 2.0]] * 9, object)
    steps = ColumnTransformer([("kind", OneHotEncoder(), [0])], remainder="passthrough")
    return make_pipeline(steps, linear_model.Ridge()).fit(columns, Y[:18])


REFUSED = {
    "own step": (
        lambda: make_pipeline(OwnStep(), linear_model.Ridge()).fit(X, Y),
        r"of types that lossfw does not load: \S*OwnStep. .*Leave out the step",
    ),
    "own function": (
        lambda: make_pipeline(FunctionTransformer(np.array_split), linear_model.Ridge()),
        r"array_split.*model: onnx",
    ),
    "search": (
        lambda: GridSearchCV(
            linear_model.Ridge(), {"alpha": [1.0]}, scoring="neg_mean_absolute_error"
        ).fit(X, Y),
        "save search.best_estimator_",
    ),
    "not fitted": (linear_model.Ridge, "holds a Ridge that is not fitted: call fit first"),
    "a list": (lambda: [1.0, 2.0], "holds a list; expected an estimator"),
    "texts": (one_hot, "the step OneHotEncoder was fitted on strings, such as 'bus'"),
    "several targets": (
        lambda: MultiOutputClassifier(linear_model.LogisticRegression()).fit(
            X, np.stack([CLASS, CLASS], axis=1)
        ),
        "predicts classes of several targets",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_cannot_be_used_are_refused_in_words(name, tmp_path):
    make, words = REFUSED[name]
    with pytest.raises(DataError, match=words):
        of_file(make(), tmp_path)


CONFIG = """\
lossfw: 1
data: {name: arrays, file: rows.csv, targets_key: kind, classes: found}
model:
  name: sklearn
  estimator:
    - sklearn.preprocessing.StandardScaler
    - {name: sklearn.linear_model.LogisticRegression, C: 0.5}
loss: {name: cross_entropy, guard: none}
evaluate: {metrics: [accuracy]}
train: {hold_out: {fraction: 0.2}}
"""


@pytest.fixture
def rows(folder):
    labels = np.array(["low", "mid", "high"])[CLASS]
    lines = [",".join([*map(str, x), label]) for x, label in zip(X.tolist(), labels, strict=True)]
    (folder / "rows.csv").write_text("\n".join(["a,b,c,d,kind", *lines]))
    (folder / "train.yaml").write_text(CONFIG)
    return folder


def test_a_configuration_trains_runs_and_compares_estimators(lossfw, rows):
    trained = lossfw("train", "train.yaml", "--out", "t")
    assert trained.exit_code == 0, trained.output
    assert "trains with its own objective; cross_entropy is only measured" in (trained.output)
    history = json.loads((rows / "t/training.json").read_text())
    assert json.loads((rows / "t/model.json").read_text())["output_activation"] is None
    # The model of the folder, on its training rows and on those held out.
    evaluated = CONFIG.partition("train:")[0].replace("model:", "was:")
    body, loss = evaluated.partition("was:")[0], evaluated[evaluated.index("loss:") :]
    (rows / "run.yaml").write_text(f"{body}model: {{name: trained, folder: t}}\n{loss}")
    ran = lossfw("run", "run.yaml", "--json")
    assert ran.exit_code == 0, ran.output
    losses = [history["epochs"][-1][part]["loss"] for part in ("train", "held_out")]
    assert json.loads(ran.stdout)["loss"]["value"] == pytest.approx(np.dot(losses, [0.8, 0.2]))
    grid = "sweep.grid={model.estimator.1.C: [0.1,10]}"
    swept = lossfw("train", "train.yaml", "--out", "s", "-o", grid)
    assert swept.exit_code == 0, swept.output


def test_a_crafted_file_executes_nothing(tmp_path):
    witness = tmp_path / "witness"
    for function in (
        functools.partial(os.mkdir, str(witness)),
        operator.methodcaller("mkdir", witness),
        witness.mkdir,
        os.mkdir,
    ):
        step = FunctionTransformer(function)
        with pytest.raises(DataError, match=r"mkdir|methodcaller|Path"):
            of_file(make_pipeline(step, linear_model.Ridge()), tmp_path)
        assert not witness.exists()


def test_a_pipeline_of_a_table_takes_its_texts_as_categories(lossfw, folder):
    pandas = pytest.importorskip("pandas")
    kinds, regions = RNG.choice(["bus", "car", "van"], 300), RNG.choice(["north", "south"], 300)
    table = pandas.DataFrame({"a": X[:, 0], "kind": kinds, "b": X[:, 1], "region": regions})
    columns = [
        ("numbers", StandardScaler(), ["b", "a"]),
        ("kinds", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
         ["kind"]),
        ("regions", preprocessing.OrdinalEncoder(), ["region"]),
    ]  # fmt: skip
    effect = Y + 2.0 * (kinds == "van") - (regions == "north")
    fitted_on = make_pipeline(ColumnTransformer(columns), linear_model.Ridge()).fit(table, effect)
    skops.dump(fitted_on, folder / "model.skops")
    some = table.assign(y=effect)[kinds != "car"]
    some.to_csv(folder / "rows.csv", index=False)
    (folder / "run.yaml").write_text(
        "lossfw: 1\n"
        "data: {name: arrays, file: rows.csv, targets_key: y, categories: found}\n"
        "model: {name: sklearn, file: model.skops}\nloss: squared_error\n"
    )
    ran = lossfw("run", "run.yaml", "--json")
    assert ran.exit_code == 0, ran.output
    expected = metrics.mean_squared_error(some["y"], fitted_on.predict(some))
    assert json.loads(ran.stdout)["loss"]["value"] == pytest.approx(expected, rel=1e-13)
    text = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text.replace("van", "tram", 1))
    unknown = lossfw("run", "run.yaml")
    assert unknown.exit_code == 2
    assert "has the category 'tram'" in unknown.output
