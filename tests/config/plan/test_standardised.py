"""Standardised inputs: the numbers of the rows to learn from, for all later rows."""

import numpy as np
import pytest

import lossfw
from lossfw.data.standardisation import MEAN, SCALE
from lossfw.errors import ConfigError

ROWS = 90
rng = np.random.default_rng(5)
X = rng.normal([3.0, -200.0, 7.0], [2.0, 50.0, 0.0], size=(ROWS, 3))
T = (X[:, 0] > 3).astype(int)
MEANS, SPREADS = X.mean(axis=0), X.std(axis=0)

TRAINED = """\
lossfw: 1
data: {name: arrays, inputs: x.npy, targets: t.npy, standardize: true}
network: {dtype: float64, layers: [{units: 1, activation: sigmoid}]}
loss: binary_cross_entropy
train: {epochs: 5, optimizer: {name: sgd, learning_rate: 0.5}}
"""
RUN = TRAINED.replace("{dtype: float64,", "{weights: out/weights.npz,")


@pytest.fixture(autouse=True)
def files(folder):
    np.save(folder / "x.npy", X)
    np.save(folder / "t.npy", T)
    (folder / "train.yaml").write_text(TRAINED)
    (folder / "run.yaml").write_text(RUN)


def trained(*overrides):
    return lossfw.train("train.yaml", overrides=list(overrides), out="out")


def test_a_run_takes_the_numbers_of_the_training(folder):
    last = trained().history[-1].train.loss
    with np.load(folder / "out" / "weights.npz") as arrays:
        np.testing.assert_allclose(arrays[MEAN], MEANS)
        np.testing.assert_allclose(arrays[SCALE], [*SPREADS[:2], 1.0])
        weight, bias = arrays["W1"], arrays["b1"]
    assert lossfw.run("run.yaml").loss == last
    # Other rows go through the numbers of the first ones.
    np.save(folder / "x.npy", X[:7])
    np.save(folder / "t.npy", T[:7])
    z = ((X[:7] - MEANS) / [*SPREADS[:2], 1.0]) @ weight + bias
    wanted = np.mean(np.logaddexp(0, z[:, 0]) - T[:7] * z[:, 0])
    assert lossfw.run("run.yaml").loss == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("standardize", "first", "what", "hint"),
    [
        ("true", "false", "which are missing", "a training with standardize: true stores them"),
        ("false", "true", "trained with standardised inputs", "write data.standardize: true"),
    ],
)
@pytest.mark.filterwarnings("ignore:The loss has hardly fallen")
def test_weights_and_rows_that_disagree_are_refused(standardize, first, what, hint, refused):
    trained(f"data.standardize={first}")
    refused(RUN, f"data.standardize={standardize}", what=what, hint=hint)


def test_saved_predictions_have_no_inputs_to_standardise(refused, folder):
    np.save(folder / "y.npy", np.full(ROWS, 0.5))
    layers = "{weights: out/weights.npz, layers: [{units: 1, activation: sigmoid}]}"
    refused(RUN.replace(layers, "{predictions: y.npy}"), what="which are missing")


def test_of_weights_that_are_missing_nothing_more_is_said(problem):
    _, told, _ = problem(RUN.replace("weights: out/weights.npz, ", ""))
    assert told == "network.weights is missing"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({MEAN: None}, "has inputs_scale but no inputs_mean"),
        ({SCALE: np.array([1.0, 0.0, 1.0])}, "above 0"),
        ({MEAN: np.array([1.0, np.nan, 1.0])}, "should be finite"),
        ({MEAN: np.zeros(2)}, r"inputs_mean has the shape \(2,\), but inputs_scale \(3,\)"),
        ({MEAN: np.zeros(2), SCALE: np.ones(2)}, r"has the shape \(3,\).*trained with have \(2,\)"),
    ],
)
def test_numbers_that_are_wrong_are_refused(change, message, folder):
    trained()
    path = folder / "out" / "weights.npz"
    with np.load(path) as arrays:
        changed = dict(arrays) | change
    np.savez(path, **{name: array for name, array in changed.items() if array is not None})
    with pytest.raises(ConfigError, match=message):
        lossfw.run("run.yaml")


@pytest.mark.filterwarnings("ignore:The loss has hardly fallen")
def test_a_key_beside_other_held_out_data_is_told_to_change_nothing(folder):
    np.save(folder / "other.npy", X)
    out = "{name: arrays, inputs: other.npy, targets: t.npy, standardize: true}"
    with pytest.warns(RuntimeWarning, match=r"hold_out\.data\.standardize has no effect"):
        trained(f"train.hold_out.data={out}", "data.standardize=false")
