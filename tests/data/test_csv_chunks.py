"""Files that are read in pieces: the same rows as those of a file that is read at once."""

import csv
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.data import Dataset, csv_cells, csv_table
from lossfw.data.arrays import read_array
from lossfw.data.csv_table import open_table
from lossfw.data.growing_rows import GrowingRows
from lossfw.data.lazy_arrays import Column
from lossfw.data.table import TableOptions
from lossfw.errors import ArgumentError, DataError, MissingExtraError
from support.waiting import HANGS


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
    with pytest.raises(DataError, match="has changed from 120 bytes to 12 while lossfw was read"):
        column[20:]
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
    (column,) = arrays(tmp_path / "t.csv", 1)
    assert repr(Dataset("d", targets=column)) == "Dataset('d', 50 rows of targets int64())"


@pytest.fixture
def write_parquet(tmp_path, monkeypatch):
    arrow, module = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    def written(columns, piece_bytes=None):
        path = tmp_path / "t.parquet"
        given = columns if isinstance(columns, tuple) else (columns,)
        module.write_table(arrow.table(*given), path)
        if piece_bytes is not None:
            monkeypatch.setattr("lossfw.data.parquet._WHOLE_BYTES", 0)
            monkeypatch.setattr("lossfw.data.parquet.PIECE_BYTES", piece_bytes)
        return path

    return written


@pytest.mark.parametrize("piece_bytes", [None, 100])
def test_lists_of_one_length_are_rows(write_parquet, piece_bytes):
    arrow = pytest.importorskip("pyarrow")
    rows = [[[1.0, 2.0], [3.0, i]] for i in range(20)]
    fixed = arrow.FixedSizeListArray.from_arrays(arrow.array(range(40)), 2)
    path = write_parquet({"p": rows, "q": fixed}, piece_bytes)
    assert np.asarray(read_array(path, "predictions", "p")).tolist() == rows
    wanted = np.arange(40).reshape(20, 2).tolist()
    assert np.asarray(read_array(path, "predictions", "q")).tolist() == wanted


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"targets": [1, None]}, r"column 'targets', row 1 is null.*missing: drop"),
        ({"targets": [1, 2], "x": ["a", "b"]},
         r"column 'x' holds string; expected numbers\. .*exclude: \[x\]"),
        ({"targets": [[1], [1, 2]]}, r"not of one length: 1 numbers in row 0, 2 in row 1"),
        ({"targets": [[1], [None]]}, r"a null within a list"),
        ({"target": [1, 2]},
         r"no column 'targets'; it has 0 to 0, by name: target. Did you mean 'target'"),
        (([[1, 2], [1, 2]], ["a", "a"]), "has two columns named 'a'"),
        (([], []), "has no columns"),
    ],
)  # fmt: skip
def test_what_holds_no_numbers_is_refused(write_parquet, columns, message):
    with pytest.raises(DataError, match=message):
        load(write_parquet(columns))


def test_a_file_that_is_no_parquet_or_damaged_is_refused(write_parquet, tmp_path):
    path = write_parquet({"targets": [1, 2]})
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_array(path, "targets")
    (tmp_path / "other.parquet").write_text("text")
    with pytest.raises(DataError, match=r"is not a \.parquet: it begins with"):
        read_array(tmp_path / "other.parquet", "targets")


# Cells that go over several lines ----------------------------------------

texts = st.text(alphabet='ab"\n\r,#; ', min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and not text.startswith("#")
)


@given(
    st.lists(st.tuples(texts, st.integers(0, 99)), min_size=1),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 60),
    st.booleans(),
)
def test_no_line_end_is_lost_wherever_a_chunk_ends(tmp_path_factory, rows, end, chunk, drops):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(rows)
    path.write_bytes(f"k,t\n{file.getvalue()}".encode())
    options = TableOptions("drop" if drops else "error", labels=frozenset([0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "WHOLE_BYTES", 0)
        patch.setattr(csv_cells, "HELD_CELLS", chunk)
        read = open_table(path, "data").read_rows([0, 1], options)
    labels = read.labels[0]
    assert [labels[code] for code in np.asarray(read.arrays[0])] == [text for text, _ in rows]
    assert np.asarray(read.arrays[1]).tolist() == [number for _, number in rows]


@pytest.mark.parametrize("rows", [10, 2**15], ids=["at the end", "before"])
def test_a_quotation_mark_that_nothing_closes_is_refused_with_its_line(tmp_path, rows):
    path = tmp_path / "t.csv"
    path.write_text('k,t\n"a\nb",1\n"cat,2\n' + "dog,3\n" * rows)
    told = r"quotation mark is not closed in the row that .* line 4\."
    with pytest.raises(DataError, match=told):
        open_table(path, "data").read_rows([0, 1], TableOptions(labels=frozenset([0])))


# The temporary file of columns: whose it is, and what becomes of it -------

ROWS = [[n / 4, n % 3, ["ant", "bee", "cat"][n % 3]] for n in range(60)]
READING = """\
import pickle, sys, numpy as np
from lossfw.data import csv_table
csv_table.WHOLE_BYTES = 0
arrays = pickle.load(open('rows', 'rb'))
print([np.asarray(array).tolist() for array in arrays])
"""


@pytest.fixture
def table(folder, in_pieces, monkeypatch):
    """Return what reads a table in pieces, with labels in the last column."""
    pytest.importorskip("pyarrow")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    path = write(folder / "t.csv", ROWS)
    options = TableOptions(labels=frozenset([2]))
    return lambda: open_table(path, "data").read_rows([[0, 1], 1, 2], options)


@pytest.mark.parametrize("there", [True, False], ids=["same machine", "another machine"])
def test_another_process_has_the_same_rows(table, folder, there):
    read = table()
    (folder / "rows").write_bytes(pickle.dumps(read.arrays))
    if not there:
        for path in folder.glob("lossfw-*/*.rows"):
            path.unlink()
    command = [sys.executable, "-c", READING]
    printed = subprocess.check_output(command, cwd=folder, text=True, timeout=HANGS)
    wanted = [[row[:2] for row in ROWS], [row[1] for row in ROWS], [row[1] for row in ROWS]]
    assert printed.strip() == str([np.array(rows).tolist() for rows in wanted])


def test_a_file_that_cannot_be_written_is_named(folder):
    rows = GrowingRows()
    rows.add(np.arange(3))
    (folder / "gone").mkdir()
    with pytest.raises(DataError, match=r"gone.*cannot be written .*TMPDIR names a folder"):
        rows.spill(folder / "gone")  # a folder, which nobody can write as a file


def test_a_large_table_without_pyarrow_names_its_extra(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(csv_table, "ARROW_BYTES", 0)
    told = r"t\.csv, of more than 0 MB of text, needs .*\[tables\]"
    with pytest.raises(MissingExtraError, match=told):
        table()
    monkeypatch.setattr(csv_table, "WHOLE_BYTES", 2**20)
    assert table().arrays[1].tolist() == [row[1] for row in ROWS]
