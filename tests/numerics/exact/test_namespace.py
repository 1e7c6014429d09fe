"""Exact numbers: the functions against mpmath's own, and the manners of a float."""

import decimal
import math
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.errors import ArgumentError, MissingExtraError
from lossfw.numerics.exact.differences import derivative
from lossfw.numerics.exact.functions import UNARY as TABLE
from lossfw.numerics.exact.functions import doubts
from lossfw.numerics.exact.namespace import ExactNamespace, exact_array
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float, ulp_error

XP = ExactNamespace()
TEXTS = [0.1, 1.0, -123456.0, 1e20, 1e19, 1e-4, 9.9999e-5, 5e-324, -1e300, 2 / 3, 0.5]
UNARY = sorted(TABLE)

MPMATH = {
    "exp2": lambda m, x: m.mpf(2) ** x,
    "square": lambda m, x: x * x,
    "reciprocal": lambda m, x: 1 / x,
    "sign": lambda m, x: m.sign(x),
    "round": lambda m, x: m.nint(x),
    "trunc": lambda m, x: m.floor(x) if x > 0 else m.ceil(x),
    "log2": lambda m, x: m.log(x, 2),
    "log10": lambda m, x: m.log10(x),
    # There is no logarithm where gamma is negative.
    "lgamma": lambda m, x: (
        m.re(m.loggamma(x)) if x > 0 or m.floor(x) % 2 == 0 else 1j * m.loggamma(x)
    ),
}


def contains(ball, wanted):
    """Tell whether the truth is where a ball says that it is, and not just anywhere."""
    if isinstance(wanted, mpmath.mpc):
        wanted = mpmath.nan
    if mpmath.isinf(wanted) or mpmath.isnan(wanted):
        found = float(ball)
        return found == float(wanted) or (math.isnan(found) and bool(mpmath.isnan(wanted)))
    distance = abs(mpmath.mpf(ball.mid()) - wanted)
    return ball.is_finite() and distance <= mpmath.mpf(ball.rad().mid()) * (1 + 1e-6)


@pytest.mark.parametrize("name", UNARY)
def test_functions_are_those_of_mpmath_within_their_balls(name):
    truth = MPMATH.get(name, lambda m, x: getattr(m, name)(x))
    for x in (-30.25, -0.75, -1e-20, 0.0, 1e-200, 1e-30, 0.3, 0.999, 1.0, 1.5, 33.0, 1e5):
        for digits in (20, 60):
            xp = ExactNamespace(digits)
            ball = getattr(xp, name)(xp.to_balls([x])).tolist()[0]
            with mpmath.workdps(500):
                try:
                    wanted = truth(mpmath, mpmath.mpf(x))
                except (ZeroDivisionError, ValueError):  # a pole, where a float is infinite
                    assert math.isinf(float(ball))
                    continue
                assert contains(ball, wanted), (x, digits)
                if digits == 60 and ball.is_finite() and not ball.is_exact():
                    # It is narrow, too.
                    assert mpmath.mpf(ball.rad().mid()) <= abs(wanted) * mpmath.mpf(10) ** -55


SPECIAL = [0.0, 1.0, -1.0, 0.5, -2.5, 1e300, -1e300, 1e-300, math.inf, -math.inf, math.nan]
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


@given(
    FLOATS.filter(lambda x: x != 0),
    st.one_of(st.sampled_from([0.5, 1.5, -2.5, 2.0, -3.0, 0.3, 1e-3]), st.integers(-99, 99)),
)
def test_powers_are_within_their_balls(a, b):
    ball = (XP.to_balls([a]) ** b).tolist()[0]
    with mpmath.workdps(500):
        assert contains(ball, mpmath.mpf(a) ** b)


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
        found = evaluate(lambda xp, a, b, name=operator: getattr(xp, name)(a, b), x, y)
        with np.errstate(all="ignore"):
            expected = getattr(np, operator)(np.longdouble(x), np.longdouble(y))
        # There is no negative zero: what it would make is not compared.
        if not (np.any(expected == 0) or (b == 0 and operator in ("divide", "pow"))):
            np.testing.assert_allclose(to_float(found), expected.astype(float), rtol=1e-15)
    for operator in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"):
        found = getattr(XP, operator)(exact_array(x), exact_array(y))
        assert found.tolist() == getattr(np, operator)(x, y).tolist()


def test_exponents_have_no_bound_but_towers_end():
    huge = evaluate(lambda xp, x: xp.exp(x), [1e300, -1e300])
    assert repr(huge[0]) == "2**1.4427e+300"
    assert repr(-huge[0]) == "-2**1.4427e+300"
    back = evaluate(lambda xp, x: xp.log(xp.exp(x)), [1e300, -700.0])
    assert to_float(back).tolist() == [1e300, -700]
    tower = evaluate(lambda xp, x: xp.exp(xp.exp(xp.exp(x))), [1e3, -1e3])
    # exp(exp(1000)) is beyond any use, exp(exp(exp(-1000))) is e to 434 digits.
    assert to_float(tower).tolist() == [math.inf, math.e]


def test_nothing_is_rounded_on_the_way_in_or_beside_other_operands():
    x = np.asarray([0.1, 5e-324, 1.7976931348623157e308, -0.3])
    np.testing.assert_array_equal(to_float(exact_array(x)), x)
    assert exact_array([2**70 + 1])[0] == 2**70 + 1
    assert exact_array(np.asarray([0.1], np.float32))[0] == float(np.float32(0.1))
    found = exact_array([1.0, -1.0, 0.0, math.nan]) / exact_array([0.0] * 4)
    np.testing.assert_array_equal(to_float(found), [math.inf, -math.inf, math.nan, math.nan])
    third = exact_array([1.0]) / 3
    assert float(abs(third * 3 - 1)[0]) < 1e-58
    for other in (0.1, np.float64(0.1), np.float32(0.1), np.asarray([0.1])):
        assert float((exact_array([0.0]) + other)[0]) == float(np.ravel(other)[0])
    assert (2 - exact_array([0.5]))[0] == 1.5
    assert (np.int64(3) * exact_array([0.5]))[0] == 1.5


def test_the_precision_of_others_is_neither_read_nor_changed():
    x = [0.1, 3.0, -1e300, 2.0**-1074, math.inf]
    results = {
        "functions": lambda: [repr(getattr(XP, name)(exact_array(x))) for name in UNARY],
        "operators": lambda: repr(exact_array(x) / 7 - 2**70 * exact_array(x) ** 3),
        "numbers": lambda: repr(-((exact_array(x)[0] / 7 - 1) ** 3)),
        "huge": lambda: repr(evaluate(lambda xp, x: xp.log(1 + xp.exp(x) * 3) / 7, x)),
        "derivatives": lambda: repr(derivative(lambda xp, x: xp.exp(-x * x / 3), x)),
        "floats": lambda: to_float(exact_array(x) / 3, np.float32).tolist(),
        "errors": lambda: ulp_error(np.asarray(x), exact_array(x) / 3).tolist(),
        "comparisons": lambda: (exact_array(x) < XP.exp(exact_array(x))).tolist(),
    }
    before = flint.ctx.prec
    try:
        for compute in results.values():
            flint.ctx.prec = 53
            usual = compute()
            flint.ctx.prec = 5
            assert compute() == usual
            assert flint.ctx.prec == 5
    finally:
        flint.ctx.prec = before


def test_threads_have_the_same_digits():
    def work(digits):
        xp = ExactNamespace(digits)
        found = [repr(xp.log(xp.to_balls([0.1]) / 3) * 10) for _ in range(50)]
        # With more digits, at other arguments in each thread.
        x = [1.0, 1e-30, digits * 1e-7]
        return [
            *found,
            evaluate(lambda xp, x: xp.log(xp.cosh(x)), x)[2].text(50),
            derivative(lambda xp, x: xp.log(xp.cosh(x)), x, order=2)[2].text(30),
        ]

    jobs = [20, 60, 120, 400] * 2
    alone = [work(digits) for digits in jobs]
    precision = flint.ctx.prec
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, jobs)) == alone
    finally:
        sys.setswitchinterval(interval)
    assert flint.ctx.prec == precision


def test_numbers_survive_pickling_and_hash_as_equal_floats():
    x = exact_array([0.1, math.inf, -3.0, math.nan], 70) / 3
    copy = pickle.loads(pickle.dumps(x))
    assert repr(copy) == repr(x)
    assert (copy == x).tolist() == [True, True, True, False]
    assert copy[0].bits == x[0].bits
    assert {copy[2]: "found"}[-1.0] == "found"


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
    with pytest.raises(ArgumentError, match=r"xp\.matmul is not available for exact numbers"):
        XP.matmul(exact_array([[1.0]]), exact_array([[1.0]]))
    with pytest.raises(AttributeError, match="no_such_function"):
        XP.no_such_function  # noqa: B018


def test_order_is_that_of_middles_with_nan_last():
    x = np.asarray([[2.0, math.nan, -1.0, 2.0], [0.0, -math.inf, math.inf, -0.5]])
    assert XP.argsort(exact_array(x)).tolist() == [[2, 0, 3, 1], [1, 3, 0, 2]]
    assert XP.argmin(exact_array(x[1:]), axis=-1).tolist() == [1]
    np.testing.assert_array_equal(
        to_float(XP.sort(exact_array(x), descending=True))[0], [2, 2, -1, math.nan]
    )
    assert XP.argsort(exact_array(x[:, ::2].T), axis=0).tolist() == [[1, 0], [0, 1]]


def test_choices_between_balls_that_overlap_are_noted():
    """x / 3 * 3 is 1 or not: nobody knows, but the middles."""
    before = doubts.count
    x = XP.to_balls([1.0])
    assert (XP.to_balls([2.0]) > x).tolist() == [True]
    assert doubts.count == before
    XP.maximum(x / 3 * 3, x)
    assert doubts.count == before
    assert ((x / 3 * 3 < x) | (x / 3 * 3 >= x)).tolist() == [True]
    assert doubts.count > before


def test_arrays_keep_their_class_in_functions_of_numpy():
    x = XP.to_balls([[1.0, 2.0], [3.0, 4.0]])
    for found in (
        np.broadcast_to(x[0], (3, 2)),
        np.where(np.asarray([True, False]), x, x),
        np.concatenate([x, x]),
        np.moveaxis(x, 0, 1),
        np.take_along_axis(x, np.zeros((2, 1), int), axis=1),
        np.sum(x),
        x[..., 0],
    ):
        assert type(found) is type(x)
    assert repr(x[0, 1] / 3) == "0.66666666666666666667"
    # Operations in place write to the array.
    x = same = XP.to_balls([1.0, 2.0])
    x *= XP.to_balls([0.5, 3.0])
    x += 1
    np.divide(x, 3, out=x)
    assert same is x
    assert repr([x[0], x[1]]) == "[0.5, 2.3333333333333333333]"


def test_texts_have_the_digits_that_they_are_asked_for():
    for digits in (1, 6, 20, 50):
        for number, value in zip(exact_array(TEXTS), TEXTS, strict=True):
            text = number.text(digits)
            # Decimal numbers of the standard library are exact; the last digit may be off by one.
            with decimal.localcontext(prec=digits):
                last = (+decimal.Decimal(value)).adjusted() - digits + 1
            error = abs(decimal.Decimal(text) - decimal.Decimal(value))
            assert error <= decimal.Decimal(1).scaleb(last)
            assert len(text.partition("e")[0].strip("-0.").replace(".", "")) <= digits
    shown = {
        1e19: "10000000000000000000.0",
        1e20: "1.0e+20",
        1e-4: "0.00010000000000000000479",
        1e-5: "1.0000000000000000818e-5",
        0: "0.0",
        math.inf: "inf",
        -math.inf: "-inf",
    }
    assert {v: exact_array([v])[0].text(20) for v in shown} == shown


def test_without_python_flint_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    for name in ("array", "functions", "number"):
        monkeypatch.setitem(sys.modules, f"lossfw.numerics.exact.{name}", None)
        monkeypatch.delattr(sys.modules["lossfw.numerics.exact"], name)
    with pytest.raises(MissingExtraError, match=r"python-flint.*pip install .*\[check\]'$"):
        ExactNamespace(60)


def test_python_flint_is_imported_on_use_only():
    code = "import sys, lossfw.numerics.exact.truth; print('flint' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
