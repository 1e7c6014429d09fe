"""Numbers of two words, exponentials of them, and the normal tail that needs them."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.numerics import scaled_normal_tail
from lossfw.numerics.double_double import (
    FAR_EXPONENT,
    DoubleDouble,
    add_words,
    multiply_words,
    scaled_exp,
    words_of,
)
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import ulp_error

positive = st.floats(1e-30, 1e30)
small = st.floats(-0.5, 0.5)


def two_words(high, part):
    """Return a number whose second word is a part of a ULP of the first, and what it is."""
    low = part * np.spacing(high)
    exact = Fraction(high) + Fraction(low)
    return DoubleDouble(np.array([high]), np.array([low])), exact


def value(words):
    return Fraction(float(words.high[0])) + Fraction(float(words.low[0]))


@given(positive, small, positive, small)
def test_products_and_sums_have_about_twice_the_digits(a, p, b, q):
    (x, exact_x), (y, exact_y) = two_words(a, p), two_words(b, q)
    for found, exact in (
        (multiply_words(np, x, y), exact_x * exact_y),
        (add_words(np, x, y), exact_x + exact_y),
    ):
        assert abs(value(found) / exact - 1) < Fraction(2) ** -100
        assert abs(found.low[0]) <= np.spacing(found.high[0]) / 2


@given(st.fractions(min_value=Fraction(1, 10**9), max_value=10**9))
def test_a_rational_number_keeps_its_digits(x):
    found = words_of(np, x, np.zeros(1))
    assert abs(value(found) / x - 1) < Fraction(2) ** -104


def test_words_have_the_shape_and_dtype_of_what_they_are_for():
    like = np.zeros((2, 3), np.float32)
    for word in words_of(np, Fraction(1, 3), like):
        assert (word.shape, word.dtype) == (like.shape, like.dtype)


@given(st.floats(-FAR_EXPONENT, 0), small, st.sampled_from([1.0, 1e-20, 700.0, 1e20]))
def test_an_exponential_keeps_its_digits_however_it_is_lifted(x, part, factor):
    low = part * np.spacing(abs(x))
    scaled, unit = scaled_exp(np, np.array([x]), np.array([low]))
    found = float((factor * scaled * unit)[0])
    with mpmath.workdps(60):
        truth = factor * mpmath.exp(mpmath.mpf(x) + low)
    # Beyond -708 the exponential alone is subnormal, its multiple need not be.
    if x > -750:
        assert abs(found - truth) <= 3 * np.spacing(float(truth))


def test_the_exponential_of_one_word():
    x = np.array([0.0, -1.0, -60.9, -61.0, -61.1, -700.0])
    scaled, unit = scaled_exp(np, x)
    assert ulp_error(scaled * unit, evaluate(lambda xp, x: xp.exp(x), x)).max() < 2
    assert (scaled > np.finfo(float).tiny).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_scaled_tail_of_the_normal_distribution(dtype):
    random = np.random.default_rng(0)
    x = np.concatenate([random.uniform(0, 5, 150), 10.0 ** random.uniform(-30, 15, 100)])
    x = np.append(x, [0.0, 1e-40, 1e30]).astype(dtype)
    found = scaled_normal_tail(np, x)
    assert found.dtype == dtype
    for number, result in zip(x[x < 30].tolist(), found[x < 30].tolist(), strict=True):
        with mpmath.workdps(60):
            z = mpmath.mpf(number)
            truth = mpmath.exp(z * z / 2) * mpmath.erfc(z / mpmath.sqrt(2)) / 2
            assert abs(result - truth) <= 4 * np.spacing(dtype(float(truth)))
    far = x[x > 1e10].astype(np.float64)
    assert found[x > 1e10] == pytest.approx(1 / (far * np.sqrt(2 * np.pi)), rel=1e-6)


def test_its_derivatives():
    x = np.array([0.0, 0.5, 2.0])
    value, slope, bend = derivatives(scaled_normal_tail, np, x)
    density = 1 / np.sqrt(2 * np.pi)
    assert slope == pytest.approx(x * value - density, rel=1e-14)
    assert bend == pytest.approx(value + x * slope, rel=1e-13)
    truth = evaluate(scaled_normal_tail, x)
    assert ulp_error(value, truth).max() <= 4
