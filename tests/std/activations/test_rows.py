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
                least = mpmath.mpf(10) ** -390
                assert (
                    abs(mpmath.mpf(found) - wanted) <= mpmath.mpf(10) ** -50 * abs(wanted) + least
                )


def test_small_logarithms_keep_their_digits():
    log = lossfw.activation("log_softmax")(np.array([40.0, 0.0, -1.0]))
    assert log[0] == pytest.approx(-5.811182e-18, rel=1e-6)


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


# Sparsemax ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_support_next_to_the_boundary(dtype):
    f = lossfw.activation("sparsemax")
    below = np.nextafter(dtype(1), dtype(0))
    assert f(np.array([1, 0], dtype)).tolist() == [1, 0]
    assert f(np.array([below, 0], dtype))[1] == (1 - float(below)) / 2
    # 1.1 - 0.1 rounds to 1, and is a little more or less in floats of each kind.
    x = np.array([1.1, 0.1], dtype)
    tiny = max(0.0, float(1 - (Fraction(float(x[0])) - Fraction(float(x[1])))) / 2)
    assert f(x)[1] == pytest.approx(tiny, rel=1e-6, abs=0)


def test_many_classes():
    z = np.random.default_rng(0).normal(size=20_000).astype(np.float32) * np.float32(1e-3)
    p = lossfw.activation("sparsemax")(z)
    assert float(p.sum(dtype=np.float64)) == pytest.approx(1, rel=1e-7)
    wide = lossfw.activation("sparsemax")(z.astype(np.float64))
    assert np.array_equal(p > 0, wide > 0)
    assert lossfw.activation("softmax")(z).sum(dtype=np.float64) == pytest.approx(1, rel=1e-7)
