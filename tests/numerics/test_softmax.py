"""Softmax and its relatives: every digit, infinite logits, exact derivatives."""

import math

import numpy as np
import pytest

from lossfw.numerics import (
    cumulative_logsumexp,
    log_softmax,
    logsumexp,
    segment_logsumexp,
    softmax,
    softmax_complement,
    softmax_cross_entropy,
    softmax_cross_entropy_at,
    softmax_cross_entropy_gradient,
    softmax_cross_entropy_hessian,
)
from lossfw.numerics.arrays import namespace_of
from lossfw.numerics.dual.derivatives import derivatives, row_derivatives
from lossfw.numerics.exact.differences import derivative
from lossfw.numerics.exact.namespace import ExactNamespace
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float, ulp_error

inf, nan = math.inf, math.nan
CROSS_ENTROPY = (
    *(softmax_cross_entropy, softmax_cross_entropy_gradient),
    softmax_cross_entropy_hessian,
)

# Units in the last place that are allowed for functions of a row. Those of a distance from the
# largest logit are as many of its exponential as it is long.
GOAL = 16


def allowed(z, goal=GOAL):
    """Return the units that are allowed in each row, with a last axis of 1."""
    return goal + np.ptp(z.astype(float), axis=-1, keepdims=True)


def rows(dtype, classes=6, count=120, seed=0):
    """Return logits of many scales, ties and one certain class among them."""
    random = np.random.default_rng(seed)
    z = random.normal(size=(count, classes)) * np.exp2(random.uniform(-20, 7, (count, 1)))
    z[::10] = np.round(z[::10])
    z[5::10, 0] += 30
    z[7::10] = 0.25
    return z.astype(dtype)


def targets(z, seed=1):
    """Return one-hot and soft targets, of which some have zeros."""
    random = np.random.default_rng(seed)
    t = random.dirichlet(np.full(z.shape[1], 0.5), len(z))
    t[::3] = np.eye(z.shape[1])[random.integers(0, z.shape[1], len(t[::3]))]
    return t.astype(z.dtype)


# The textbook's formulas, which cancel and overflow on floats.
def true_softmax(xp, z):
    e = xp.exp(z)
    return e / xp.sum(e, axis=-1, keepdims=True)


def true_loss(xp, z, t):
    total = xp.log(xp.sum(xp.exp(z), axis=-1, keepdims=True))
    return xp.sum(t * (total - z), axis=-1)


def true_gradient(xp, z, t):
    return true_softmax(xp, z) - t


def true_hessian(xp, z, t):
    return true_softmax(xp, z) * (1 - true_softmax(xp, z))


def hold(results, z, t):
    """Hold loss, gradient and Hessian, or the first of them, to their textbook."""
    for result, textbook in zip(results, (true_loss, true_gradient, true_hessian), strict=False):
        error = ulp_error(result, evaluate(textbook, z, t, rows=True))
        assert (error <= allowed(z).reshape(-1, *[1] * (error.ndim - 1))).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_errors_in_ulps(dtype):
    z = rows(dtype)
    for function, textbook in (
        (softmax, true_softmax),
        (softmax_complement, lambda xp, z: 1 - true_softmax(xp, z)),
        (log_softmax, lambda xp, z: xp.log(true_softmax(xp, z))),
    ):
        assert (ulp_error(function(np, z), evaluate(textbook, z, rows=True)) <= allowed(z)).all()
    # The sum may be near 0; its digits are those of its terms.
    total = evaluate(lambda xp, z: xp.log(xp.sum(xp.exp(z), axis=-1)), z, rows=True)
    size = np.maximum(np.abs(to_float(total)), z.max(axis=-1))
    error = np.abs(to_float(total - evaluate(lambda xp, x: x, logsumexp(np, z))))
    assert (error <= 4 * np.spacing(size.astype(dtype))).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cross_entropy_errors_in_ulps(dtype):
    z = rows(dtype)
    t = targets(z)
    hold([softmax_cross_entropy(np, z, t)], z, t)
    for index in (np.argmax(z, axis=-1), np.argmin(z, axis=-1)):
        one_hot = np.eye(z.shape[1], dtype=dtype)[index]
        hold([softmax_cross_entropy_at(np, z, index)], z, one_hot)
        hold([function(np, z, one_hot) for function in CROSS_ENTROPY], z, one_hot)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradient_of_soft_targets(dtype):
    """It may cross 0 at p = t, so it is measured against its larger term."""
    z = rows(dtype)
    t = targets(z)
    body = lambda xp, z, t: true_softmax(xp, z) * xp.sum(t, axis=-1, keepdims=True) - t  # noqa: E731
    truth = to_float(evaluate(body, z, t, rows=True))
    unit = np.spacing(np.maximum(t, softmax(np, z)))
    error = np.abs(softmax_cross_entropy_gradient(np, z, t) - truth)
    assert (error <= allowed(z, goal=8) * unit).all()


@pytest.mark.parametrize("function", [logsumexp, log_softmax, softmax, softmax_complement])
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_on_dual_numbers(function, order):
    z = rows(np.float64, classes=4, count=20)
    direction = np.random.default_rng(2).normal(size=z.shape)
    found = derivatives(function, np, z, direction=direction)
    np.testing.assert_array_equal(found[0], function(np, z))
    for k in range(0, len(z), 5):
        at = slice(k, k + 1)

        # The derivative along a direction is that by s at s = 0 of f(z + s direction).
        def body(xp, s, at=at):
            row, way = (xp.to_balls(np.broadcast_to(x[at], (len(s), 4))) for x in (z, direction))
            return function(xp, row + s[:, None] * way)

        truth = to_float(derivative(body, np.zeros(1), order=order))
        # A mean of derivatives that cancel keeps the digits of its terms.
        np.testing.assert_allclose(found[order][at], truth, rtol=1e-10, atol=1e-14)


def test_class_by_class_derivatives_on_dual_numbers_keep_their_digits():
    z = np.asarray([[40.0, 0.0, 1.0], [0.5, 0.25, -3.0], [700.0, -30.0, 0.0]])
    for index in range(3):
        at = np.full(3, index)
        one_hot = np.eye(3)[at]
        for body, t in ((softmax_cross_entropy, one_hot), (softmax_cross_entropy_at, at)):
            hold(row_derivatives(body, np, z, t), z, one_hot)


INFINITE = [
    # logits, target, loss
    ([inf, 0.0, 1.0], 0, 0.0),
    ([inf, 0.0, 1.0], 1, inf),
    ([-inf, 0.0, 0.0], 0, inf),
    ([-inf, 0.0, 0.0], 1, math.log(2)),
    ([inf, inf, 0.0], 0, math.log(2)),
    ([inf, inf, 0.0], 2, inf),
    ([-inf, -inf, -inf], 1, math.log(3)),
    ([inf, -inf, 0.0], 0, 0.0),
    ([1e308, -1e308, 0.0], 0, 0.0),
    ([nan, 0.0, 0.0], 1, nan),
    ([nan, inf, 0.0], 1, nan),
]


@pytest.mark.parametrize(("z", "target", "loss"), INFINITE)
def test_infinite_logits(z, target, loss):
    z, index = np.asarray([z]), np.asarray([target])
    t = np.eye(3)[index]
    np.testing.assert_allclose(softmax_cross_entropy(np, z, t), [loss], rtol=1e-15)
    np.testing.assert_allclose(softmax_cross_entropy_at(np, z, index), [loss], rtol=1e-15)
    np.testing.assert_array_equal(
        np.isnan(softmax_cross_entropy_gradient(np, z, t)), np.isnan(z).any()
    )
    if not np.isnan(z).any():
        p = softmax(np, z)
        np.testing.assert_allclose(p.sum(), 1)
        np.testing.assert_array_equal(softmax_cross_entropy_gradient(np, z, t), p - t)
        assert np.isfinite(softmax_cross_entropy_hessian(np, z, t)).all()


def test_any_leading_axes_one_class_and_no_rows():
    z = np.random.default_rng(0).normal(size=(2, 3, 4))
    index = np.random.default_rng(1).integers(0, 4, (2, 3))
    t = np.eye(4)[index]
    flat = softmax_cross_entropy_at(np, z.reshape(6, 4), index.ravel())
    np.testing.assert_allclose(softmax_cross_entropy_at(np, z, index).ravel(), flat, rtol=1e-14)
    assert softmax_cross_entropy(np, z, t).shape == (2, 3)
    assert softmax_cross_entropy_at(np, z[0, 0], index[0, 0]).shape == ()
    assert softmax_cross_entropy_at(np, z[0, :, :1], np.zeros(3, int)).tolist() == [0, 0, 0]
    assert softmax(np, z[:0]).shape == (0, 3, 4)
    assert softmax_cross_entropy_at(np, z[0, :0], index[0, :0]).shape == (0,)


@pytest.mark.parametrize("function", [softmax, log_softmax, softmax_complement, logsumexp])
def test_arguments_are_not_written_to_and_dtypes_stay(function):
    z = rows(np.float32)
    z.flags.writeable = False
    assert function(np, z).dtype == np.float32
    index = np.zeros(len(z), int)
    assert softmax_cross_entropy_at(np, z, index).dtype == np.float32
    assert softmax_cross_entropy_gradient(np, z, targets(z)).dtype == np.float32


# Running log-sums and those of segments, on every number system.

STARTS = [0, 3, 4]
X = np.asarray([[1.0, -800.0, 700.0, 2.0, -np.inf, -np.inf], [0.5, 0.5, 0.25, -3.0, 40.0, 0.0]])
# The ends of sums: of the running ones all, of the segments three.
CASES = {
    "cumulative": (cumulative_logsumexp, [(0, k + 1) for k in range(6)]),
    "segment": (lambda xp, x: segment_logsumexp(xp, x, STARTS), [(0, 3), (3, 4), (4, 6)]),
}
each_sum = pytest.mark.parametrize(("function", "ends"), CASES.values(), ids=CASES)


def definition(x, ends):
    with np.errstate(divide="ignore"):
        wide = x.astype(np.longdouble)
        return np.stack([np.logaddexp.reduce(wide[:, i:j], axis=-1) for i, j in ends], -1)


@each_sum
def test_running_and_segment_sums(convert, function, ends):
    x = convert(X)
    found = np.asarray(function(namespace_of(x), x))
    np.testing.assert_allclose(found, definition(X, ends).astype(float), 1e-14)


@each_sum
def test_running_and_segment_sums_of_exact_and_dual_numbers(function, ends):
    exact = function(ExactNamespace(), ExactNamespace().to_balls(X))
    np.testing.assert_allclose(exact.astype(float), definition(X, ends).astype(float), 1e-14)
    _, gradient, _ = row_derivatives(lambda xp, x: function(xp, x)[..., -1], np, X[1:])
    i, j = ends[-1]
    shares = np.exp(X[1] - np.logaddexp.reduce(X[1, i:j]))
    shares[:i] = 0
    np.testing.assert_allclose(gradient[0], shares, 1e-14)
