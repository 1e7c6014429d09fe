"""True derivatives by differences: against calculus, at kinks and at extremes."""

import math

import numpy as np
import pytest

from lossfw.numerics.dual.derivatives import derivatives, row_derivatives
from lossfw.numerics.exact.differences import derivative, kinks
from lossfw.numerics.exact.namespace import ExactNamespace, exact_array
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float, ulp_error

# Arguments of every size, to either side.
SIZES = [5e-324, 1e-300, 1e-100, 1e-9, 0.3, 1.0, 33.25, 1e5, 1e100, 1e300]
X = np.asarray([*SIZES, *[-x for x in SIZES]])


def worst(found, truth):
    return float(np.max(ulp_error(to_float(found), truth)))


# The function, its derivative and its second derivative.
CALCULUS = [
    (lambda xp, x: x**3, lambda xp, x: 3 * x**2, lambda xp, x: 6 * x),
    (
        lambda xp, x: xp.exp(-x * x),
        lambda xp, x: -2 * x * xp.exp(-x * x),
        lambda xp, x: (4 * x * x - 2) * xp.exp(-x * x),
    ),
    (lambda xp, x: xp.log(xp.cosh(x)), lambda xp, x: xp.tanh(x), lambda xp, x: 1 / xp.cosh(x) ** 2),
    (
        lambda xp, x: xp.log(1 + xp.exp(x)),
        lambda xp, x: 1 / (1 + xp.exp(-x)),
        lambda xp, x: 1 / ((1 + xp.exp(-x)) * (1 + xp.exp(x))),
    ),
    (
        lambda xp, x: xp.sqrt(1 + x * x),
        lambda xp, x: x / xp.sqrt(1 + x * x),
        lambda xp, x: (1 + x * x) ** -1.5,
    ),
]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("case", CALCULUS)
def test_derivatives_of_arguments_of_every_size(case, order):
    assert worst(derivative(case[0], X, order=order), evaluate(case[order], X)) <= 0.5


def test_derivatives_at_zero_vanish_where_they_should():
    for body in (lambda xp, x: x**3, lambda xp, x: x**4, lambda xp, x: xp.log(xp.cosh(x))):
        assert to_float(derivative(body, [0.0])).tolist() == [0]
    assert to_float(derivative(lambda xp, x: x**4, [0.0], order=2)).tolist() == [0]
    assert to_float(derivative(lambda xp, x: (x - 1) ** 3, [1.0], order=2)).tolist() == [0]
    # The deviance of Poisson at its minimum, for targets of any size.
    t = np.asarray([1e-300, 5e-324, 1e-9, 1.0, 3e7, 1e300])
    found = derivative(lambda xp, y, t: t * xp.log(t / y) - t + y, t, t)
    assert to_float(found).tolist() == [0] * 6


def test_derivatives_between_nearly_equal_arguments():
    """The residual is one unit in the last place: the step must not cross the kink."""
    t = np.asarray([1.0, -3.0, 1e-300, 1e300, 0.1])
    y = np.nextafter(t, np.inf)
    found = derivative(lambda xp, y, t: xp.abs(y - t) ** 1.5, y, t)
    truth = evaluate(lambda xp, y, t: xp.sqrt(y - t) * 3 / 2, y, t)
    assert worst(found, truth) <= 0.5
    assert to_float(derivative(lambda xp, y, t: xp.abs(y - t), y, t)).tolist() == [1] * 5


@pytest.mark.parametrize("constant", [1 / 3, 4.685**2 / 6])
def test_flat_stretches_have_derivative_0(constant):
    """Where every operation is rounded, rounding must not be taken for a derivative."""

    def body(xp, r):
        flat = xp.full_like(r, constant) * xp.full_like(r, 0.1) / 7
        return xp.where(xp.abs(r) < 1, r * r * flat, flat)

    for order in (1, 2):
        assert to_float(derivative(body, [2.0, -1e9, 1e-9], order=order))[:2].tolist() == [0, 0]


def test_one_sided_derivatives_and_the_mean_of_both():
    def body(xp, r):
        return xp.where(r > 0, 3 * r + r * r, -r / 2)

    at = np.asarray([0.0, 1.0, -1.0])
    assert to_float(derivative(body, at, side=-1)).tolist() == [-0.5, 5, -0.5]
    assert to_float(derivative(body, at, side=1)).tolist() == [3, 5, -0.5]
    assert to_float(derivative(body, at)).tolist() == [1.25, 5, -0.5]
    assert to_float(derivative(body, at, order=2, side=1)).tolist() == [2, 2, 0]
    assert to_float(derivative(body, at, order=2, side=-1)).tolist() == [0, 2, 0]


def huber(xp, r):
    a = xp.abs(r)
    return xp.where(a <= 1, r * r / 2, a - 1 / 2)


def test_kinks_are_found_where_they_are_and_nowhere_else():
    edge = np.asarray([1.0, np.nextafter(1, 0), np.nextafter(1, 2), -1.0, 0.0, 5.0])
    assert not kinks(huber, edge).any()
    assert kinks(huber, edge, order=2).tolist() == [True, False, False, True, False, False]
    tiny = np.asarray([0.0, 5e-324, -1e-300, 1.0])
    assert kinks(lambda xp, r: xp.abs(r), tiny).tolist() == [True, False, False, False]
    for smooth in (
        lambda xp, r: r**2,
        lambda xp, r: r**3,
        lambda xp, r: xp.log(xp.cosh(r)),
        lambda xp, r: xp.abs(r) ** 1.5,
        lambda xp, r: r / 3,
    ):
        assert not kinks(smooth, tiny).any()
    # The root has no derivative at 0, which is worse than a kink.
    assert kinks(lambda xp, r: xp.sqrt(xp.abs(r)), tiny).tolist() == [True, False, False, False]
    # A small kink is a kink.
    assert kinks(lambda xp, r: r + 1e-20 * xp.abs(r), tiny)[0]
    # Where there is no other side there is no kink.
    assert not kinks(lambda xp, p: p * xp.log(p), [0.0]).any()
    # By the first of two arguments, and by each column of a row.
    hinge = lambda xp, y, t: xp.maximum(xp.zeros_like(y), 1 - t * y)  # noqa: E731
    found = kinks(hinge, [1.0, -1.0, 1.0, 0.0], [1, -1, -1, 1])
    assert found.tolist() == [True, True, False, False]
    y = np.asarray([[1.0, 1.0, 0.0], [2.0, np.nextafter(2, 0), 1.0], [0.0, 1e-300, -1.0]])
    found = kinks(lambda xp, y: xp.max(y, axis=-1), y, rows=True)
    assert found.tolist() == [[True, True, False], [False] * 3, [False] * 3]


def test_rows_are_differentiated_class_by_class():
    z = np.asarray([[1.0, 2.0, 3.0], [40.0, 0.0, 0.0], [1e-300, 0.0, -1.0]])
    index = np.asarray([2, 0, 1])

    def body(xp, z, index):
        own = xp.take_along_axis(z, index[:, None], axis=-1)[:, 0]
        return xp.log(xp.sum(xp.exp(z), axis=-1)) - own

    p = evaluate(lambda xp, z: xp.exp(z) / xp.sum(xp.exp(z), axis=-1, keepdims=True), z, rows=True)
    gradient = derivative(body, z, index, rows=True)
    assert worst(gradient, p - (np.arange(3) == index[:, None])) <= 0.5
    assert worst(derivative(body, z, index, rows=True, order=2), p * (1 - p)) <= 0.5
    # A body that returns rows gives its Jacobian.
    row = np.asarray([[0.5, -1.0, 2.0]])
    p = (np.exp(row) / np.exp(row).sum())[0]
    softmax = lambda xp, z: xp.exp(z) / xp.sum(xp.exp(z), axis=-1, keepdims=True)  # noqa: E731
    found = to_float(derivative(softmax, row, rows=True))
    np.testing.assert_allclose(found, [np.diag(p) - np.outer(p, p)], rtol=1e-12)


def test_shapes():
    assert derivative(lambda xp, x: x, np.zeros((2, 3))).shape == (2, 3)
    assert derivative(lambda xp, x: x, np.zeros((0, 3))).shape == (0, 3)
    total = derivative(lambda xp, x: xp.sum(x, axis=-1), np.zeros((2, 1, 3)), rows=True)
    assert total.shape == (2, 1, 3)
    assert float(derivative(lambda xp, x: x * x, 1.5)[()]) == 3


def test_not_finite_arguments_and_the_ends_of_a_domain_are_nan():
    x = [math.inf, -math.inf, math.nan]
    assert np.isnan(to_float(derivative(lambda xp, x: x, x))).all()
    assert math.isnan(float(derivative(lambda xp, p: xp.log(p), [0.0])[0]))
    # From inside the domain there is a derivative.
    assert to_float(derivative(lambda xp, p: p * xp.log1p(-p), [0.0], side=1)).tolist() == [0]


def test_differences_and_dual_numbers_agree_to_thirty_digits():
    """Two ways that share nothing: neither can hide a mistake of the other."""
    r = np.asarray([-2.0, 1e-9, 0.4, 30.0])

    def body(xp, r):
        return xp.log1p(r * r / (1 + xp.abs(r))) * xp.exp(-xp.tanh(r))

    for order in (1, 2):
        by_rule = evaluate(lambda xp, r, n=order: derivatives(body, xp, r)[n], r)
        found = derivative(body, r, order=order)
        assert max(abs(float(a / b - 1)) for a, b in zip(found, by_rule, strict=True)) < 1e-28
    z, lse = exact_array([[0.5, -1.0, 2.0]]), lambda xp, z: xp.log(xp.sum(xp.exp(z), axis=-1))
    rows = row_derivatives(lse, ExactNamespace(60), z)
    for order in (1, 2):
        found = derivative(lse, z, rows=True, order=order)
        assert max(abs(float(v)) for v in (found - rows[order]).ravel()) < 1e-28
