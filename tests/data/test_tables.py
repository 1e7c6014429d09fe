"""Tables of users: texts, labels, gaps and packed files; CSV and Parquet give the same rows."""

import numpy as np
import pytest

import lossfw
from lossfw.data import csv_cells, csv_table, parquet
from lossfw.errors import DataError, ParameterError
from support.tables import write_columns

HOUSES = {
    "name": ["Ann", "Bob", 'Cid, "the third"', "Dee", "Eve"],
    "x0": [0.5, 1.5, 2.5, 3.5, 4.5],
    "x1": [1, 2, 3, 4, 5],
    "kind": ["house", "flat", "flat", "house", "boat"],
    "price": [10.0, 20.0, 30.5, 40.0, 50.0],
}
GAPS = {
    "x0": [0.5, None, 2.5, 3.5],
    "note": [None, "a", None, "b"],
    "kind": ["flat", "flat", None, "house"],
    "targets": [1, 2, 3, 4],
}
FORMATS = ("csv", "tsv", "csv.gz", "parquet")


def source(**parameters):
    return lossfw.registry().create("source", "arrays", **parameters)


@pytest.fixture(params=FORMATS)
def table(request, tmp_path):
    """Write columns as a file of each format, and return a function that loads them."""

    def load(columns, **parameters):
        path = write_columns(tmp_path / f"t.{request.param}", columns)
        return source(file=str(path), **parameters).load()

    return load


@pytest.fixture(params=[False, True], ids=["whole", "pieces"])
def pieces(request, monkeypatch):
    """Read files as a whole, and in pieces of very few bytes."""
    if request.param:
        monkeypatch.setattr(csv_table, "WHOLE_BYTES", 0)
        monkeypatch.setattr(csv_cells, "HELD_CELLS", 30)
        monkeypatch.setattr(parquet, "_WHOLE_BYTES", 0)
        monkeypatch.setattr(parquet, "PIECE_BYTES", 30)


def test_labels_are_numbered_in_ascending_order(table, pieces):
    data = table(HOUSES, inputs_key=["x0"], targets_key="kind")
    assert data.classes == ("boat", "flat", "house")
    np.testing.assert_array_equal(data.targets, [2, 1, 1, 2, 0])
    np.testing.assert_array_equal(data.take([4, 0]).targets, [0, 2])
    assert [list(batch.targets) for batch in data.batches(3)] == [[2, 1, 1], [2, 0]]


def test_columns_are_inputs_targets_or_left_out(table, pieces):
    data = table(HOUSES, targets_key=["price", "x0"], exclude=["name", "kind"])
    np.testing.assert_array_equal(data.inputs, np.c_[HOUSES["x1"]])
    np.testing.assert_array_equal(data.targets, np.c_[HOUSES["price"], HOUSES["x0"]])
    with pytest.raises(DataError, match=r"exclude: \[name, kind\]"):
        table(HOUSES, targets_key="price")


def test_rows_with_missing_values_are_dropped(table, pieces):
    data = table(GAPS, inputs_key=["x0"], targets_key="kind", missing="drop")
    np.testing.assert_array_equal(data.inputs, [[0.5], [3.5]])
    np.testing.assert_array_equal(data.targets, [0, 1])
    # A gap in a column that nobody wants is none; NaN is missing too.
    data = table(GAPS | {"x0": [0.5, float("nan"), 2.5, 3.5]}, inputs_key=["x0"], missing="drop")
    np.testing.assert_array_equal(data.targets, [1, 3, 4])


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "NaN", "null", " "])
def test_ways_to_write_a_missing_number(cell, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"x,targets\n1,2\n{cell},3\n4,5\n")
    data = source(file=str(path), missing="drop").load()
    np.testing.assert_array_equal(data.targets, [2, 5])


def test_an_unknown_column_is_told_with_the_nearest_and_no_row_that_is_left(table):
    columns = {f"feature{i}": [0.5] for i in range(197)} | {"targets": [1.0]}
    with pytest.raises(DataError) as error:
        table(columns, inputs_key=["featur42"])
    assert "feature42, " in str(error.value)
    assert "... (198 in all)" in str(error.value)
    assert len(str(error.value)) < 400
    with pytest.raises(DataError, match=r"no rows.* since in each of them a value is missing"):
        table({"x": [None, 1.5], "targets": [1, None]}, missing="drop")


@pytest.mark.parametrize("ending", FORMATS)
def test_a_missing_value_in_files_of_their_own_has_a_remedy_that_works(ending, tmp_path):
    files = {
        role: str(write_columns(tmp_path / f"{role}.{ending}", {n: GAPS[n] for n in names}))
        for role, names in (("inputs", ["targets", "x0"]), ("targets", ["targets"]))
    }
    told = "put all columns into one file or data frame, and write missing: drop"
    with pytest.raises(DataError, match=told):
        source(**files).load()
    with pytest.raises(ParameterError, match="one 'file' for all arrays with 'missing: drop'"):
        source(**files, missing="drop")


def test_keys_that_do_not_go_together(tmp_path):
    with pytest.raises(ParameterError, match="either 'inputs_key' or 'exclude', not both"):
        source(file="t.csv", inputs_key="a", exclude=["b"])
    with pytest.raises(ParameterError, match="missing"):
        source(file="t.csv", missing="zero")
    np.savez(tmp_path / "d.npz", inputs=np.ones((2, 2)), targets=np.ones(2))
    for parameters in ({"inputs_key": ["a", "b"]}, {"exclude": ["a"]}):
        with pytest.raises(DataError, match="only a table"):
            source(file=str(tmp_path / "d.npz"), **parameters).load()
