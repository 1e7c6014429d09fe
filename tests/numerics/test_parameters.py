"""Arithmetic with parameters: differences and shares that lose nothing."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.numerics.parameters import (
    at_least,
    at_most,
    cache_constants,
    excess,
    high_precision,
    hypotenuse_and_share,
    nearest_float32,
    over_root,
    pieces,
    shares,
    zero_or_nan,
)

positive = st.floats(1e-12, 1e12)


@given(positive, st.integers(-3, 3))
def test_a_difference_of_float32_and_a_parameter_is_rounded_like_any_other(limit, steps):
    a = np.float32(limit)
    for _ in range(abs(steps)):
        a = np.nextafter(a, np.float32(np.inf if steps > 0 else 0))
    wanted = Fraction(float(a)) - Fraction(limit)
    found = excess(np, np.array([a]), limit)
    assert found.dtype == np.float32
    assert abs(Fraction(float(found[0])) - wanted) <= abs(wanted) * Fraction(1, 2**23)


@given(positive, st.sampled_from([2, 3, 5]))
def test_pieces_of_a_root_add_up_to_125_bits(c, n):
    with high_precision():
        parts = over_root(c, n)
        wanted = Decimal(c) / Decimal(n).sqrt()
        assert abs(sum(map(Decimal, parts)) - wanted) <= wanted * Decimal(2) ** -123
    assert all(np.float32(part) == part for part in parts[:-1])


def test_pieces_of_a_short_number_are_that_number():
    assert pieces(Decimal("0.5")) == (0.5,)
    assert pieces(Decimal(0)) == ()
    assert nearest_float32(0.5) == 0.5
    assert nearest_float32(1e300) == 1e300


@given(st.floats(0, 1e300), positive)
def test_shares_are_those_of_the_larger(a, c):
    p, k = shares(np, np.array([a]), c)
    assert max(p[0], k[0]) == 1
    assert p[0] == pytest.approx(a / max(a, c), rel=1e-15)
    assert k[0] == pytest.approx(c / max(a, c), rel=1e-15)
    root, total = hypotenuse_and_share(np, p, k)
    assert root[0] == pytest.approx(np.hypot(p, k)[0], rel=1e-15)
    assert total[0] == pytest.approx((np.hypot(p, k) + k)[0], rel=1e-15)


def test_shares_of_infinity_and_of_nan():
    p, k = shares(np, np.array([np.inf, np.nan]), 2.0)
    assert (p[0], k[0]) == (1.0, 0.0)
    assert np.isnan([p[1], k[1]]).all()


def test_bounds_let_nan_through():
    x = np.array([-5.0, 1.0, 5.0, np.nan])
    assert np.array_equal(at_most(np, x, 2.0), [-5, 1, 2, np.nan], equal_nan=True)
    assert np.array_equal(at_least(np, x, 2.0), [2, 2, 5, np.nan], equal_nan=True)
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
