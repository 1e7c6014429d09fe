"""Runs are paired if rows, targets, groups and weights agree; what differs is named."""

import itertools

import numpy as np
import pytest

TEXT = """\
lossfw: 1
data: {name: arrays, file: d.csv, targets_key: t}
network: {predictions: y.npy}
loss: LOSS
evaluate: {save_rows: true, metrics: [mae]}
"""
SURVIVAL = ["data.targets_key={time: months, event: died}", "evaluate.metrics=[concordance]"]
# As many groups of other rows, fewer, one for each row, and none.
GROUPS = {"g": "group_key: g", "h": "group_key: h", "k": "group_key: k", "all": ""}


@pytest.fixture
def table(folder):
    """Write a table with three groupings, two weights, and a survival time, and predictions."""
    random = np.random.default_rng(1)
    count = np.arange(120)
    t = random.normal(size=120)
    columns = {
        "t": t,
        "g": count // 10,
        "h": (count + 5) // 10,
        "k": count // 30,
        "w": random.integers(1, 5, 120),
        "twice": 0,
        "months": random.exponential(10, 120).round(1) + 0.1,
        "died": random.integers(0, 2, 120),
    }
    columns["twice"] = 2 * columns["w"]
    np.savetxt(
        folder / "d.csv",
        np.column_stack([*columns.values()]),
        "%.9g",
        ",",
        header=",".join(columns),
        comments="",
    )
    np.save(folder / "y.npy", t + random.normal(size=120))
    np.save(folder / "y2.npy", t + random.normal(size=120))
    return folder


@pytest.fixture
def made(command, table):
    """Run the configuration with a loss and overrides into a folder of a name."""

    def run(name, loss, *overrides):
        (table / "run.yaml").write_text(TEXT.replace("LOSS", loss))
        given = [word for override in overrides for word in ("-o", override)]
        result = command("run", "run.yaml", "--out", name, *given)
        assert result.exit_code == 0, result.output

    return run


def less(found):
    """Return the differences of the second run, and the notes."""
    return found["runs"][1]["differences"], found["notes"]


@pytest.mark.parametrize("loss", ["pairwise_logistic", "cox"])
def test_runs_with_other_groups_are_not_paired(made, compared, loss):
    survival = SURVIVAL if loss == "cox" else []
    # A loss of pairs needs groups; that of Cox takes all rows as one.
    names = [name for name in GROUPS if name != "all" or loss == "cox"]
    for name in names:
        made(name, loss, *survival, *([f"data.group_key={name}"] if name != "all" else []))
    for one, other in itertools.permutations(names, 2):
        found = compared(one, other)
        differences, notes = less(found)
        assert [number["interval"] for number in differences.values()] == [None, None]
        assert not found["paired"]
        assert f"{other} has other groups than {one}, so it is not paired." in notes


def test_runs_with_the_same_groups_are_paired(made, compared):
    made("g", "pairwise_logistic", "data.group_key=g")
    made("g2", "pairwise_logistic", "data.group_key=g", "network.predictions=y2.npy")
    differences, notes = less(compared("g", "g2"))
    assert all(number["interval"] for number in differences.values())
    assert notes == []


def test_parts_of_runs_with_other_groups_are_refused(made, command):
    for name in ("g", "k"):
        made(name, "pairwise_logistic", f"data.group_key={name}", "evaluate.columns=[died]")
    result = command("compare", "g", "k", "--by", "column.died")
    assert result.exit_code == 2
    assert "those of k were not kept, or are different ones" in result.stderr


@pytest.mark.parametrize("other", ["w", "died"])
def test_runs_with_other_weights_have_no_interval(made, compared, command, other):
    made("plain", "squared_error", *(["data.sample_weight_key=w"] if other == "died" else []))
    made("weighed", "squared_error", f"data.sample_weight_key={other}")
    for pair in itertools.permutations(["plain", "weighed"]):
        differences, notes = less(compared(*pair))
        assert [number["interval"] for number in differences.values()] == [None, None]
        assert notes[0].startswith(f"{pair[1]} uses other weights of the rows than {pair[0]}")
        assert len(notes) == 1
        assert " *" not in command("compare", *pair).stdout


def test_one_group_is_one_group(made, command):
    made("all", "cox", *SURVIVAL)
    made("all2", "cox", *SURVIVAL, "network.predictions=y2.npy")
    assert (
        "paired by 120 rows taken as independent; given" in command("compare", "all", "all2").stdout
    )
