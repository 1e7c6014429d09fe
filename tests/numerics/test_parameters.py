"""Bounds of arrays, and constants of parameters."""

import numpy as np

from lossfw.numerics.parameters import (
    cache_constants,
    clip_above,
    clip_below,
    zero_or_nan,
)


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
