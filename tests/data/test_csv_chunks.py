"""Files that are read in pieces: the same rows as those of a file that is read at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.data import Dataset, csv_cells, csv_table
from lossfw.data.arrays import read_array
from lossfw.data.csv_table import open_table
from lossfw.data.files import digest_arrays
from lossfw.data.lazy_arrays import Column, read_rows, take_rows
from lossfw.data.npy import read_npy
from lossfw.errors import ArgumentError, DataError

COLUMNS = {
    "x": np.arange(50) / 4,
    "targets": np.arange(50) % 3,
    "y": np.arange(50, dtype="f4"),
    "sample_weight": np.ones(50),
}


@pytest.fixture
def in_pieces(monkeypatch):
    """Read every table in pieces of very few bytes."""
    monkeypatch.setattr(csv_table, "WHOLE_BYTES", 0)
    monkeypatch.setattr(csv_cells, "HELD_CELLS", 20)


def write(path, rows, head="", end="\n"):
    path.write_text(head + end.join(",".join(map(str, row)) for row in rows) + end)
    return path


def arrays(path, *groups):
    return open_table(path, "data").read(*groups)


def load(path):
    return lossfw.registry().create("source", "arrays", file=str(path)).load()


cells = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))


@given(st.lists(st.tuples(cells, st.integers(0, 9), cells), min_size=1), st.data())
def test_a_table_in_pieces_is_the_same_table(tmp_path_factory, rows, data):
    path = write(tmp_path_factory.mktemp("csv") / "t.csv", rows, "# head\na,b,c\n")
    groups = (1, [2], [0, 2])
    whole = arrays(path, *groups)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "WHOLE_BYTES", 0)
        patch.setattr(csv_cells, "HELD_CELLS", data.draw(st.integers(1, 200)))
        pieces = arrays(path, *groups)
        start = data.draw(st.integers(0, len(rows)))
        stop = data.draw(st.integers(start, len(rows)))
        picked = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1))), int)
        for once, column in zip(whole, pieces, strict=True):
            assert isinstance(column, Column)
            assert (column.shape, column.dtype, column.ndim) == (once.shape, once.dtype, once.ndim)
            for found, wanted in (
                (column[start:stop], once[start:stop]),
                (column[picked], once[picked]),
                (column[::2], once[::2]),
                (column[-1], once[-1]),
                (np.asarray(column), once),
            ):
                np.testing.assert_array_equal(found, wanted)
                assert found.dtype == wanted.dtype


def test_the_digest_of_a_column_names_its_content(tmp_path, in_pieces):
    rows = [[i, i % 3] for i in range(50)]
    first, other = arrays(write(tmp_path / "a.csv", rows), 0, 1)
    (again,) = arrays(write(tmp_path / "b.csv", rows), 0)
    rows[-1][0] += 1
    (changed,) = arrays(write(tmp_path / "c.csv", rows), 0)
    assert digest_arrays(first) == digest_arrays(again)
    assert len({digest_arrays(column) for column in (first, other, changed)}) == 3


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_comments_and_empty_lines_are_no_rows(tmp_path, in_pieces, end):
    path = tmp_path / "t.csv"
    text = end.join(["\ufeff1,2", "", "# note", "3,4 # more", *["5,6"] * 20, ""])
    path.write_bytes(text.encode())
    (column,) = arrays(path, [0, 1])
    assert np.asarray(column).tolist() == [[1, 2], [3, 4], *[[5, 6]] * 20]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7,x", r"line 31, column 1: 'x' is not a number"),
        ("7", r"line 31: the number of columns is 1, but 2"),
        ("7,8,9", r"line 31: the number of columns is 3, but 2"),
    ],
)
def test_a_mistake_far_down_is_found_at_once(tmp_path, in_pieces, line, message):
    path = tmp_path / "t.csv"
    path.write_text("1,2\n" * 30 + line + "\n" + "1,2\n" * 30)
    with pytest.raises(DataError, match=message):
        arrays(path, [0, 1])


def test_a_large_table_without_rows_is_refused(tmp_path, in_pieces):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "# nothing\n" * 10)
    with pytest.raises(DataError, match="has no rows of numbers"):
        arrays(path, [0, 1])


def test_a_file_that_changes_meanwhile_is_told(tmp_path, in_pieces):
    path = write(tmp_path / "t.csv", [[1, 2]] * 30)
    (column,) = arrays(path, [0, 1])
    write(path, [[1, 2]] * 3)
    with pytest.raises(
        DataError, match="has changed from 120 bytes to 12 while lossfw was reading it"
    ):
        column[20:]


def test_rows_are_asked_for_by_numbers_and_slices_only(tmp_path, in_pieces):
    (column,) = arrays(write(tmp_path / "t.csv", [[1, 2]] * 30), [0, 1])
    with pytest.raises(ArgumentError, match="by slices and row numbers"):
        column[0, 1]


def test_a_data_set_in_pieces_gives_the_same_batches(tmp_path, in_pieces):
    rows = [[i / 8, i % 3] for i in range(50)]
    write(tmp_path / "t.csv", rows, "x,targets\n")
    data = load(tmp_path / "t.csv")
    assert isinstance(data.inputs, Column)
    batches = list(data.batches(7, first=14))
    assert [batch.start for batch in batches] == [14, 21, 28, 35, 42, 49]
    inputs = np.concatenate([batch.inputs for batch in batches])
    assert inputs.tolist() == [[x] for x, _ in rows[14:]]
    few = data.take([40, 3, 40])
    assert (few.inputs[:, 0] * 8).tolist() == few.rows.tolist() == [40, 3, 40]


def test_a_target_may_be_an_input_too(tmp_path, in_pieces):
    path = write(tmp_path / "t.csv", [["b", 1], ["a", 2], ["b", 3]], "kind,x\n")
    options = {"file": str(path), "targets_key": "kind", "inputs_key": ["x", "kind"]}
    data = lossfw.registry().create("source", "arrays", **options).load()
    assert np.asarray(data.inputs).tolist() == [[1, 1], [2, 0], [3, 1]]
    assert np.asarray(data.targets).tolist() == [1, 0, 1]


def test_a_training_has_its_rows_in_memory(tmp_path, in_pieces):
    write(tmp_path / "t.csv", [[i / 8, i % 3] for i in range(50)], "x,targets\n")
    data = load(tmp_path / "t.csv")
    held = data.in_memory()
    assert type(held.inputs) is type(held.targets) is np.ndarray
    assert held.digest == data.digest
    assert held.in_memory() is held
    np.testing.assert_array_equal(held.inputs, np.asarray(data.inputs))


def test_a_number_that_is_not_finite_is_found_where_it_is_used(tmp_path, in_pieces):
    write(tmp_path / "t.csv", [*[[0.5, 1]] * 20, ["inf", 1]], "x,targets\n")
    data = load(tmp_path / "t.csv")
    with pytest.raises(DataError, match=r"inputs\[20, 0\] is inf"):
        list(data.batches(8))


class TestMapped:
    """A ``.npy`` stays on the disk; its pages are given back after they were read."""

    @pytest.fixture
    def mapped(self, tmp_path, monkeypatch):
        monkeypatch.setattr("lossfw.data.lazy_arrays._RELEASED_BYTES", 64)
        monkeypatch.setattr("lossfw.data.lazy_arrays._PICKED_ROWS", 3)
        np.save(tmp_path / "a.npy", np.arange(100.0).reshape(50, 2))
        return read_npy(tmp_path / "a.npy", "inputs")

    def test_rows_are_copies_of_what_is_there(self, mapped):
        for start in range(0, 50, 7):
            rows = read_rows(mapped, start, start + 7)
            assert type(rows) is np.ndarray
            assert rows.tolist() == np.arange(100.0).reshape(50, 2)[start : start + 7].tolist()

    def test_rows_are_picked_in_any_order(self, mapped):
        picked = np.array([49, 0, 7, 7, 3, 20, 1])
        assert take_rows(mapped, picked)[:, 0].tolist() == (2.0 * picked).tolist()

    def test_the_digest_is_that_of_the_numbers(self, mapped):
        assert digest_arrays(mapped) == digest_arrays(np.array(mapped))


class TestParquet:
    """Parquet, with and without pieces."""

    @pytest.fixture
    def parquet(self, tmp_path, monkeypatch):
        arrow = pytest.importorskip("pyarrow")
        module = pytest.importorskip("pyarrow.parquet")

        def write(columns, piece_bytes=None, **options):
            path = tmp_path / "t.parquet"
            module.write_table(arrow.table(columns), path, **options)
            if piece_bytes is not None:
                monkeypatch.setattr("lossfw.data.parquet._WHOLE_BYTES", 0)
                monkeypatch.setattr("lossfw.data.parquet.PIECE_BYTES", piece_bytes)
            return path

        return write

    @pytest.mark.parametrize("piece_bytes", [None, 1, 200, 10_000])
    @pytest.mark.parametrize("group", [7, 50])
    def test_a_source_takes_targets_weights_and_the_columns_that_are_left(
        self, parquet, piece_bytes, group
    ):
        path = parquet(COLUMNS, piece_bytes, row_group_size=group)
        data = load(path)
        assert isinstance(data.targets, Column) == (piece_bytes is not None)
        batches = list(data.batches(9))
        np.testing.assert_array_equal(
            np.concatenate([b.inputs for b in batches]),
            np.column_stack([COLUMNS["x"], COLUMNS["y"]]),
        )
        targets = np.concatenate([b.targets for b in batches])
        assert targets.dtype == np.int64
        assert targets.tolist() == COLUMNS["targets"].tolist()
        assert data.take([49, 2, 30]).targets.tolist() == [1, 2, 0]

    @pytest.mark.parametrize("piece_bytes", [None, 100])
    def test_lists_of_one_length_are_rows(self, parquet, piece_bytes):
        arrow = pytest.importorskip("pyarrow")
        rows = [[[1.0, 2.0], [3.0, i]] for i in range(20)]
        fixed = arrow.FixedSizeListArray.from_arrays(arrow.array(range(40)), 2)
        path = parquet({"p": rows, "q": fixed}, piece_bytes)
        assert np.asarray(read_array(path, "predictions", "p")).tolist() == rows
        wanted = np.arange(40).reshape(20, 2).tolist()
        assert np.asarray(read_array(path, "predictions", "q")).tolist() == wanted

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"targets": [1, None]}, r"column 'targets', row 1 is null.*missing: drop"),
            (
                {"targets": [1, 2], "x": ["a", "b"]},
                r"column 'x' holds string; expected numbers\. .*exclude: \[x\]",
            ),
            ({"targets": [[1], [1, 2]]}, r"not of one length: 1 numbers in row 0, 2 in row 1"),
            ({"targets": [[1], [None]]}, r"a null within a list"),
            (
                {"target": [1, 2]},
                r"no column 'targets'; it has 0 to 0, by name: target. Did you mean 'target'",
            ),
        ],
    )
    def test_what_holds_no_numbers_is_refused(self, parquet, columns, message):
        path = parquet(columns)
        with pytest.raises(DataError, match=message):
            load(path)

    def test_names_of_columns_differ(self, tmp_path):
        arrow, module = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        column = arrow.array([1, 2])
        module.write_table(arrow.table([column, column], ["a", "a"]), tmp_path / "t.parquet")
        with pytest.raises(DataError, match="has two columns named 'a'"):
            read_array(tmp_path / "t.parquet", "targets")
        module.write_table(arrow.table([], []), tmp_path / "none.parquet")
        with pytest.raises(DataError, match="has no columns"):
            read_array(tmp_path / "none.parquet", "targets")

    def test_a_file_that_is_none_or_damaged_is_refused(self, parquet, tmp_path):
        path = parquet({"targets": [1, 2]})
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(DataError, match="not a readable Parquet file"):
            read_array(path, "targets")
        (tmp_path / "other.parquet").write_text("text")
        with pytest.raises(DataError, match=r"is not a \.parquet: it begins with"):
            read_array(tmp_path / "other.parquet", "targets")

    def test_truth_values_are_numbers(self, parquet):
        path = parquet({"targets": [True, False]})
        assert read_array(path, "targets").tolist() == [1, 0]


def test_a_data_set_may_be_told_its_columns(tmp_path, in_pieces):
    (column,) = arrays(write(tmp_path / "t.csv", [[i, 1] for i in range(30)]), 0)
    data = Dataset("d", targets=column)
    assert len(data) == 30
    assert repr(data) == "Dataset('d', 30 rows of targets int64())"
