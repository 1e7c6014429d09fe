"""The formulas of built-in activations on exact numbers are those of mpmath."""

import mpmath
import numpy as np
import pytest

from support.activation_samples import ELEMENTWISE, label, line, make

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

each = pytest.mark.parametrize("sample", ELEMENTWISE, ids=label)


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


@each
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
