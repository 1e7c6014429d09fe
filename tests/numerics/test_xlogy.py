"""Products and quotients at 0 and infinity."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.numerics import multiply_or_zero, quotient, xlog1py, xlogy
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.namespace import ExactNamespace, exact_array
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float

inf, nan = math.inf, math.nan
anything = st.floats(allow_nan=True, allow_infinity=True)


@given(anything, anything)
def test_times_is_the_product_but_for_zero_times_infinity(a, b):
    expected = 0.0 if 0 in (a, b) and inf in (abs(a), abs(b)) else np.float64(a) * b
    for x, y in ((a, b), (b, a)):
        found = multiply_or_zero(np, np.asarray([x]), np.asarray([y]))
        np.testing.assert_array_equal(found, [expected])
    # The same among others, where NumPy's quick way is not taken.
    found = multiply_or_zero(np, np.asarray([a, 0.0]), np.asarray([b, inf]))
    np.testing.assert_array_equal(found, [expected, 0])
    exact = multiply_or_zero(ExactNamespace(), exact_array([a]), exact_array([b]))
    if math.isnan(expected) or abs(expected) in (0, inf):
        assert str(abs(to_float(exact)[0])) in (str(abs(expected)), str(math.fabs(a * b)))


def test_times_broadcasts_takes_numbers_and_keeps_dtypes():
    a = np.asarray([[0.0], [2.0]], np.float32)
    found = multiply_or_zero(np, a, np.asarray([inf, 1.0], np.float32))
    assert found.tolist() == [[0, 0], [inf, 2]]
    assert found.dtype == np.float32
    assert multiply_or_zero(np, 0.0, np.asarray([inf])).tolist() == [0]


def test_derivatives_of_times_follow_the_same_rule():
    # t log(p) at t = 0, p = 0, by p and by t.
    t, p = np.asarray([0.0, 0.5, 0.0]), np.asarray([0.0, 0.25, 0.5])
    by_p = derivatives(lambda xp, p, t: multiply_or_zero(xp, t, xp.log(p)), np, p, t)
    assert [part.tolist() for part in by_p] == [[0, math.log(0.25) / 2, 0], [0, 2, 0], [0, -8, 0]]
    by_t = derivatives(lambda xp, t, p: multiply_or_zero(xp, t, xp.log(p)), np, t, p, order=1)
    assert by_t[1].tolist() == [-inf, math.log(0.25), math.log(0.5)]
    both = derivatives(lambda xp, x: multiply_or_zero(xp, x, x * x), np, np.asarray([3.0]))
    assert [part.tolist() for part in both] == [[27], [27], [18]]


def test_xlogy_and_xlog1py_at_their_limits():
    x = np.asarray([0.0, 0.0, 0.0, 2.0, 0.0, nan])
    y = np.asarray([0.0, inf, 1.0, 0.0, nan, 1.0])
    np.testing.assert_array_equal(xlogy(np, x, y), [0, 0, 0, -inf, nan, nan])
    np.testing.assert_array_equal(xlog1py(np, x, y - 1), [0, 0, 0, -inf, nan, nan])
    tiny = xlog1py(np, np.asarray([3.0]), np.asarray([1e-20]))
    assert tiny[0] == pytest.approx(3e-20, rel=1e-15)
    entropy = derivatives(lambda xp, x: xlogy(xp, x, x), np, np.asarray([0.5, 1.0]))
    np.testing.assert_allclose(entropy[1], [math.log(0.5) + 1, 1])
    np.testing.assert_allclose(entropy[2], [2, 1])


@pytest.mark.parametrize("function", [multiply_or_zero, xlogy, xlog1py, quotient])
def test_exact_numbers_follow_the_same_rules(function):
    a, b = np.asarray([0.0, 0.5, 0.0]), np.asarray([0.0, 0.25, 2.0])
    found = to_float(evaluate(lambda xp, a, b: function(xp, a, b), a, b))
    np.testing.assert_allclose(found, function(np, a, b), rtol=1e-15)
    a, b = np.asarray([0.0, 2.0, 0.0, nan]), np.asarray([0.0, 0.0, nan, 0.0])
    np.testing.assert_array_equal(quotient(np, a, b), [0, inf, nan, nan])
