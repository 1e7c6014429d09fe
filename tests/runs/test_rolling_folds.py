"""Trainings of folds that roll through time, and the run of the rows that they hold out."""

import datetime
import json
import re
import shutil

import numpy as np
import pytest

import lossfw as library

ROWS = 60
CONFIG = """\
lossfw: 1
data: {name: arrays, file: v.csv, inputs_key: [x], targets_key: y}
network: {layers: [{units: 1, activation: identity}]}
loss: squared_error
train:
  epochs: 2
  optimizer: {name: sgd, learning_rate: 0.01}
  hold_out: {folds: 3, time: column.day}
"""


@pytest.fixture
def table(folder):
    """Rows of 30 days in another order, patients that come for some days, and a class."""
    random = np.random.default_rng(0)
    day = random.permutation(np.repeat(np.arange(30), 2))
    start = datetime.date(2026, 1, 20)
    rows = [
        f"{d},{start + datetime.timedelta(int(d))},p{d // 4},{random.normal():.3f},"
        f"{random.normal():.3f},{'early' if d < 5 else 'late' if n % 2 else 'mid'}"
        for n, d in enumerate(day)
    ]
    (folder / "v.csv").write_text("\n".join(["day,date,patient,x,y,kind", *rows]) + "\n")
    (folder / "r.yaml").write_text(CONFIG)
    return day


def test_the_run_has_the_rows_from_the_first_period_on(table, folder, lossfw):
    done = lossfw("train", "r.yaml", "--out", "o", "--jobs", "2")
    assert done.exit_code == 0, done.output
    assert "v.csv) where column.day >= 7, " in done.stdout
    rows = np.load(folder / "o/held_out_rows.npy")
    first = table[rows].min()
    assert rows.tolist() == np.flatnonzero(table >= first).tolist()
    outputs = np.load(folder / "o/held_out.npy")
    lines = [json.loads(x) for x in (folder / "o/results.jsonl").read_text().splitlines()]
    values = np.loadtxt(folder / "v.csv", delimiter=",", skiprows=1, usecols=(3, 4))
    assert np.ravel([line["target"] for line in lines]).tolist() == values[rows, 1].tolist()
    assert np.ravel([line["prediction"] for line in lines]) == pytest.approx(outputs.ravel())
    for fold in range(3):
        # The prediction of a row is that of the model of its own period.
        weights = np.load(folder / f"o/fold={fold}/weights.npz")
        held = json.loads((folder / f"o/fold={fold}/training.json").read_text())
        own = (values[:, :1] @ weights["W1"] + weights["b1"])[rows]
        assert held["epochs"][-1]["held_out"]["loss"] > 0
        assert np.isclose(own, outputs, atol=1e-6).any()
    assert lossfw("rerun", "o").exit_code == 0
    assert lossfw("run", "o/config.yaml").exit_code == 0


@pytest.mark.slow
def test_folds_that_are_resumed_end_with_the_same_bytes(table, folder, lossfw):
    assert lossfw("train", "r.yaml", "--out", "a").exit_code == 0
    assert lossfw("train", "r.yaml", "--out", "b", "-o", "train.hold_out.fold=1").exit_code == 0
    assert lossfw("train", "r.yaml", "--out", "c", "--resume").exit_code == 0
    for name in ("held_out.npy", "held_out_rows.npy", "metrics.json", "results.jsonl"):
        assert (folder / "a" / name).read_bytes() == (folder / "c" / name).read_bytes()
    # Folds of another kind leave nothing of these behind.
    assert lossfw("train", "r.yaml", "--out", "a", "-o", "train.hold_out.time-").exit_code == 0
    assert not (folder / "a/held_out_rows.npy").exists()
    assert len(np.load(folder / "a/held_out.npy")) == ROWS


def test_dates_are_times_in_days_and_a_filter_stays(table, folder, lossfw):
    by_day = library.train_all("r.yaml", overrides=["train.hold_out.gap=2"])
    dated = "train.hold_out={folds: 3, time: column.date, gap: 2}"
    by_date = library.train_all("r.yaml", overrides=[dated])
    assert by_day.held_out[""].loss == by_date.held_out[""].loss
    some = library.train_all("r.yaml", overrides=["data.where=column.patient != p5"])
    assert some.held_out[""].count < by_day.held_out[""].count


def test_groups_that_reach_over_a_cut_are_not_trained_on(table, folder, lossfw):
    together = ("-o", "train.hold_out.keep_together=column.patient")
    done = lossfw("train", "r.yaml", "--out", "g", *together)
    assert done.exit_code == 0, done.output
    assert "of 1 group that also have rows in its held-out period" in done.output


@pytest.mark.slow
def test_classes_that_no_held_out_row_has_keep_their_numbers(table, folder, lossfw):
    kinds = ["-o", "data.targets_key=kind", "-o", "loss=cross_entropy",
             "-o", "network.layers=[{units: 3, activation: softmax}]"]  # fmt: skip
    done = lossfw("train", "r.yaml", "--out", "k", *kinds)
    assert done.exit_code == 0, done.output
    assert "classes        0 early, 1 late, 2 mid" in done.stdout


MISTAKES = {
    "folds: 3, time: column.day, stratify: true": "stratify cannot be used with time",
    "fraction: 0.2, time: column.day": "time cannot be used with fraction",
    "folds: 3, gap: 2": "gap cannot be used with folds without time",
    "folds: 3, time: column.day, gap: 50": "fold 0 has no training rows",
    "folds: 3, time: column.day, gap: -1": "gap should be",
    "folds: 3, time: column.day, window: 0": "window should be",
    "folds: 40, time: column.day": "40 periods of 60 rows cannot be formed from the 30 values",
    "folds: 3, time: column.dya": "has no column 'dya'",
    "folds: 3, time: column.kind": "such as 'early'; expected numbers or dates",
}


@pytest.mark.parametrize("given", MISTAKES)
def test_a_mistake_is_told(table, lossfw, given):
    result = lossfw("validate", "r.yaml", "-o", f"train.hold_out={{{given}}}")
    assert result.exit_code == 2
    assert MISTAKES[given] in result.output
    assert "bug" not in result.output


def test_a_row_without_a_time_and_one_with_an_offset_are_told(folder, lossfw, table):
    whole = (folder / "v.csv").read_text()
    lines = whole.splitlines(keepends=True)
    lines[7] = "," + lines[7].partition(",")[2]
    (folder / "v.csv").write_text("".join(lines))
    result = lossfw("validate", "r.yaml")
    assert "column 'day'[6] is missing; every row needs a time" in result.output
    by_date = ("-o", "train.hold_out.time=column.date")
    for hour, code, told in (
        ("T10:00:00Z", 0, "valid"),
        ("T10:00:00+02:00", 2, "with or without a trailing Z"),
        ("T10:00:0", 2, "date"),
    ):
        (folder / "v.csv").write_text(re.sub(r"(2026-..-..)", rf"\1{hour}", whole))
        result = lossfw("validate", "r.yaml", *by_date)
        assert (result.exit_code, told in result.output) == (code, True)


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    ("column", "units", "count"),
    [
        ("day", {"time": "column.day", "blocks": "auto"}, 30),
        # Of dates each one is a unit.
        ("date", "column.date", 30),
    ],
)
def test_a_run_of_the_file_takes_times_as_units_too(table, folder, lossfw, column, units, count):
    """As the run of what the folds hold out does, which has no other default."""
    time = ("-o", f"train.hold_out.time=column.{column}")
    assert lossfw("train", "r.yaml", *time, "--out", "o").exit_code == 0
    weights = ("-o", f"network.weights={folder / 'o/fold=0/weights.npz'}")
    for name, asked in (("own", "{intervals: {}}"), ("rows", "{save_rows: true}")):
        done = lossfw("run", "r.yaml", *time, *weights, "-o", f"evaluate={asked}", "--out", name)
        assert done.exit_code == 0, done.output
    intervals = json.loads((folder / "own/metrics.json").read_text())["intervals"]
    assert intervals["resample"] == units
    assert intervals["count"] <= count
    # And so does a comparison of runs without intervals of their own.
    shutil.copytree(folder / "rows", folder / "again")
    compared = library.compare(folder / "rows", folder / "again")
    assert compared.intervals.resample.to_plain() == units
    joined = json.loads((folder / "o/metrics.json").read_text())["intervals"]
    assert joined["resample"] == units
