"""Two readers of the cells of a table: pyarrow's gives what `csv` gives, or leaves it to it."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.data import csv_arrow, csv_table
from lossfw.data.chosen_rows import ChosenRows
from lossfw.data.csv_table import open_table
from lossfw.data.table import TableOptions
from lossfw.errors import DataError

pytest.importorskip("pyarrow")

CELLS = {
    "integer": ["1", "-0", "22", "007", " 7", "9223372036854775807"],
    "number": ["1.5", "2", "-0", "1e300", "nan", "4e-324", "-inf"],
    "gap": ["1", "", "NA", "2.5", "nan", " "],
    "text": ["cat", " dog", "", "NA", "é", '"a,b"', '"x""y"', 'a"b', "1", '"a\nb"', '"a#b"'],
}
ODD = ["0x1F", "1_000", "+4", "1e400", "nan(3)", "-nan", "+nan", "nUll", '"a\nb"', "a#b", "2.0"]
ODD += [" ", "\x00"]


@st.composite
def tables(draw):
    kinds = dict(enumerate(draw(st.lists(st.sampled_from([*CELLS]), min_size=1, max_size=4))))
    odd = ODD if draw(st.booleans()) else []
    row = st.tuples(*(st.sampled_from(CELLS[kind] + odd) for kind in kinds.values()))
    rows = draw(st.lists(row, min_size=1, max_size=5))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    names = ",".join(f"c{n}" for n in kinds)
    content = end.join([names, *map(",".join, rows), *draw(st.sampled_from([[], [""], ["", ""]]))])
    some = draw(st.sets(st.integers(0, len(rows) - 1), min_size=1))
    options = TableOptions(
        draw(st.sampled_from(["keep", "error", "drop"])),
        labels=frozenset(n for n, kind in kinds.items() if kind == "text"),
        kept=frozenset(n for n, kind in kinds.items() if kind == "gap"),
        rows=draw(st.sampled_from([None, ChosenRows(np.array(sorted(some)), len(rows))])),
    )
    groups = [[*kinds], *draw(st.sets(st.sampled_from([*kinds])))]
    return content.encode(), groups, options


def read(path, groups, options, arrow_bytes):
    """Return what is read, or the message of the error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "ARROW_BYTES", arrow_bytes)
        try:
            return open_table(path, "data").read_rows(groups, options)
        except DataError as error:
            return str(error)


@given(tables(), st.sampled_from([64, csv_arrow.BLOCK_BYTES]), st.booleans())
def test_both_readers_give_the_same_bits(tmp_path_factory, table, block, gzipped):
    content, groups, options = table
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(gzip.compress(content) if gzipped else content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_arrow, "BLOCK_BYTES", block)
        actual, expected = (read(path, groups, options, least) for least in (0, 2**40))
    if isinstance(expected, str):
        assert actual == expected
        return
    assert actual[1:4] == expected[1:4]
    assert (actual.places is None) == (expected.places is None)
    for mine, other in zip(actual.arrays, expected.arrays, strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)
        np.testing.assert_array_equal(np.signbit(mine), np.signbit(other))


PLAIN = "kind;n;none;x\ncat;1;x;\ndog;;y;2\n dog;3;z;4\n"


@pytest.fixture
def by_arrow_alone(monkeypatch):
    """Let nobody but pyarrow read more than the first line."""
    monkeypatch.setattr(csv_table, "ARROW_BYTES", 0)
    monkeypatch.setattr(csv_table, "python_cells", None)


@pytest.mark.parametrize("whole", [0, 2**20], ids=["in a file", "in memory"])
@pytest.mark.parametrize("block", [40, 2**20])
def test_pyarrow_reads_a_plain_table(tmp_path, by_arrow_alone, monkeypatch, block, whole):
    monkeypatch.setattr(csv_arrow, "BLOCK_BYTES", block)
    monkeypatch.setattr(csv_table, "WHOLE_BYTES", whole)
    (tmp_path / "t.csv").write_text(PLAIN + 'ant;2.5;"a;b";NA\r\n' * 9)
    options = TableOptions("drop", labels=frozenset([0]), kept=frozenset([3]))
    read = open_table(tmp_path / "t.csv", "data").read_rows([0, [1, 0], 3], options)
    assert read.labels == {0: ("ant", "cat", "dog")}
    assert np.asarray(read.arrays[0]).tolist() == [1, 2, *[0] * 9]
    assert np.asarray(read.arrays[1]).tolist() == [[1, 1], [3, 2], *[[2.5, 0]] * 9]
    np.testing.assert_array_equal(read.arrays[2], [np.nan, 4, *[np.nan] * 9])
    assert read.dropped == 1


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_no_thread_of_arrow_needs_python(tmp_path, by_arrow_alone, monkeypatch, pack):
    csv = pytest.importorskip("pyarrow.csv")
    sources, open_csv = [], csv.open_csv
    monkeypatch.setattr(csv, "open_csv", lambda x, *a: (sources.append(x), open_csv(x, *a))[1])
    (tmp_path / "t.csv").write_bytes(pack(b"a,b\n1,2\n"))
    open_table(tmp_path / "t.csv", "data").read(0)
    pa = pytest.importorskip("pyarrow")
    assert [type(x) for x in sources] == [pa.OSFile if pack is bytes else pa.CompressedInputStream]


@pytest.mark.parametrize("keep", [slice(-9), slice(9, None)], ids=["cut", "without its head"])
def test_a_damaged_gzip_file_is_told_by_python(tmp_path, monkeypatch, keep):
    monkeypatch.setattr(csv_table, "ARROW_BYTES", 0)
    content = gzip.compress(b"a,b\n" + b"1,2\n" * 9)
    (tmp_path / "t.csv").write_bytes(gzip.compress(b"a,b\n1,2\n") + content[keep])
    with pytest.raises(DataError, match="damaged gzip file"):
        open_table(tmp_path / "t.csv", "data").read(0)


@pytest.mark.parametrize("line", ["3,4 # more", "3,4\r5,6", "3,4\n \n5,6"])
def test_what_pyarrow_does_not_know_is_left_to_python(tmp_path, monkeypatch, line):
    monkeypatch.setattr(csv_table, "ARROW_BYTES", 0)
    (tmp_path / "t.csv").write_bytes(f"a,b\n1,2\n{line}\n".encode())
    (array,) = open_table(tmp_path / "t.csv", "data").read([0, 1])
    assert array.tolist()[:2] == [[1, 2], [3, 4]]


@pytest.mark.parametrize("cell", ["0x1F", "nan(3)", "1_000", "x"])
def test_what_is_a_number_to_pyarrow_alone_is_none(tmp_path, monkeypatch, cell):
    monkeypatch.setattr(csv_table, "ARROW_BYTES", 0)
    (tmp_path / "t.csv").write_text(f"a,b\n1,2\n3,{cell}\n")
    with pytest.raises(DataError, match=r"line 3, column 1 \(b\): .* is not a number"):
        open_table(tmp_path / "t.csv", "data").read([0, 1])
