"""What is written of each row: its numbers, its columns with every digit, and its labels."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossfw as package
from lossfw.data import DataColumn, Dataset
from lossfw.evaluation.accumulator import Accumulator
from lossfw.evaluation.batching import PredictedBatch
from lossfw.evaluation.plan import Plan
from lossfw.extras import install_command
from lossfw.report.html.row_statistics import describe_rows, worst_rows
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.rows import rows_of
from support.tables import write_columns

# Whether the targets are rows of numbers, or classes; and the loss.
LOSSES = [
    (True, {"name": "squared_error"}),
    (True, {"name": "absolute_error", "per": "row"}),
    (True, {"name": "masked", "of": "squared_error", "ignore": 0.0}),
    (False, {"name": "cross_entropy"}),
    (False, {"name": "class_weighted", "of": "cross_entropy", "weights": (1, 0, 3)}),
    (False, {"name": "masked", "of": "cross_entropy", "ignore": 2}),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("elements", "spec"), LOSSES, ids=str)
@settings(max_examples=15)
@given(seed=st.integers(0, 999))
def test_the_mean_of_the_rows_by_their_weights_is_the_loss(elements, spec, weighted, seed):
    random = np.random.default_rng(seed)
    weight = random.integers(0, 3, 40).astype(float) if weighted else None
    if elements:
        y, t = random.normal(size=(40, 3)), random.integers(-1, 2, (40, 3)).astype(float)
    else:
        y, t = random.dirichlet(np.ones(3), 40), random.integers(0, 3, 40)
    loss = package.loss(spec)
    counted = Accumulator(loss, [], rows=True).add(PredictedBatch(0, y, None, t, weight))
    losses, weights = counted.losses, counted.weights
    some = weights > 0
    mean = np.average(losses[some], weights=weights[some])
    np.testing.assert_allclose(mean, loss(y, t, sample_weight=weight), rtol=1e-13)
    assert np.isnan(losses[~some]).all()
    written = rows_of(Plan(Dataset("drawn", t), loss, outputs=y), counted)
    if written.weight is None:
        assert (weights == 1).all()


def test_lines_have_every_number_with_all_its_digits(lossfw, folder, write, lines):
    write(rows=50)
    lossfw("run", "run.yaml", "--out", "out")
    p, t, w = (np.load(folder / f"{name}.npy") for name in "ptw")
    found = lines(folder / "out/results.jsonl")
    assert [line["row"] for line in found] == list(range(50))
    assert [line["prediction"] for line in found] == p.tolist()
    assert [line["target"] for line in found] == t.tolist()
    np.testing.assert_allclose([line["weight"] for line in found], w, rtol=1e-15)
    wanted = -np.log(p[np.arange(50), t])
    np.testing.assert_allclose([line["loss"] for line in found], wanted, rtol=1e-14)


def test_without_the_library_the_extra_is_named_before_the_work(lossfw, folder, write, monkeypatch):
    pytest.importorskip("pyarrow.parquet")
    write()
    monkeypatch.setattr("lossfw.runs.execute.evaluate", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = lossfw("run", "run.yaml", "-o", "evaluate.save_rows=parquet", "--out", "out")
    assert done.exit_code == 2
    assert install_command("tables") in done.stderr
    assert not (folder / "out").exists()


# Columns of the data beside the rows -------------------------------------

ROWS = 60
CONFIG = """\
lossfw: 1
data: {name: arrays, file: d.csv, targets_key: kind, inputs_key: [a, b]}
network:
  layers: [{units: 2, activation: softmax}]
  weights: w.npz
loss: cross_entropy
evaluate:
  save_rows: true
  batch_size: 7
  slices: [column.region, target]
  columns: [id, key, age, 'odd %s "name"']
"""


@pytest.fixture
def table(folder):
    """Write a table, a configuration and weights; return the columns beside the rows."""
    random = np.random.default_rng(3)
    # Columns of slices come first; keys beyond what a float has exactly; characters of formats.
    beside = {
        "region": [("north", "south", None)[i % 3] for i in range(ROWS)],
        "id": [7 * i for i in range(ROWS)],
        "key": [2**53 + 1 + i for i in range(ROWS)],
        "age": [None if i % 5 == 0 else i / 4 for i in range(ROWS)],
        'odd %s "name"': [f"it's {i % 4}" for i in range(ROWS)],
    }
    more = {"a": random.normal(size=ROWS), "b": random.normal(size=ROWS)}
    write_columns(folder / "d.csv", beside | more | {"kind": ["cat", "dog"] * (ROWS // 2)})
    np.savez(folder / "w.npz", W1=random.normal(size=(2, 2)), b1=np.zeros(2))
    (folder / "run.yaml").write_text(CONFIG)
    return beside | {"key": list(map(str, beside["key"]))}  # too long for a float: texts


def test_each_row_has_its_columns(lossfw, folder, table, form, lines):
    result = lossfw("run", "run.yaml", "--out", "o", "-o", f"evaluate.save_rows={form}")
    assert result.exit_code == 0, result.output
    if form == "jsonl":
        rows = lines(folder / "o/results.jsonl")
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        rows = parquet.read_table(folder / "o/results.parquet").to_pylist()
    for name, column in table.items():
        assert [row[f"column.{name}"] for row in rows] == column
    kept = read_rows(folder / "o").columns
    assert list(kept) == list(table)
    assert np.array_equal(kept["age"].values, np.array(table["age"], float), equal_nan=True)


@pytest.mark.slow
def test_workers_write_them_too(lossfw, folder, table, form):
    pytest.importorskip("distributed")
    for name, where in (("one", ()), ("many", ("--cluster", "local:2"))):
        given = ("--out", name, "-o", f"evaluate.save_rows={form}", *where)
        assert lossfw("run", "run.yaml", *given).exit_code == 0
    one, many = read_rows(folder / "one"), read_rows(folder / "many")
    for name, column in one.columns.items():
        assert column.labels == many.columns[name].labels
        assert np.array_equal(column.values, many.columns[name].values, equal_nan=True)


def test_worst_rows_and_slices_of_a_page_have_columns_and_labels(lossfw, folder, table):
    assert lossfw("run", "run.yaml", "--out", "o").exit_code == 0
    told = json.loads((folder / "o/metrics.json").read_text())
    by_target = [part["value"] for part in told["slices"] if part["by"] == "target"]
    assert by_target == told["classes"] == ["cat", "dog"]
    for row in describe_rows(worst_rows(read_rows(folder / "o")), None, told["classes"]):
        assert {row["target"], row["prediction"]} <= {"cat", "dog"}
        beside = [column[row["row"]] for column in table.values()]
        assert row["columns"] == [
            "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
            for value in beside
        ]


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_a_key_of_a_row_is_never_rounded(dtype):
    keys = np.array([2**53 + 3, 2**53 + 1, 2**53 + 1, 5], dtype)
    column = DataColumn.of(keys)
    assert [column.labels[code] for code in column.values] == list(map(str, keys))
    assert DataColumn.of(keys[3:]).labels == ()
    codes = DataColumn.from_codes(np.array([1, 0, 1]), ("9007199254740993", "9007199254740995"))
    assert codes.labels[0].endswith("993")
    negative = ("-9007199254740993", "-9007199254740995")
    assert DataColumn.from_codes(np.array([1, 0, 1]), negative).labels == negative


# Labels that look like numbers -------------------------------------------

XS = [1, "inf", 2.5] * 5
LABELS = ["inf", "-inf", "1e5", "nan", "flat"]
LABELLED = """\
lossfw: 1
data: {name: arrays, file: d.csv, targets_key: y}
network: {predictions: NAME.npy}
loss: cross_entropy
evaluate: {save_rows: true, columns: [x], slices: [column.kind, target]}
"""


@pytest.fixture
def labelled(folder):
    """A run whose targets are labels like numbers, with a column of such and one of numbers."""
    write_columns(folder / "d.csv", {"y": LABELS * 3, "kind": LABELS[::-1] * 3, "x": XS})
    predictions = np.random.default_rng(0).dirichlet(np.ones(5), 15)
    for name in "ab":
        np.save(folder / f"{name}.npy", np.roll(predictions, name == "b", axis=0))
        (folder / f"{name}.yaml").write_text(LABELLED.replace("NAME", name))
    return folder


@pytest.mark.slow
def test_labels_of_a_finished_run_are_read_again(labelled, lossfw):
    for name in "ab":
        assert lossfw("run", f"{name}.yaml", "--out", name).exit_code == 0
    plain = json.loads((labelled / "a/metrics.json").read_text())
    assert set(plain["classes"]) == set(LABELS)
    assert {part["value"] for part in plain["slices"]} == {*LABELS, "missing"}
    again = lossfw("run", "a.yaml", "--out", "a", "--resume")
    assert (again.exit_code, again.stderr) == (0, "a: done before, not run again\n")
    assert lossfw("report", "a").exit_code == 0
    done = lossfw("compare", "a", "b", "--by", "column.kind")
    assert done.exit_code == 0, done.stderr
    for label in LABELS[:3]:
        assert f"\n{label} " in done.stdout


def test_an_infinity_beside_numbers_is_a_number(labelled):
    package.run(labelled / "a.yaml", out=labelled / "a")
    rows = read_rows(labelled / "a")
    assert not rows.columns["x"].holds_strings
    assert rows.columns["x"].values.tolist() == list(map(float, XS))
