"""Tables: what a .csv may look like, and where its mistakes are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.data import csv_text
from lossfw.data.csv_table import open_table
from lossfw.errors import DataError


def read(path, text, columns=None):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    table = open_table(path, "data")
    return table.read(range(table.width) if columns is None else columns)[0]


floats = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.integers(1, 4).flatmap(
        lambda w: st.lists(st.lists(floats, min_size=w, max_size=w), min_size=1)
    )
)
def test_floats_survive(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    text = "\n".join(",".join(map(repr, row)) for row in rows)
    array = read(path, text)
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array.reshape(len(rows), -1), rows)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_stay_whole(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    array = read(path, "\n".join(map(str, numbers)))
    assert array.dtype == np.int64
    assert array[:, 0].tolist() == numbers


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4",
        "# comment\na,b\n1,2\n\n3,4\n",
        "1,2 # more\n3,4\n",
        "1, 2\r\n3,\t4\r\n",
        "\ufeff1,2\n3,4\n",
        '"a","b"\n"1","2"\n"3","4"\n',
        "a,b\r1,2\r3,4\r",
        "a,b\n  \n1,2\n \t\n3,4\n",
        "a;b\n1;2\n3;4\n",
        "a\tb\n1\t2\n3\t4\n",
    ],
)
def test_ways_to_write_a_table(tmp_path, text):
    assert read(tmp_path / "t.csv", text).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,x\n", r"t\.csv, line 2, column 1: 'x' is not a number"),
        ("a,b\n1,2\n\n3,\n", r"line 4, column 1 \(b\): '' is not a number"),
        ("1,2\n3\n", r"line 2: the number of columns is 1, but 2 in the first line"),
        ("a,b\n0.5,0.5,9\n", r"line 2: the number of columns is 3, but 2 in the first line"),
        ("a;b,c\n1;2\n", r"line 2: the number of columns is 1, but 2 in the first line"),
        ("a;b\n1,5;2\n", r"column 0 \(a\): '1,5' is not a number"),
        ('a\n"1,000"\n', r"'1,000' is not a number\. A fraction has a point, and"),
        ("1,1_000\n", r"column 1: '1_000' is not a number"),
        ("a,b\n", r"has no rows of numbers"),
        ("# only a comment\n", r"has no rows"),
        (b"\xff\xfe\x00\x01", r"is not a CSV file in UTF-8"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path / "t.csv", text)


def test_a_name_of_two_columns_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("targets,targets,x\n1,2,3\n")
    table = open_table(path, "data")
    with pytest.raises(DataError, match=r"2 columns named 'targets': columns 0, 1, counted from 0"):
        table.column("targets")
    assert table.column("x") == table.column(2) == 2


@pytest.mark.parametrize("head", ["", "a,b\n1,2\n"])
def test_a_line_that_never_ends_is_told(tmp_path, monkeypatch, head):
    """A packed file of a megabyte may hold a line of gigabytes."""
    monkeypatch.setattr(csv_text, "LONGEST_LINE_BYTES", 2**10)
    with pytest.raises(DataError, match=r"t\.csv has a line of more than 0 MB, expected one row"):
        read(tmp_path / "t.csv", head + "1," * 2**12)
