"""The logarithm of factorials, against mpmath."""

import mpmath
import numpy as np
import pytest

from lossfw.numerics import factorial_rest, log_factorial
from lossfw.numerics.exact.truth import evaluate

RNG = np.random.default_rng(3)
# Both forms and their border, the two zeros, and every size.
POINTS = np.concatenate(
    [
        [5e-324, 1e-300, 1e-20, 1e-8, 1 - 2**-53, 1 + 2**-52, 2 - 2**-52, 2.0, 1e8, 1e200, 1e305],
        RNG.uniform(0, 2, 150),
        RNG.uniform(2, 12, 150),
        1 + 10.0 ** RNG.uniform(-15, -2, 50),
        10.0 ** RNG.uniform(-20, 20, 100),
    ]
)


def logarithm(t):
    # Near 0 the argument of the gamma function rounds to 1.
    return mpmath.loggamma(t + 1) if t > 1e-40 else -mpmath.euler * t


WANTED = {
    log_factorial: logarithm,
    factorial_rest: lambda t: logarithm(t) - t * mpmath.log(t) + t,
}
each = pytest.mark.parametrize("function", WANTED, ids=lambda f: f.__name__)


@pytest.mark.turns(2)
@each
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_last_digits_are_right(function, dtype):
    t = POINTS[(np.finfo(dtype).tiny < POINTS) & (np.finfo(dtype).max / 1e3 > POINTS)]
    t = t.astype(dtype)
    # Beside t log t the rest is small: of 305 digits it keeps 200.
    with mpmath.workdps(520):
        for found, one in zip(function(np, t), t, strict=True):
            wanted = WANTED[function](mpmath.mpf(float(one)))
            assert abs(float(found) - wanted) <= 4 * np.spacing(dtype(abs(float(wanted)))), one


@each
def test_the_truth_is_that_of_mpmath(function):
    t = np.array([1e-30, 1e-3, 0.7, 1.0, 3.25, 50.0, 9e7, 1e9, 1e120])
    with mpmath.workdps(250):
        for found, one in zip(evaluate(function, t), t, strict=True):
            wanted = WANTED[function](mpmath.mpf(float(one)))
            assert abs(mpmath.mpf(found) - wanted) <= 1e-30 * abs(wanted)


def test_ends_and_nan():
    t = np.array([0.0, np.inf, np.nan])
    with np.errstate(invalid="ignore"):
        assert np.array_equal(log_factorial(np, t), [0.0, np.inf, np.nan], equal_nan=True)
        assert np.array_equal(factorial_rest(np, t), [0.0, np.inf, np.nan], equal_nan=True)
    assert not np.signbit(log_factorial(np, t)[0])
