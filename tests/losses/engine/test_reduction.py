"""Partials: the same bits whatever the split, and sums without rounding between blocks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw import ArgumentError, EmptyReductionError, loss, threads
from lossfw.losses.engine.exact_sum import ExactSum
from lossfw.losses.engine.partial import Partial
from lossfw.losses.engine.reduction import rows_per_block

SQUARED = loss("squared_error")
# Elements of a block here, and the width of rows of which four make one: so that a
# few short rows fill several blocks.
BLOCK = 4_096
WIDE = BLOCK // 4


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    """Blocks are small, as those of rows with many elements are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lossfw.losses.engine.reduction.BLOCK_ELEMENTS", BLOCK)
        yield


@given(st.integers(1, 10**7))
def test_a_block_is_a_power_of_two_rows_and_at_most_so_many_elements(width):
    rows = rows_per_block(width)
    assert rows & (rows - 1) == 0
    assert rows == 1 or rows * width <= BLOCK


@st.composite
def splits(draw, rows):
    edges = draw(st.lists(st.integers(0, rows), max_size=6))
    return sorted({0, rows, *edges})


@given(st.data())
def test_partials_merge_to_the_same_bits_in_any_split_and_order(data):
    rows = 11
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    y = rng.normal(size=(rows, WIDE)).astype(data.draw(st.sampled_from(["f4", "f8"])))
    t = np.zeros_like(y)
    weight = data.draw(st.sampled_from([None, rng.integers(0, 3, (rows, WIDE)).astype(float)]))
    keep = data.draw(st.sampled_from([None, rng.random((rows, WIDE)) < 0.8]))
    edges = data.draw(splits(rows))
    parts = [
        SQUARED.partial(
            y[a:b],
            t[a:b],
            start=a,
            sample_weight=None if weight is None else weight[a:b],
            where=None if keep is None else keep[a:b],
        )
        for a, b in pairwise(edges)
    ]
    merged = None
    for part in data.draw(st.permutations(parts)):
        merged = part if merged is None else merged.merge(part)
    whole = SQUARED(y, t, sample_weight=weight, where=keep)
    assert merged.mean() == whole
    assert merged.sum() == SQUARED(y, t, sample_weight=weight, where=keep, reduction="sum")
    assert merged.count == (rows * WIDE if keep is None else keep.sum())
    assert merged.masked == (0 if keep is None else (~keep).sum())


@given(st.data())
def test_packing_a_partial_anywhere_changes_no_bit(data):
    rows = 11
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    y, t = rng.normal(size=(rows, WIDE)), np.zeros((rows, WIDE))
    weight = data.draw(st.sampled_from([None, rng.random(rows)]))
    cut = data.draw(st.integers(0, rows))
    first, second = (
        SQUARED.partial(
            y[part], t[part], start=start, sample_weight=None if weight is None else weight[part]
        )
        for start, part in ((0, slice(cut)), (cut, slice(cut, None)))
    )
    arrays = first.pack()
    assert all(array.dtype.kind in "iuf" for array in arrays.values())
    again = Partial.unpack(arrays).merge(second)
    assert again.mean() == SQUARED(y, t, sample_weight=weight)
    assert again.count == first.merge(second).count


@given(st.lists(st.floats(), max_size=9))
def test_packing_an_exact_sum_changes_no_bit(numbers):
    found, wanted = ExactSum.unpack(ExactSum().add(numbers).pack()), ExactSum().add(numbers)
    assert found.finite == wanted.finite
    np.testing.assert_array_equal(found.special, wanted.special)


@given(st.integers(1, 4))
def test_the_number_of_threads_changes_no_bit(count):
    y = np.random.default_rng(count).normal(size=700_001).astype(np.float32)
    with threads(1):
        alone = SQUARED(y, y * 0.5), SQUARED.gradient(y, y * 0.5)
    with threads(count):
        together = SQUARED(y, y * 0.5), SQUARED.gradient(y, y * 0.5)
    assert alone[0] == together[0]
    assert np.array_equal(alone[1], together[1])


def test_partials_of_rows_of_other_shapes_are_refused():
    with pytest.raises(ArgumentError, match="rows of different shapes"):
        SQUARED.partial([1.0], [0.0]).merge(SQUARED.partial([[1.0, 2.0]], [[0.0, 0.0]]))


def test_the_mean_of_a_partial_of_nothing_is_an_error():
    part = SQUARED.partial([1.0], [0.0], where=[False])
    with pytest.raises(EmptyReductionError, match="nothing is left to average"):
        part.mean()
    assert part.mean(empty="zero") == 0.0
    assert part.masked == 1
