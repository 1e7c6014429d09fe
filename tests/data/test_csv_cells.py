"""Two readers of the cells of a table: pyarrow's gives what `csv` gives, or leaves it to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.data import csv_cells
from lossfw.data.csv_cells import Layout, arrow_cells, python_cells

pytest.importorskip("pyarrow")

CELLS = {
    "integer": ["1", "-0", "22", "007", " 7", "9223372036854775807"],
    "number": ["1.5", "2", "-0", "1e300", "nan", "4e-324", "-inf"],
    "gap": ["1", "", "NA", "2.5", "nan"],
    "text": ["cat", " dog", "", "NA", "é", '"a,b"', '"x""y"', 'a"b', "1"],
}
ODD = [
    "0x1F",
    "1_000",
    "+4",
    "1e400",
    "nan(3)",
    "-nan",
    "+nan",
    "nUll",
    '"a\nb"',
    "a#b",
    "2.0",
    " ",
    "\x00",
]


@st.composite
def tables(draw):
    kinds = dict(enumerate(draw(st.lists(st.sampled_from([*CELLS]), min_size=1, max_size=4))))
    odd = ODD if draw(st.booleans()) else []
    row = st.tuples(*(st.sampled_from(CELLS[kind] + odd) for kind in kinds.values()))
    lines = [",".join(cells) for cells in draw(st.lists(row, max_size=5))]
    read = {n: kind for n, kind in kinds.items() if draw(st.booleans())}
    layout = {n: "number" if kind == "integer" else kind for n, kind in read.items()}
    needed = draw(st.sets(st.sampled_from([*read]))) if read else ()
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join([*lines, ""]).encode(), Layout(",", len(kinds), layout, needed)


@given(tables())
def test_both_readers_give_the_same_bits(table):
    content, layout = table
    actual = arrow_cells(content, layout)
    if actual is None:
        return
    expected = python_cells(content, layout)
    assert (actual.rows, actual.dropped) == (expected.rows, expected.dropped)
    for n, numbers in expected.numbers.items():
        assert actual.numbers[n].dtype == numbers.dtype
        np.testing.assert_array_equal(actual.numbers[n], numbers)
        np.testing.assert_array_equal(np.signbit(actual.numbers[n]), np.signbit(numbers))
    for n, texts in expected.texts.items():
        assert sorted(actual.texts[n].labels) == sorted(texts.labels)
        np.testing.assert_array_equal(
            np.array([*actual.texts[n].labels])[actual.texts[n].codes],
            np.array([*texts.labels])[texts.codes],
        )


def test_pyarrow_reads_a_plain_table():
    layout = Layout(";", 4, {0: "text", 1: "number", 3: "gap"}, (1,))
    cells = arrow_cells(b"cat;1;x;\ndog;;y;2\n dog;3;z;4", layout)
    assert cells.numbers[1].tolist() == [1, 3]
    np.testing.assert_array_equal(cells.numbers[3], [np.nan, 4])
    assert (cells.texts[0].labels, cells.dropped) == (["cat", "dog"], 1)


def test_small_tables_need_no_pyarrow(monkeypatch):
    monkeypatch.setattr(csv_cells, "arrow_cells", None)
    assert csv_cells.read_cells(b"1", Layout(",", 1, {0: "number"})).rows == 1


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("0x1F", "number"),
        ("nan(3)", "number"),
        ("1#", "text"),
        ('"a\nb"', "text"),
        ("a\rb", "text"),
        ("nUll", "gap"),
    ],
)
def test_a_cell_that_pyarrow_may_read_otherwise_is_left_to_python(cell, kind):
    content = f"1,{cell}\n1,\n".encode()
    assert arrow_cells(content, Layout(",", 2, {0: "number", 1: kind}, (1,))) is None
