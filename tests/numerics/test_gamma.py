"""The logarithms of gamma and of factorials, and their derivatives, against mpmath."""

import math

import mpmath
import numpy as np
import pytest

from lossfw import numerics
from lossfw.numerics.arrays import namespace_of
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.truth import evaluate

inf, nan = math.inf, math.nan


def _binet(x, order=0):
    # The difference cancels, by up to twice the digits of x.
    log = (x - 0.5) * mpmath.log(x) - x + mpmath.log(2 * mpmath.pi) / 2
    derivative = mpmath.log(x) - 1 / (2 * x)
    values = (lambda: mpmath.loggamma(x) - log, lambda: mpmath.digamma(x) - derivative)
    return values[order]() if order < 2 else mpmath.psi(1, x) - 1 / x - 1 / (2 * x * x)


def _log_factorial(t, order=0):
    # Near 0 the argument of the gamma function rounds to 1.
    return mpmath.loggamma(t + 1) if t > 1e-40 else -mpmath.euler * t


# The value and its derivatives, the limits at 0 and at infinity, the worst errors in ULPs, and
# whether derivatives are held to the truth too.
FUNCTIONS = {
    "lgamma": (lambda x, n: mpmath.psi(n - 1, x) if n else mpmath.loggamma(x), (inf, inf), 4, 2),
    "digamma": (lambda x, n: mpmath.psi(n, x), (-inf, inf), 5, 2),
    "trigamma": (lambda x, n: mpmath.psi(n + 1, x), (inf, 0.0), 8, 2),
    # Of the digits of the terms of lgamma, which are ten times as large.
    "binet": (_binet, (inf, 0.0), 30, 1),
    "binet_derivative": (lambda x, n: _binet(x, n + 1), (-inf, 0.0), 12, 1),
    "log_factorial": (_log_factorial, (0.0, inf), 4, 0),
    "factorial_rest": (lambda t, n: _log_factorial(t) - t * mpmath.log(t) + t, (0.0, inf), 4, 0),
}
RNG = np.random.default_rng(3)
# Every size, the zeros of lgamma and digamma, and the borders of the forms.
X = np.concatenate(
    [
        [1e-300, 1e-20, 1 - 2**-53, 1.0, 1 + 2**-52, 1.4616321449683622, 2 - 2**-52, 2.0, 2.5],
        2.0 ** RNG.uniform(-60, 60, 30),
        RNG.uniform(0, 4, 50),
        RNG.uniform(4, 12, 20),
    ]
)
each = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.mark.turns(2)
@each
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_value_and_derivatives(name, dtype):
    truth, _, bound, orders = FUNCTIONS[name]
    x = X.astype(dtype)
    x = x[x > 0]
    # float32 has no squares of the smallest of these.
    with np.errstate(over="ignore"):
        found = derivatives(getattr(numerics, name), np, x)
    for order in range(orders + 1):
        assert found[order].dtype == dtype
        for result, one in zip(found[order], x, strict=True):
            # Beside t log t the rest of a factorial is small: of 305 digits it keeps 200.
            with mpmath.workdps(520 if orders == 0 else 150), np.errstate(over="ignore"):
                expected = truth(mpmath.mpf(float(one)), order)
                rounded = dtype(float(expected))
                error = abs(mpmath.mpf(float(result)) - expected)
                near = error <= bound * float(np.spacing(abs(rounded)))
            assert near or result == rounded, (order, one, result, rounded)


@each
def test_the_truth_is_that_of_mpmath(name):
    truth, *_ = FUNCTIONS[name]
    x = np.array([1e-30, 1e-3, 0.7, 1.0, 3.25, 50.0, 1e9, 1e120])
    with mpmath.workdps(400):
        for found, one in zip(evaluate(getattr(numerics, name), x), x, strict=True):
            expected = truth(mpmath.mpf(float(one)), 0)
            assert abs(mpmath.mpf(found) - expected) <= 1e-30 * abs(expected)


@each
def test_ends_nan_and_other_libraries(name, convert):
    _, limits, _, orders = FUNCTIONS[name]
    function = getattr(numerics, name)
    ends, found = np.array([0.0, inf, nan, -0.5]), [*limits, nan, nan]
    ends, found = (ends, found) if orders else (ends[:3], found[:3])
    np.testing.assert_array_equal(function(np, ends), found)
    assert not np.signbit(function(np, ends)[1])
    foreign = convert(X)
    found = np.asarray(function(namespace_of(foreign), foreign))
    np.testing.assert_allclose(found, function(np, X), 1e-13, 1e-15)
