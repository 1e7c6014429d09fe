"""Exact numbers: the functions against mpmath's own, and the manners of a float."""

import math
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import gmpy2
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.numerics.exact import namespace as exact_module
from lossfw.numerics.exact.functions import unary
from lossfw.numerics.exact.namespace import ExactNamespace, bits, exact_array
from lossfw.numerics.exact.ulp import to_float, ulp_error

XP = ExactNamespace()
UNARY = sorted(unary(200, "n"))
SPECIAL = [0.0, 1.0, -1.0, 0.5, -2.5, 1e300, -1e300, 1e-300, math.inf, -math.inf, math.nan]

MPMATH = {
    "exp2": lambda m, x: m.mpf(2) ** x,
    "square": lambda m, x: x * x,
    "reciprocal": lambda m, x: 1 / x,
    "sign": lambda m, x: m.sign(x),
    "round": lambda m, x: m.nint(x),
    "trunc": lambda m, x: m.floor(x) if x > 0 else m.ceil(x),
    "log2": lambda m, x: m.log(x, 2),
    "log10": lambda m, x: m.log10(x),
    # MPFR has no logarithm where gamma is negative.
    "lgamma": lambda m, x: (
        m.re(m.loggamma(x)) if x > 0 or m.floor(x) % 2 == 0 else 1j * m.loggamma(x)
    ),
}


def relative_error(found, truth):
    with mpmath.workdps(80):
        found = mpmath.mpf(found)
        return abs(found - truth) / (abs(truth) or 1)


@pytest.mark.parametrize("name", UNARY)
def test_functions_agree_with_mpmath(name):
    function = MPMATH.get(name, lambda m, x: getattr(m, name)(x))
    x = [-30.25, -0.75, -1e-20, 1e-30, 0.3, 0.999, 1.5, 33.0, 1e5]
    found = getattr(XP, name)(exact_array(x))
    for argument, result in zip(x, found, strict=True):
        with mpmath.workdps(110):
            truth = function(mpmath, mpmath.mpf(argument))
        if isinstance(truth, mpmath.mpc):
            assert math.isnan(float(result))
        else:
            assert relative_error(result, truth) < 1e-58


FLOATS = st.one_of(
    st.floats(-50, 50), st.floats(-1, 1), st.floats(-1e9, 1e9), st.floats(-1e-200, 1e-200)
)
BINARY = {
    "add": lambda m, a, b: a + b,
    "subtract": lambda m, a, b: a - b,
    "multiply": lambda m, a, b: a * b,
    "divide": lambda m, a, b: a / b if b else m.nan if a == 0 else m.sign(a) * m.inf,
    "hypot": lambda m, a, b: m.hypot(a, b),
    "logaddexp": lambda m, a, b: m.log(m.exp(a) + m.exp(b)),
    "atan2": lambda m, a, b: m.atan2(a, b),
}


@given(st.sampled_from(UNARY), FLOATS, st.sampled_from([20, 60]))
def test_any_function_is_rounded_correctly(name, x, digits):
    """With so many digits of mpmath to spare, both round to the same number."""
    with mpmath.workprec(bits(digits)):
        found = mpmath.mpf(getattr(ExactNamespace(digits), name)(exact_array([x], digits))[0])
        with mpmath.workdps(500):
            truth = MPMATH.get(name, lambda m, x: getattr(m, name)(x))
            try:
                wanted = truth(mpmath, mpmath.mpf(x))
            except (ZeroDivisionError, ValueError):  # a pole, where a float is infinite
                assert mpmath.isinf(found)
                return
        if isinstance(wanted, mpmath.mpc):
            assert mpmath.isnan(found)
        else:
            assert found == +wanted


@given(
    FLOATS.filter(lambda x: x != 0),
    st.one_of(st.sampled_from([0.5, 1.5, -2.5, 2.0, -3.0, 0.3, 1e-3]), st.integers(-99, 99)),
    st.sampled_from("nud"),
)
def test_powers_are_rounded_as_they_should_be(a, b, rounding):
    xp = ExactNamespace(60, rounding)
    found = xp.exact([a])[0] ** b
    with mpmath.workdps(300):
        wanted = mpmath.mpf(a) ** b
    with mpmath.workprec(bits(60)):
        if isinstance(wanted, mpmath.mpc):
            assert mpmath.isnan(mpmath.mpf(found))
        else:
            up, down = (mpmath.fmul(wanted, 1, rounding=r) for r in "ud")
            nearest = mpmath.fmul(wanted, 1)
            assert mpmath.mpf(found) == {"n": nearest, "u": up, "d": down}[rounding]


@given(st.sampled_from(sorted(BINARY)), FLOATS, FLOATS)
def test_any_function_of_two_is_that_of_mpmath(name, a, b):
    found = getattr(XP, name)(exact_array([a]), exact_array([b]))[0]
    with mpmath.workdps(700):
        wanted = BINARY[name](mpmath, mpmath.mpf(a), mpmath.mpf(b))
        found = mpmath.mpf(found)
        assert (
            found == wanted
            or (mpmath.isnan(wanted) and mpmath.isnan(found))
            or abs(found - wanted) < abs(wanted) * mpmath.mpf(10) ** -59
        )


@pytest.mark.parametrize(
    "name", sorted(set(UNARY) & set(dir(np)) - {"round", "trunc", "sign", "exp2"})
)
def test_functions_have_the_manners_of_a_float(name):
    """Where a float's result is 0, infinite or NaN by definition, the exact one is the same."""
    x = np.asarray([0.0, 1.0, -1.0, -2.5, math.inf, -math.inf, math.nan])
    found = to_float(getattr(XP, name)(exact_array(x)))
    np.testing.assert_allclose(found, getattr(np, name)(x), rtol=1e-15, atol=2e-16)


@given(st.sampled_from(SPECIAL), st.sampled_from([*SPECIAL, 2, -3, 0.25]))
def test_arithmetic_has_the_manners_of_a_float(a, b):
    x, y = np.asarray([a]), np.asarray([b])
    for operator in ("add", "subtract", "multiply", "divide", "pow", "maximum", "minimum"):
        found = getattr(XP, operator)(exact_array(x), exact_array(y))
        with np.errstate(all="ignore"):
            expected = getattr(np, operator)(np.longdouble(x), np.longdouble(y))
        # There is no negative zero: what it would make is not compared.
        if not (np.any(expected == 0) or (b == 0 and operator in ("divide", "pow"))):
            np.testing.assert_allclose(to_float(found), expected.astype(float), rtol=1e-15)
    for operator in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"):
        found = getattr(XP, operator)(exact_array(x), exact_array(y))
        assert found.tolist() == getattr(np, operator)(x, y).tolist()


def test_division_by_zero_is_infinite_or_nan():
    found = exact_array([1.0, -1.0, 0.0, math.nan]) / exact_array([0.0] * 4)
    np.testing.assert_array_equal(to_float(found), [math.inf, -math.inf, math.nan, math.nan])


def test_exponents_have_no_bound_but_towers_end():
    huge = XP.exp(exact_array([1e300, -1e300]))
    assert [float(v) for v in XP.log(huge)] == [1e300, -1e300]
    tower = XP.exp(XP.exp(XP.exp(exact_array([1e3, -1e3]))))
    # exp(exp(1000)) is beyond any use, exp(exp(exp(-1000))) is e to 434 digits.
    assert float(tower[0]) == math.inf
    assert float(tower[1]) == math.e
    assert repr(huge[0]) == "2**1.4427e+300"


def test_mixed_operands_are_exact():
    third = exact_array([1.0]) / 3
    assert float(abs(third * 3 - 1)[0]) < 1e-58
    for other in (0.1, np.float64(0.1), np.float32(0.1), np.asarray([0.1])):
        assert float((exact_array([0.0]) + other)[0]) == float(np.ravel(other)[0])
    assert (2 - exact_array([0.5]))[0] == 1.5
    assert (np.int64(3) * exact_array([0.5]))[0] == 1.5


def test_nothing_is_rounded_on_the_way_in():
    x = np.asarray([0.1, 5e-324, 1.7976931348623157e308, -0.3])
    np.testing.assert_array_equal(to_float(exact_array(x)), x)
    assert exact_array([2**70 + 1])[0] == 2**70 + 1
    assert exact_array(np.asarray([0.1], np.float32))[0] == float(np.float32(0.1))


def test_the_current_context_of_gmpy2_is_neither_read_nor_changed():
    wild = {"precision": 5, "round": gmpy2.RoundUp, "emax": 20, "emin": -20, "trap_overflow": True}
    x = [0.1, 3.0, -1e300, 2.0**-1074, math.inf]
    results = {
        "functions": lambda: [repr(getattr(XP, name)(exact_array(x))) for name in UNARY],
        "operators": lambda: repr(exact_array(x) / 7 - 2**70 * exact_array(x) ** 3),
        "huge": lambda: repr(XP.log(1 + XP.exp(exact_array(x)) * 3) / XP.exp(-exact_array(x))),
        "floats": lambda: to_float(exact_array(x) / 3, np.float32).tolist(),
        "errors": lambda: ulp_error(np.asarray(x), exact_array(x) / 3).tolist(),
        "comparisons": lambda: (exact_array(x) < XP.exp(exact_array(x))).tolist(),
    }
    for compute in results.values():
        usual = compute()
        with gmpy2.context(**wild) as current:
            assert compute() == usual
            assert (current.precision, current.round) == (5, gmpy2.RoundUp)


def test_threads_have_the_same_digits():
    def work(digits):
        xp = ExactNamespace(digits)
        return [repr(xp.log(xp.exact([0.1]) / 3) * 10) for _ in range(50)]

    jobs = [20, 60, 120, 400] * 2
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, jobs)) == [work(digits) for digits in jobs]


def test_numbers_survive_pickling_and_hash_as_equal_floats():
    x = ExactNamespace(70, "u").exact([0.1, math.inf, -3.0])
    copy = pickle.loads(pickle.dumps(x))
    assert (copy == x).all()
    assert type(copy[0]) is type(x[0])
    assert {copy[2]: "found"}[-3.0] == "found"


def test_roundings_lie_on_both_sides():
    up, down = ExactNamespace(60, "u"), ExactNamespace(60, "d")
    for function in (lambda xp, x: 1 + x, lambda xp, x: xp.cosh(x), lambda xp, x: xp.hypot(x, 1.0)):
        assert function(up, up.exact([1e-200]))[0] > 1
        assert function(down, down.exact([1e-200]))[0] == 1
    for x in (1e-100, -1e-100, 1e-61, -1.3e-126):
        assert up.expm1(up.exact([x]))[0] != down.expm1(down.exact([x]))[0]


def test_reductions_and_structure():
    x = exact_array([[1.0, 5.0, 2.0], [math.nan, 0.0, 1.0]])
    assert to_float(XP.sum(x, axis=-1))[0] == 8
    assert XP.sum(x, axis=-1, keepdims=True).shape == (2, 1)
    np.testing.assert_array_equal(to_float(XP.max(x, axis=-1)), [5, math.nan])
    np.testing.assert_array_equal(to_float(XP.min(x, axis=0, keepdims=True)), [[math.nan, 0, 1]])
    assert float(XP.max(x[0])) == 5
    assert float(XP.mean(x[0])) == float(8 / exact_array(3.0)[()])
    assert float(XP.prod(x[0])) == 10
    assert to_float(XP.cumulative_sum(x[0])).tolist() == [1, 6, 8]
    assert to_float(XP.sort(x[0], descending=True)).tolist() == [5, 2, 1]
    assert XP.argmax(x[0]) == 1
    assert float(XP.sum(exact_array(np.zeros(0)))) == 0
    assert to_float(XP.clip(x[0], 1.5, 3.0)).tolist() == [1.5, 3, 2]
    assert XP.isnan(x).tolist() == [[False] * 3, [True, False, False]]
    assert XP.signbit(exact_array([-1.0, 0.0])).tolist() == [True, False]


def test_arrays_of_constants_are_exact_and_masks_are_not():
    x = exact_array([0.5, -0.5])
    mixed = XP.where(x > 0, 0.1, x)
    assert to_float(mixed * 10).tolist() == [1, -5]
    assert to_float(XP.astype(x > 0, x.dtype)).tolist() == [1, 0]
    assert XP.asarray([1, 2]).dtype.kind == "i"
    assert to_float(XP.asarray([1, 2], dtype=XP.float64)).tolist() == [1, 2]
    assert to_float(XP.full_like(x, 3)).tolist() == [3, 3]
    assert XP.zeros_like(x, dtype=bool).dtype == bool
    assert to_float(XP.concat([x, XP.ones_like(x)])).tolist() == [0.5, -0.5, 1, 1]
    assert XP.where(np.asarray([True, False]), np.asarray([1, 2]), np.asarray([3, 4])).dtype == int
    with mpmath.workdps(70):
        assert abs(mpmath.mpf(XP.pi) - mpmath.pi) < 1e-59


def test_a_function_that_is_not_there_is_named():
    with pytest.raises(ArgumentError, match=r"xp\.matmul is not there on exact numbers"):
        XP.matmul(exact_array([[1.0]]), exact_array([[1.0]]))
    with pytest.raises(AttributeError, match="no_such_function"):
        XP.no_such_function  # noqa: B018


def test_without_gmpy2_the_extra_is_named(monkeypatch):
    for name in ("gmpy2", "lossfw.numerics.exact.number", "lossfw.numerics.exact.functions"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delattr(sys.modules["lossfw.numerics.exact"], "number")
    with pytest.raises(MissingExtraError, match=r"pip install .*\[check\]'$"):
        exact_module.ExactNamespace(60)


def test_gmpy2_is_imported_on_use_only():
    code = "import sys, lossfw.numerics.exact.truth; print('gmpy2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
