"""Built-in activations to the last digits: their formula is that of mpmath."""

import mpmath
import numpy as np
import pytest

from lossfw.check.accuracy.measure import DTYPES, measure
from lossfw.numerics.exact.ulp import ulp_error
from support.activation_samples import ELEMENTWISE, label, line, make

# With so many digits no definition cancels down to the smallest float.
DIGITS = 460
# Beyond this a value is a straight line or a constant in every float format.
FAR = 800


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def above(x, below):
    return x if x > 0 else below


def tanh_gelu(x):
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
    "gelu": lambda x, form="exact": (
        x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2 if form == "exact" else tanh_gelu(x)
    ),
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
# At the defaults see tests/check.
each_other = pytest.mark.parametrize("sample", [s for s in ELEMENTWISE if s[1]], ids=label)


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


@each_other
@pytest.mark.parametrize("dtype", DTYPES)
def test_errors_in_ulps(sample, dtype):
    assert measure(make(sample), dtype, points=20).missed() == ()


@pytest.mark.parametrize("name", ["silu", "gelu", "mish"])
def test_only_derivatives_cross_zero_and_only_there_terms_count(name):
    f = make((name, {}))
    x = line(np.float64, 100)
    assert f.terms(np, x, 0) == ()
    for order, function in ((1, f.derivative), (2, f.second_derivative)):
        largest = np.max(np.abs(np.broadcast_arrays(*f.terms(np, x, order))), axis=0)
        result = function(np, x)
        assert (np.abs(result) <= 2.5 * largest + 1e-300).all()
        away = (np.abs(x) > 4) | (np.abs(x) < 0.3)
        assert (np.abs(result) >= 0.3 * largest)[away].all()


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        # From mpmath 1.4 with 80 digits, by the definitions above.
        ("gelu", -10.0, -7.619853024160526065973e-23),
        ("gelu", -38.0, -1.09646277682613804e-314),
        ("silu", -100.0, -3.72007597602083596296e-42),
        ("mish", -100.0, -3.72007597602083596296e-42),
    ],
)
def test_values_in_the_tails(name, x, value):
    assert abs(make((name, {}))(x) - value) <= 3 * np.spacing(abs(value))


def test_sparse_grid_of_small_and_large_parameters():
    x = line(np.float64, 6)
    for sample in [("elu", {"alpha": 1e-20}), ("celu", {"alpha": 1e20}), ("celu", {"alpha": 1e-20}),
                   ("softplus", {"beta": 1e20}), ("softplus", {"beta": 1e-20})]:  # fmt: skip
        f = make(sample)
        assert ulp_error(f(x), f.exact(x)).max() <= 4
        assert ulp_error(f.derivative(np, x), f.exact(x, derivative=1)).max() <= 4
