"""Groups of rows: where they begin, what is refused, and which of them are taken."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.data import ColumnError, DataColumn, Dataset, RowGroups
from lossfw.errors import DataError

SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=8)


def groups_of(ids, **kwargs):
    return RowGroups.from_column("query", DataColumn.of(np.asarray(ids)), "some data", **kwargs)


@given(SIZES, st.integers(1, 4))
def test_a_column_is_read_in_any_chunks(sizes, chunk):
    ids = np.repeat(np.arange(len(sizes))[::-1], sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lossfw.data.groups.CHUNK_ROWS", chunk)
        groups = groups_of(ids)
    assert np.diff(groups.starts).tolist() == sizes
    assert [groups.name_of(g) for g in range(len(groups))] == list(range(len(sizes)))[::-1]


@given(SIZES, st.data())
def test_whole_groups_are_taken_as_often_as_they_are_drawn(sizes, data):
    groups = groups_of(np.repeat(np.arange(len(sizes)), sizes))
    drawn = data.draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=9))
    rows = groups.rows_of(np.array(drawn))
    taken = groups.take(rows)
    assert np.diff(taken.starts).tolist() == [sizes[g] for g in drawn]
    assert [taken.name_of(g) for g in range(len(taken))] == drawn
    edges = groups.starts
    assert rows.tolist() == [row for g in drawn for row in range(edges[g], edges[g + 1])]


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (["a", "b", "b", "a"], "column 'query'[3] is 'a' again, after other groups: this group"),
        ([1.0, np.nan, 2.0], "column 'query'[1] is missing; every row needs a group"),
        (["a", "", "b"], "column 'query'[1] is missing"),
        ([2, 1, 2], "column 'query'[2] is 2 again"),
    ],
)
def test_what_is_not_a_column_of_groups_is_told(ids, told):
    with pytest.raises(ColumnError, match=re.escape(told)) as error:
        groups_of(ids)
    assert error.value.column == "query"


def test_data_take_ids_for_groups_and_say_what_sizes_are():
    data = Dataset("t", np.zeros(5), groups=["x", "x", "y", "z", "z"])
    assert data.groups.starts.tolist() == [0, 2, 3, 5]
    assert data.take([3, 4, 0, 1]).groups.starts.tolist() == [0, 2, 4]
    with pytest.raises(DataError, match="These are sizes of groups"):
        Dataset("t", np.zeros(5), groups=[2, 1, 2])


def test_named_targets_may_be_infinite_and_are_named_where_one_is_nan():
    targets = np.array([[1.0, np.inf], [2.0, 3.0]])
    data = Dataset("t", targets, target_names=("lower", "upper"))
    assert data.targets[0, 1] == np.inf
    with pytest.raises(DataError, match="expected finite numbers"):
        Dataset("t", targets)
    targets[1, 0] = np.nan
    with pytest.raises(DataError, match=r"targets.lower\[1\] is nan"):
        Dataset("t", targets, target_names=("lower", "upper"))
