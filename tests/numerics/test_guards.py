"""Guards against the truth: logarithms near 0 and near 1, and their derivatives."""

import math

import numpy as np
import pytest

from lossfw.numerics.exact.differences import derivative
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import ulp_error
from lossfw.numerics.guards import (
    DEFAULT_DELTA,
    guarded_log,
    guarded_log_derivative,
    guarded_log_second_derivative,
    textbook_log,
)

GUARDS = ("normalised", "additive", "floor", "none")
DELTAS = (1e-12, DEFAULT_DELTA, 0.4, 0.9)
DTYPES = (np.float32, np.float64)

# Per function of the guard: units in the last place, above what was measured.
VALUE, FIRST, SECOND = 3.0, 2.0, 4.0


def probabilities(dtype, delta):
    """Return probabilities at the ends, at 1/2, where a guard takes over, and all between."""
    rng = np.random.default_rng(20)
    zero, one = dtype(0), dtype(1)
    special = np.array([0.0, 0.5, 1.0, delta, 1.0 - delta], dtype)
    tiny = np.finfo(dtype).smallest_subnormal * np.array([1.0, 3.0, 1e3], dtype)
    spread = [
        rng.uniform(0, 1, 40),
        10.0 ** rng.uniform(math.log10(tiny[0]), 0, 40),
        1.0 - 10.0 ** rng.uniform(-16, 0, 40),
        # Where the additive guard's loss goes through 0.
        1.0 - delta * (1.0 + 10.0 ** rng.uniform(-9, -1, 10)),
    ]
    p = np.concatenate([special, tiny, np.clip(np.concatenate(spread), 0, 1).astype(dtype)])
    return np.unique(np.concatenate([p, np.nextafter(p, zero), np.nextafter(p, one)]))


def textbook(guard, delta):
    return lambda xp, p: textbook_log(xp, p, guard, delta)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("delta", DELTAS)
@pytest.mark.parametrize("guard", GUARDS)
class TestAgainstTheTruth:
    def test_logarithm(self, guard, delta, dtype):
        p = probabilities(dtype, delta)
        with np.errstate(divide="ignore"):
            found = guarded_log(np, p, guard, delta)
        assert found.dtype == dtype
        assert ulp_error(found, evaluate(textbook(guard, delta), p)).max() <= VALUE

    def test_logarithm_of_the_rest(self, guard, delta, dtype):
        p = probabilities(dtype, delta)
        with np.errstate(divide="ignore"):
            found = guarded_log(np, 1 - p, guard, delta, p)
        truth = evaluate(lambda xp, x: textbook_log(xp, 1 - x, guard, delta), p)
        assert ulp_error(found, truth).max() <= VALUE

    def test_derivatives(self, guard, delta, dtype):
        p = probabilities(dtype, delta)[::8]
        # Not at the kink, and not so near to 0 that differences run out of digits.
        p = p[(p > 1e-100) & (abs(p - dtype(delta)) > 1e-3 * delta)]
        body = textbook(guard, delta)
        with np.errstate(all="ignore"):
            first = guarded_log_derivative(np, p, guard, delta)
            second = guarded_log_second_derivative(np, p, guard, delta)
        assert first.dtype == second.dtype == dtype
        assert ulp_error(first, derivative(body, p)).max() <= FIRST
        assert ulp_error(second, derivative(body, p, order=2)).max() <= SECOND


@pytest.mark.parametrize("guard", GUARDS)
def test_nan_passes_and_the_logarithm_at_one_is_no_negative_zero(guard):
    for function in (guarded_log, guarded_log_derivative, guarded_log_second_derivative):
        assert np.isnan(function(np, np.array([np.nan]), guard, DEFAULT_DELTA)).all()
    at_one = guarded_log(np, np.ones(1), guard, DEFAULT_DELTA)
    assert not np.signbit(at_one).any() or guard == "additive"
