"""Correct rounding, and errors in units in the last place."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.numerics.exact.namespace import exact_array
from lossfw.numerics.exact.ulp import to_float, ulp_error

FORMATS = (np.float16, np.float32, np.float64)
anything = st.floats(allow_nan=True, allow_infinity=True)


@given(anything)
def test_rounding_to_smaller_formats_is_that_of_the_processor(x):
    for dtype in FORMATS:
        with np.errstate(all="ignore"):
            expected = np.float64(x).astype(dtype)
        found = to_float(exact_array([x]), dtype)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found[0], expected)


@given(st.fractions(min_value=-(10**6), max_value=10**6), st.integers(-1100, 1000))
def test_rounding_of_any_number_is_that_of_python(fraction, exponent):
    x = exact_array([fraction.numerator], 400) / fraction.denominator
    scaled = x * exact_array([2.0], 400) ** exponent
    try:
        # Python divides integers correctly rounded.
        if exponent >= 0:
            expected = fraction.numerator * 2**exponent / fraction.denominator
        else:
            expected = fraction.numerator / (fraction.denominator * 2**-exponent)
    except OverflowError:
        expected = math.copysign(math.inf, fraction)
    assert to_float(scaled)[0] == expected


def test_ties_go_to_even_also_among_subnormals():
    tiny = 5e-324
    half = exact_array([tiny, 3 * tiny, 5 * tiny]) / 2
    assert to_float(half).tolist() == [0, 2 * tiny, 2 * tiny]
    assert to_float(half * -1).tolist() == [0, -2 * tiny, -2 * tiny]
    just_more = half * (1 + exact_array([1e-50]))
    assert to_float(just_more).tolist() == [tiny, 2 * tiny, 3 * tiny]


@pytest.mark.parametrize("dtype", FORMATS)
def test_neighbours_are_one_ulp_apart(dtype):
    info = np.finfo(dtype)
    x = np.asarray([1.5, 3.0, info.max, info.tiny, info.smallest_subnormal, 0.0], dtype)
    away = np.nextafter(x, dtype(-1))
    np.testing.assert_array_equal(ulp_error(away, exact_array(x)), 1)
    np.testing.assert_array_equal(ulp_error(x, exact_array(x)), 0)
    # The unit is that of the truth: below a power of two the neighbour is half a unit away.
    below = np.nextafter(np.asarray([1.0], dtype), dtype(0))
    assert ulp_error(below, exact_array([1.0])) == [0.5]


@given(st.floats(-1e300, 1e300), st.floats(-3, 3))
def test_the_error_is_measured_exactly(x, error):
    unit = math.ulp(x)
    truth = exact_array([x]) + exact_array([unit]) * error
    found = ulp_error(np.asarray([x]), truth)[0]
    # The unit may be that of the next power of two.
    assert any(
        math.isclose(found, abs(error) * f, rel_tol=1e-12, abs_tol=1e-30) for f in (0.5, 1, 2)
    )


def test_infinities_and_nan_must_be_met_and_shapes_stay():
    special = np.asarray([math.inf, -math.inf, math.nan, 1.0, 1.0, math.nan, math.inf])
    truth = exact_array([math.inf, -math.inf, math.nan, math.inf, math.nan, 1.0, -math.inf])
    assert ulp_error(special, truth).tolist() == [0, 0, 0] + [math.inf] * 4
    assert ulp_error(np.zeros((2, 0)), exact_array(np.zeros((2, 0)))).shape == (2, 0)
    assert to_float(exact_array(np.zeros((2, 3)))).shape == (2, 3)


def test_overflow_counts_from_the_first_number_that_is_too_large():
    top = np.finfo(np.float64).max
    unit = math.ulp(top)
    truth = exact_array([top, top, top]) + exact_array([0.0, unit, unit * 0.4])
    assert ulp_error(np.asarray([math.inf] * 3), truth).tolist() == [1, 0, 0.6]
    assert ulp_error(np.asarray([top] * 3), truth)[:2].tolist() == [0, 0.5]
    huge = exact_array([1e300]) ** 5
    assert ulp_error(np.asarray([math.inf]), huge).tolist() == [0]
    assert ulp_error(np.asarray([-math.inf]), huge)[0] > 1e15
    assert ulp_error(np.asarray([1.0]), huge)[0] > 1e15
