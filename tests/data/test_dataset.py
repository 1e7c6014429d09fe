"""Data sets and groups of rows: what they refuse, what they take, how they are read."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.data import ColumnError, DataColumn, Dataset, RowGroups
from lossfw.errors import DataError


def make(n=5, **changes):
    inputs = np.arange(2.0 * n).reshape(n, 2)
    parts = {"targets": np.arange(n), "inputs": inputs, "sample_weight": np.arange(n) / 2}
    return Dataset("d", **parts | changes)


@given(n=st.integers(1, 40), size=st.integers(1, 50))
def test_batches_are_the_rows_in_order(n, size):
    data = make(n)
    batches = list(data.batches(size))
    assert [batch.start for batch in batches] == list(range(0, n, size))
    assert np.array_equal(np.concatenate([b.inputs for b in batches]), data.inputs)
    assert np.array_equal(np.concatenate([b.targets for b in batches]), data.targets)
    weights = np.concatenate([b.sample_weight for b in batches])
    assert np.array_equal(weights, data.sample_weight)


@given(rows=st.lists(st.integers(0, 4), min_size=1), again=st.data())
def test_take_takes_each_row_in_order_and_again(rows, again):
    data = make()
    taken = data.take(rows)
    assert np.array_equal(taken.targets, data.targets[rows])
    assert np.array_equal(taken.inputs, data.inputs[rows])
    assert np.array_equal(taken.sample_weight, data.sample_weight[rows])
    assert taken.rows.tolist() == rows
    picks = again.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1))
    assert taken.take(picks).rows.tolist() == [rows[i] for i in picks]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make(0), "'d' has no rows"),
        (lambda: make().take([]), "'d' has no rows"),
        *((lambda row=row: make().take([0, row]), rf"rows 0 to 4, there is no row {row}\.")
          for row in (-1, 5)),
        (lambda: make(inputs=np.zeros((4, 2))), "inputs have 4 rows and targets 5"),
        (lambda: make(targets=np.array(3)), "targets is a single number"),
        (lambda: make(sample_weight=np.array([0, 1, -1.0, 1, 1])), r"sample_weight\[2\] is -1.0"),
    ],
)  # fmt: skip
def test_what_is_not_a_data_set_is_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()


@pytest.mark.parametrize("dtype", ["complex128", "U3", "object", "datetime64[s]"])
def test_other_dtypes_than_numbers_are_refused(dtype):
    with pytest.raises(DataError, match=r"targets have dtype"):
        make(targets=np.zeros(5, dtype))


def test_lists_become_arrays_and_texts_are_told_where_they_go():
    data = Dataset("d", targets=[1, 0], inputs=[[0.5], [1.5]])
    assert (data.targets.dtype.kind, data.inputs.shape) == ("i", (2, 1))
    with pytest.raises(DataError, match="inputs cannot be made an array"):
        Dataset("d", targets=[1, 0], inputs=[[0.5], [1.5, 2.5]])
    with pytest.raises(DataError, match="Number the labels, and give them as `classes`"):
        Dataset("d", targets=np.array(["cat", "dog"]))


def test_codes_and_missing_values_are_checked():
    inputs = np.array([[0.5, 1.0], [np.nan, 0.0]])
    data = Dataset("d", targets=[1, 2], inputs=inputs, codes={1: ("bus", "car")}, missing=True)
    assert np.isnan(data.take([1]).inputs[0, 0])
    assert data.take([1]).codes == {1: ("bus", "car")}
    with pytest.raises(DataError, match=r"inputs\[1, 0\] is nan"):
        Dataset("d", targets=[1, 2], inputs=inputs)
    with pytest.raises(DataError, match=r"inputs\[0, 0\] is inf; expected finite numbers"):
        Dataset("d", targets=[1], inputs=[[np.inf, np.nan]], missing=True)
    with pytest.raises(DataError, match=r"inputs\[0, 1\] is 1.0; expected a code from 0 to 0"):
        Dataset("d", targets=[1, 2], inputs=inputs, codes={1: ("bus",)}, missing=True)
    with pytest.raises(DataError, match="labels of column 2, but the inputs have 2 columns"):
        Dataset("d", targets=[1, 2], inputs=inputs, codes={2: ("bus",)}, missing=True)
    with pytest.raises(DataError, match="column 1 has 65537 categories; expected at most 65536"):
        Dataset("d", targets=[1], inputs=[[1, 1]], codes={1: tuple(map(str, range(65_537)))})


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
