"""Groups in a configuration: where the column comes from, and the messages about mistakes."""

import numpy as np
import pytest

from lossfw.evaluation.evaluate import evaluate
from support.configs import build_training, verdict_of
from support.plugin_sources import SPREAD
from support.tables import write_columns

# Without a group, all rows are one.
WHOLE = (
    SPREAD.replace("spread", "whole")
    .replace("Spread", "Whole")
    .replace("    def value", "    needs_group = False\n\n    def value")
)
TEXT = """\
lossfw: 1
plugins: [spread.py]
data: {data}
network: {{predictions: p.npy}}
loss: spread
"""
TRAIN = """\
lossfw: 1
plugins: [spread.py]
data: {name: arrays, file: t.csv, targets_key: y, group_key: query}
network: {layers: [{units: 1, activation: identity}]}
loss: spread
train: {epochs: 2, batch_size: 10, optimizer: {name: sgd, learning_rate: 0.1}}
"""
SOURCES = {
    "csv": "{name: arrays, file: t.csv, targets_key: y, group_key: query}",
    "counted": "{name: arrays, file: bare.csv, targets_key: 2, group_key: 0}",
    "parquet": "{name: arrays, file: t.parquet, targets_key: y, group_key: query}",
    "npz": "{name: arrays, file: t.npz, targets_key: y, group_key: query}",
    "apart": "{name: arrays, targets: t.npz, targets_key: y, group_key: query}",
    "dataset": "{name: parquet, path: t.parquet, targets_key: y, group_key: query}",
}
SIZES = [1, 3, 2, 7, 1, 30]
NAMES = ["q10", "q9", "b", "a", "z", "Q"]
ROWS = sum(SIZES)


@pytest.fixture
def table(folder):
    """Write the same rows as files of each kind, and return their columns."""
    random = np.random.default_rng(1)
    made = {
        "query": np.repeat(NAMES, SIZES),
        "x": random.random(ROWS),
        "y": random.random(ROWS),
    }
    for name in ("t.csv", "t.npz", "t.parquet"):
        write_columns(folder / name, made)
    numbered = np.repeat(np.arange(len(SIZES)) * 1.5, SIZES)
    np.savetxt(folder / "bare.csv", np.stack([numbered, made["x"], made["y"]], 1), delimiter=",")
    np.save(folder / "p.npy", random.random(ROWS))
    (folder / "spread.py").write_text(SPREAD)
    return made


@pytest.mark.parametrize("source", SOURCES)
def test_a_column_of_any_source_names_the_groups(source, table, plan, folder):
    made = plan(TEXT.format(data=SOURCES[source]))
    assert np.diff(made.groups.starts).tolist() == SIZES
    p, starts = np.load(folder / "p.npy"), np.cumsum(SIZES) - SIZES
    spreads = [np.var(part) for part in np.split(p - table["y"], starts[1:])]
    assert evaluate(made).loss == pytest.approx(np.mean(spreads), rel=1e-14)


@pytest.mark.parametrize("source", ["csv", "counted", "parquet", "dataset"])
def test_the_column_of_groups_is_not_an_input(source, table, folder):
    (folder / "run.yaml").write_text(TRAIN)
    training = build_training("run.yaml", [f"data={SOURCES[source]}"])
    assert training.data.inputs.shape == (ROWS, 1)
    assert np.array_equal(training.data.inputs[:, 0], table["x"])


def test_rows_that_are_held_out_are_those_of_whole_groups(table, folder):
    (folder / "run.yaml").write_text(TRAIN)
    training = build_training("run.yaml", ["train.hold_out={fraction: 0.34}"])
    train, held = training.data.groups, training.held_out.groups
    names = [[part.name_of(g) for g in range(len(part))] for part in (train, held)]
    assert sorted(names[0] + names[1]) == sorted(NAMES)
    assert len(names[1]) == 2
    for part in (train, held):
        sizes = np.diff(part.starts).tolist()
        assert sizes == [SIZES[NAMES.index(part.name_of(g))] for g in range(len(part))]


HINT = "write data.group_key: COLUMN, a column with the same value in all rows of a group"
PLAIN = "data={name: arrays, file: t.csv, targets_key: y}"
WRITER = "data={name: digits, group_key: writer}"
NPZ = "data.file=t.npz"


@pytest.mark.parametrize(
    ("overrides", "at", "told", "hint"),
    [
        ([PLAIN], 0, "the loss spread takes groups of rows, but the configuration does ", HINT),
        (["evaluate.metrics=[spread]", PLAIN, "loss=huber"], "-o", "the metric spread takes", HINT),
        (["data.group_key=quary"], "-o", "t.csv has no column 'quary'", "did you mean 'query'?"),
        (["data.group_key=pair", "data.where=column.x >= 0"], "-o",
         "column 'pair'[5] is 'b' again, after other groups: this group began at row 3", ""),
        (["data.group_key=gap"], "-o", "column 'gap'[4] is missing; every row needs a", ""),
        (["data.group_key=sizes", NPZ], "-o", "np.repeat(np.arange(len(sizes)), sizes) has a", ""),
        ([WRITER], "-o", "the source digits has no columns to slice by", ""),
        (["evaluate.sample={count: 7}"], "-o", "7 groups cannot be drawn from 6 without ",
         "write replace: true, or a count of at most 6"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(overrides, at, told, hint, table, folder, problem):
    pair, gap = np.repeat(["a", "b"], [3, ROWS - 3]), np.repeat(["a"], ROWS)
    pair[4], gap[4] = "c", ""
    write_columns(folder / "t.csv", {**table, "pair": pair, "gap": gap})
    write_columns(folder / "t.npz", {"y": table["y"], "sizes": np.array(SIZES)})
    place, message, advice = problem(TEXT.format(data=SOURCES["csv"]), *overrides)
    assert place == {"-o": f"-o {overrides[0]}", 0: "run.yaml:5:7"}.get(at, at)
    assert told in message
    assert advice.startswith(hint)


def test_batches_of_one_group_of_all_rows_are_noted(table, folder):
    (folder / "spread.py").write_text(WHOLE)
    text = TRAIN.replace(", group_key: query", "").replace("loss: spread", "loss: whole")
    (folder / "run.yaml").write_text(text.replace("file: t.csv", "file: t.csv, exclude: [query]"))
    (note,) = verdict_of("run.yaml").notes
    assert note.startswith(
        f"without data.group_key the {ROWS} rows form one group for the loss whole"
    )
    assert verdict_of("run.yaml", [f"train.batch_size={ROWS}"]).notes == ()
