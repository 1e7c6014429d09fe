"""Cells of a table that go over several lines: no line end is lost, wherever a chunk ends."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.data import csv_cells, csv_table
from lossfw.data.csv_table import open_table
from lossfw.data.table import TableOptions
from lossfw.errors import DataError

texts = st.text(alphabet='ab"\n\r,#; ', min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and not text.startswith("#")
)


def written(rows, end):
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(rows)
    return ("k,t\n" + file.getvalue()).encode()


@given(
    st.lists(st.tuples(texts, st.integers(0, 99)), min_size=1),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 60),
    st.booleans(),
)
def test_texts_are_those_that_were_written(tmp_path_factory, rows, end, chunk, drops):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(written(rows, end))
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
    with pytest.raises(
        DataError, match=r"quotation mark is not closed in the row that .* line 4\."
    ):
        open_table(path, "data").read_rows([0, 1], TableOptions(labels=frozenset([0])))
