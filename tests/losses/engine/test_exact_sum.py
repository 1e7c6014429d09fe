"""Sums without rounding: those of lists and of arrays are the nearest float of the exact sum."""

import math
from fractions import Fraction

import numpy as np
import pytest

from lossfw.losses.engine import exact_sum as sums

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
