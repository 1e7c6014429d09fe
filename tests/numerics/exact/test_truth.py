"""The adaptive truth, against numbers that come from outside."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.numerics.exact import truth
from lossfw.numerics.exact.namespace import exact_array
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float


def log_cosh(xp, r):
    return xp.log(xp.cosh(r))


def digits(found, text):
    """Return to how many digits a number agrees with a decimal text."""
    with mpmath.workdps(80):
        error = abs(mpmath.mpf(found) / mpmath.mpf(text) - 1)
        return math.inf if error == 0 else -float(mpmath.log10(error))


@pytest.mark.parametrize("power", [-1, -9, -50, -100, -150, -200])
def test_cancellation_of_hundreds_of_digits_is_seen_through(power):
    """log(cosh(r)) is r^2/2 - r^4/12 + r^6/45 - ... ."""
    r = float(f"1e{power}")
    found = evaluate(log_cosh, [r])[0]
    with mpmath.workdps(700):
        x = mpmath.mpf(r)
        terms = [(1, 2), (-1, 12), (1, 45), (-17, 2520), (31, 14175), (-691, 935550)]
        series = sum(mpmath.mpf(p) / q * x ** (2 * k + 2) for k, (p, q) in enumerate(terms))
        assert abs(mpmath.mpf(found) / series - 1) < max(mpmath.mpf(10) ** -29, 2 * x**12)


def test_lost_digits_are_seen_even_where_two_evaluations_would_agree():
    """The middle of the quotient is 0 with 80 digits and with 160: only its error tells."""
    r = np.asarray([1e-200, -1e-300, 5e-324])
    np.testing.assert_allclose(to_float(evaluate(lambda xp, r: (1 - xp.exp(-r)) / r + 1, r)), 2)
    found = evaluate(lambda xp, z: xp.log(xp.exp(-300 + z) + xp.exp(-700 + z)) + 300, [0.0])
    with mpmath.workdps(700):
        assert digits(found[0], mpmath.log1p(mpmath.exp(-400))) > 55
    # Of the difference of two equal logarithms only a bound is known, and its power is 0.
    for power in (lambda xp, x: x**2, lambda xp, x: x**1.5, lambda xp, x: xp.sqrt(x)):
        body = lambda xp, x, f=power: f(xp, xp.log1p(x) - xp.log1p(1 * x))  # noqa: E731
        assert to_float(evaluate(body, [1.0, 3.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", ["expm1", "sinh", "tanh", "sin", "log1p", "asinh", "erf"])
@pytest.mark.parametrize("power", [17.0, 19.0, 21.0, 30.0])
def test_numbers_far_below_all_floats_keep_their_digits(name, power):
    def ratio(xp, x):
        tiny = xp.exp(-x)
        return getattr(xp, name)(tiny) / tiny

    found = evaluate(ratio, [10.0**power])[0]
    derivative = 2 / mpmath.sqrt(mpmath.pi) if name == "erf" else 1
    with mpmath.workdps(80):
        assert abs(mpmath.mpf(found) / derivative - 1) < mpmath.mpf(
            "1e-15" if name == "erf" else "1e-59"
        )


@pytest.mark.parametrize(
    ("body", "x", "expected"),
    [
        # A textbook formula does not overflow.
        (lambda xp, z: xp.log(1 + xp.exp(z)), [1e300, -1e300, 710.0], [1e300, 0, 710]),
        (
            lambda xp, x: xp.exp(-xp.abs(x)) + xp.where(x > 0, 1 / x, x),
            [math.inf, -math.inf, math.nan],
            [0, -math.inf, math.nan],
        ),
        # exp(1e300) is unknown with 80 digits and with 160, which is not NaN.
        (lambda xp, x: xp.where(xp.isnan(xp.exp(x)), x, -x), [1e300], [-1e300]),
        # Integers are numbers.
        (lambda xp, x: 1 / (2 + x), [2, 0], [0.25, 0.5]),
    ],
)
def test_limits_that_a_float_has(body, x, expected):
    np.testing.assert_array_equal(to_float(evaluate(body, np.asarray(x))), expected)


def test_exact_zeros_are_not_doubted():
    """A hinge is not computed with 2,560 digits, but a sum that cancels is with 640."""
    seen = []

    def body(xp, m):
        seen.append(xp.digits)
        return xp.maximum(xp.zeros_like(m), 1 - m)

    assert to_float(evaluate(body, [0.0, 1.0, 7.0])).tolist() == [1, 0, 0]
    assert seen == [80]
    evaluate(lambda xp, m: body(xp, m) + xp.exp(m) - xp.exp(m), [1.0])
    assert seen == [80, 80, 640]


def test_only_what_is_unsettled_is_computed_again():
    seen = []

    def body(xp, r):
        seen.append(len(r))
        return xp.log(xp.cosh(r))

    evaluate(body, [1.0, 2.0, 1e-100, 3.0])
    assert seen[0] == 4
    assert set(seen[1:]) == {1}


def test_doubling_ends():
    """What never becomes narrow is given up, not computed for ever."""
    seen = []

    def cancelled(xp, x):
        seen.append(xp.digits)
        return xp.exp(x * 1e8) - xp.exp(x * 1e8)

    def unknown(xp, x):
        seen.append(xp.digits)
        return xp.log(x - x / 3 * 3)

    assert to_float(evaluate(cancelled, [1.0])).tolist() == [0]
    assert seen == [80, 640, 1280, 2560]
    seen.clear()
    assert math.isnan(float(evaluate(unknown, [1.0])[0]))
    assert seen == [80, 640]


def test_choices_that_digits_turn_are_made_again():
    """With 80 digits and with 160 both sides of the comparison are the same ball."""
    seen = []

    def body(xp, x):
        seen.append(xp.digits)
        return xp.where(xp.exp(x) - 1 - x > x * x / 2, x * 2, x * 3)

    assert to_float(evaluate(body, [1e-90, -1e-90])).tolist() == [2 * 1e-90, 3 * -1e-90]
    assert seen == [80, 640]


def test_rows_with_class_indices():
    z = np.asarray([[1.0, 2.0, 3.0], [500.0, 0.0, -500.0]])

    def body(xp, z, index):
        assert index.dtype.kind == "i"
        own = xp.take_along_axis(z, index[:, None], axis=-1)[:, 0]
        return xp.log(xp.sum(xp.exp(z), axis=-1)) - own

    found = evaluate(body, z, np.asarray([2, 0]), rows=True)
    # log(1 + exp(-1) + exp(-2)), and exp(-500) to the first order.
    with mpmath.workdps(60):
        assert digits(found[0], mpmath.log(1 + mpmath.exp(-1) + mpmath.exp(-2))) > 55
        assert digits(found[1], mpmath.log1p(mpmath.exp(-500) + mpmath.exp(-1000))) > 55


def test_shapes():
    found = evaluate(lambda xp, y, t: y - t, np.zeros((2, 1)), np.ones(3))
    assert found.shape == (2, 3)
    assert evaluate(lambda xp, y: y, np.zeros((0, 4))).shape == (0, 4)
    assert evaluate(lambda xp, y: y, 0.5).shape == ()
    z = np.arange(12.0).reshape(2, 2, 3)
    found = evaluate(lambda xp, z: z - xp.max(z, axis=-1, keepdims=True), z, rows=True)
    assert to_float(found).tolist() == [[[-2, -1, 0]] * 2] * 2
    assert evaluate(lambda xp, z: xp.sum(z, axis=-1), z[0, 0], rows=True).shape == ()


def test_chunks_change_nothing(monkeypatch):
    r = np.linspace(-3, 3, 50)
    whole = evaluate(log_cosh, r)
    monkeypatch.setattr(truth, "_CALL_SIZE", 7)
    assert (evaluate(log_cosh, r) == whole).all()


@given(st.floats(-700, 700), st.floats(-700, 700))
def test_a_stable_form_and_the_textbook_have_the_same_truth(a, b):
    textbook = evaluate(lambda xp, a, b: xp.log(xp.exp(a) + xp.exp(b)), [a], [b])
    stable = evaluate(
        lambda xp, a, b: xp.maximum(a, b) + xp.log1p(xp.exp(-xp.abs(a - b))), [a], [b]
    )
    # The sum may vanish; then 30 digits are 30 digits of its terms.
    assert abs(float(textbook[0] - stable[0])) <= 1e-29 * max(1.0, abs(a), abs(b))


def test_results_are_rounded_to_the_digits_that_were_asked_for():
    third = evaluate(lambda xp, x: x / 3, [1.0], digits=40)
    assert third[0].bits == exact_array([1.0], 40)[0].bits
    assert 39 < digits(third[0], "0." + "3" * 70) < 43
