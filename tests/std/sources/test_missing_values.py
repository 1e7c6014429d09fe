"""Missing values that are kept: NaN among inputs, a label of none, and nowhere else."""

from functools import partial

import numpy as np
import pytest

import lossfw
from lossfw.data import RowFilter, csv_cells, csv_table, parquet
from lossfw.data.categories import category_labels, encode_categories
from lossfw.errors import DataError, LossfwError
from support.tables import write_columns

pytest.importorskip("pyarrow")

ROWS = 9
AGE = np.arange(ROWS) / 2
ZONE = np.array([7, 3, 7, 3, 3, 7, 3, 7, 3])
KIND = np.array(["bus", "car", "", "car", "bus", "bus", "car", "car", "bus"])
PAID = np.arange(1.0, ROWS + 1)
GAPS = {"age": [1], "zone": [4, 8], "kind": [2]}


def columns():
    """Return the columns as lists, None where a value is missing."""
    table = {"age": AGE, "zone": ZONE, "kind": KIND, "paid": PAID}
    table = {name: column.tolist() for name, column in table.items()}
    for name, rows in GAPS.items():
        for row in rows:
            table[name][row] = None
    return table


def _csv(folder, table):
    return {"name": "arrays", "file": str(write_columns(folder / "x.csv", table))}


def _parquet(folder, table, name="arrays"):
    path = folder / ("x.parquet" if name == "arrays" else "rows/x.parquet")
    path.parent.mkdir(exist_ok=True)
    write_columns(path, table, row_group_size=2)
    return {"name": name, "file" if name == "arrays" else "path": str(path)}


def _frame(folder, table):
    pandas = pytest.importorskip("pandas")
    from lossfw.data.memory_file import MemoryFile

    frame = pandas.DataFrame(table).astype({"kind": "category"})
    return {"name": "arrays", "file": MemoryFile.of("frame", frame)}


SOURCES = [_csv, _parquet, partial(_parquet, name="parquet"), _frame]


def loaded(given, **changes):
    options = {"targets_key": "paid", "categories": ("kind", "zone"), "missing": "keep"}
    return lossfw.registry().create("source", {**given, **options, **changes}).load()


@pytest.mark.parametrize("make", SOURCES)
def test_inputs_may_lack_values(make, tmp_path):
    data = loaded(make(tmp_path, columns()))
    assert data.missing
    assert category_labels(data) == {"kind": ("bus", "car"), "zone": ("3", "7")}
    coded = encode_categories(data, {}, as_codes=True).in_memory()
    expected = np.column_stack([AGE, ZONE == 7, KIND == "car"]).astype(float)
    for column, rows in enumerate(GAPS.values()):
        expected[rows, column] = np.nan
    assert coded.input_names == ("age", "zone", "kind")
    np.testing.assert_array_equal(coded.inputs, expected)
    later = encode_categories(data, {"kind": ("car", "bus"), "zone": ("7",)}, as_codes=True,
                    unknown_is_missing=True).in_memory()  # fmt: skip
    np.testing.assert_array_equal(np.isnan(later.inputs[:, 1]), ZONE == 3)
    one_hot = encode_categories(data, {}).in_memory().inputs[:, 1:3]
    expected = np.column_stack([KIND == "bus", KIND == "car"]).astype(float)
    expected[GAPS["kind"]] = np.nan
    np.testing.assert_array_equal(one_hot, expected)
    with pytest.raises(DataError, match="category '3' in row 1"):
        encode_categories(data, {"kind": ("car", "bus"), "zone": ("7",)}, as_codes=True)


@pytest.mark.parametrize("make", SOURCES)
def test_rows_with_a_missing_value_are_dropped(make, tmp_path):
    data = loaded(make(tmp_path, columns()), missing="drop")
    assert np.asarray(data.targets).tolist() == [1, 4, 6, 7, 8]
    assert data.notes == ("4 rows are dropped, because a value is missing.",)


def test_a_text_among_numbers_is_told_with_its_place(tmp_path):
    table = columns()
    table["age"][7] = "1_000"
    with pytest.raises(DataError, match=r"line 9, column 0 \(age\): '1_000' is not a number"):
        loaded(_csv(tmp_path, table))
    table["age"][7] = "N/A"
    assert np.isnan(
        encode_categories(loaded(_csv(tmp_path, table)), {}, as_codes=True).inputs[7, 0]
    )


def test_categories_of_pandas_and_texts_are_read_alike(tmp_path):
    pandas = pytest.importorskip("pandas")
    from lossfw.data.memory_file import MemoryFile

    texts, numbers = ["bus", None, " car", "NA"], [7, None, 3, 7]
    frame = {
        "a": pandas.Categorical(["bus", None, "car", None]),
        "b": np.array(texts, object),
        "c": pandas.Series(texts),
        "n": pandas.Categorical(numbers),
        "m": np.array(numbers, object),
        "paid": [1.0, 2.0, 3.0, 4.0],
    }
    file = MemoryFile.of("frame", pandas.DataFrame(frame))
    data = loaded({"name": "arrays", "file": file}, categories=("a", "b", "c", "n", "m"))
    coded = encode_categories(data, {}, as_codes=True)
    assert [*coded.codes.values()] == [("bus", "car")] * 3 + [("3", "7")] * 2
    np.testing.assert_array_equal(coded.inputs[:, :3], np.transpose([[0, np.nan, 1, np.nan]] * 3))
    np.testing.assert_array_equal(coded.inputs[:, 3:], np.transpose([[1, np.nan, 0, 1]] * 2))
    nothing = pandas.DataFrame({"x": np.array([None, None], object), "paid": [1.0, 2.0]})
    data = loaded({"name": "arrays", "file": MemoryFile.of("frame", nothing)}, categories=())
    assert np.isnan(data.inputs).all()


BY_ROLE = {"inputs": "keep", "targets": "drop"}


@pytest.fixture(params=["whole", "in pieces"])
def pieces(request, monkeypatch):
    """Read tables as a whole, or in pieces of a few rows."""
    if request.param == "in pieces":
        monkeypatch.setattr(csv_table, "WHOLE_BYTES", 0)
        monkeypatch.setattr(csv_cells, "HELD_CELLS", 20)
        monkeypatch.setattr(parquet, "PIECE_BYTES", 64)
        monkeypatch.setattr(parquet, "_WHOLE_BYTES", 0)


def chosen(given, rows, **changes):
    """Return the rows of a source that fulfil a filter."""
    options = {"targets_key": "paid", "categories": ("kind", "zone"), **changes}
    source = lossfw.registry().create("source", {**given, **options})
    return source.load_selected(RowFilter.read(rows), ("kind",))


@pytest.mark.parametrize("make", SOURCES)
@pytest.mark.parametrize("missing", ["error", "keep", "drop", BY_ROLE])
def test_nobody_looks_at_rows_that_a_filter_leaves_out(make, missing, tmp_path, pieces):
    table = {**columns(), "row": list(range(ROWS))}
    for row in (1, 2, 4, 8):  # all that lack an input lack a target too
        table["paid"][row] = None
    there = [0, 3, 5, 6, 7]
    found = chosen(make(tmp_path, table), "column.row in [0, 3, 5, 6, 7]", missing=missing)
    assert (found.total, found.numbers.tolist(), found.data.notes) == (ROWS, there, ())
    assert found.data.rows.tolist() == there
    only = {name: [values[row] for row in there] for name, values in table.items()}
    (tmp_path / "only").mkdir()
    wanted = loaded(make(tmp_path / "only", only), missing=missing).in_memory()
    data = found.data.in_memory()
    assert data.targets.dtype == wanted.targets.dtype
    assert data.targets.tolist() == wanted.targets.tolist() == PAID[there].tolist()
    assert category_labels(data)["kind"] == category_labels(wanted)["kind"]
    # Whole numbers of a frame are floats where one of its rows lacks a number.
    zones = ([*map(float, category_labels(one)["zone"])] for one in (data, wanted))
    assert next(zones) == next(zones)
    for known in ({}, category_labels(wanted)):
        mine, theirs = (encode_categories(one, known).in_memory().inputs for one in (data, wanted))
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    kinds = data.columns["kind"]
    assert [kinds.labels[code] for code in kinds.values] == KIND[there].tolist()


@pytest.mark.parametrize("make", SOURCES)
def test_rows_without_a_target_are_left_out_and_inputs_kept(make, tmp_path, pieces):
    table = {**columns(), "weight": [1.0] * ROWS}
    table["paid"][3] = table["weight"][6] = None
    given = make(tmp_path, table)
    data = loaded(given, missing=BY_ROLE, sample_weight_key="weight")
    assert data.notes == ("2 rows are dropped, because a value is missing.",)
    assert data.missing
    there = [0, 1, 2, 4, 5, 7, 8]
    assert np.asarray(data.targets).tolist() == PAID[there].tolist()
    inputs = encode_categories(data, {}, as_codes=True).in_memory().inputs
    assert np.isnan(inputs[:, 0]).tolist() == [row in GAPS["age"] for row in there]
    # The numbers of the rows that are left are known where a filter chose some.
    found = chosen(given, "column.age != 0", missing=BY_ROLE, sample_weight_key="weight")
    assert found.numbers.tolist() == there[1:]
    with pytest.raises(DataError, match=r"missing|row 1 is (null|nan)"):
        loaded(given, missing={"inputs": "error", "targets": "drop"}, sample_weight_key="weight")
    with pytest.raises(DataError, match=r"missing|row 3 is (null|nan)"):
        loaded(given, missing={"inputs": "drop"}, sample_weight_key="weight")


@pytest.mark.parametrize("make", SOURCES)
def test_the_labels_of_all_rows_are_known(make, tmp_path):
    given = make(tmp_path, columns())
    rows, options = "column.age > 1.9 and column.age < 2.6", {"exclude": ("zone",)}
    found = chosen(given, rows, targets_key="kind", categories=(), **options)
    assert (found.data.classes, found.classes) == (("bus",), ("bus", "car"))


def test_arrays_of_numpy_are_filtered_before_anyone_looks_at_them(tmp_path):
    np.savez(tmp_path / "x.npz", inputs=[[1.0], [np.nan], [3.0]], targets=[1.0, np.nan, 3.0],
             day=[1, 2, 3])  # fmt: skip
    given = {"name": "arrays", "file": str(tmp_path / "x.npz")}
    days = RowFilter.read("column.day != 2")
    found = lossfw.registry().create("source", given).load_selected(days, ())
    assert found.data.targets.tolist() == [1, 3]
    np.save(tmp_path / "t.npy", [1.0, 2.0])
    files = {"inputs": str(tmp_path / "x.npz"), "targets": str(tmp_path / "t.npy")}
    with pytest.raises(DataError, match="targets has 2 rows, but the columns of data"):
        lossfw.registry().create("source", "arrays", **files).load_selected(days, ())


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({"targets": "keep"}, "a row without a target has no loss"),
        ({"weights": "drop"}, "inputs, targets or both"),
        ("keeep", "one of error, drop, keep, or a mapping"),
    ],
)
def test_what_is_no_rule_is_told(missing, said):
    with pytest.raises(LossfwError, match=said):
        lossfw.registry().create("source", "arrays", file="x.csv", missing=missing)
    dropped = {"inputs": "drop", "targets": "drop"}
    for given, same in ((dropped, "drop"), ({"inputs": "keep"}, "keep")):
        made = lossfw.registry().create("source", "arrays", file="x.csv", missing=given)
        assert made.missing == same
