"""Targets and inputs as the loss and the network take them: columns, labels, one-hot rows."""

import json

import numpy as np
import pytest

import lossfw
from lossfw.config.schema.json_schema import json_schema
from lossfw.data.lazy_arrays import is_file_backed
from lossfw.data.options import DataOptions
from lossfw.evaluation.evaluate import evaluate

ROWS = 500
rng = np.random.default_rng(7)
X = rng.normal(size=(ROWS, 3))
WEIGHT, BIAS = rng.normal(size=(3, 1)), rng.normal(size=1)
PRICE = X @ WEIGHT[:, 0] + rng.normal(size=ROWS)

NETWORK = """\
lossfw: 1
data: {name: arrays, inputs: x.npy, targets: t.npy}
network: {layers: [{units: 1, activation: identity}], weights: w.npz}
loss: squared_error
evaluate: {metrics: [mae, r2, absolute_error]}
"""
SAVED = """\
lossfw: 1
data: {name: arrays, targets: t.npy}
network: {predictions: y.npy}
loss: squared_error
evaluate: {metrics: [mae, r2]}
"""


@pytest.fixture(autouse=True)
def files(folder):
    np.save(folder / "x.npy", X)
    np.savez(folder / "w.npz", W1=WEIGHT, b1=BIAS)
    np.save(folder / "t.npy", PRICE)


def save(folder, **arrays):
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 1)])
def test_a_column_of_targets_beside_one_unit(shape, plan, folder):
    save(folder, t=PRICE.reshape(shape))
    result = evaluate(plan(NETWORK))
    residual = (X @ WEIGHT + BIAS)[:, 0] - PRICE
    assert result.loss == pytest.approx(np.mean(residual**2), rel=1e-12)
    assert result.metrics["mae"] == pytest.approx(np.abs(residual).mean(), rel=1e-12)
    assert result.metrics["absolute_error"] == pytest.approx(np.abs(residual).mean(), rel=1e-12)


@pytest.mark.parametrize("given", [(ROWS,), (ROWS, 1)])
@pytest.mark.parametrize("wanted", [(ROWS,), (ROWS, 1)])
def test_saved_predictions_and_targets_agree_both_ways(given, wanted, plan, folder):
    save(folder, y=(2 * PRICE).reshape(given), t=PRICE.reshape(wanted))
    result = evaluate(plan(SAVED))
    assert result.loss == pytest.approx(np.mean(PRICE**2), rel=1e-12)
    assert result.metrics["mae"] == pytest.approx(np.abs(PRICE).mean(), rel=1e-12)


def test_a_column_of_classes_and_of_weights(plan, folder):
    rows = rng.dirichlet(np.ones(4), ROWS)
    classes, weight = rng.integers(4, size=(ROWS, 1)), rng.uniform(size=(ROWS, 1))
    save(folder, y=rows, t=classes, w=weight)
    text = SAVED.replace("squared_error", "{name: cross_entropy, guard: none}")
    text = text.replace("t.npy}", "t.npy, sample_weight: w.npy}").replace("mae, r2", "accuracy")
    result = evaluate(plan(text))
    picked = -np.log(np.take_along_axis(rows, classes, 1))
    assert result.loss == pytest.approx(np.average(picked, weights=weight), rel=1e-12)
    right = (rows.argmax(1) == classes[:, 0])[:, None]
    assert result.metrics["accuracy"] == pytest.approx(np.average(right, weights=weight))


def test_a_column_that_stays_in_its_file_stays_there(plan):
    assert is_file_backed(plan(NETWORK).data.targets)


def test_classes_written_as_floats(plan, refused, folder):
    rows, classes = np.full((3, 2), 0.5), np.array([0.0, 1.0, 1.0])
    text = SAVED.replace("squared_error", "cross_entropy").replace("mae, r2", "accuracy")
    save(folder, y=rows, t=classes)
    assert evaluate(plan(text)).metrics["accuracy"] == pytest.approx(1 / 3)
    np.savez(folder / "t.npz", targets=np.array([0.0, 1.0, 1.5]))
    refused(
        text.replace("t.npy", "t.npz"), at="2:7", what="targets[2] is 1.5; expected whole numbers"
    )


# One-hot rows ------------------------------------------------------------

INLINE = """\
lossfw: 1
data: {name: inline, targets: [2, 0, 1, 1], ONE_HOT}
network: {predictions: [[0.25, 0.25, 0.5], [0.5, 0.25, 0.25], [0, 1, 0], [0.5, 0, 0.5]]}
loss: {name: squared_error, factor: 0.5, per: row}
"""


@pytest.mark.parametrize("key", ["one_hot: true", "one_hot: 3"])
def test_one_hot_targets(key, plan):
    y = np.array([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25], [0, 1, 0], [0.5, 0, 0.5]])
    t = np.eye(3)[[2, 0, 1, 1]]
    result = evaluate(plan(INLINE.replace("ONE_HOT", key)))
    assert result.loss == pytest.approx(0.5 * np.sum((y - t) ** 2) / len(y))


def test_the_shape_error_names_one_hot(problem):
    _, what, hint = problem(INLINE.replace(", ONE_HOT", ""))
    assert "(4, 3) and target (4,)" in what
    assert hint.endswith("or write data.one_hot: true")


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("one_hot: 2", "targets[0] is 2, but one_hot has classes 0 to 1"),
        ("one_hot: 1", "data.one_hot should be true, or the number of classes, at least 2, got 1"),
        ("one_hot: yes", "data.one_hot should be true, or the number of classes, at least 2"),
        ("scale: 0", "data.scale should be greater than 0, got 0"),
        ("classes: [a, b]", "the targets are numbers, but the configuration lists the label 'a'"),
        ("classes: [1, 2]", "targets[1] is 0; expected one of 1, 2"),
        ("classes: [1, 1]", "data.classes should be a list of two or more different labels"),
        ("map_targets: {0: a}", "data.map_targets.0 should be a number, got 'a'"),
        ("classes: found, map_targets: {0: 1}", "either 'classes' or 'map_targets', not both"),
        ("one_hat: true", "inline has no parameter 'one_hat'"),
    ],
)
def test_mistakes_in_the_keys_of_data(key, what, problems):
    told = problems(INLINE.replace("ONE_HOT", key))
    assert any(what in text for _, text, _ in told), told
    assert all(where.startswith("run.yaml:2:") for where, text, _ in told if what in text)


# Labels ------------------------------------------------------------------

MARGINS = """\
lossfw: 1
data: {name: inline, targets: TARGETS}
network: {predictions: [0.5, -2.0, 1.5]}
loss: hinge
"""


@pytest.mark.parametrize("targets", ["[0, 1, 1]", "[0.0, 1.0, 1.0]"])
def test_a_loss_for_signs_names_the_key_that_maps_labels(targets, refused, plan):
    text = MARGINS.replace("TARGETS", targets)
    refused(text, what="SIGN", hint="write data.map_targets: {0: -1, 1: 1}")
    mapped = text.replace(f"{targets}", f"{targets}, map_targets: {{0: -1, 1: 1}}")
    margins = np.array([-0.5, -2.0, 1.5])
    assert evaluate(plan(mapped)).loss == pytest.approx(np.maximum(0, 1 - margins).mean())


def test_a_loss_for_probabilities_names_the_key_that_maps_labels(problem):
    text = MARGINS.replace("hinge", "binary_cross_entropy").replace(
        "[0.5, -2.0, 1.5]", "[0.5, 0, 1]"
    )
    _, _, hint = problem(text.replace("TARGETS", "[-1, 1, 1]"))
    assert hint == "write data.map_targets: {-1: 0, 1: 1}"


@pytest.mark.parametrize(
    ("rows", "keys", "written", "place"),
    [
        ("cat dog", "", "{cat: -1, dog: 1}", ""),
        ("cat dog", ", classes: [dog, cat]", "{dog: -1, cat: 1}", " instead of classes"),
        ("1 2", "", "{1: -1, 2: 1}", ""),
        ("1 2", ", classes: found", '{"1": -1, "2": 1}', " instead of classes"),
        ("no-show yes", "", '{"no-show": -1, yes: 1}', ""),
    ],
)
def test_the_key_that_maps_labels_names_those_of_the_data(
    rows, keys, written, place, tmp_path, problem, plan
):
    (tmp_path / "t.csv").write_text("\n".join(["targets", *rows.split(), rows.split()[1]]))
    data = f"{{name: arrays, file: {tmp_path}/t.csvKEYS}}"
    text = MARGINS.replace("{name: inline, targets: TARGETS}", data)
    _, _, hint = problem(text.replace("KEYS", keys))
    assert hint.startswith(f"write data.map_targets: {written}{place}; or take ")
    mapped = plan(text.replace("KEYS", f", map_targets: {written}"))
    assert set(np.asarray(mapped.data.targets).tolist()) == {-1, 1}


def test_three_labels_are_not_mapped_to_two(problem):
    _, _, hint = problem(MARGINS.replace("TARGETS", "[0, 1, 2]"))
    assert hint.startswith("take ")


def test_labels_that_begin_at_1(refused, plan):
    text = INLINE.replace("[2, 0, 1, 1], ONE_HOT", "[3, 1, 2, 2], KEY")
    text = text.replace("{name: squared_error, factor: 0.5, per: row}", "{name: cross_entropy}")
    refused(
        text.replace(", KEY", ""),
        at="2:7",
        what="target[0] = 3 is not a class",
        hint="write data.classes: found",
    )
    wanted = plan(text.replace("[3, 1, 2, 2], KEY", "[2, 0, 1, 1]")).data.targets
    for key in ("classes: found", "classes: [1, 2, 3]", "map_targets: {1: 0, 2: 1, 3: 2}"):
        found = plan(text.replace("KEY", key)).data
        np.testing.assert_array_equal(found.targets, wanted)
        assert found.targets.dtype.kind == "i"


def test_keys_change_the_digest_and_nothing_else_does(plan):
    text = INLINE.replace("ONE_HOT", "one_hot: true")
    digest = plan(text).digest
    assert plan(text.replace("true", "3")).digest != digest
    assert plan(text.replace("one_hot: true", "one_hot: true, flatten: false")).digest == digest


def test_scale_and_flatten_for_any_source(plan, folder):
    images = rng.integers(255, size=(ROWS, 3, 1), dtype=np.uint8)
    save(folder, x=images)
    network = plan(NETWORK.replace("t.npy", "t.npy, scale: 255, flatten: true")).data
    assert network.inputs.shape == (ROWS, 3)
    assert network.inputs.dtype == np.float32
    np.testing.assert_array_equal(
        np.asarray(network.inputs), images.reshape(ROWS, 3).astype("f4") / np.float32(255)
    )


def test_inputs_that_are_not_flat_name_a_key_that_the_source_has(problem, folder):
    save(folder, x=X[:, :, None])
    where, what, hint = problem(NETWORK)
    assert where == "run.yaml:2:7"
    assert "flatten: true" in what + hint


def test_keys_of_data_are_in_the_schema():
    schema = json.dumps(json_schema(lossfw.registry()))
    assert all(f'"{key}"' in schema for key in DataOptions.model_fields)
