"""A library's own objective in place of the loss: its models are those of the library itself."""

import numpy as np
import pytest

import lossfw
from lossfw.errors import ConfigError
from lossfw.runs.training_folder import TrainingFolder

RANDOM = np.random.default_rng(3)
ROWS = 160
INPUTS = RANDOM.normal(size=(ROWS, 3)).astype(np.float32)
NUMBERS = INPUTS[:, 0] + RANDOM.normal(size=ROWS) + 3.0
COUNTS = RANDOM.poisson(np.exp(0.5 * INPUTS[:, 1]))
CLASSES = RANDOM.choice(3, ROWS)
SIGNS = (INPUTS[:, 2] > 0).astype(int)
# More than a leg, so that a training continues its model.
ROUNDS = 120

# By objective, the targets, the loss that is measured, and the output activation.
CASES = {
    ("xgboost", "reg:squarederror"): (NUMBERS, "absolute_error", "identity"),
    ("xgboost", "count:poisson"): (COUNTS, "poisson_deviance", "exp"),
    ("xgboost", "binary:logistic"): (SIGNS, "binary_cross_entropy", "sigmoid"),
    ("xgboost", "multi:softprob"): (CLASSES, "cross_entropy", "softmax"),
    ("lightgbm", "regression"): (NUMBERS, "absolute_error", "identity"),
    ("lightgbm", "tweedie"): (COUNTS, "squared_error", "exp"),
    ("lightgbm", "binary"): (SIGNS, "binary_cross_entropy", "sigmoid"),
    ("lightgbm", "multiclass"): (CLASSES, "cross_entropy", "softmax"),
    ("catboost", "RMSE"): (NUMBERS, "absolute_error", "identity"),
    ("catboost", "Quantile:alpha=0.8"): (NUMBERS, {"name": "quantile", "q": 0.8}, "identity"),
    ("catboost", "Logloss"): (SIGNS, "binary_cross_entropy", "sigmoid"),
    ("catboost", "MultiClass"): (CLASSES, "cross_entropy", "softmax"),
}
ACTIVATIONS = {
    "identity": lambda z: z,
    "exp": np.exp,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}


def direct(library, objective, targets, rounds):
    """Return the raw outputs of a model that the library trains without lossfw."""
    several = {"num_class": 3} if "multi" in objective else {}
    if library == "xgboost":
        xgb = pytest.importorskip("xgboost")
        data = xgb.DMatrix(INPUTS, targets)
        model = xgb.train({"objective": objective, "max_depth": 2} | several, data, rounds)
        return model.predict(data, output_margin=True)
    if library == "lightgbm":
        lgb = pytest.importorskip("lightgbm")
        params = {"objective": objective, "num_leaves": 4, "verbosity": -1} | several
        model = lgb.train(params, lgb.Dataset(INPUTS.astype(float), targets), rounds)
        return model.predict(INPUTS.astype(float), raw_score=True)
    cat = pytest.importorskip("catboost")
    params = {"iterations": rounds, "loss_function": objective, "depth": 2, "learning_rate": 0.03}
    quiet = {"verbose": False, "allow_writing_files": False, "random_seed": 0}
    # Each tree of it depends on the seed, which is another one in a later leg.
    model = cat.CatBoost(params | quiet | {"random_strength": 0.0, "bootstrap_type": "No"})
    return model.fit(INPUTS, targets).predict(INPUTS, prediction_type="RawFormulaVal")


def config(library, objective, rounds=ROUNDS):
    targets, loss, _ = CASES[library, objective]
    size = {"xgboost": {"max_depth": 2}, "lightgbm": {"num_leaves": 4}, "catboost": {"depth": 2}}
    model = {"name": library, "objective": objective} | size[library]
    if library == "catboost":
        model |= {"random_strength": 0.0, "bootstrap_type": "No"}
    return {
        "data": {"inputs": INPUTS, "targets": targets},
        "model": model,
        "loss": loss,
        "train": {"rounds": rounds, "measure_every": 40},
    }


@pytest.mark.turns(4)
@pytest.mark.filterwarnings("ignore:.*is only measured")
@pytest.mark.parametrize(("library", "objective"), CASES)
def test_a_model_is_that_of_the_library(library, objective):
    pytest.importorskip(library)
    targets, loss, output_activation = CASES[library, objective]
    # Those of XGBoost and LightGBM are the same in any number of legs.
    rounds = 60 if library == "catboost" else ROUNDS
    trained = lossfw.train(config(library, objective, rounds))
    raw = np.asarray(direct(library, objective, targets, rounds), float)
    predictions = trained.predict(INPUTS)
    expected = ACTIVATIONS[output_activation](raw).reshape(predictions.shape)
    assert predictions == pytest.approx(expected, rel=2e-6)
    assert trained.card.output_activation == output_activation
    # The reported loss is that of the predictions, and there is no round 0.
    found = lossfw.loss(loss)(
        predictions if predictions.shape[1] > 1 else predictions[:, 0], targets
    )
    assert trained.kept_numbers.train.loss == pytest.approx(found, rel=1e-5)
    assert trained.history[0].number == 40


@pytest.mark.filterwarnings("ignore:.*is only measured")
@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
def test_a_training_that_was_stopped_ends_with_the_same_bytes(library, tmp_path, monkeypatch):
    pytest.importorskip(library)
    objective = next(objective for name, objective in CASES if name == library)
    whole = lossfw.train(config(library, objective), out=tmp_path / "whole")
    keep = "lossfw.runs.training_folder.TrainingFolder.keep"
    written = []

    def killed(folder, content):
        if written:
            raise KeyboardInterrupt
        written.append(content)
        original(folder, content)

    original = TrainingFolder.keep
    with monkeypatch.context() as patched:
        patched.setattr(keep, killed)
        with pytest.raises(KeyboardInterrupt):
            lossfw.train(config(library, objective), out=tmp_path / "again")
    again = lossfw.train(config(library, objective), out=tmp_path / "again", resume=True)
    assert again.content == whole.content
    assert again.history == whole.history


def problem(**model):
    given = config("xgboost", "reg:squarederror") | {"loss": model.pop("loss", "squared_error")}
    given["model"] = {"name": "xgboost"} | model
    with pytest.raises(ConfigError) as raised:
        lossfw.train(given)
    first = raised.value.problems[0]
    return f"{first.message}; {first.hint}"


def test_wrong_objectives_are_told():
    pytest.importorskip("xgboost")
    unknown = problem(objective="mine")
    assert "objective_activation is missing" in unknown
    assert "write objective_activation: exp" in unknown
    assert "Unknown objective function: `mine`" in problem(
        objective="mine", objective_activation="exp"
    )
    wrong = problem(objective="reg:gamma", objective_activation="identity")
    assert "but that of reg:gamma is exp" in wrong
    assert "no meaning without objective" in problem(objective_activation="exp")
    pytest.importorskip("lightgbm")
    other = {"name": "lightgbm", "objective": "l1", "objective_activation": "ex"}
    assert "no activation 'ex'" in problem(**other)
    assert "model.curvature" in problem(objective="reg:gamma", curvature="one")
    assert "one raw output" in problem(objective="binary:logistic", loss="cross_entropy")
    assert "write it next to the model's name" in problem(more={"objective": "reg:gamma"})
