"""Targets and inputs as losses and models take them: columns, labels, one-hot rows, none."""

import json

import numpy as np
import pytest

import lossfw
from lossfw.errors import ConfigError
from lossfw.evaluation.evaluate import evaluate
from lossfw.report.html.rebuild import RebuiltRun
from lossfw.runs.compare import read_finished_run
from support.tables import write_columns

ROWS = 500
rng = np.random.default_rng(7)
X = rng.normal(size=(ROWS, 3))
WEIGHT, BIAS = rng.normal(size=(3, 1)), rng.normal(size=1)
PRICE = X @ WEIGHT[:, 0] + rng.normal(size=ROWS)

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


def test_classes_written_as_floats(plan, refused, folder):
    rows, classes = np.full((3, 2), 0.5), np.array([0.0, 1.0, 1.0])
    text = SAVED.replace("squared_error", "cross_entropy").replace("mae, r2", "accuracy")
    save(folder, y=rows, t=classes)
    assert evaluate(plan(text)).metrics["accuracy"] == pytest.approx(1 / 3)
    np.savez(folder / "t.npz", targets=np.array([0.0, 1.0, 1.5]))
    what = "targets[2] is 1.5; expected whole numbers"
    refused(text.replace("t.npy", "t.npz"), at="2:7", what=what)


# One-hot rows ------------------------------------------------------------

INLINE = """\
lossfw: 1
data: {name: inline, targets: [2, 0, 1, 1], ONE_HOT}
network: {predictions: [[0.25, 0.25, 0.5], [0.5, 0.25, 0.25], [0, 1, 0], [0.5, 0, 0.5]]}
loss: {name: squared_error, factor: 0.5, per: row}
"""


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
    told = [where for where, text, _ in problems(INLINE.replace("ONE_HOT", key)) if what in text]
    assert told
    assert all(where.startswith("run.yaml:2:") for where in told)


# Labels ------------------------------------------------------------------

MARGINS = """\
lossfw: 1
data: {name: inline, targets: TARGETS}
network: {predictions: [0.5, -2.0, 1.5]}
loss: hinge
"""


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


def test_labels_that_begin_at_1(refused, plan):
    text = INLINE.replace("[2, 0, 1, 1], ONE_HOT", "[3, 1, 2, 2], KEY")
    text = text.replace("{name: squared_error, factor: 0.5, per: row}", "{name: cross_entropy}")
    told = {"what": "target[0] = 3 is not a class", "hint": "write data.classes: found"}
    refused(text.replace(", KEY", ""), at="2:7", **told)
    wanted = plan(text.replace("[3, 1, 2, 2], KEY", "[2, 0, 1, 1]")).data.targets
    for key in ("classes: found", "classes: [1, 2, 3]", "map_targets: {1: 0, 2: 1, 3: 2}"):
        found = plan(text.replace("KEY", key)).data
        np.testing.assert_array_equal(found.targets, wanted)
        assert found.targets.dtype.kind == "i"


TABLE = {
    "day": ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-07"],
    "heat": [1.5, None, 2.5, 4.0],
    "kind": ["a", "b", "a", "b"],
    "t": [1.0, 2.0, 3.0, 4.0],
    "w": [1.0, 2.0, 3.0, 2.0],
}


def _csv(folder):
    return {"name": "arrays", "file": write_columns(folder / "x.csv", TABLE).name}


def _written(folder, config):
    path = folder / "c.yaml"
    path.write_text(json.dumps(config))  # JSON is YAML
    return path


def _run(folder, data, out=None, **more):
    config = {
        "lossfw": 1,
        "data": data | {"targets_key": "t", "sample_weight_key": "w"} | more,
        "network": {"predictions": [1.5, 2.0, 2.0, 4.0]},
        "loss": "squared_error",
        "evaluate": {"slices": ["column.kind"]},
    }
    return lossfw.run(_written(folder, config), out=out)


def test_a_network_needs_inputs(tmp_path):
    data = _csv(tmp_path)
    config = {
        "lossfw": 1,
        "data": data | {"targets_key": "t", "inputs_key": []},
        "network": {"layers": [{"units": 1, "activation": "identity"}]},
        "loss": "squared_error",
        "train": {"epochs": 1, "optimizer": "sgd"},
    }
    with pytest.raises(ConfigError, match="have no inputs, but a model needs them"):
        lossfw.train(_written(tmp_path, config))


def test_a_missing_target_is_told_with_what_can_be_done(tmp_path):
    data = _csv(tmp_path)
    path = tmp_path / "x.csv"
    path.write_text(path.read_text().replace("a,3.0,", "a,,"))
    with pytest.raises(ConfigError, match="out of the file, and out of the predictions"):
        _run(tmp_path, data)
    with pytest.raises(ConfigError, match="rows that were left out have no outputs"):
        _run(tmp_path, data, missing="drop")


@pytest.mark.parametrize(("heat", "shown"), [("7.25", [7.25]), ("warm", None)])
def test_a_page_shows_the_inputs_where_they_are_numbers(heat, shown, tmp_path):
    data = _csv(tmp_path)
    path = tmp_path / "x.csv"
    path.write_text(path.read_text().replace(",,", f",{heat},"))
    _run(tmp_path, data, out=tmp_path / "run", exclude=["kind", "day"])
    rebuilt = RebuiltRun(read_finished_run(tmp_path / "run"))
    found, names = rebuilt.inputs(np.array([1]))
    assert (None if found is None else found[0].tolist()) == shown
    assert list(names) == ([] if shown is None else ["heat"])
    assert rebuilt.missing == []
