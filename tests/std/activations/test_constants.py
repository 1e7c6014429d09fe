"""The constants that activations claim, found again with 60 digits."""

import mpmath
import pytest

import lossfw
from lossfw_std.activations import gelu as gelu_module

# Roots are looked for with more digits than are compared.
DIGITS, SHOWN = 80, 20


def erfc(x):
    return mpmath.erfc(x)


def logistic(x):
    return 1 / (1 + mpmath.exp(-x))


def gelu(x):
    return x * erfc(-x / mpmath.sqrt(2)) / 2


def gelu_tanh(x):
    u = mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)
    return x * (1 + mpmath.tanh(u)) / 2


# Function; near which points its derivatives are 0: the first, the second.
CURVES = {
    ("silu", ()): (lambda x: x * logistic(x), -1.278, 2.399),
    ("gelu", ()): (gelu, -0.752, 1.414),
    ("gelu", (("form", "tanh"),)): (gelu_tanh, -0.752, 1.419),
    ("mish", ()): (lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))), -1.192, 1.491),
}


@pytest.mark.parametrize("key", CURVES, ids=str)
def test_least_value_and_largest_derivative(key):
    name, parameters = key
    function, lowest, steepest = CURVES[key]
    f = lossfw.activation(name, **dict(parameters))
    with mpmath.workdps(DIGITS):
        slope = lambda x: mpmath.diff(function, x)  # noqa: E731
        bottom = mpmath.findroot(slope, lowest)
        top = mpmath.findroot(lambda x: mpmath.diff(function, x, 2), steepest)
        assert f.claims().range[0] == float(function(bottom))
        assert f.claims().lipschitz == float(slope(top))
        # Nothing is steeper: neither here, nor on the other side, nor far out.
        others = [mpmath.mpf(i) / 8 for i in range(-80, 81)]
        assert all(abs(slope(x)) <= slope(top) for x in others)
        assert all(function(x) >= function(bottom) for x in others)
        for number in (function(bottom), slope(top)):
            assert mpmath.nstr(number, 60)[:SHOWN] in type(f).__doc__


def test_selu_keeps_mean_and_variance_of_a_normal_variable():
    f = lossfw.activation("selu")
    low, steepest = f.claims().range[0], f.claims().lipschitz
    with mpmath.workdps(DIGITS):
        c, d = erfc(mpmath.sqrt(0.5)), erfc(mpmath.sqrt(2))
        root = mpmath.sqrt(mpmath.e)
        alpha = mpmath.sqrt(2 / mpmath.pi) / (1 - c * root)
        inner = 2 * d * root**4 + mpmath.pi * c**2 * root**2 - 2 * (2 + mpmath.pi) * c * root
        scale = (1 - c * root) * mpmath.sqrt(2 * mpmath.pi / (inner + mpmath.pi + 2))

        def moment(k):
            # Integrals of exp(j x) times the normal density over x < 0.
            tail = lambda j: mpmath.exp(mpmath.mpf(j) ** 2 / 2) * erfc(j / mpmath.sqrt(2)) / 2  # noqa: E731
            below = {1: tail(1) - tail(0), 2: tail(2) - 2 * tail(1) + tail(0)}[k] * alpha**k
            above = {1: 1 / mpmath.sqrt(2 * mpmath.pi), 2: mpmath.mpf(1) / 2}[k]
            return scale**k * (above + below)

        assert abs(moment(1)) < mpmath.mpf(10) ** -70
        assert abs(moment(2) - 1) < mpmath.mpf(10) ** -70
        assert (-low, steepest) == (float(scale * alpha), float(scale * alpha))
        assert f([2.0])[0] == 2 * float(scale)
        assert mpmath.nstr(scale * alpha, 60)[:SHOWN] in type(f).__doc__


def test_gelu_is_steepest_where_the_density_bends():
    with mpmath.workdps(DIGITS):
        closed = (1 + mpmath.erf(1)) / 2 + 1 / (mpmath.e * mpmath.sqrt(mpmath.pi))
        assert lossfw.activation("gelu").claims().lipschitz == float(closed)


def test_silu_is_least_at_lamberts_function():
    with mpmath.workdps(DIGITS):
        w = mpmath.lambertw(mpmath.exp(-1)).real
        assert lossfw.activation("silu").claims().range[0] == -float(w)
        assert lossfw.activation("silu")(-1 - float(w)) == pytest.approx(-float(w), rel=1e-15)


@pytest.mark.parametrize(
    ("name", "parameters", "lipschitz"),
    [
        ("sigmoid", {}, 1 / 4),
        ("tanh", {}, 1),
        ("softsign", {}, 1),
        ("hard_swish", {}, 3 / 2),
        ("hard_sigmoid", {}, 1 / 6),
        ("softmax", {}, 1 / 2),
        ("sparsemax", {}, 1),
        ("leaky_relu", {"negative_slope": 0.5}, 1),
        ("leaky_relu", {"negative_slope": 3.0}, 3),
        ("elu", {"alpha": 0.5}, 1),
        ("elu", {"alpha": 3.0}, 3),
        ("celu", {"alpha": 3.0}, 1),
        ("softplus", {"beta": 3.0}, 1),
        ("exp", {}, None),
        ("step", {}, None),
        ("log_softmax", {}, None),
    ],
)
def test_lipschitz_constants_are_functions_of_the_parameters(name, parameters, lipschitz):
    assert lossfw.activation(name, **parameters).claims().lipschitz == lipschitz


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
