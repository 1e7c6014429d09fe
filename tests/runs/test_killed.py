"""A run that was stopped, or killed at any moment, goes on to the same bytes."""

import os

import numpy as np
import pytest

from lossfw.data import csv_cells, csv_table
from lossfw.runs import journal
from support.configs import DIGITS, SAVED_ARRAYS
from support.killed import said_by
from support.waiting import FOR_EVER, HANGS

NETWORK = (
    DIGITS.replace("split: test", "split: all")
    + """\
seed: 3
evaluate: {metrics: [accuracy, calibration_error], save_rows: true, batch_size: 37}
"""
)
TABLE = """\
lossfw: 1
data: {name: arrays, file: t.csv, exclude: [side]}
network: {predictions: p.npy}
loss: cross_entropy
evaluate:
  metrics: [roc_auc]
  intervals: {method: bootstrap, replicates: 100}
  slices: [target, column.side]
"""
CASES = {
    "rows as lines": (NETWORK, []),
    "rows as Parquet": (NETWORK, ["-o", "evaluate.save_rows=parquet"]),
    "a sample": (NETWORK, ["-o", "evaluate.sample={count: 1500, replace: true}"]),
    "a table in pieces": (TABLE, []),
}


# Every operation on a file, and few numbers.
SMALL = SAVED_ARRAYS + "evaluate: {save_rows: true, metrics: [accuracy]}\n"

SLOW = pytest.mark.slow
NEEDS_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.mark.parametrize("case", CASES)
def test_a_run_goes_on_to_the_same_bytes(case, lossfw, folder, write, killed_after, monkeypatch):
    config, options = CASES[case]
    if "Parquet" in case:
        pytest.importorskip("pyarrow")
    monkeypatch.setattr("lossfw.losses.engine.reduction.BLOCK_ELEMENTS", 1024)
    monkeypatch.setattr(csv_table, "WHOLE_BYTES", 0)
    monkeypatch.setattr(csv_cells, "HELD_CELLS", 500)
    write(rows=1500, config=config)
    targets = np.load(folder / "t.npy")
    lines = [f"{target},{'left' if target else ''}" for target in targets]
    (folder / "t.csv").write_text("\n".join(["targets,side", *lines, ""]))

    def run(out, *more):
        return lossfw("run", "run.yaml", *options, "--out", out, *more)

    first = run("wanted")
    assert first.exit_code == 0, first.stderr
    resumed = []
    close = journal.RunJournal.close
    monkeypatch.setattr(
        journal.RunJournal, "close", lambda self: (resumed.append(self.resumed), close(self))
    )
    for _ in range(2):
        killed_after(2, lambda *more: run("out", "--resume", *more))
    assert (folder / "out/status").read_text() == "running\n"
    done = run("out", "--resume")
    assert done.exit_code == 0
    assert done.stderr.startswith("out: continued from row 1024 of ")
    # Two groups of 256 rows, twice.
    assert resumed == [0, 2 * 256, 4 * 256]
    wanted, found = (
        {p.name: p.read_bytes() for p in (folder / name).iterdir() if p.name != "run.json"}
        for name in ("wanted", "out")
    )
    assert found == wanted


def kill(config, *how):
    return said_by("killing.py", config, config.parent / "out", *how, timeout=HANGS)


@pytest.mark.slow
@NEEDS_FORK
@pytest.mark.parametrize(
    ("rows", "times"), [(3_000, 6), pytest.param(12_000, 100, marks=pytest.mark.long)]
)
def test_killed_at_random_moments(write, rows, times):
    said = kill(write(rows=rows), "moments", times, times // 100)
    assert said["wrong"] == []
    assert said["killed"] == times
    assert said["kept"] or times < 100


@NEEDS_FORK
@pytest.mark.parametrize(
    ("how", "step"),
    [("operations", 7), *(pytest.param(how, 1, marks=SLOW) for how in ("operations", "over"))],
)
def test_killed_before_every_operation_on_a_file(write, how, step):
    said = kill(write(rows=400, config=SMALL), how, step)
    assert said["wrong"] == []
    assert said["killed"] == said["tried"] - 1 > 20 // step
    assert said["kept"] > 3 // step


BY_UNIT = """\
lossfw: 1
data: {name: arrays, file: rows.npz, targets_key: t}
network: {predictions: p.npy}
loss: cross_entropy
evaluate: {metrics: [accuracy, roc_auc], slices: [column.half], intervals: {resample: UNITS}}
"""


@pytest.mark.slow
@pytest.mark.long
@NEEDS_FORK
@pytest.mark.parametrize(
    "units", ["column.row", "rows", "column.one", "column.user", "{time: column.row}"]
)
def test_twenty_kills_change_no_byte_of_intervals_by_unit(write, units):
    config, rows = write(rows=3000, config=BY_UNIT.replace("UNITS", units)), np.arange(3000)
    columns = {"row": rows, "one": 0 * rows, "half": rows % 2, "user": rows * 7919 % 2741}
    np.savez(config.parent / "rows.npz", t=np.load(config.parent / "t.npy"), **columns)
    # A checkpoint after each 256 rows writes all tables: few rows, and many moments.
    said = said_by("killing.py", config, config.parent / "out", "moments", 20, 4, timeout=2 * HANGS)
    assert said["wrong"] == []
    assert said["killed"] == 20


MANY = {
    "run_all": SMALL + "sweep: {grid: {loss.delta: [1e-7, 1e-3]}}\n",
    "train_all": """\
lossfw: 1
data: {name: arrays, file: d.npz}
network: {layers: [{units: 2, activation: softmax}]}
loss: cross_entropy
train: {optimizer: sgd, epochs: 2, hold_out: {folds: 2}}
""",
}
# What an older call in the folder had.
OLDER = {"run_all": "evaluate.save_rows=false", "train_all": "train.epochs=1"}


def kill_many(write, function, *how):
    """Kill a sweep of runs, or a training with folds and the run of what they held out."""
    config = write(rows=24, config=MANY[function])
    inputs = np.random.default_rng(0).normal(size=(24, 2))
    np.savez(config.parent / "d.npz", inputs=inputs, targets=(inputs[:, 0] > 0).astype(int))
    words = [function, config, config.parent / "out", *how]
    said = said_by("killing_many.py", *words, timeout=FOR_EVER)
    assert said["wrong"] == []
    assert said["killed"] > said["left"] > 0 or len(how) > 1
    return said["killed"]


@pytest.mark.slow
@NEEDS_FORK
@pytest.mark.parametrize(("function", "step"), [("run_all", 19), ("train_all", 37)])
def test_killed_among_several_runs(write, function, step):
    assert kill_many(write, function, step) > 2


@NEEDS_FORK
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("over", [False, True], ids=["in a new folder", "over an older one"])
@pytest.mark.parametrize("function", MANY)
def test_killed_before_every_operation_of_several_runs(write, function, over):
    assert kill_many(write, function, 1, *([OLDER[function]] if over else [])) > 60
