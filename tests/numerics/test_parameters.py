"""Arithmetic with parameters: differences and shares that lose nothing."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lossfw.numerics.parameters import (
    at_least,
    at_most,
    cache_constants,
    excess,
    nearest_float32,
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


def test_the_nearest_float32_of_a_short_or_a_large_number_is_that_number():
    assert nearest_float32(0.5) == 0.5
    assert nearest_float32(1e300) == 1e300


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
