"""Functions of rows: softmax, its logarithm, and sparsemax."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import lossfw
from support.activation_samples import ROWS

inf = math.inf


each = pytest.mark.parametrize("name", ROWS)


@pytest.fixture(autouse=True, scope="module")
def quiet():
    """Bodies are called as the engine calls them: floating-point flags are ignored."""
    with np.errstate(all="ignore"):
        yield


def samples(dtype, count, seed=0):
    """Yield rows of all lengths and magnitudes, with ties, and far from 0."""
    random = np.random.default_rng(seed)
    for i in range(count):
        row = random.normal(size=random.integers(1, 9)) * 10.0 ** random.uniform(-6, 2.6)
        row = np.repeat(row, 2) if i % 5 == 0 else row
        yield (row + 1e4 if i % 7 == 0 else row).astype(dtype)


def exactly(name, row):
    """Return the true result, by mpmath or, for sparsemax, in rational numbers."""
    if name == "sparsemax":
        z = [Fraction(float(x)) for x in row]
        down = sorted(z, reverse=True)
        support = [k for k in range(1, len(z) + 1) if 1 + k * down[k - 1] > sum(down[:k])]
        tau = (sum(down[: support[-1]]) - 1) / support[-1]
        return [mpmath.mpf(max(x - tau, 0).numerator) / max(x - tau, 0).denominator for x in z]
    z = [mpmath.mpf(float(x)) for x in row]
    total = mpmath.fsum(map(mpmath.exp, z))
    log = mpmath.log(total)
    return [mpmath.exp(x) / total if name == "softmax" else x - log for x in z]


@each
def test_the_formula_on_exact_numbers_is_what_mpmath_says(name):
    for row in samples(np.float64, 12, seed=3):
        with mpmath.workdps(400):
            for found, wanted in zip(
                lossfw.activation(name).exact(row), exactly(name, row), strict=True
            ):
                # What is far below every float does not matter.
                error = abs(mpmath.mpf(found) - wanted)
                assert error <= mpmath.mpf("1e-50") * abs(wanted) + mpmath.mpf("1e-390")


@each
def test_a_row_of_one(name):
    f, x = lossfw.activation(name), np.array([[3.0], [-1e30]])
    assert f(x).tolist() == [[0.0 if name == "log_softmax" else 1.0]] * 2
    assert f.derivative(np, x).tolist() == [[[0.0]]] * 2


@pytest.mark.parametrize("name", ["softmax", "sparsemax"])
@pytest.mark.parametrize(
    ("row", "shares"),
    [
        ([inf, 0, -3], [1, 0, 0]),
        ([inf, 1, inf], [0.5, 0, 0.5]),
        ([-inf, -inf], [0.5, 0.5]),
        ([-inf, 7, -inf], [0, 1, 0]),
        ([-1e300, 1e300, 0], [0, 1, 0]),
        ([-1e308, 1e308, 0], [0, 1, 0]),
        ([5, 5, 5, 5], [0.25] * 4),
    ],
)
def test_infinite_and_huge_arguments(name, row, shares):
    x = np.array(row, float)
    assert lossfw.activation(name)(x).tolist() == shares
    log = lossfw.activation("log_softmax")(x)
    assert np.array_equal(np.exp(log) > 0, np.array(shares) > 0)
    assert log.max() == pytest.approx(math.log(max(shares)), rel=1e-15)
