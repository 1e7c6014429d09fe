"""Files that are read in pieces: the same rows as those of a file that is read at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.data import Dataset, csv_cells, csv_table
from lossfw.data.arrays import read_array
from lossfw.data.csv_table import open_table
from lossfw.data.lazy_arrays import Column
from lossfw.errors import ArgumentError, DataError


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


def test_a_data_set_may_be_told_its_columns(tmp_path, in_pieces):
    (column,) = arrays(write(tmp_path / "t.csv", [[i, 1] for i in range(30)]), 0)
    data = Dataset("d", targets=column)
    assert len(data) == 30
    assert repr(data) == "Dataset('d', 30 rows of targets int64())"
