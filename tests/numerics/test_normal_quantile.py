"""The quantiles of the normal distribution, against exact zeros of its distribution function."""

import mpmath
import numpy as np
import pytest

from lossfw.numerics import normal_quantile
from lossfw.numerics.arrays import namespace_of
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import ulp_error

RNG = np.random.default_rng(5)
# Every size, all three forms and their borders.
P = np.concatenate(
    [
        [5e-324, 2e-308, 1.3e-11, 1.4e-11, 0.075, 0.5 - 1e-16, 0.5, 0.5 + 1e-15, 0.925, 1 - 2**-53],
        10.0 ** RNG.uniform(-323, 0, 6),
        RNG.uniform(0, 1, 10),
    ]
)


def test_the_truth_is_the_inverse_of_mpmath():
    p = np.asarray([1e-300, 1e-20, 0.3, 0.5, 0.75, 1 - 2**-53])
    for x, one in zip(evaluate(normal_quantile, p), p, strict=True):
        with mpmath.workdps(120):
            share = mpmath.mpf(float(one))
            assert abs(mpmath.ncdf(mpmath.mpf(x)) / share - 1) <= 1e-50


@pytest.mark.turns(2)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_errors_in_ulps(dtype):
    p = P.astype(dtype)
    p = p[(p > 0) & (p < 1)]
    with np.errstate(over="ignore"):
        results = derivatives(normal_quantile, np, p)
    for order, (result, bound) in enumerate(zip(results, (4, 4, 6), strict=True)):
        assert result.dtype == dtype
        truth = evaluate(lambda xp, x, n=order: derivatives(normal_quantile, xp, x)[n], p)
        assert ulp_error(result, truth).max() <= bound


def test_ends_outside_and_other_libraries(convert):
    p = np.asarray([0.0, 1.0, -0.1, 1.1, np.nan, 0.5])
    np.testing.assert_array_equal(
        normal_quantile(np, p), [-np.inf, np.inf, np.nan, np.nan, np.nan, 0.0]
    )
    # JAX has no subnormal numbers.
    normal = P[2:]
    foreign = convert(normal)
    found = np.asarray(normal_quantile(namespace_of(foreign), foreign))
    np.testing.assert_allclose(found, normal_quantile(np, normal), 1e-13)
