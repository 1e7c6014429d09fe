"""Exact tables: the nearest float of the true sum, for any order and split."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.metrics.exact_sums import ExactSums, from_ordered_keys, to_ordered_keys

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.one_of(st.integers(-3, 3), st.sampled_from([-(2**40), 2**40, 2**62]))


def table(pairs, columns=1):
    keys = np.array([[key] * columns for key, _ in pairs], np.int64).reshape(-1, columns)
    return ExactSums.of(keys, np.array([value for _, value in pairs], np.float64))


def truth(pairs):
    sums = {}
    for key, value in pairs:
        sums[key] = sums.get(key, Fraction(0)) + Fraction(value)
    return sums


def nearest(x):
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


@given(st.lists(st.tuples(KEYS, NUMBERS), max_size=20), st.integers(0, 20), st.sampled_from([1, 2]))
def test_sums_are_exact_for_any_split_and_order(pairs, cut, columns):
    first, second = table(pairs[:cut], columns), table(pairs[cut:], columns)
    wanted = truth(pairs)
    for merged in (first.merge(second), second.merge(first), table(pairs[::-1], columns)):
        assert merged.keys[:, 0].tolist() == sorted(wanted)
        assert merged.to_fractions() == [wanted[key] for key in sorted(wanted)]
        assert merged.to_floats().tolist() == [nearest(wanted[key]) for key in sorted(wanted)]


@given(st.integers(32, 40_000), st.integers(-300, 300), st.integers(0, 40), st.integers(0, 2**31))
def test_sums_of_many_numbers_are_exact(count, size, spread, seed):
    random = np.random.default_rng(seed)
    numbers = random.normal(size=count) * 10.0 ** (size + random.uniform(-spread, 0, count))
    key = random.integers(0, 2, count)
    key[:2] = 0, 1
    sums = ExactSums.of(key[:, None], numbers).to_floats()
    assert sums.tolist() == [math.fsum(numbers[key == n]) for n in (0, 1)]


@given(st.lists(st.tuples(KEYS, NUMBERS), min_size=1, max_size=20))
def test_equal_new_keys_are_added(pairs):
    sums = table(pairs)
    added = sums.with_keys(np.zeros_like(sums.keys))
    assert added.to_fractions() == [sum((Fraction(v) for _, v in pairs), Fraction(0))]


@given(st.lists(st.tuples(KEYS, st.floats()), max_size=10), st.integers(0, 10))
def test_packing_changes_nothing(pairs, cut):
    first, second = table(pairs[:cut]), table(pairs[cut:])
    again = ExactSums.unpack(first.pack())
    assert all(array.dtype.kind in "if" for array in first.pack().values())
    merged, wanted = again.merge(second), first.merge(second)
    assert merged.keys.tolist() == wanted.keys.tolist()
    np.testing.assert_array_equal(merged.to_floats(), wanted.to_floats())


def test_infinite_and_nan_numbers():
    sums = table([(0, math.inf), (0, 1.0), (1, math.inf), (1, -math.inf), (2, math.nan), (3, 2.0)])
    np.testing.assert_array_equal(sums.to_floats(), [math.inf, math.nan, math.nan, 2.0])


def test_numbers_that_overflow_on_the_way():
    assert table([(0, 1e308), (0, 1e308), (0, -1e308)]).to_floats() == [1e308]
    assert table([(0, -1.7e308), (0, -1.7e308)]).to_floats() == [-math.inf]


def test_ones_are_counted():
    sums = ExactSums.of(np.array([[5], [2], [5]]))
    assert sums.keys.ravel().tolist() == [2, 5]
    assert sums.to_floats().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("spread", [1, 10**9])
def test_a_mask_takes_some(spread):
    sums = ExactSums.of(np.arange(5)[:, None] * spread)
    assert sums.take(sums.keys[:, 0] >= 3 * spread).to_floats().tolist() == [1.0, 1.0]


@given(st.lists(st.floats(), min_size=1, max_size=10))
def test_keys_of_numbers_have_their_order(numbers):
    x = np.array(numbers)
    keys = to_ordered_keys(x)
    np.testing.assert_array_equal(from_ordered_keys(keys), x)
    np.testing.assert_array_equal(np.sort(x), from_ordered_keys(np.sort(keys)))
