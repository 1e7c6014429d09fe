"""Which rows a training holds out: folds, whole groups, classes spread evenly; and mistakes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.config.plan.rolling import fold_masks, period_starts
from lossfw.config.plan.training import training_of
from lossfw.config.plan.validate import validate
from lossfw.config.text.source import ConfigSource
from lossfw.errors import ConfigError
from support.configs import read

ROWS = 24
CONFIG = """\
lossfw: 1
seed: 3
data: {name: arrays, file: t.csv, inputs_key: [a], targets_key: kind}
network: {layers: [{units: 3, activation: softmax}]}
loss: cross_entropy
train: {epochs: 1, optimizer: sgd, hold_out: {folds: 4}}
"""


@pytest.fixture
def table(folder):
    """Write a table of three classes, one of them rare, and eight patients with one class each."""
    kinds = np.repeat(["x", "y", "z"], [12, 9, 3])
    lines = [
        f"{number / ROWS},{kind},{kind}{number % 3},{number // 2},{number % 4}"
        for number, kind in enumerate(kinds)
    ]
    (folder / "t.csv").write_text("\n".join(["a,kind,patient,pair,grade", *lines, ""]))
    (folder / "run.yaml").write_text(CONFIG)
    return folder


def training(*overrides):
    config = read("run.yaml", overrides)
    return training_of(config), config


def folds(*overrides, count=4):
    """Return the numbers of the rows that each fold holds out."""
    every = [training(*overrides, f"train.hold_out.fold={fold}")[0] for fold in range(count)]
    for one in every:
        held_out, train = one.held_out.inputs[:, 0], one.data.inputs[:, 0]
        assert np.array_equal(held_out, one.held_out_rows / ROWS)
        assert not set(held_out) & set(train)
        assert len(held_out) + len(train) == ROWS
    return [one.held_out_rows for one in every]


def test_groups_are_held_out_whole(table):
    every = folds("train.hold_out.keep_together=column.patient")
    patients = [
        {("xyz"[np.searchsorted([12, 21], row, "right")], row % 3) for row in rows}
        for rows in every
    ]
    assert sum(map(len, patients)) == len(set().union(*patients)) == 9
    # Those of a loss without being asked.
    grade = ("data.targets_key=grade", "network.layers=[{units: 1, activation: identity}]")
    for rows in folds("data.group_key=pair", "loss=listmle", *grade):
        assert (rows[::2] + 1 == rows[1::2]).all()
        assert (rows[::2] % 2 == 0).all()


def test_classes_are_spread_evenly(table):
    for rows in folds("train.hold_out.stratify=true"):
        assert np.histogram(rows, [0, 12, 21, 24])[0].tolist() in ([3, 2, 1], [3, 3, 0], [3, 2, 0])
    share = training("train.hold_out={fraction: 0.34, stratify: true}")[0].held_out
    assert np.bincount(share.targets).tolist() == [4, 3, 1]


def test_what_makes_folds_worse_is_noted(table):
    _, config = training("train.hold_out.stratify=true", "train.hold_out.fold=0")
    told = "classes with fewer rows than the 4 folds are missing from some folds: z (3)"
    assert config.notes == [told]
    # A patience chooses by the rows that are reported.
    _, config = training("train.hold_out.patience=2", "train.hold_out.fold=0")
    assert "their loss is too low" in config.notes[0]


# What is held out, a part of the message, a part of the hint.
WRONG = [
    ("{folds: 1}", "should be at least 2, got 1", ""),
    ("{folds: 25}", "the data have 24 rows, and 25 folds need 25", ""),
    ("{folds: 10, keep_together: column.patient}", "have 9 groups, and 10 folds", ""),
    ("{folds: 4, fold: 4}", "should be from 0 to 3, got 4", "counted from 0"),
    ("{fraction: 0.5, fold: 1}", "fold cannot be used with fraction", "write folds"),
    ("{data: digits, keep_together: column.a}", "cannot be used with data", "leave it out"),
    ("{folds: 4, fraction: 0.5}", "one of fraction, data, folds; got fraction and folds", ""),
    ("{folds: 4, keep_together: patient}", "written as column.patient, got 'patient'", ""),
    ("{folds: 4, keep_together: column.patint}", "has no column 'patint'", ""),
    ("{folds: 4, keep_together: column.pair, stratify: true}",
     "the group of row 20 has several", "leave stratify out, or groups"),
]  # fmt: skip


@pytest.mark.parametrize(("held_out", "message", "hint"), WRONG)
def test_mistakes(held_out, message, hint, table):
    source = ConfigSource("run.yaml", (f"train.hold_out={held_out}",))
    (problem,) = validate(source).problems
    assert problem.where.startswith("-o")
    assert message in problem.message
    assert hint in (problem.hint or "")


def test_stratify_takes_classes_and_groups_no_gap(table):
    whole = (table / "t.csv").read_text()
    (table / "t.csv").write_text(whole.replace("x1,", ",", 1))
    with pytest.raises(ConfigError, match=r"column 'patient'\[1\] is missing"):
        training("train.hold_out.keep_together=column.patient", "train.hold_out.fold=0")
    text = whole.replace("kind", "size", 1)
    for kind, size in zip("xyz", ("1.5", "2.5", "3.5"), strict=True):
        text = text.replace(f",{kind},", f",{size},")
    (table / "t.csv").write_text(text)
    numbers = ("network.layers=[{units: 1, activation: identity}]", "loss=squared_error")
    stratified = "train.hold_out={folds: 2, fold: 0, stratify: true}"
    with pytest.raises(ConfigError, match=r"target\[0\] = 1.5 is not a class"):
        training("data.targets_key=size", *numbers, stratified)
    # All folds are not one training.
    with pytest.raises(ConfigError, match="4 folds describe 4 trainings"):
        training()


# Folds that roll through time --------------------------------------------


def splits(time, folds, gap=0.0, window=None):
    begins = period_starts(time, folds)
    masks = (fold_masks(time, begins, fold, gap, window) for fold in range(folds))
    return [tuple(np.flatnonzero(mask).tolist() for mask in pair) for pair in masks]


@given(
    st.integers(12, 40),
    st.integers(2, 5),
    st.integers(0, 3),
    st.none() | st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_different_times_are_split_as_by_scikit_learn(rows, folds, gap, window, random):
    selection = pytest.importorskip("sklearn.model_selection")
    split = selection.TimeSeriesSplit(folds, gap=gap, max_train_size=window).split
    try:
        wanted = list(split(range(rows)))
    except ValueError:
        return  # too few rows before the first period
    # The rows are in any order.
    time = np.array(random.sample(range(rows), rows))
    found = splits(time, folds, gap, window)
    for expected, masks in zip(wanted, found, strict=True):
        assert [sorted(time[mask].tolist()) for mask in masks] == [x.tolist() for x in expected]


@given(st.lists(st.integers(0, 9), min_size=12, max_size=40), st.integers(2, 4))
def test_rows_of_one_time_stay_together_and_the_future_is_not_seen(times, folds):
    time = np.array(times)
    if len(set(period_starts(time, folds).tolist())) < folds:
        return
    seen = []
    for train, held_out in splits(time, folds):
        assert not set(time[train]) & set(time[held_out])
        assert not train or not held_out or max(time[train]) < min(time[held_out])
        seen += held_out
    assert sorted(seen) == np.flatnonzero(time >= period_starts(time, folds)[0]).tolist()


def test_gap_and_window_are_distances_of_time():
    time = np.array([0.0, 0.5, 1.0, 4.0, 4.0, 9.0, 9.5, 10.0])
    train, held_out = fold_masks(time, np.array([4.0, 9.0]), 1, gap=5.0, window=3.5)
    assert np.flatnonzero(train).tolist() == [1, 2]
    assert np.flatnonzero(held_out).tolist() == [5, 6, 7]
