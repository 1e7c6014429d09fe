"""targets_key as a mapping: the columns of a target from any source, and messages about them."""

import numpy as np
import pytest

from lossfw.evaluation.evaluate import evaluate
from support.configs import build_training
from support.tables import write_columns

ROWS = 12
TEXT = """\
lossfw: 1
data: {data}
network: {{predictions: p.npy}}
loss: cox
"""
KEY = "targets_key: {event: died, time: months}"
SOURCES = {
    "csv": f"{{name: arrays, file: t.csv, {KEY}}}",
    "parquet": f"{{name: arrays, file: t.parquet, {KEY}}}",
    "npz": f"{{name: arrays, file: t.npz, {KEY}}}",
    "apart": f"{{name: arrays, targets: t.npz, {KEY}}}",
    "a table apart": f"{{name: arrays, targets: t.csv, {KEY}}}",
    "dataset": f"{{name: parquet, path: t.parquet, {KEY}}}",
}


@pytest.fixture
def table(folder):
    """Write the same rows as files of each kind, and return their columns."""
    random = np.random.default_rng(1)
    months = random.integers(1, 60, ROWS)
    made = {
        "x": random.random(ROWS),
        "months": months,
        "died": random.integers(0, 2, ROWS),
        "upper": np.where(np.arange(ROWS) == 3, np.inf, months + 0.5),
    }
    for name in ("t.csv", "t.npz", "t.parquet"):
        write_columns(folder / name, made)
    np.save(folder / "p.npy", random.random(ROWS))
    return made


@pytest.mark.parametrize("source", SOURCES)
def test_columns_come_in_the_order_of_the_loss(source, table, plan, folder):
    made = plan(TEXT.format(data=SOURCES[source]))
    assert made.data.target_names == ("time", "event")
    expected = np.stack([table["months"], table["died"]], axis=1)
    assert np.array_equal(made.data.targets, expected)
    assert evaluate(made).loss == made.loss(np.load(folder / "p.npy"), expected)


def test_named_columns_are_not_inputs(table, folder):
    (folder / "run.yaml").write_text(
        TEXT.format(data=SOURCES["csv"].replace("}}", "}, exclude: [upper]}"))
        + "train: {epochs: 1, batch_size: 12, optimizer: {name: sgd, learning_rate: 0.1}}\n"
    )
    layers = "network={layers: [{units: 1, activation: identity}]}"
    training = build_training("run.yaml", [layers])
    assert training.data.input_names == ("x",)


# The overrides, a part of the message, and the hint.
MISTAKES = {
    "other names": (
        ["data.targets_key={time: months, died: died}"],
        "targets_key names the columns time, died, but the loss cox takes time, event",
        "write targets_key: {time: months, event: died}",
    ),
    "a loss without columns": (
        ["loss=huber"],
        "the loss huber takes targets without named columns",
        "write targets_key: COLUMN, or a list of columns",
    ),
    "one column": (
        ["data.targets_key=months"],
        "the target should have (12, 2), of Columns(time=NONNEGATIVE, event=BINARY)",
        "write data.targets_key: {time: COLUMN, event: COLUMN}",
    ),
    "an unknown column": (
        ["data.targets_key={time: months, event: dies}"],
        "has no column 'dies'",
        "did you mean 'died'?",
    ),
    "an event that is a number": (
        ["data.targets_key={time: died, event: months}"],
        "lies outside BINARY, the set {0, 1}",
        "",
    ),
    "an infinite number without a name": (
        ["data.targets_key=[months, upper]", "loss=aft"],
        "targets[3, 1] is inf; expected finite numbers",
        "",
    ),
    "ends in the wrong order": (
        ["data.targets_key={lower: upper, upper: months}", "loss=aft"],
        "target.lower[0]",
        "",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_its_place_and_a_hint(name, table, problem):
    overrides, told, hint = MISTAKES[name]
    where, message, advice = problem(TEXT.format(data=SOURCES["csv"]), *overrides)
    expected = "run.yaml:2:48" if name == "a loss without columns" else f"-o {overrides[0]}"
    assert where == expected
    assert told in message
    assert advice == hint


@pytest.mark.parametrize("column", ["months", "died", "upper"])
def test_nan_is_named_with_its_column(column, table, plan, folder):
    arrays = {name: np.array(values, float) for name, values in table.items()}
    arrays[column][5] = np.nan
    np.savez(folder / "t.npz", **arrays)
    loss, names = ("cox", ["time", "event"]) if column != "upper" else ("aft", ["lower", "upper"])
    key = f"{{{names[0]}: months, {names[1]}: {'died' if loss == 'cox' else 'upper'}}}"
    data = SOURCES["npz"].replace(KEY, f"targets_key: {key}")
    name = names[column != "months"]
    with pytest.raises(Exception, match=rf"targets\.{name}\[5\] is nan"):
        plan(TEXT.format(data=data), f"loss={loss}")


def test_a_network_with_too_few_outputs_for_columns_is_told_their_names(problem, folder):
    write_columns(folder / "t.csv", {"x": np.arange(5) / 4, "targets": np.arange(5) / 3})
    arrays = {"W1": np.ones((1, 1)), "b1": np.zeros(1)}
    np.savez(folder / "w.npz", **arrays)
    text = """\
        lossfw: 1
        data: {name: arrays, file: t.csv}
        network: {layers: [{units: 1, activation: identity}], weights: w.npz}
        loss: heteroscedastic_gaussian_nll
        """
    where, message, hint = problem(text)
    assert where == "run.yaml:3:28"
    assert message == "prediction has 1 column; expected 2: mean, log_variance"
    assert hint == "write units: 2, for mean, log_variance"
