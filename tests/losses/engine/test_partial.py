"""Partials and their sums: the same bits for any split, in any order, and from any file."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossfw
from lossfw.errors import ArgumentError, EmptyReductionError
from lossfw.losses.engine import exact_sum as sums
from lossfw.losses.engine.partial import Partial

SQUARED = lossfw.loss("squared_error")
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


def weights_and_masks(data, rng, shape):
    """Draw weights and a mask, or none."""
    weight, keep = rng.integers(0, 3, shape).astype(float), rng.random(shape) < 0.8
    drawn = {"sample_weight": weight, "where": keep}
    return {name: x for name, x in drawn.items() if data.draw(st.booleans())}


@given(st.data())
def test_partials_merge_to_the_same_bits_in_any_split_and_order(data):
    rows = 11
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    y = rng.normal(size=(rows, WIDE)).astype(data.draw(st.sampled_from(["f4", "f8"])))
    t = np.zeros_like(y)
    options = weights_and_masks(data, rng, y.shape)
    edges = sorted({0, rows, *data.draw(st.lists(st.integers(0, rows), max_size=6))})
    parts = [
        SQUARED.partial(y[a:b], t[a:b], start=a, **{k: x[a:b] for k, x in options.items()})
        for a, b in itertools.pairwise(edges)
    ]
    merged = None
    for part in data.draw(st.permutations(parts)):
        if data.draw(st.booleans()):
            arrays = part.pack()
            assert all(array.dtype.kind in "iuf" for array in arrays.values())
            part = Partial.unpack(arrays)
        merged = part if merged is None else merged.merge(part)
    assert merged.rows == ((0, rows),)
    assert merged.mean() == SQUARED(y, t, **options)
    assert merged.sum() == SQUARED(y, t, **options, reduction="sum")
    counts = options.get("where", np.ones(y.shape, bool))
    assert (merged.count, merged.masked) == (counts.sum(), (~counts).sum())


@given(st.lists(st.floats(), max_size=9))
def test_packing_an_exact_sum_changes_no_bit(numbers):
    wanted = sums.ExactSum().add(numbers)
    found = sums.ExactSum.unpack(wanted.pack())
    assert found.finite == wanted.finite
    np.testing.assert_array_equal(found.special, wanted.special)


@pytest.mark.parametrize("count", [2, 3])
def test_the_number_of_threads_changes_no_bit(count):
    y = np.random.default_rng(count).normal(size=700_001).astype(np.float32)
    with lossfw.threads(1):
        alone = SQUARED(y, y * 0.5), SQUARED.gradient(y, y * 0.5)
    with lossfw.threads(count):
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


def metric(name):
    return lossfw.registry().create("metric", name)


def of_rows(start, stop, maker=SQUARED):
    return maker.partial(np.zeros(stop - start), np.ones(stop - start), start=start)


@pytest.mark.parametrize("maker", [SQUARED, metric("r2"), metric("roc_auc")], ids=str)
@pytest.mark.parametrize(
    ("first", "second"),
    [((0, 2 * BLOCK), (0, 2 * BLOCK)), ((0, 144), (143, 200)), ((5, 9), (6, 7))],
)
def test_rows_that_two_partials_share_are_refused(maker, first, second):
    one, other = (of_rows(*rows, maker) for rows in (first, second))
    with pytest.raises(ArgumentError, match=f"row {second[0]} is in both partials"):
        one.merge(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SQUARED, SQUARED.replace(factor=0.5)),
        (SQUARED, lossfw.loss("absolute_error")),
        (metric("mse"), metric("rmse")),
        (metric("roc_auc"), metric("average_precision")),
    ],
    ids=str,
)
def test_partials_of_different_makers_are_refused(one, other):
    with pytest.raises(ArgumentError, match=r"partials of .* and of .* cannot be merged"):
        of_rows(0, 3, one).merge(of_rows(3, 5, other))


@pytest.mark.parametrize("start", [1.5, -1, True, "0"])
def test_the_first_row_is_a_whole_number(start):
    for maker in (SQUARED, metric("r2")):
        with pytest.raises(ArgumentError, match=r"start is .*an integer of at least 0"):
            maker.partial([0.0], [1.0], start=start)


def test_gaps_show_and_survive_a_round_trip():
    merged = of_rows(8, 9).merge(of_rows(0, 3)).merge(of_rows(3, 5))
    again = Partial.unpack(merged.pack())
    assert again.rows == merged.rows == ((0, 5), (8, 9))
    with pytest.raises(ArgumentError, match="row 4 is in both"):
        again.merge(of_rows(4, 6))


LARGE = 1.7e308


@pytest.mark.parametrize("most", [0, sums._MOST_IN_LIST])
def test_a_sum_is_the_nearest_float(monkeypatch, most):
    monkeypatch.setattr(sums, "_MOST_IN_LIST", most)
    rng = np.random.default_rng(2)
    for size in (0, 1, 2, 7, 300):
        x = rng.normal(size=size) * 10.0 ** rng.integers(-300, 300, size)
        for numbers in (x, np.concatenate([x, -x, [1e-300]])):
            exact = float(sum(map(Fraction, numbers.tolist()), Fraction(0)))
            assert sums.exact_sum_of_array(numbers) == exact == sums.exact_sum(numbers.tolist())


@pytest.mark.parametrize("most", [0, sums._MOST_IN_LIST])
@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([LARGE, LARGE, -LARGE], LARGE),
        ([LARGE, LARGE], math.inf),
        ([-LARGE, -LARGE, 1.0], -math.inf),
        ([math.inf, 1.0, LARGE, LARGE], math.inf),
        ([math.inf, -math.inf, 1.0], math.nan),
        ([math.nan, 1.0, math.inf], math.nan),
    ],
)
def test_sums_of_infinite_and_huge_numbers(monkeypatch, most, numbers, expected):
    monkeypatch.setattr(sums, "_MOST_IN_LIST", most)
    np.testing.assert_equal(sums.exact_sum(numbers), expected)
    np.testing.assert_equal(sums.exact_sum_of_array(np.array(numbers)), expected)
