"""Parts cover the rows once, at blocks, and begin where a file can be entered."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.data import Dataset
from lossfw.evaluation.plan import Plan
from lossfw.losses.engine.row_ranges import RowRanges
from lossfw.scale import cut_rows
from lossfw.scale.parts import _edges

COLUMNS = 1024  # blocks of 256 rows


def plan(rows):
    y = np.broadcast_to(np.float32(0), (rows, COLUMNS))
    return Plan(Dataset("rows", targets=np.zeros((rows, COLUMNS))), lossfw.loss("huber"), outputs=y)


@given(st.integers(1, 20_000), st.integers(1, 40), st.lists(st.integers(0, 78), max_size=6))
def test_parts_cover_what_is_missing_once_and_begin_at_blocks(rows, slots, blocks):
    edges = sorted({256 * block for block in blocks if 256 * block < rows})
    seen = RowRanges()
    for start, stop in zip(edges[::2], edges[1::2], strict=False):
        seen = seen.merge(RowRanges.single(start, stop))
    found = cut_rows(plan(rows), slots, seen)
    for start, stop in found.parts:
        seen = seen.merge(RowRanges.single(start, stop))  # refuses a row that is there
        assert start % 256 == 0
    assert seen.spans == ((0, rows),)
    assert found.rows % 256 == 0
    assert found.row_bytes == 12 * COLUMNS


@given(st.lists(st.integers(1, 1000), unique=True), st.integers(1, 300))
def test_edges_are_entries_where_there_are_any(entries, rows):
    known = np.array(sorted(entries), np.int64)
    edges = _edges(0, 1000, rows, known)
    assert (edges[0], edges[-1]) == (0, 1000)
    assert edges == sorted(set(edges))
    if entries:
        assert set(edges[1:-1]) <= set(entries)
