"""Slices by columns of the data, from every kind of file: against numbers of the rows alone."""

import pickle

import numpy as np
import pytest

from lossfw.evaluation.evaluate import evaluate, result_of
from support.tables import write_columns

ROWS = 1500
TEXT = """\
lossfw: 1
data: {data}
network: {{predictions: p.npy}}
loss: squared_error
evaluate:
  batch_size: 70
  slices:
    - column.region
    - {{name: age, by: column.age, bins: [30, 50]}}
    - {{name: shop, by: column.shop, largest: 3}}
"""
SOURCES = {
    "csv": "{name: arrays, file: t.csv, inputs_key: [x], targets_key: y}",
    "gzipped": "{name: arrays, file: t.csv.gz, inputs_key: [x], targets_key: y}",
    "parquet": "{name: arrays, file: t.parquet, inputs_key: [x], targets_key: y}",
    "npz": "{name: arrays, file: t.npz, inputs_key: x, targets_key: y}",
    "apart": "{name: arrays, targets: t.csv, targets_key: y}",
    "dataset": "{name: parquet, path: rows, inputs_key: [x], targets_key: y}",
}


@pytest.fixture
def columns(folder):
    """Write the same rows as files of each kind, and return their columns."""
    random = np.random.default_rng(1)
    regions = np.array(["north", "south", ""])[random.integers(0, 3, ROWS)]
    age = np.where(random.random(ROWS) < 0.1, np.nan, random.integers(18, 80, ROWS))
    # Of the shops, the first has the most rows.
    shops = [f"shop {number}" for number in random.integers(0, 10, (ROWS, 3)).min(axis=1)]
    made = {"shop": np.array(shops), "x": random.random(ROWS), "y": random.random(ROWS)}
    made |= {"region": regions, "age": age}
    table = made | {
        "region": [region or None for region in regions],
        "age": [None if np.isnan(a) else int(a) for a in age],
    }
    for name in ("t.csv", "t.csv.gz", "t.npz", "t.parquet"):
        write_columns(folder / name, table, row_group_size=400)
    (folder / "rows").mkdir()
    for number, rows in enumerate((slice(700), slice(700, None))):
        part = {name: column[rows] for name, column in table.items()}
        write_columns(folder / "rows" / f"{number}.parquet", part, row_group_size=300)
    np.save(folder / "p.npy", random.random(ROWS))
    return made


def parts_of(result):
    return {
        (part["name"], part["value"]): (part["count"], part["loss"]["value"])
        for part in result.numbers.slices
    }


@pytest.mark.parametrize("source", SOURCES)
def test_a_slice_by_a_column_has_the_numbers_of_its_rows(source, columns, plan, folder):
    made = plan(TEXT.format(data=SOURCES[source]))
    found = parts_of(evaluate(made))
    p, age = np.load(folder / "p.npy"), columns["age"]
    names, counts = np.unique(columns["shop"], return_counts=True)
    most = set(names[np.argsort(-counts)[:3]])
    wanted = {
        ("region", "north"): columns["region"] == "north",
        ("region", "south"): columns["region"] == "south",
        ("region", "missing"): columns["region"] == "",
        ("age", "< 30"): age < 30,
        ("age", "30 to 50"): (age >= 30) & (age < 50),
        ("age", ">= 50"): age >= 50,
        ("age", "missing"): np.isnan(age),
        **{("shop", name): columns["shop"] == name for name in sorted(most)},
        ("shop", "other"): ~np.isin(columns["shop"], list(most)),
    }
    assert list(found) == list(wanted)
    for key, rows in wanted.items():
        count, loss = found[key]
        assert count == rows.sum(), key
        assert loss == pytest.approx(((p - columns["y"])[rows] ** 2).mean(), rel=1e-14), key


def test_parts_of_the_rows_merge_to_the_same_bits_and_a_plan_can_travel(columns, plan, monkeypatch):
    monkeypatch.setattr("lossfw.losses.engine.reduction.BLOCK_ELEMENTS", 1024)
    made = plan(TEXT.format(data=SOURCES["csv"]))
    whole = evaluate(made).to_dict()
    travelled = pickle.loads(pickle.dumps(made))
    middle = made.block_rows
    assert middle < ROWS
    state = evaluate(travelled, rows=(middle, ROWS))
    state.merge(evaluate(made, rows=(0, middle)))
    merged = result_of(made, state).to_dict()
    assert merged["slices"] == whole["slices"]
    larger = plan(TEXT.format(data=SOURCES["csv"]), "evaluate.batch_size=5000")
    assert evaluate(larger).to_dict()["slices"] == whole["slices"]


@pytest.mark.parametrize(
    ("source", "slices", "what", "hint"),
    [
        *((source, "[column.regoin]", "has no column 'regoin'", "did you mean 'region'?")
          for source in ("csv", "npz", "dataset", "apart")),
        ("csv", "[column.x]", "column.x[0] = ", ""),
        ("csv", "[{name: r, by: column.region, bins: [1]}]", "holds strings, but bins are", ""),
        ("csv", "[colum.region]", "A column of the data is column.region", ""),
        ("csv", "[region]", "A column of the data is column.region", "did you mean 'prediction'?"),
    ],
)  # fmt: skip
def test_what_a_slice_cannot_be_by_is_told_before_the_run(
    source, slices, what, hint, columns, problem
):
    where, told, given = problem(TEXT.format(data=SOURCES[source]), f"evaluate.slices={slices}")
    assert "evaluate.slices" in str(where)
    assert what in told
    assert given == hint


PLUGIN = """\
import numpy as np
from lossfw import hookimpl
from lossfw.data import Dataset, Source

class Two(Source):
    \"\"\"Two rows. Use it in tests.\"\"\"

    def load(self):
        return Dataset(self.name, targets=np.zeros(2), columns={"side": np.array(["l", "r"])})

@hookimpl
def lossfw_sources():
    return {"two": Two}
"""


def test_the_source_of_a_plugin_puts_columns_into_its_data(folder, plan):
    (folder / "two.py").write_text(PLUGIN)
    text = TEXT.format(data="two").replace("p.npy", "[0.5, 2.0]") + "plugins: [two.py]\n"
    found = parts_of(evaluate(plan(text, "evaluate.slices=[column.side]")))
    assert found == {("side", "l"): (1, 0.25), ("side", "r"): (1, 4.0)}


def test_columns_that_are_no_labels_are_told(columns, problem, folder):
    text = TEXT.format(data="{name: inline, targets: [0.5]}").replace("p.npy", "[0.25]")
    _, told, _ = problem(text, "evaluate.slices=[column.region]")
    assert told == "the source inline has no columns to slice by"
    np.savez(folder / "t.npz", x=columns["x"], y=columns["y"], region=np.array(["a", None]))
    _, told, _ = problem(TEXT.format(data=SOURCES["npz"]), "evaluate.slices=[column.region]")
    assert told.endswith("Save an array of strings: array.astype(str)")
