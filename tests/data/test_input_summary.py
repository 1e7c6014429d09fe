"""The inputs in words, and columns of categories that are none."""

import numpy as np
import pytest

import lossfw as library
from lossfw.data import DataColumn, Dataset
from lossfw.data.input_summary import category_warnings, describe_inputs

ROWS = 40


def words(inputs=None, categories=None, *, flatten=False, one_hot=False):
    data = Dataset("d", np.zeros(3), None if inputs is None else np.zeros((3, *inputs)))
    return describe_inputs(data, categories or {}, flatten=flatten, one_hot=one_hot)


def test_inputs_in_words():
    assert words() == ""
    assert words((1,)) == "1 number"
    assert words((3, 8, 8)) == "3 x 8 x 8 numbers"
    assert words((3, 8, 8), flatten=True) == "192 numbers"
    kinds = {"kind": ["a", "b"], "zone": ["1"]}
    assert words(None, kinds) == "2 categories (kind 2, zone 1)"
    both = "2 numbers and 2 categories (kind 2, zone 1), as 5 inputs"
    assert words((2,), kinds, one_hot=True) == both
    many = {f"c{n}": ["a"] for n in range(12)}
    assert words(None, many).endswith("c7 1, ... (12 in all))")


def doubted(labels):
    columns = {"c": DataColumn.of(np.array(labels))}
    return list(category_warnings(columns, "leave out {}"))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([f"k{n}" for n in range(ROWS)], "c has 40 labels in 40 rows, 40 of which occur once"),
        ([f"k{min(n, 25)}" for n in range(ROWS)], "c has 26 labels in 40 rows, 25 of which"),
        (["1,200", "950", "3,5"] * 10, "numbers with a comma, such as 1,200"),
        (["2026-01-31", "2026-02-01"] * 10, "dates or times, such as 2026-01-31"),
        (["31.1.2026 7:05", "1.2.2026 17:05"] * 10, "dates or times"),
        (["01/31/26", ""] * 10, "dates or times"),
        (["2026-01-31T10:00:00Z", "2026-01-31T10:00:00+01:00"] * 10, "dates or times"),
        (["07:15", "19:30"] * 10, "dates or times"),
    ],
)
def test_what_is_no_category_is_doubted(labels, said):
    (told,) = doubted(labels)
    assert said in told
    assert told.endswith("leave out c")


def test_a_run_of_a_model_with_categories_of_its_own_doubts_none(folder, lossfw):
    lines = [f"k{n},{'ab'[n % 2]},{n % 5},{n % 3}" for n in range(ROWS)]
    (folder / "d.csv").write_text("\n".join(["id,kind,x,y", *lines]) + "\n")
    (folder / "c.yaml").write_text(
        "lossfw: 1\ndata: {name: arrays, file: d.csv, targets_key: y, categories: found}\n"
        "network: {layers: [{units: 1, activation: identity}]}\nloss: squared_error\n"
        "train: {epochs: 1, optimizer: sgd, hold_out: {fraction: 0.5}}\n"
    )
    line = "1 number and 2 categories (id 40, kind 2), as 43 inputs"
    validated = lossfw("validate", "c.yaml")
    assert f"inputs  {line}" in validated.stdout
    assert "leave it out with exclude: [id]" in validated.stderr
    trained = lossfw("train", "c.yaml", "--out", "t")
    assert f"inputs     {line}\n" in trained.stdout
    assert "It looks like a key" in trained.stdout + trained.stderr
    run = lossfw("run", "c.yaml", "-o", "network.weights=t/weights.npz", "--out", "r")
    assert f" {line}\n" in run.stdout
    assert "key" not in run.output
    pytest.importorskip("matplotlib")
    for name in "rt":
        assert lossfw("report", name).exit_code == 0
        assert "as 43 inputs" in (folder / name / "report.html").read_text()
    folds = ["train.hold_out={folds: 2}", "data.exclude=[id]"]
    trained = library.train_all("c.yaml", overrides=folds)
    assert trained["fold=0"].inputs == "1 number and 1 category (kind 2), as 3 inputs"
