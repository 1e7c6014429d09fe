"""Columns of the data stand beside each row, with every digit, and a missing value as one."""

import json

import numpy as np
import pytest

from lossfw.data import DataColumn
from lossfw.report.html.row_statistics import describe_rows, worst_rows
from lossfw.runs.compare.rows import read_rows

ROWS = 60
# Keys beyond what a float has exactly, and a name with characters of formats.
NAMES = ["id", "key", "region", "age", 'odd %s "name"']
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
    """Write a table, a configuration and weights; return what is in the columns beside them."""
    random = np.random.default_rng(3)
    regions = ["north", "south", None]
    cells = [
        (7 * i, 2**53 + 1 + i, regions[i % 3], None if i % 5 == 0 else i / 4, f"it's {i % 4}")
        for i in range(ROWS)
    ]
    lines = ['id,key,region,age,"odd %s ""name""",a,b,kind']
    for i, row in enumerate(cells):
        told = ["" if cell is None else str(cell) for cell in row]
        a, b = random.normal(size=2)
        lines.append(",".join([*told, f"{a:.6f}", f"{b:.6f}", ["cat", "dog"][i % 2]]))
    (folder / "d.csv").write_text("\n".join(lines) + "\n")
    np.savez(folder / "w.npz", W1=random.normal(size=(2, 2)), b1=np.zeros(2))
    (folder / "run.yaml").write_text(CONFIG)
    return cells


def wanted(table):
    """Return what a row has beside its numbers: keys too long for a float are texts."""
    order = [2, 0, 1, 3, 4]  # columns of slices come first
    return [
        {f"column.{NAMES[n]}": str(row[n]) if n == 1 else row[n] for n in order} for row in table
    ]


def of_columns(line):
    return {name: value for name, value in line.items() if name.startswith("column.")}


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_each_row_has_its_columns(lossfw, folder, table, form):
    result = lossfw("run", "run.yaml", "--out", "o", "-o", f"evaluate.save_rows={form}")
    assert result.exit_code == 0, result.output
    if form == "jsonl":
        lines = [json.loads(line) for line in (folder / "o/results.jsonl").read_text().splitlines()]
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        lines = parquet.read_table(folder / "o/results.parquet").to_pylist()
    assert [of_columns(line) for line in lines] == wanted(table)
    kept = read_rows(folder / "o").columns
    assert list(kept) == ["region", "id", "key", "age", 'odd %s "name"']
    ages = [np.nan if row[3] is None else row[3] for row in table]
    assert np.array_equal(kept["age"].values, ages, equal_nan=True)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
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
    rows = list(describe_rows(worst_rows(read_rows(folder / "o")), None, told["classes"]))
    assert {row["target"] for row in rows} <= {"cat", "dog"}
    assert {row["prediction"] for row in rows} <= {"cat", "dog"}
    for row in rows:
        beside = wanted(table)[row["row"]].values()
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
