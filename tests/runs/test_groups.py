"""Runs with groups: the file of groups, its way through a stop, and comparisons."""

import json

import numpy as np
import pytest

import lossfw as library
from lossfw.runs.compare.rows import read_rows
from lossfw.runs.rows import RowRecords
from support.plugin_sources import SPREAD
from support.tables import write_columns

CONFIG = """\
lossfw: 1
plugins: [spread.py]
data: {name: arrays, file: t.npz, group_key: query}
network: {predictions: p.npy}
loss: spread
evaluate:
  {metrics: [squared_error], intervals: {}, save_rows: true, columns: [side], batch_size: 37}
"""
SIZES = [2, 1, 700, *np.random.default_rng(0).integers(1, 30, 40)]
ROWS = int(sum(SIZES))


@pytest.fixture
def files(folder, monkeypatch):
    """Write a configuration, its data, two predictions and its plugin."""
    monkeypatch.setattr("lossfw.evaluation.plan._GROUPED_ROWS", 256)
    random, group = np.random.default_rng(1), np.repeat(np.arange(len(SIZES)), SIZES)
    arrays = {
        "targets": random.random(ROWS),
        "query": np.char.add("q", group.astype(str)),
        "side": np.array(["left", "right"])[group % 2],
        "sample_weight": (random.integers(0, 3, len(SIZES)) / 2)[group],
    }
    write_columns(folder / "t.npz", arrays)
    for name in ("p", "other"):
        np.save(folder / f"{name}.npy", random.random(ROWS))
    (folder / "spread.py").write_text(SPREAD)
    (folder / "run.yaml").write_text(CONFIG)
    return arrays


@pytest.fixture
def run(lossfw, files):
    return lambda out, *more: lossfw("run", "run.yaml", "--trust", "--out", out, *more)


def test_a_file_of_parquet_has_the_same_rows(run, folder, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("lossfw.runs.results_file._TABLE_BYTES", 4000)
    assert run("lines").exit_code == 0
    assert run("parquet", "-o", "evaluate.save_rows=parquet").exit_code == 0
    one, two = read_rows(folder / "lines"), read_rows(folder / "parquet")
    assert isinstance(two, RowRecords)
    assert one.labels == two.labels
    for name, array in one.arrays.items():
        assert np.array_equal(array, two.arrays[name], equal_nan=array.dtype.kind == "f"), name


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(run, folder, killed_after, form):
    options = ["-o", f"evaluate.save_rows={form}"]
    assert run("wanted", *options).exit_code == 0
    killed_after(2, lambda *more: run("out", *options, *more))
    done = run("out", *options, "--resume")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.startswith("out: continued from row ")
    for path in (folder / "wanted").iterdir():
        if path.name != "run.json":
            assert (folder / "out" / path.name).read_bytes() == path.read_bytes(), path.name


def test_runs_are_compared_by_group(run, folder, files, lossfw):
    weights = ["-o", "evaluate.metrics=[spread]"]
    assert run("one", *weights).exit_code == 0
    assert run("two", *weights, "-o", "network.predictions=other.npy").exit_code == 0
    found = library.compare("one", "two", by="column.side", trust=True)
    difference = found.differences["two"]["loss"]
    one, two = (json.loads((folder / n / "metrics.json").read_text()) for n in ("one", "two"))
    assert difference.value == two["loss"]["value"] - one["loss"]["value"]
    low, high = difference.interval
    assert low < difference.value < high
    assert found.differences["two"]["spread"].interval == pytest.approx([low, high])
    group = np.repeat(np.arange(len(SIZES)), SIZES)[files["sample_weight"] > 0]
    assert [part.count for part in found.slices] == np.bincount(group % 2).tolist()
    assert found.slices[0].differences["two"]["loss"].interval is not None
    text = lossfw("compare", "one", "two", "--trust").stdout
    assert f"paired by {len(np.unique(group))} queries (column.query)" in text
