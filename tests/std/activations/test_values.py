"""Every built-in activation against mpmath, at its limits, kinks and odd input."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import lossfw
from lossfw import ParameterError
from support.activation_samples import ELEMENTWISE, ROWS, label, line, make

# With so many digits no definition cancels down to the smallest float.
DIGITS = 460
# Beyond this a value is a straight line or a constant in every float format.
FAR = 800


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def above(x, below):
    return x if x > 0 else below


def gelu(x, form="exact"):
    if form == "exact":
        return x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2
    u = mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)
    return x * (1 + mpmath.tanh(u)) / 2


# The definitions once more, from the papers: name -> function of x and the parameter.
TRUTH = {
    "identity": lambda x: x,
    "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x, s=0.01: x if x > 0 else mpmath.mpf(s) * x,
    "elu": lambda x, a=1: above(x, a * mpmath.expm1(x)),
    "celu": lambda x, a=1: max(x, 0) + min(0, a * mpmath.expm1(x / mpmath.mpf(a))),
    "softplus": lambda x, b=1: mpmath.log1p(mpmath.exp(b * x)) / b,
    "sigmoid": sigmoid,
    "tanh": mpmath.tanh,
    "silu": lambda x: x * sigmoid(x),
    "gelu": gelu,
    "mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
    "hard_sigmoid": lambda x: min(max((x + 3) / 6, 0), 1),
    "hard_swish": lambda x: x * min(max((x + 3) / 6, 0), 1),
    "softsign": lambda x: x / (1 + abs(x)),
    "step": lambda x: mpmath.mpf(x > 0),
    "exp": mpmath.exp,
}
# selu's lambda and alpha, as the float64 numbers that the formula has.
TRUTH["selu"] = lambda x: (
    mpmath.mpf(1.0507009873554805) * above(x, mpmath.mpf(1.6732632423543772) * mpmath.expm1(x))
)


@pytest.mark.parametrize("sample", ELEMENTWISE, ids=label)
def test_the_formula_on_exact_numbers_is_what_mpmath_says(sample):
    name, parameters = sample
    x = line(np.float64, 4)
    x = x[(np.abs(x) < FAR) & (np.abs(x) > 1e-200)]
    for argument, found in zip(x.tolist(), make(sample).exact(x), strict=True):
        with mpmath.workdps(DIGITS):
            wanted = TRUTH[name](mpmath.mpf(argument), *parameters.values())
            # What is far below every float does not matter.
            least = mpmath.mpf(10) ** -400
            assert abs(mpmath.mpf(found) - wanted) <= abs(wanted) * mpmath.mpf(10) ** -50 + least


inf = math.inf

# The limits of value and derivative at -inf and at inf.
LIMITS = {
    "identity": (-inf, inf, 1, 1),
    "relu": (0, inf, 0, 1),
    "leaky_relu": (-inf, inf, 0.01, 1),
    "elu": (-1, inf, 0, 1),
    "selu": (-1.7580993408473769, inf, 0, 1.0507009873554805),
    "celu": (-1, inf, 0, 1),
    "softplus": (0, inf, 0, 1),
    "sigmoid": (0, 1, 0, 0),
    "tanh": (-1, 1, 0, 0),
    "silu": (0, inf, 0, 1),
    "gelu": (0, inf, 0, 1),
    "mish": (0, inf, 0, 1),
    "hard_sigmoid": (0, 1, 0, 0),
    "hard_swish": (0, inf, 0, 1),
    "softsign": (-1, 1, 0, 0),
    "step": (0, 1, 0, 0),
    "exp": (0, inf, 0, inf),
}

# What is set at a kink: the derivative at 0, or at -3 and 3.
AT_KINKS = {
    "relu": {0: 0},
    "leaky_relu": {0: 0.01},
    "selu": {0: 1.7580993408473769},
    "hard_sigmoid": {-3: 0, 3: 0},
    "hard_swish": {-3: 0, 3: 1},
    "step": {0: 0},
}


@pytest.fixture(autouse=True)
def quiet():
    """Bodies are called as the engine calls them: floating-point flags are ignored."""
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("name", sorted(LIMITS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_limits_are_reached(name, dtype):
    f, ends = lossfw.activation(name), np.array([-inf, inf], dtype)
    low, high, *derivatives = LIMITS[name]
    assert f(ends).tolist() == np.array([low, high], dtype).tolist()
    for x in (ends, np.finfo(dtype).max * np.array([-1, 1], dtype)):
        assert f.derivative(np, x).tolist() == np.array(derivatives, dtype).tolist()
        second_derivative = f.second_derivative(np, x)
        assert second_derivative.tolist() == ([0, inf] if name == "exp" else [0, 0])


@pytest.mark.parametrize("name", sorted(AT_KINKS))
def test_the_derivative_at_a_kink_is_the_documented_one(name):
    f = lossfw.activation(name)
    for kink, derivative in AT_KINKS[name].items():
        assert f.derivative(np, np.array([float(kink)])).tolist() == [derivative]
        assert abs(f.second_derivative(np, np.array([float(kink)]))[0]) < 2
    elu = lossfw.activation("elu", alpha=0.25)
    assert elu.derivative(np, np.array([0.0, -0.0])).tolist() == [0.25, 0.25]


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("leaky_relu", {"negative_slope": -0.1}, "negative_slope"),
        ("elu", {"alpha": 0.0}, "alpha"),
        ("celu", {"alpha": -1.0}, "alpha"),
        ("softplus", {"beta": 0.0}, "beta"),
        ("gelu", {"form": "sigmoid"}, "'exact' or 'tanh'"),
        ("silu", {"beta": 2.0}, "no parameter 'beta'"),
        ("elu", {"alpha": inf}, "finite"),
    ],
)
def test_parameters_have_bounds(name, parameters, words):
    with pytest.raises(ParameterError, match=words):
        lossfw.activation(name, **parameters)


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


@pytest.mark.parametrize("name", ROWS)
def test_the_formula_of_rows_is_what_mpmath_says(name):
    for row in samples(np.float64, 12, seed=3):
        with mpmath.workdps(400):
            for found, wanted in zip(
                lossfw.activation(name).exact(row), exactly(name, row), strict=True
            ):
                # What is far below every float does not matter.
                error = abs(mpmath.mpf(found) - wanted)
                assert error <= mpmath.mpf("1e-50") * abs(wanted) + mpmath.mpf("1e-390")


@pytest.mark.parametrize("name", ROWS)
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
