"""Dual numbers against true derivatives, and at ties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossfw.errors import ArgumentError
from lossfw.numerics.dual.derivatives import derivatives, row_derivatives
from lossfw.numerics.dual.rules import RULES
from lossfw.numerics.exact.differences import derivative
from lossfw.numerics.exact.namespace import ExactNamespace, exact_array
from lossfw.numerics.exact.ulp import to_float

# Where each elementary function is smooth.
DOMAIN = {
    "sqrt": (1e-3, 1e3), "reciprocal": (1e-2, 1e2), "tan": (-1.5, 1.5), "acosh": (1.01, 1e3),
    **dict.fromkeys(("log", "log2", "log10"), (1e-3, 1e3)), "log1p": (-0.99, 1e3),
    **dict.fromkeys(("asin", "acos", "atanh"), (-0.99, 0.99)),
}  # fmt: skip


def true(body, *arrays, order, **options):
    return to_float(derivative(body, *arrays, order=order, **options))


@pytest.mark.parametrize("name", sorted(RULES))
def test_each_elementary_function_has_its_true_derivatives(name):
    low, high = DOMAIN.get(name, (-20.0, 20.0))
    x = np.linspace(low, high, 24)

    def body(xp, x):
        return getattr(xp, name)(x)

    value, first, second = derivatives(body, np, x)
    np.testing.assert_array_equal(value, getattr(np, name)(x))
    np.testing.assert_allclose(first, true(body, x, order=1), rtol=1e-13, atol=1e-300)
    # acos and asin lose digits of their second derivative near 1.
    np.testing.assert_allclose(second, true(body, x, order=2), rtol=1e-12, atol=1e-300)
    # On exact numbers to all their digits.
    x = [low, (2 * low + high) / 3, high]
    _, first, second = derivatives(body, ExactNamespace(), exact_array(x))
    for order, found in ((1, first), (2, second)):
        truth = derivative(body, x, order=order)
        wrong = [float(abs(a - b)) for a, b in zip(found, truth, strict=True)]
        assert max(wrong) <= 1e-28 * max(1.0, *map(float, map(abs, truth)))


def test_an_exponent_is_not_rounded_on_exact_numbers():
    # 0.3 - 1 is not a float: at 1e-16 the rounding would be worth 15 units in the last place.
    body = lambda xp, x: x**0.3  # noqa: E731
    parts = derivatives(body, ExactNamespace(60), exact_array([2.0**-53]))
    for order in (1, 2):
        (truth,) = derivative(body, [2.0**-53], order=order)
        assert abs(parts[order][0] / truth - 1) < 1e-25


# Expressions in x and a constant c, and what they are made of.
LEAVES = ["x", "c", "x + c", "c - x", "x * x", "x * c", "x / (2 + c * c)"]
WRAPPERS = [
    "xp.exp({0} / 10)",
    "xp.log1p({0} * {0})",
    "xp.sqrt(1 + ({0})**2)",
    "xp.tanh({0})",
    "({0})**3",
    "({0}) * ({1})",
    "({0}) - ({1})",
    "({0}) / (1 + ({1})**2)",
    "xp.where(c > 0, {0}, {1})",
    "(2 + xp.sin({0}))**({1})",
    "2.5**({0})",
    "xp.hypot({0}, 1 + ({1})**2)",
    "xp.logaddexp({0}, {1})",
    "xp.atan({0}) + xp.cos({1})",
]


@st.composite
def expressions(draw):
    a, b = draw(st.sampled_from(LEAVES)), draw(st.sampled_from(LEAVES))
    inner = draw(st.sampled_from(WRAPPERS)).format(a, b)
    return draw(st.sampled_from(WRAPPERS)).format(inner, b)


@given(expressions(), st.floats(-2, 2), st.floats(-2, 2))
def test_any_smooth_expression_has_its_true_derivatives(text, x, c):
    code = compile(text, "body", "eval")

    def body(xp, x, c):
        return eval(code, {"xp": xp, "x": x, "c": c})  # the expressions stand above

    x, c = np.asarray([x]), np.asarray([c])
    with np.errstate(all="ignore"):
        found = derivatives(body, np, x, c)
        only_first = derivatives(body, np, x, c, order=1)
    assert len(only_first) == 2
    for order in (1, 2):
        # 2.5**x of 1e3 and the like: errors are relative to what was computed with.
        size = 1e-10 * max(1.0, abs(found[0][0]), abs(found[1][0]), abs(found[2][0]))
        truth = true(body, x, c, order=order)
        if np.isfinite(truth).all():
            np.testing.assert_allclose(found[order], truth, rtol=1e-10, atol=size)
    np.testing.assert_array_equal(only_first[1], found[1])


def at(body, *arguments):
    return [part.tolist() for part in derivatives(body, np, *map(np.asarray, arguments))]


# Body, arguments, and value with first and second derivative.
RULES_AT_POINTS = {
    "abs at 0": (lambda xp, x: xp.abs(x), ([-2.0, 0.0, 3.0],), [[2, 0, 3], [-1, 0, 1], [0] * 3]),
    "maximum at a tie": (
        lambda xp, x: xp.maximum(x, xp.zeros_like(x)),
        ([-1.0, 0.0, 1.0],),
        [[0, 0, 1], [0, 0.5, 1], [0] * 3],
    ),
    "minimum at a tie": (
        lambda xp, x: xp.minimum(3 * x, x * x),
        ([0.0, 3.0],),
        [[0, 9], [1.5, 4.5], [1, 1]],
    ),
    "clip is maximum and minimum": (
        lambda xp, x: xp.clip(x, 0.0, 1.0),
        ([-1.0, 0.0, 0.5, 1.0, 2.0],),
        [[0, 0, 0.5, 1, 1], [0, 0.5, 1, 0.5, 0], [0] * 5],
    ),
    "garbage in the other branch": (
        lambda xp, x: xp.where(
            x > 0, xp.where(x > 0, xp.sqrt(x) * xp.log(x), 1 / x + x**-0.5), 2 * x
        ),
        ([0.0, -1.0],),
        [[0, -2], [2, 2], [0, 0]],
    ),
    "a step": (lambda xp, x: xp.where(x > 0, xp.ones_like(x), 0 * x), ([1.0],), [[1], [0], [0]]),
    "a constant": (lambda xp, x: 3.0, ([1.0, 2.0],), [[3, 3], [0, 0], [0, 0]]),
    "power 0 at 0": (lambda xp, x: x**0, ([0.0],), [[1], [0], [0]]),
    "power 2 at 0": (lambda xp, x: x**2, ([0.0],), [[0], [0], [2]]),
    "power 1.5 at 0": (lambda xp, x: x**1.5, ([0.0],), [[0], [0], [math.inf]]),
    "a root at 0": (lambda xp, x: x**0.5, ([0.0],), [[0], [math.inf], [-math.inf]]),
    "any power at 0": (
        lambda xp, x, p: x**p,
        ([0.0, 0.0, 0.0], [0.0, 1.0, 2.0]),
        [[1, 0, 0], [0, 1, 0], [0, 0, 2]],
    ),
    **{
        f"power {p} of -2": (
            lambda xp, x, p=p: x**p,
            ([-2.0],),
            [[(-2.0) ** p], [p * (-2.0) ** (p - 1)], [p * (p - 1) * (-2.0) ** (p - 2)]],
        )
        for p in (0, 1, 2, 3, -1, 0.0, 2.0)
    },
    # As a function of the exponent 0**p is 0 for p > 0.
    "an exponent of 0": (lambda xp, p: 0.0**p, ([2.0],), [[0], [0], [0]]),
}


@pytest.mark.parametrize(
    ("body", "arguments", "expected"), RULES_AT_POINTS.values(), ids=RULES_AT_POINTS
)
def test_rules_where_a_derivative_is_hard(body, arguments, expected):
    assert at(body, *arguments) == expected


def test_max_and_min_over_an_axis_share_a_tie():
    y = np.asarray([[1.0, 3.0, 3.0], [0.0, 0.0, 0.0], [5.0, 1.0, 2.0]])
    value, gradient, hessian = row_derivatives(lambda xp, y: xp.max(y, axis=-1), np, y)
    assert value.tolist() == [3, 0, 5]
    np.testing.assert_allclose(gradient, [[0, 0.5, 0.5], [1 / 3] * 3, [1, 0, 0]])
    assert not hessian.any()
    _, gradient = row_derivatives(lambda xp, y: xp.min(y, axis=-1), np, y, order=1)
    assert gradient[0].tolist() == [1, 0, 0]


def test_what_does_not_move_adds_nothing_to_a_derivative():
    # log has an infinite derivative at 0, but the class that is at 0 is not the one that moves.
    body = lambda xp, y, t: xp.sum(xp.where(t > 0, -t * xp.log(y), 0 * y), axis=-1)  # noqa: E731
    found = row_derivatives(body, np, np.asarray([[0.0, 0.5]]), np.asarray([[0.0, 1.0]]))
    assert [part.tolist() for part in found[1:]] == [[[0, -2]], [[0, 4]]]


def test_nan_and_the_dtype_of_the_argument_reach_value_and_derivatives():
    for dtype in (np.float32, np.float64):
        x = np.asarray([math.nan, 1.0, -1.0], dtype)
        parts = derivatives(lambda xp, x: xp.where(x > 0, x / 1.5, xp.abs(x) ** 2), np, x)
        assert all(math.isnan(part[0]) and part.dtype == dtype for part in parts)
        assert [part[2] for part in parts] == [1, -2, 2]


def test_a_direction_gives_the_product_of_the_jacobian_with_it():
    y, v = np.asarray([[1.0, 2.0, 4.0]]), np.asarray([[0.5, -1.0, 2.0]])

    def body(xp, y):
        return y * xp.sum(y, axis=-1, keepdims=True)

    _, first = derivatives(body, np, y, order=1, direction=v)
    np.testing.assert_allclose(first, v * y.sum() + y * v.sum())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lambda xp, x: xp.cumulative_prod(x), r"xp\.cumulative_prod has no rule"),
        (lambda xp, x: x if x > 0 and x else -x, r"xp\.where"),
    ],
)
def test_what_has_no_derivative_is_refused_with_the_remedy(body, words):
    with pytest.raises(ArgumentError, match=words):
        derivatives(body, np, np.asarray([1.0]))


def test_structure_moves_derivatives_with_their_elements():
    y = np.asarray([[3.0, 1.0, 2.0]])

    def body(xp, y):
        ordered = xp.sort(y, axis=-1, descending=True)
        joined = xp.concat([ordered[..., :1] ** 2, xp.flip(y, axis=-1)], axis=-1)
        stacked = xp.stack([joined, xp.roll(joined, 1, axis=-1)], axis=-1)
        best = xp.take_along_axis(y, xp.expand_dims(xp.argmax(y, axis=-1), axis=-1), axis=-1)
        total = xp.mean(xp.reshape(stacked, (stacked.shape[0], -1)), axis=-1) * 8
        return total + xp.squeeze(best, axis=-1) + xp.cumulative_sum(y, axis=-1)[..., 1]

    value, gradient, hessian = row_derivatives(body, np, y)
    # 2 (y0^2 + y0 + y1 + y2) + y0 + (y0 + y1), since y0 is the largest.
    assert value.tolist() == [2 * (9 + 6) + 3 + 4]
    assert gradient.tolist() == [[12 + 2 + 2, 3, 2]]
    assert hessian.tolist() == [[4, 0, 0]]


def test_rows_are_differentiated_alike_in_one_pass_or_many(monkeypatch):
    from lossfw.numerics.dual import derivatives as module

    y = np.random.default_rng(0).normal(size=(4, 3, 5))
    t = np.random.default_rng(1).integers(0, 5, (4, 3))

    def body(xp, y, t):
        own = xp.take_along_axis(y, t[..., None], axis=-1)
        return xp.sum(xp.exp(y - own), axis=-1)

    whole = row_derivatives(body, np, y, t)
    monkeypatch.setattr(module, "_PASS_SIZE", 130)
    for one, other in zip(whole, row_derivatives(body, np, y, t), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [part.shape for part in whole] == [(4, 3), (4, 3, 5), (4, 3, 5)]


@pytest.mark.parametrize(
    ("body", "y", "second"),
    [
        pytest.param(lambda xp, y: xp.log(y / 1e10), 1e-10, -1e20, id="a tiny logarithm"),
        pytest.param(lambda xp, y: xp.sqrt(1e20 * y * y), 1e10, 0.0, id="a root of a large square"),
        pytest.param(
            lambda xp, y: y / ((y + 0.0) / 2), 9.999995e-7, 0.0, id="a quotient that is constant"
        ),
    ],
)
def test_a_second_derivative_does_not_overflow_on_the_way_in_float32(body, y, second):
    found = derivatives(body, np, np.asarray([y], np.float32))[2]
    np.testing.assert_allclose(found, [second], rtol=1e-5, atol=1e-15)
