"""Built-in activations to the last digits: formulas and constants are those of mpmath."""

import mpmath
import numpy as np
import pytest

from lossfw.check.accuracy.measure import DTYPES, measure
from lossfw_std.activations import gelu as gelu_module
from support.activation_samples import ELEMENTWISE, label, line, make

# With so many digits no definition cancels down to the smallest float.
DIGITS = 460
# Roots are looked for with more digits than are compared, and shown.
ROOT_DIGITS, SHOWN = 80, 20
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
    assert measure(make(sample), dtype, points=20).inaccurate_results() == ()


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        # From mpmath 1.4 with 80 digits, by the definitions above.
        ("gelu", -10.0, -7.619853024160526065973e-23),
        ("silu", -100.0, -3.72007597602083596296e-42),
        ("mish", -100.0, -3.72007597602083596296e-42),
    ],
)
def test_values_in_the_tails(name, x, value):
    assert abs(make((name, {}))(x) - value) <= 3 * np.spacing(abs(value))


def test_sparse_grid_of_small_and_large_parameters():
    x = line(np.float64, 6)
    x = x[(np.abs(x) > 1e-30) & (np.abs(x) < 1e30)]
    moved = 4 * np.spacing(np.abs(x))
    for sample in [("elu", {"alpha": 1e-20}), ("celu", {"alpha": 1e20}), ("celu", {"alpha": 1e-20}),
                   ("softplus", {"beta": 1e20}), ("softplus", {"beta": 1e-20})]:  # fmt: skip
        f = make(sample)
        value, derivative, second_derivative = (
            f.exact(x, derivative=k).astype(float) for k in range(3)
        )
        for found, exact, rise in (
            (f(x), value, derivative),
            (f.derivative(np, x), derivative, second_derivative),
        ):
            # Or that of an argument within four units.
            allowed = 4 * np.spacing(np.abs(exact)) + 2 * np.abs(rise) * moved
            assert (np.abs(found - exact) <= allowed).all(), sample


# Near which points the first and the second derivative are 0.
@pytest.mark.parametrize(
    ("sample", "lowest", "steepest"),
    [
        (("silu", {}), -1.278, 2.399),
        (("gelu", {}), -0.752, 1.414),
        (("gelu", {"form": "tanh"}), -0.752, 1.419),
        (("mish", {}), -1.192, 1.491),
    ],
)
def test_least_value_and_largest_derivative(sample, lowest, steepest):
    (name, parameters), f = sample, make(sample)
    with mpmath.workdps(ROOT_DIGITS):
        function = lambda x: TRUTH[name](x, **parameters)  # noqa: E731
        derivative = lambda x: mpmath.diff(function, x)  # noqa: E731
        bottom = mpmath.findroot(derivative, lowest)
        top = mpmath.findroot(lambda x: mpmath.diff(function, x, 2), steepest)
        assert f.claims().range[0] == float(function(bottom))
        assert f.claims().lipschitz == float(derivative(top))
        # Nothing is steeper: neither here, nor on the other side, nor far out.
        others = [mpmath.mpf(i) / 8 for i in range(-80, 81)]
        assert all(abs(derivative(x)) <= derivative(top) for x in others)
        assert all(function(x) >= function(bottom) for x in others)
        for number in (function(bottom), derivative(top)):
            assert mpmath.nstr(number, 60)[:SHOWN] in type(f).__doc__


def test_selu_keeps_mean_and_variance_of_a_normal_variable():
    f = make(("selu", {}))
    low, steepest = f.claims().range[0], f.claims().lipschitz
    with mpmath.workdps(ROOT_DIGITS):
        c, d = mpmath.erfc(mpmath.sqrt(0.5)), mpmath.erfc(mpmath.sqrt(2))
        root = mpmath.sqrt(mpmath.e)
        alpha = mpmath.sqrt(2 / mpmath.pi) / (1 - c * root)
        inner = 2 * d * root**4 + mpmath.pi * c**2 * root**2 - 2 * (2 + mpmath.pi) * c * root
        scale = (1 - c * root) * mpmath.sqrt(2 * mpmath.pi / (inner + mpmath.pi + 2))

        def moment(k):
            def tail(j):  # The integral of exp(j x) times the normal density over x < 0.
                return mpmath.exp(mpmath.mpf(j) ** 2 / 2) * mpmath.erfc(j / mpmath.sqrt(2)) / 2

            below = {1: tail(1) - tail(0), 2: tail(2) - 2 * tail(1) + tail(0)}[k] * alpha**k
            above = {1: 1 / mpmath.sqrt(2 * mpmath.pi), 2: mpmath.mpf(1) / 2}[k]
            return scale**k * (above + below)

        assert abs(moment(1)) < mpmath.mpf(10) ** -70
        assert abs(moment(2) - 1) < mpmath.mpf(10) ** -70
        assert (-low, steepest) == (float(scale * alpha), float(scale * alpha))
        assert f([2.0])[0] == 2 * float(scale)
        assert mpmath.nstr(scale * alpha, 60)[:SHOWN] in type(f).__doc__


def test_the_tail_of_gelu_in_float32_is_as_near_as_its_comment_says():
    with mpmath.workdps(40):
        for k in range(401):
            x = mpmath.mpf(15) * k / 400
            over, under = (
                sum(mpmath.mpf(c) * x**i for i, c in enumerate(coefficients))
                for coefficients in (gelu_module._PLAIN_TAIL, gelu_module._PLAIN_TAIL_UNDER)
            )
            tail = mpmath.exp(x * x / 2) * mpmath.erfc(x / mpmath.sqrt(2)) / 2
            assert abs(over / under / tail - 1) < 8e-9
