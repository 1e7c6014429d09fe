"""stop_gradient: a number's value and a constant's derivatives, in each number system."""

import numpy as np
import pytest

from lossfw import Claims, Columns, DistanceLoss, GroupLoss
from lossfw.check import check
from lossfw.components.spaces import BINARY, REAL
from lossfw.losses.engine.engine_mode import use_engine
from lossfw.numerics import sigmoid, stop_gradient
from lossfw.numerics.dual.derivatives import derivatives, row_derivatives
from lossfw.numerics.exact import differences
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.symbolic.trace import trace
from lossfw.numerics.symbolic.written import write

Y = np.array([3.0, -2.0, 0.5, 1e3])
ROWS = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -4.0]])


def weighted(xp, y):
    """y^2 c with c = y^2: its derivatives are those of a square times a constant."""
    return stop_gradient(xp, y * y) * y * y


def of_rows(xp, y):
    """The same of rows, by a constant that depends on all columns."""
    return xp.sum(stop_gradient(xp, xp.sum(y, axis=-1, keepdims=True)) * y * y, axis=-1)


TOTAL = ROWS.sum(-1, keepdims=True)


class Weighted(DistanceLoss):
    def value(self, xp, r):
        return weighted(xp, r)

    def claims(self):
        return Claims(nonnegative=True)


def test_dual_numbers():
    value, first, second = derivatives(weighted, np, Y)
    np.testing.assert_array_equal(value, Y**4)
    np.testing.assert_array_equal(first, 2 * Y**3)
    np.testing.assert_array_equal(second, 2 * Y**2)
    # Nothing is left where all is constant.
    assert not derivatives(lambda xp, y: stop_gradient(xp, y), np, Y)[1].any()
    # The same on expressions, and of rows.
    written = write(trace(lambda xp, y: derivatives(weighted, xp, y), {"y": "f8"}, use="array"))
    for found, expected in zip(written(y=Y), (Y**4, 2 * Y**3, 2 * Y**2), strict=True):
        np.testing.assert_array_equal(found, expected)
    expected = (TOTAL * ROWS**2).sum(-1), 2 * TOTAL * ROWS, 2 * TOTAL + 0 * ROWS
    for order in (1, 2):
        parts = row_derivatives(of_rows, np, ROWS, order=order)
        for part, wanted in zip(parts, expected, strict=False):
            np.testing.assert_array_equal(part, wanted)


def test_records_of_columns():
    class Two(GroupLoss):
        prediction = Columns.of(a=REAL, b=REAL)
        needs_group = False

        def value(self, xp, y, t):
            held = stop_gradient(xp, y)
            return xp.sum(held.b * y.a + held.a * y.b, axis=-1)

    y = np.array([[2.0, 3.0], [5.0, 7.0]])
    np.testing.assert_array_equal(Two().gradient(y, [0.0, 0.0], reduction="sum"), y[:, ::-1])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("side", [-1, 0, 1])
def test_differences_of_exact_numbers(order, side):
    found = differences.derivative(weighted, Y, order=order, side=side)
    np.testing.assert_array_equal(found.astype(float), 2 * Y ** (4 - order))
    rows = differences.derivative(of_rows, ROWS, order=order, side=side, rows=True)
    expected = 2 * TOTAL * (ROWS if order == 1 else np.ones_like(ROWS))
    np.testing.assert_allclose(rows.astype(float), expected, rtol=1e-15)
    np.testing.assert_array_equal(evaluate(weighted, Y).astype(float), Y**4)


def test_differences_that_need_more_digits_and_numbers_beyond_usual_exponents():
    def body(xp, y):
        # Without the constant the derivative is that of log(cosh(y)) twice.
        return stop_gradient(xp, xp.log(xp.cosh(y))) + xp.log(xp.cosh(y))

    y = np.array([1e-200, 1.0, 0.0, 1e300, -1e-30])
    found = differences.derivative(body, y).astype(float)
    np.testing.assert_array_equal(found, np.tanh(y))
    # A kink of what is held constant is none.
    held = differences.kinks(lambda xp, y: stop_gradient(xp, xp.abs(y)) * y, np.array([0.0]))
    assert not held.any()


def test_kernels():
    pytest.importorskip("llvmlite")
    loss, zero = Weighted(), 0 * Y
    with use_engine("compiled"):
        np.testing.assert_array_equal(loss(Y, zero, reduction="none"), Y**4)
        np.testing.assert_array_equal(loss.gradient(Y, zero, reduction="sum"), 2 * Y**3)
        np.testing.assert_array_equal(loss.hessian(Y, zero, reduction="sum"), 2 * Y**2)


def test_pytorch_at_each_order_and_as_a_function_that_is_written_out():
    torch = pytest.importorskip("torch")
    loss, zero = Weighted(), torch.zeros(4, dtype=torch.float64)
    y = torch.tensor(Y, requires_grad=True)
    # The first calls run the body, and those after them what it was written out to.
    for _ in range(12):
        value = loss(y, zero, reduction="sum")
        (first,) = torch.autograd.grad(value, y, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), y)
        np.testing.assert_array_equal(first.detach().numpy(), 2 * Y**3)
        np.testing.assert_array_equal(second.numpy(), 2 * Y**2)
    plain = weighted(__import__("array_api_compat").torch, y).sum()
    np.testing.assert_array_equal(torch.autograd.grad(plain, y)[0].numpy(), 2 * Y**3)


def test_jax_at_each_order_and_compiled():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    loss, y = Weighted(), jax.numpy.asarray(Y)

    def total(y):
        return loss(y, jax.numpy.zeros(4), reduction="sum")

    np.testing.assert_array_equal(jax.jit(jax.grad(total))(y), 2 * Y**3)
    np.testing.assert_array_equal(np.diag(jax.hessian(total)(y)), 2 * Y**2)
    plain = jax.grad(lambda y: weighted(jax.numpy, y).sum())(y)
    np.testing.assert_array_equal(plain, 2 * Y**3)


class Kto(GroupLoss):
    target = Columns.of(desirable=BINARY)
    needs_group = False

    def value(self, xp, y, t):
        mean = xp.mean(y, axis=-1, keepdims=True)
        above = y - stop_gradient(xp, xp.maximum(mean, xp.zeros_like(mean)))
        return xp.mean(sigmoid(xp, xp.where(t.desirable > 0, -above, above)), axis=-1)


class MovesWeight(Weighted):
    def derivative(self, xp, r):
        return 4 * r * r * r


@pytest.mark.parametrize("cls", [Weighted, Kto])
def test_the_harness_takes_the_constant_for_one(cls):
    report = check(cls(), examples=20, only=["gradient", "hessian", "value"])
    assert report.refuted == []


def test_the_harness_finds_a_derivative_that_moves_the_constant():
    report = check(MovesWeight(), examples=20, only=["gradient", "value"])
    assert ("gradient", "wrong") in [(one.check, one.grade) for one in report.refuted]
    assert "value" not in [one.check for one in report.refuted]
