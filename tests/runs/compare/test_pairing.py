"""Runs are paired if rows, targets, groups and weights agree; what differs is named."""

import itertools

import numpy as np
import pytest

from support.tables import write_columns

TEXT = """\
lossfw: 1
data: {name: arrays, file: d.csv, targets_key: t}
network: {predictions: y.npy}
loss: LOSS
evaluate: {save_rows: true, metrics: [mae]}
"""
SURVIVAL = ["data.targets_key={time: months, event: died}", "evaluate.metrics=[concordance]"]
OTHER = "network.predictions=y2.npy"


@pytest.fixture
def ran(made, folder):
    """Write a table with groupings, weights, and a survival time; run a loss into a folder."""
    random = np.random.default_rng(1)
    count = np.arange(120)
    t, w = random.normal(size=120), random.integers(1, 5, 120)
    months, died = random.exponential(10, 120).round(1) + 0.1, random.integers(0, 2, 120)
    # As many groups of other rows, and fewer.
    groups = {"g": count // 10, "h": (count + 5) // 10, "k": count // 30}
    write_columns(folder / "d.csv", {"t": t, **groups, "w": w, "months": months, "died": died})
    for name in ("y", "y2"):
        np.save(folder / f"{name}.npy", t + random.normal(size=120))

    def run(name, loss, *overrides):
        (folder / "run.yaml").write_text(TEXT.replace("LOSS", loss))
        made("run.yaml", name, *overrides)

    return run


@pytest.mark.parametrize(("loss", "names"), [("pairwise_logistic", "ghk"), ("cox", "ghka")])
def test_runs_with_other_groups_are_not_paired(ran, compared, loss, names):
    # A loss of pairs needs groups; that of Cox takes all rows as one.
    for name in names:
        grouped = [f"data.group_key={name}"] if name != "a" else []
        ran(name, loss, *(SURVIVAL if loss == "cox" else []), *grouped)
    for one, other in itertools.permutations(names, 2):
        found = compared(one, other)
        differences = found["runs"][1]["differences"]
        assert [number["interval"] for number in differences.values()] == [None, None]
        assert not found["paired"]
        assert f"{other} has other groups than {one}, so it is not paired." in found["notes"]


def test_runs_with_the_same_groups_are_paired(ran, compared, shown):
    ran("g", "pairwise_logistic", "data.group_key=g")
    ran("g2", "pairwise_logistic", "data.group_key=g", OTHER)
    found = compared("g", "g2")
    assert all(number["interval"] for number in found["runs"][1]["differences"].values())
    assert found["notes"] == []
    # All rows as one group are independent rows.
    ran("all", "cox", *SURVIVAL), ran("all2", "cox", *SURVIVAL, OTHER)
    assert "paired by 120 rows taken as independent; given" in shown("compare", "all", "all2")


def test_parts_of_runs_with_other_groups_are_refused(ran, refused):
    for name in ("g", "k"):
        ran(name, "pairwise_logistic", f"data.group_key={name}", "evaluate.columns=[died]")
    told = "those of k were not kept, or are different ones"
    refused(told, "g", "k", "--by", "column.died")


@pytest.mark.parametrize("other", ["w", "died"])
def test_runs_with_other_weights_have_no_interval(ran, compared, shown, other):
    ran("plain", "squared_error", *(["data.sample_weight_key=w"] if other == "died" else []))
    ran("weighed", "squared_error", f"data.sample_weight_key={other}")
    for pair in itertools.permutations(["plain", "weighed"]):
        found = compared(*pair)
        differences = found["runs"][1]["differences"]
        assert [number["interval"] for number in differences.values()] == [None, None]
        (note,) = found["notes"]
        assert note.startswith(f"{pair[1]} uses other weights of the rows than {pair[0]}")
        assert " *" not in shown("compare", *pair)
