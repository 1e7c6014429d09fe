"""Data of a run and data of the training: what disagrees is found, with a hint."""

from pathlib import Path

import numpy as np
import pytest

import lossfw
from lossfw.data.standardisation import MEAN, SCALE
from lossfw.errors import ConfigError
from support.tables import read_npz

rng = np.random.default_rng(3)
PIXELS = rng.integers(0, 256, (60, 2, 2)).astype(np.uint8)
CLASSES = (PIXELS.mean(axis=(1, 2)) > 127).astype(int)
X = rng.normal([3.0, -200.0, 7.0], [2.0, 50.0, 0.0], size=(90, 3))
MEANS, SPREADS = X.mean(axis=0), [*X[:, :2].std(axis=0), 1.0]
T = (X[:, 0] > 3).astype(int)
NAMED = np.random.default_rng(2).normal(size=(12, 3))

WEIGHTS = "weights: out/weights.npz, "
HARDLY = pytest.mark.filterwarnings("ignore:The loss has hardly fallen")


def text_of(data, network="", loss="cross_entropy", last="softmax", rate=0.5):
    return f"""\
lossfw: 1
data: {{{data}}}
network: {{{network}layers: [{{units: {1 + (last == "softmax")}, activation: {last}}}]}}
loss: {loss}
train: {{epochs: 5, optimizer: {{name: sgd, learning_rate: {rate}}}}}
"""


def train(text, *overrides):
    """Train into the folder out; return the last loss."""
    Path("train.yaml").write_text(text)
    return lossfw.train("train.yaml", overrides=list(overrides), out="out").history[-1].train.loss


def run(text, *overrides):
    Path("run.yaml").write_text(text)
    return lossfw.run("run.yaml", overrides=list(overrides))


def idx(array):
    head = bytes([0, 0, 8, array.ndim])
    return head + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


@pytest.fixture(autouse=True)
def files(folder):
    np.savez(folder / "rows.npz", inputs=PIXELS, targets=CLASSES)
    (folder / "images.idx").write_bytes(idx(PIXELS))
    (folder / "labels.idx").write_bytes(idx(CLASSES))
    np.save(folder / "x.npy", X)
    np.save(folder / "t.npy", T)
    for name, header, columns in (("rows", "a,b,y", [0, 1, 2]), ("turned", "b,a,y", [1, 0, 2])):
        np.savetxt(f"{name}.csv", NAMED[:, columns], delimiter=",", header=header, comments="")


# Divided inputs ----------------------------------------------------------

ALL = "name: arrays, file: rows.npz"
IDX = "name: idx, images: images.idx, labels: labels.idx"
DIVIDED = "flatten: true, scale: 255"


@pytest.mark.parametrize(
    ("source", "kept", "told"),
    [
        (ALL, "flatten: true", "trained with scale: 255"),
        (ALL, "scale: 255", "flatten: true"),
        (IDX, "flatten: true", "trained with scale: 255"),
    ],
)
def test_a_key_that_is_forgotten_is_told(source, kept, told):
    last = train(text_of(f"{source}, {DIVIDED}"))
    result = run(text_of(f"{source}, {DIVIDED}", WEIGHTS))
    assert result.loss == last
    assert result.warnings == ()
    with pytest.raises(ConfigError, match=told):
        run(text_of(f"{source}, {kept}", WEIGHTS))


@pytest.mark.parametrize(
    ("trained", "now", "told"),
    [
        (DIVIDED, "flatten: true, scale: 1", "scale: 255, but data.scale is 1"),
        (DIVIDED, "flatten: true, scale: 256", "data.scale is 256"),
        ("flatten: true", DIVIDED, "without scale, but data.scale is 255"),
    ],
)
@HARDLY
def test_another_scale_that_is_written_is_a_warning(trained, now, told):
    train(text_of(f"{ALL}, {trained}"))
    (warning,) = run(text_of(f"{ALL}, {now}", WEIGHTS)).warnings
    assert told in warning


@HARDLY
def test_rows_that_are_held_out_are_divided_too(folder):
    np.savez(folder / "held.npz", inputs=PIXELS[:9], targets=CLASSES[:9])
    held = "train.hold_out={data: {name: arrays, file: held.npz, flatten: trueKEY}}"
    text = text_of(f"{ALL}, {DIVIDED}")
    with pytest.raises(ConfigError, match="these inputs are not divided"):
        train(text, held.replace("KEY", ""))
    with pytest.warns(RuntimeWarning, match=r"train.hold_out.data.scale is 1"):
        train(text, held.replace("KEY", ", scale: 1"))


@pytest.mark.parametrize(
    ("divisor", "told"),
    [(np.array(-1.0), "above 0"), (np.array([1.0, 2.0]), "one number"), (np.array("a"), "one")],
)
def test_a_divisor_that_is_wrong_is_told(divisor, told, folder):
    np.savez(folder / "w.npz", W1=np.ones((4, 2)), b1=np.zeros(2), inputs_divisor=divisor)
    with pytest.raises(ConfigError, match=f"inputs_divisor should be .*{told}"):
        run(text_of(f"{ALL}, flatten: true", "weights: w.npz, "))


# Standardised inputs -----------------------------------------------------


def standard(network):
    data = "name: arrays, inputs: x.npy, targets: t.npy, standardize: true"
    return text_of(data, network, "binary_cross_entropy", "sigmoid")


TRAINED, RUN = standard("dtype: float64, "), standard(WEIGHTS)


def test_a_run_takes_the_numbers_of_the_training(folder):
    last = train(TRAINED)
    arrays = read_npz(folder / "out" / "weights.npz")
    np.testing.assert_allclose(arrays[MEAN], MEANS)
    np.testing.assert_allclose(arrays[SCALE], SPREADS)
    assert run(RUN).loss == last
    # Other rows go through the numbers of the first ones.
    np.save(folder / "x.npy", X[:7])
    np.save(folder / "t.npy", T[:7])
    z = ((X[:7] - MEANS) / SPREADS) @ arrays["W1"] + arrays["b1"]
    wanted = np.mean(np.logaddexp(0, z[:, 0]) - T[:7] * z[:, 0])
    assert run(RUN).loss == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("now", "first", "what", "hint"),
    [
        ("true", "false", "which are missing", "a training with standardize: true stores them"),
        ("false", "true", "trained with standardised inputs", "write data.standardize: true"),
    ],
)
@HARDLY
def test_weights_and_rows_that_disagree_are_refused(now, first, what, hint, refused):
    train(TRAINED, f"data.standardize={first}")
    refused(RUN, f"data.standardize={now}", what=what, hint=hint)


def test_without_inputs_or_weights_there_are_no_numbers(refused, problem, folder):
    np.save(folder / "y.npy", np.full(len(X), 0.5))
    layers = "{weights: out/weights.npz, layers: [{units: 1, activation: sigmoid}]}"
    refused(RUN.replace(layers, "{predictions: y.npy}"), what="which are missing")
    _, told, _ = problem(RUN.replace(WEIGHTS, ""))
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
    train(TRAINED)
    path = folder / "out" / "weights.npz"
    changed = read_npz(path) | change
    np.savez(path, **{name: array for name, array in changed.items() if array is not None})
    with pytest.raises(ConfigError, match=message):
        run(RUN)


@HARDLY
def test_a_key_beside_other_held_out_data_is_told_to_change_nothing(folder):
    np.save(folder / "other.npy", X)
    out = "{name: arrays, inputs: other.npy, targets: t.npy, standardize: true}"
    with pytest.warns(RuntimeWarning, match=r"hold_out\.data\.standardize has no effect"):
        train(TRAINED, f"train.hold_out.data={out}", "data.standardize=false")


# Columns by their names --------------------------------------------------


def named(network=""):
    data = "name: arrays, file: rows.csv, targets_key: y"
    return text_of(data, network, "squared_error", "identity", 0.01)


def test_another_order_is_refused_and_the_hint_mends_it(problem):
    last = train(named())
    _, what, hint = problem(named(WEIGHTS), "data.file=turned.csv")
    assert what == (
        "the column 'b' of the data 'arrays (turned.csv)' is input 0, "
        "but it was input 1 of the training"
    )
    assert hint == "write inputs_key: [a, b]"
    mended = run(named(WEIGHTS), "data.file=turned.csv", "data.inputs_key=[a, b]")
    assert mended.loss == last
    held = "train.hold_out.data={name: arrays, file: turned.csv, targets_key: y}"
    with pytest.raises(ConfigError, match="input 1 of the training"):
        train(named(), held)


@pytest.mark.parametrize("header", ["c,d,y", "# no names"])
def test_of_other_names_nothing_is_said(header):
    last = train(named())
    np.savetxt("other.csv", NAMED, delimiter=",", header=header, comments="")
    overrides = ["data.file=other.csv", f"data.targets_key={'y' if 'y' in header else 2}"]
    assert run(named(WEIGHTS), *overrides).loss == last
