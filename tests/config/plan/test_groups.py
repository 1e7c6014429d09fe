"""Groups and columns of targets in a configuration: where they come from, and mistakes."""

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
    made = {"query": np.repeat(NAMES, SIZES), "x": random.random(ROWS), "y": random.random(ROWS)}
    months = random.integers(1, 60, ROWS)
    survival = {"months": months, "died": random.integers(0, 2, ROWS)}
    survival["upper"] = np.where(np.arange(ROWS) == 3, np.inf, months + 0.5)
    for name in ("t.csv", "t.npz", "t.parquet"):
        write_columns(folder / name, made)
        write_columns(folder / f"s{name}", {"x": made["x"], **survival})
    numbered = np.repeat(np.arange(len(SIZES)) * 1.5, SIZES)
    np.savetxt(folder / "bare.csv", np.stack([numbered, made["x"], made["y"]], 1), delimiter=",")
    np.save(folder / "p.npy", random.random(ROWS))
    (folder / "spread.py").write_text(SPREAD)
    return made | survival


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
    columns = {name: table[name] for name in ("query", "x", "y")} | {"pair": pair, "gap": gap}
    write_columns(folder / "t.csv", columns)
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


# targets_key as a mapping: the columns of a target -----------------------

COX = TEXT.replace("loss: spread", "loss: cox")
KEY = "targets_key: {event: died, time: months}"
TARGETS = {
    "csv": f"{{name: arrays, file: st.csv, {KEY}}}",
    "parquet": f"{{name: arrays, file: st.parquet, {KEY}}}",
    "npz": f"{{name: arrays, file: st.npz, {KEY}}}",
    "apart": f"{{name: arrays, targets: st.npz, {KEY}}}",
    "a table apart": f"{{name: arrays, targets: st.csv, {KEY}}}",
    "dataset": f"{{name: parquet, path: st.parquet, {KEY}}}",
}


@pytest.mark.parametrize("source", TARGETS)
def test_columns_come_in_the_order_of_the_loss(source, table, plan, folder):
    made = plan(COX.format(data=TARGETS[source]))
    assert made.data.target_names == ("time", "event")
    expected = np.stack([table["months"], table["died"]], axis=1)
    assert np.array_equal(made.data.targets, expected)
    assert evaluate(made).loss == made.loss(np.load(folder / "p.npy"), expected)


def test_named_columns_are_not_inputs(table, folder):
    data = TARGETS["csv"].replace("}}", "}, exclude: [upper]}")
    (folder / "run.yaml").write_text(TRAIN.replace("loss: spread", "loss: cox"))
    assert build_training("run.yaml", [f"data={data}"]).data.input_names == ("x",)


@pytest.mark.parametrize(
    ("overrides", "told", "hint"),
    [
        (["data.targets_key={time: months, died: died}"],
         "targets_key names the columns time, died, but the loss cox takes time, event",
         "write targets_key: {time: months, event: died}"),
        (["loss=huber"], "the loss huber takes targets without named columns",
         "write targets_key: COLUMN, or a list of columns"),
        (["data.targets_key=months"], f"the target should have ({ROWS}, 2), of Columns(time=NONN",
         "write data.targets_key: {time: COLUMN, event: COLUMN}"),
        (["data.targets_key={time: months, event: dies}"], "no column 'dies'", "mean 'died'?"),
        (["data.targets_key={time: died, event: months}"], "outside BINARY, the set {0, 1}", ""),
        (["data.targets_key=[months, upper]", "loss=aft"],
         "targets[3, 1] is inf; expected finite numbers", ""),
        (["data.targets_key={lower: upper, upper: months}", "loss=aft"], "target.lower[0]", ""),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_a_hint(overrides, told, hint, table, problem):
    where, message, advice = problem(COX.format(data=TARGETS["csv"]), *overrides)
    # Of a loss without columns it is that of the key.
    assert where == ("run.yaml:3:49" if "loss=huber" in overrides else f"-o {overrides[0]}")
    assert told in message
    assert hint in advice


@pytest.mark.parametrize("column", ["months", "died", "upper"])
def test_nan_is_named_with_its_column(column, table, plan, folder):
    arrays = {name: np.array(table[name], float) for name in ("x", "months", "died", "upper")}
    arrays[column][5] = np.nan
    np.savez(folder / "st.npz", **arrays)
    loss, names = ("cox", ["time", "event"]) if column != "upper" else ("aft", ["lower", "upper"])
    key = f"{{{names[0]}: months, {names[1]}: {'died' if loss == 'cox' else 'upper'}}}"
    data = TARGETS["npz"].replace(KEY, f"targets_key: {key}")
    name = names[column != "months"]
    with pytest.raises(Exception, match=rf"targets\.{name}\[5\] is nan"):
        plan(COX.format(data=data), f"loss={loss}")


def test_a_network_with_too_few_outputs_for_columns_is_told_their_names(refused, folder):
    write_columns(folder / "t.csv", {"x": np.arange(5) / 4, "targets": np.arange(5) / 3})
    np.savez(folder / "w.npz", W1=np.ones((1, 1)), b1=np.zeros(1))
    text = """\
        lossfw: 1
        data: {name: arrays, file: t.csv}
        network: {layers: [{units: 1, activation: identity}], weights: w.npz}
        loss: heteroscedastic_gaussian_nll
        """
    message = "prediction has 1 column; expected 2: mean, log_variance"
    refused(text, at="3:28", what=message, hint="write units: 2, for mean, log_variance")
