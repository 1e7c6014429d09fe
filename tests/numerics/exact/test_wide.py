"""Numbers beyond the exponents of MPFR, against mpmath, whose exponents have no bound."""

import math
import operator
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.numerics.exact.functions import binary, unary
from lossfw.numerics.exact.namespace import ExactNamespace, exact_array
from lossfw.numerics.exact.ulp import to_float
from lossfw.numerics.exact.wide import WideExponentNumber

XP = ExactNamespace()

# exp of these is beyond MPFR, within it, or between: its last exponent is 2**30, 7e8 in exp.
POWERS = st.one_of(
    st.floats(-1e300, 1e300),
    st.floats(-2e9, 2e9),
    st.floats(-1e-3, 1e-3),
    st.sampled_from([0.0, 1.0, 744261117.0, -744261118.0, math.inf, -math.inf]),
)
SIGNS = st.sampled_from([1, -1])


def wide(power, sign=1):
    """Return sign * exp(power)."""
    return sign * XP.exp(exact_array([power]))[0]


def truth(power, sign=1):
    return sign * mpmath.exp(mpmath.mpf(power))


def same(found, wanted, error=1e-45):
    if mpmath.isnan(wanted) or mpmath.isinf(wanted) or wanted == 0:
        return mpmath.mpf(found) == wanted or (math.isnan(float(found)) and mpmath.isnan(wanted))
    return abs(mpmath.mpf(found) / wanted - 1) < error


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(500):
        yield


@given(POWERS, SIGNS, POWERS, SIGNS)
def test_arithmetic(a, s, b, t):
    x, y = wide(a, s), wide(b, t)
    # mpmath from the rounded operands, so that cancellation is the same.
    m, n = mpmath.mpf(x), mpmath.mpf(y)
    assert same(x * y, m * n)
    assert same(x / y, m / n if n else m * mpmath.inf)
    if abs(a - b) < 1e9 or not math.isfinite(a - b):
        assert same(x + y, m + n)
        assert same(x - y, m - n)
    assert [x < y, x <= y, x > y, x >= y, x == y] == [m < n, m <= n, m > n, m >= n, m == n]
    assert same(-x, -m)
    assert same(abs(x), abs(m))


@given(st.floats(1e10, 1e300), SIGNS)
def test_of_numbers_far_apart_a_sum_is_the_larger(power, sign):
    x, one = wide(power, sign), exact_array([1.0])[0]
    assert x + 1 == x
    assert x - (x + 1) == 0
    for rounding, more in (("u", True), ("d", False)):
        xp = ExactNamespace(60, rounding)
        tiny = xp.exp(xp.exact([-power]))[0]
        assert (xp.exact([1.0])[0] + tiny > 1) is more
    assert one > wide(-power) > 0


NEAR = {
    **{name: getattr(mpmath, name) for name in ("sin", "tan", "sinh", "tanh", "asin", "atan")},
    **{name: getattr(mpmath, name) for name in ("asinh", "atanh", "expm1", "log1p", "erf")},
    **{name: getattr(mpmath, name) for name in ("exp", "cos", "cosh", "acos", "acosh", "erfc")},
}


@pytest.mark.parametrize("name", NEAR)
@pytest.mark.parametrize("sign", [1, -1])
def test_functions_near_zero(name, sign):
    """There mpmath needs 10**12 digits, so its result is that of 1e-400 in proportion."""
    x, small = wide(-1e12, sign), sign * mpmath.mpf(10) ** -400
    found, wanted = getattr(XP, name)(exact_array([0.0]) + x)[0], NEAR[name](small)
    if isinstance(wanted, mpmath.mpc):
        assert math.isnan(float(found))
    else:
        assert same(found, wanted * (mpmath.mpf(x) / small if abs(wanted) < 1e-100 else 1))


@pytest.mark.parametrize("name", ["log", "log2", "log10", "sqrt", "square", "reciprocal", "exp2"])
def test_powers_and_logarithms_near_zero(name):
    base = {"log2": 2, "log10": 10}.get(name, mpmath.e)
    factor = {"sqrt": 0.5, "square": 2, "reciprocal": -1, "exp2": 0}.get(name)
    power = -(mpmath.mpf(10) ** 12)
    wanted = power / mpmath.log(base) if factor is None else mpmath.exp(power * factor)
    assert same(getattr(XP, name)(XP.exp(exact_array([-1e12])))[0], wanted)


FAR = {
    "exp": lambda s: mpmath.inf if s > 0 else 0,
    "expm1": lambda s: mpmath.inf if s > 0 else -1,
    "sinh": lambda s: s * mpmath.inf,
    "cosh": lambda s: mpmath.inf,
    "tanh": lambda s: s,
    "erf": lambda s: s,
    "erfc": lambda s: 1 - s,
    "atan": lambda s: s * mpmath.pi / 2,
    "asinh": lambda s: s * (mpmath.mpf(10) ** 12 + mpmath.log(2)),
    "acosh": lambda s: mpmath.mpf(10) ** 12 + mpmath.log(2) if s > 0 else mpmath.nan,
    "log": lambda s: mpmath.mpf(10) ** 12 if s > 0 else mpmath.nan,
    "log1p": lambda s: mpmath.mpf(10) ** 12 if s > 0 else mpmath.nan,
    "sqrt": lambda s: mpmath.exp(mpmath.mpf(5e11)) if s > 0 else mpmath.nan,
    "square": lambda s: mpmath.exp(mpmath.mpf(2e12)),
    "reciprocal": lambda s: s * mpmath.exp(mpmath.mpf(-1e12)),
    "sign": lambda s: s,
    **{name: lambda s: mpmath.nan for name in ("sin", "cos", "tan", "asin", "acos", "atanh")},
    **{
        name: lambda s: s * mpmath.exp(mpmath.mpf(1e12))
        for name in ("floor", "ceil", "trunc", "round")
    },
}


@pytest.mark.parametrize("name", FAR)
@pytest.mark.parametrize("sign", [1, -1])
def test_functions_far_from_zero(name, sign):
    found = getattr(XP, name)(exact_array([0.0]) + wide(1e12, sign))[0]
    assert same(found, mpmath.mpf(FAR[name](sign)))


# Numbers around every place where they, their squares or their exponentials leave MPFR.
PLACES = (1e-300, 0.25, 1.0, 1e5, 372130558.0, 372130559.0, 5e8, 744261117.0, 744261118.0, 1e300)
EVERY_SIZE = [sign * wide(s * p) for p in PLACES for s in (1, -1) for sign in (1, -1)]
EVERY_SIZE += list(exact_array([0.0, 5e-324, -1e308, math.inf, -math.inf, math.nan]))
OF_ONE = sorted(unary(53, "n"))
OF_TWO = {
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "pow")},
    **{name: getattr(XP, name) for name in binary(53, "n")},
}


def log_gamma_below(x):
    """Return what MPFR has at 0 and below: infinity at the poles, NaN where gamma is negative."""
    return math.inf if x == int(x) else math.lgamma(x) if math.gamma(x) > 0 else math.nan


@pytest.mark.parametrize("name", [*OF_ONE, *OF_TWO])
def test_every_function_has_a_result_at_numbers_of_every_size(name):
    """Where NumPy has a number of the usual size for the same floats, it is that one."""
    of_one = name in OF_ONE
    function = getattr(XP, name) if of_one else OF_TWO[name]
    x = np.array(EVERY_SIZE)
    pairs = (x,) if of_one else (np.repeat(x, len(x)), np.tile(x, len(x)))
    found = to_float(function(*pairs))
    floats = [to_float(part) for part in pairs]
    # Beyond the floats, or where a limit needs more than a float tells.
    clear = np.logical_and.reduce([(abs(f) > 1e-290) & (abs(f) < 1e290) for f in floats])
    usual = {
        **{name: getattr(np, {"round": "rint"}.get(name, name), None) for name in OF_ONE},
        **{name: np.vectorize(getattr(math, name)) for name in ("erf", "erfc")},
        "lgamma": np.vectorize(lambda x: math.lgamma(x) if x > 0 else log_gamma_below(x)),
        **{name: getattr(np, name) for name in binary(53, "n")},
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
        "truediv": np.true_divide,
        "pow": np.power,
    }[name]
    with np.errstate(all="ignore"):
        wanted = usual(*(f[clear] for f in floats))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found[clear], wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round"])
def test_small_numbers_are_rounded_to_integers(name):
    found = getattr(XP, name)(XP.exp(exact_array([-1e12])) * [1, -1])
    wanted = {"floor": [0, -1], "ceil": [1, 0]}.get(name, [0, 0])
    assert to_float(found).tolist() == wanted


@given(st.floats(3e4, 1e150))
def test_the_tail_of_erfc(x):
    """Its asymptotic series, with the remainder below the first term left out."""
    found = XP.erfc(exact_array([x]))[0]
    square = mpmath.mpf(x) ** 2
    series = mpmath.fsum((-1) ** k * mpmath.fac2(2 * k - 1) / (2 * square) ** k for k in range(12))
    assert same(found, mpmath.exp(-square) / (x * mpmath.sqrt(mpmath.pi)) * series)


@given(POWERS.filter(math.isfinite), st.sampled_from([2, 3, -1, 0.5, -2.5, 1e10, 0, 1e-300]), SIGNS)
def test_powers(a, b, sign):
    x = wide(a, sign)
    found = (x + exact_array([0.0])) ** b
    if sign < 0 and b != int(b):
        assert math.isnan(float(found[0]))
        return
    wanted = mpmath.exp(mpmath.mpf(a) * b) * (sign if b % 2 else 1)
    # exp of a large number multiplies the rounding of x by the exponent.
    assert same(found[0], wanted, 1e-40 * max(1, abs(b)))


def test_powers_of_two_are_exact():
    huge = XP.exp2(exact_array([2.0**40, -(2.0**40)]))
    assert [mpmath.mpf(x) for x in huge] == [mpmath.ldexp(1, 2**40), mpmath.ldexp(1, -(2**40))]
    assert (huge[0] * huge[1]) == 1
    assert XP.log2(huge).tolist() == [2**40, -(2**40)]


@pytest.mark.parametrize(
    ("a", "wanted"),
    [
        # By huge, -huge, tiny and -tiny; a huge exponent is even.
        (0.0, [0, math.inf, 0, math.inf]),
        (math.inf, [math.inf, 0, math.inf, 0]),
        (-math.inf, [math.inf, 0, math.inf, 0]),
        (2.0, [math.inf, 0, 1, 1]),
        (0.5, [0, math.inf, 1, 1]),
        (-2.0, [math.inf, 0, math.nan, math.nan]),
        (1.0, [1, 1, 1, 1]),
        (math.nan, [math.nan] * 4),
    ],
)
def test_huge_and_tiny_exponents(a, wanted):
    powers = [wide(1e12), wide(1e12, -1), wide(-1e12), wide(-1e12, -1)]
    found = [float(exact_array([a])[0] ** b) for b in powers]
    assert found == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize(("b", "wanted"), [(math.inf, [math.inf, 0]), (-math.inf, [0, math.inf])])
def test_huge_and_tiny_numbers_to_an_infinite_power(b, wanted):
    assert [float(wide(a) ** exact_array([b])[0]) for a in (1e12, -1e12)] == wanted


def test_exponents_end():
    x = exact_array([1e300, -1e300])
    tower = XP.exp(XP.exp(x))
    assert tower[0] == math.inf
    assert tower[1] == 1
    huge = XP.exp(XP.exp(exact_array([2000.0])))
    assert isinstance(huge[0].value, WideExponentNumber)
    assert ((huge**1e300) ** 1e300)[0] == math.inf
    assert ((huge**1e300) ** -1e300)[0] == 0
    assert float(XP.sum(huge - huge)) == 0


def test_text_copies_and_conversions():
    x = wide(1e300, -1)
    assert repr(x) == "-2**1.4427e+300"
    assert pickle.loads(pickle.dumps(x)) == x
    assert {x: 1}[wide(1e300, -1)] == 1
    assert float(x) == -math.inf
    assert float(wide(-1e300, -1)) == 0
    assert math.copysign(1, float(wide(-1e300, -1))) == 1
    assert int(wide(-1e300)) == 0
    with pytest.raises(OverflowError, match="too many digits"):
        int(x)


def test_binary_functions():
    big, one = exact_array([0.0]) + wide(1e12), exact_array([1.0])
    assert XP.maximum(big, one)[0] == big[0]
    assert XP.minimum(one, big)[0] == 1
    assert same(XP.hypot(big, big)[0], mpmath.sqrt(2) * mpmath.exp(mpmath.mpf(1e12)))
    assert same(XP.logaddexp(big, big - 1)[0], mpmath.exp(mpmath.mpf(1e12)))
    for y, x, wanted in (
        (big, one, mpmath.pi / 2),
        (one, big, mpmath.exp(-mpmath.mpf(1e12))),
        (one, -big, mpmath.pi),
        (-one, -big, -mpmath.pi),
        (-big, big, -mpmath.pi / 4),
    ):
        assert same(XP.atan2(y, x)[0], wanted)
