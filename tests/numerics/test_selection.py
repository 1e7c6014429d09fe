"""Selections have the bits of `where`; bounds of arrays, and constants of parameters."""

import numpy as np
import pytest

from lossfw.numerics import (
    apply_where,
    apply_where_rows,
    select,
    with_float32_form,
    with_nan_of_rows,
)
from lossfw.numerics.parameters import cache_constants, clip_above, clip_below, zero_or_nan

RNG = np.random.default_rng(3)
# The second number is beyond the size from which bits are chosen.
SIZES = (7, 5_000)
SPECIAL = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324])


def bits(x):
    return x.dtype, x.shape, x.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("size", SIZES)
def test_select_has_the_bits_of_where(size, dtype):
    a, b = (np.resize(RNG.permutation(SPECIAL), size).astype(dtype) for _ in range(2))
    condition = RNG.random(size) < 0.5
    assert bits(select(np, condition, a, b)) == bits(np.where(condition, a, b))
    assert bits(select(np, condition[::2], a[::2], b[::2])) == bits(
        np.where(condition[::2], a[::2], b[::2])
    )


def test_select_broadcasts_as_where_does():
    condition, a = RNG.random((50, 100)) < 0.5, RNG.random((50, 100))
    for b in (0.0, np.float64(2.0), a[:1], a.astype("float32")):
        assert bits(select(np, condition, a, b)) == bits(np.where(condition, a, b))


def test_patched_computes_the_rare_elements_alone():
    seen = []

    def root(xp, x):
        seen.append(x.size)
        return xp.sqrt(x)

    x = np.array([4.0, -4.0, np.nan])
    assert apply_where(np, x + 0.0, x > 0, root, x).tolist()[:2] == [2.0, -4.0]
    assert seen == [1]
    untouched = x + 0.0
    assert apply_where(np, untouched, x > 9, root, x) is untouched
    assert apply_where(np, np.float64(4.0), np.bool_(True), root, np.float64(4.0)) == 2.0


def test_in_double_by_gives_float32_the_plain_form():
    @with_float32_form(lambda xp, x: (x + 1.0, x.dtype.itemsize * xp.ones_like(x)))
    def body(xp, x):
        return x, x

    one = np.ones(2)
    assert [part.tolist() for part in body(np, one)] == [[1.0, 1.0], [1.0, 1.0]]
    first, second = body(np, one.astype("float32"))
    assert (first.tolist(), second.tolist()) == ([2.0, 2.0], [8.0, 8.0])
    assert first.dtype == second.dtype == np.float32


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("count", [0, 1, 2, 90, 300])
def test_patched_rows_adds_up_a_row_as_among_all_rows(count, order):
    x = np.asarray(RNG.normal(size=(300, 17)).astype("float32"), order=order)
    rare = RNG.permutation(np.arange(300) < count)
    sums, usual = x.sum(axis=-1), np.zeros(300, "float32")
    found = apply_where_rows(np, usual.copy(), rare, lambda xp, x: xp.sum(x, axis=-1), x)
    assert bits(found) == bits(np.where(rare, sums, usual))


def test_nan_anywhere_in_a_row_is_nan_of_the_row_alone():
    x = np.ones((2, 3, 4))
    x[0, 1, 2] = np.nan
    found = with_nan_of_rows(np, x, np.full((2, 3), 5.0))
    assert np.argwhere(np.isnan(found)).tolist() == [[0, 1]]
    assert (found[~np.isnan(found)] == 5.0).all()


def test_bounds_let_nan_through():
    x = np.array([-5.0, 1.0, 5.0, np.nan])
    assert np.array_equal(clip_above(np, x, 2.0), [-5, 1, 2, np.nan], equal_nan=True)
    assert np.array_equal(clip_below(np, x, 2.0), [2, 2, 5, np.nan], equal_nan=True)
    zero = zero_or_nan(np, np.array([-np.inf, -0.0, 3.0, np.nan]))
    assert np.array_equal(zero, [0, 0, 0, np.nan], equal_nan=True)
    assert not np.signbit(zero[:3]).any()


def test_a_constant_is_computed_once_for_each_parameter():
    asked = []

    @cache_constants
    def twice(c):
        asked.append(c)
        return 2.0 * c

    assert [twice(1.0), twice(2.0), twice(1.0)] == [2.0, 4.0, 2.0]
    assert asked == [1.0, 2.0]
    # A sweep of a parameter does not fill the memory.
    for c in range(2000):
        twice(float(c))
    assert twice(1.0) == 2.0
