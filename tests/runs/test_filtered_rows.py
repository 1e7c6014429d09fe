"""A filter of rows in a configuration gives what a file of only these rows gives."""

import json
import re

import numpy as np
import pytest

from support.tables import read_npz, write_columns

REGIONS = ["north", "south", "", "far west"]
TEXT = """\
lossfw: 1
data: {name: arrays, file: FILE, inputs_key: [a, b], targets_key: kind, classes: [ant, bee, cat]}
network:
  layers: [{units: 3, activation: softmax}]
  weights: w.npz
loss: cross_entropy
evaluate: {save_rows: true, metrics: [accuracy], intervals: {level: 0.9}, columns: [id]}
"""
FILTER = "column.region in [north, 'far west'] and not column.age < 1"


@pytest.fixture
def written(folder):
    """Write a table, and one of only the rows that a filter leaves."""
    random = np.random.default_rng(4)
    a, b = random.normal(size=(2, 300))
    columns = {
        "id": range(300),
        "region": [REGIONS[i % 4] for i in range(300)],
        "age": [None if i % 7 == 0 else i % 5 / 2 for i in range(300)],
        "a": a,
        "b": b,
        "kind": ["ant", "bee", "cat"] * 100,
    }
    rows = zip(columns["region"], columns["age"], strict=True)
    kept = [r in ("north", "far west") and (age is None or age >= 1) for r, age in rows]
    some = {name: np.array(c, object)[kept] for name, c in columns.items()}
    for name, table in (("all", columns), ("some", some)):
        write_columns(folder / f"{name}.csv", table)
        (folder / f"{name}.yaml").write_text(TEXT.replace("FILE", f"{name}.csv"))
    np.savez(folder / "w.npz", W1=random.normal(size=(2, 3)), b1=np.zeros(3))
    return sum(kept)


def numbers(folder):
    told = json.loads((folder / "metrics.json").read_text())
    del told["digest"]
    return told


def test_it_is_as_if_the_file_had_only_these_rows(lossfw, folder, written):
    assert lossfw("run", "some.yaml", "--out", "some").exit_code == 0
    result = lossfw("run", "all.yaml", "--out", "all", "-o", f"data.where={FILTER}")
    assert result.exit_code == 0, result.output
    assert f"{written} rows" in result.stdout
    assert numbers(folder / "all") == numbers(folder / "some")
    rows = [(folder / name / "results.jsonl").read_bytes() for name in ("all", "some")]
    assert rows[0] == rows[1]
    record = json.loads((folder / "all/run.json").read_text())
    assert record["data"]["name"].startswith("arrays (all.csv) where column.region in [north,")
    # The folder has all that it takes to run again.
    assert lossfw("rerun", "all").exit_code == 0


def test_the_digest_of_data_and_run_knows_the_filter(lossfw, folder, written):
    digests = set()
    for name, rows in (("a", "column.id < 100"), ("b", "column.id >= 200"), ("c", None)):
        given = ["-o", f"data.where={rows}"] if rows else []
        assert lossfw("run", "all.yaml", "--out", name, *given).exit_code == 0
        record = json.loads((folder / name / "run.json").read_text())
        digests |= {record["digest"], record["data"]["digest"]}
    assert len(digests) == 6
    # As many rows as before, and other ones.
    assert "the runs have different data" in lossfw("compare", "a", "b").stderr
    same = lossfw("run", "all.yaml", "--out", "d", "-o", "data.where=(column.id<100)")
    assert same.exit_code == 0
    record = json.loads((folder / "d" / "run.json").read_text())
    assert record["digest"] in digests


def test_a_training_and_its_held_out_rows_take_filters(lossfw, folder, written):
    text = TEXT.replace("  weights: w.npz\n", "").split("evaluate")[0]
    held_out = "name: arrays, inputs_key: [a, b], targets_key: kind"
    for name, own, held in (("all", FILTER, FILTER), ("some", "", "column.id >= 0")):
        (folder / "t.yaml").write_text(
            text.replace("FILE", f"{name}.csv")
            + "train:\n  epochs: 2\n  optimizer: {name: sgd, learning_rate: 0.1}\n"
            + f'  hold_out: {{data: {{{held_out}, file: {name}.csv, where: "{held}"}}}}\n'
        )
        given = ["-o", f"data.where={own}"] if own else []
        result = lossfw("train", "t.yaml", "--out", name, *given)
        assert result.exit_code == 0, result.output
    one, other = (read_npz(folder / name / "weights.npz") for name in ("all", "some"))
    assert list(one) == list(other)
    assert all(one[key].tobytes() == other[key].tobytes() for key in one)
    trained = [json.loads((folder / n / "training.json").read_text()) for n in ("all", "some")]
    assert trained[0]["epochs"] == trained[1]["epochs"]


def test_classes_keep_their_numbers_or_that_is_told(lossfw, folder, written):
    text = TEXT.replace("FILE", "all.csv")
    (folder / "p.yaml").write_text(text.replace("[ant, bee, cat]", "found"))
    rows = "data.where=column.kind != bee"
    result = lossfw("validate", "p.yaml", "-o", rows)
    assert result.exit_code == 2
    assert "none of the selected rows has the label bee" in result.output
    assert "list all labels: data.classes: [ant, bee, cat]" in result.output
    assert lossfw("run", "p.yaml", "-o", rows, "-o", "data.classes=[ant, bee, cat]").exit_code == 0
    # To learn, the labels that are left are the classes.
    (folder / "t.yaml").write_text(
        "lossfw: 1\ndata: {name: arrays, file: all.csv, inputs_key: [a, b], targets_key: kind}\n"
        "network: {layers: [{units: 2, activation: softmax}]}\nloss: cross_entropy\n"
        "train: {epochs: 1, optimizer: {name: sgd, learning_rate: 0.1}}\n"
    )
    result = lossfw("train", "t.yaml", "--out", "t", "-o", rows)
    assert result.exit_code == 0, result.output
    assert read_npz(folder / "t/weights.npz")["classes"].tolist() == ["ant", "cat"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("column.regio == north", "id, region, age, a, b, kind"),
        ("column.region == nort", "none of the 300 rows fulfils 'column.region == nort'"),
        ("column.region == nort", "did you mean 'north'?"),
        ("column.age == old", "column.age holds numbers, but 'old' is not a number"),
        ("column.age > 99", "column.age goes from 0 to 2"),
        ("true", "data.where should be a text, got true"),
    ],
)
def test_a_mistake_is_told_at_its_place(lossfw, folder, written, rows, said):
    text = (folder / "all.yaml").read_text()
    (folder / "r.yaml").write_text(text.replace("classes: [", f"where: {rows}, classes: ["))
    for command in ("validate", "run"):
        result = lossfw(command, "r.yaml")
        assert result.exit_code == 2
        assert re.search(r"^r\.yaml:2:\d+: error: ", result.output, re.M)
        assert said in result.output
        assert "bug" not in result.output


def test_a_text_that_no_row_has_is_told(lossfw, written):
    result = lossfw("run", "all.yaml", "-o", "data.where=column.region != nort")
    assert result.exit_code == 0
    assert "column.region has no 'nort'; it has" in result.output
    assert "Did you mean 'north'?" in result.output


def test_a_row_that_is_left_out_may_lack_its_target(lossfw, folder):
    (folder / "m.csv").write_text("day,x,y\n1,1.0,2\n2,,3\n3,2.5,\n4,3,5\n")
    (folder / "m.yaml").write_text(
        "lossfw: 1\ndata: {name: arrays, file: m.csv, targets_key: y}\n"
        "network: {predictions: [1, 2, 3, 4]}\nloss: squared_error\nevaluate: {save_rows: true}\n"
    )
    assert "line 4, column 2 (y): the value is missing" in lossfw("validate", "m.yaml").output
    assert lossfw("validate", "m.yaml", "-o", "data.where=column.day != 3").exit_code == 0
    for name, given in (
        ("day", ["data.where=column.day != 3"]),
        ("target", ["data.where=column.y > -1e9"]),
        ("both", ["data.where=column.day > 0", "data.missing={targets: drop}"]),
    ):
        options = [text for override in given for text in ("-o", override)]
        result = lossfw("run", "m.yaml", "--out", name, *options)
        assert result.exit_code == 0, result.output
        lines = (folder / name / "results.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        assert [(row["prediction"], row["target"]) for row in rows] == [(1, 2), (2, 3), (4, 5)]
