"""The same primitives, and dual numbers, on the arrays of other libraries."""

import numpy as np
import pytest

from lossfw import numerics
from lossfw.numerics.arrays import namespace_of
from lossfw.numerics.dual.derivatives import derivatives, row_derivatives

ELEMENTWISE = (
    *("softplus", "sigmoid", "log_sigmoid", "log_cosh", "sech_squared", "log1p_minus"),
    *("expm1_minus", "sqrt1pm1", "hypot1m1", "log1p_square", "erf", "erfc", "normal_cdf"),
    *("normal_pdf", "positive_part", "log_normal_cdf", "normal_hazard", "normal_mean_excess"),
)
ROWS = ("softmax", "log_softmax", "softmax_complement", "logsumexp")


def close(found, expected):
    """Compare to a few ULPs: the functions of other libraries are their own."""
    found = np.asarray(found)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-300)


X = np.asarray([-40.0, -3.0, -0.5, -1e-9, 0.0, 1e-9, 0.3, 1.0, 2.5, 30.0])
Z = np.asarray([[1.0, 2.0, 3.0], [40.0, 0.0, -70.0], [np.inf, 0.0, 1.0], [0.5, 0.5, 0.5]])
INDEX = np.asarray([2, 0, 1, 1])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(convert, name):
    function = getattr(numerics, name)
    x = X[X >= -0.9] if name in ("log1p_minus", "sqrt1pm1") else X
    foreign = convert(x)
    xp = namespace_of(foreign)
    close(function(xp, foreign), function(np, x))
    for found, expected in zip(
        derivatives(function, xp, foreign), derivatives(function, np, x), strict=True
    ):
        close(found, expected)


@pytest.mark.parametrize("name", ROWS)
def test_rows(convert, name):
    function = getattr(numerics, name)
    foreign = convert(Z)
    close(function(namespace_of(foreign), foreign), function(np, Z))


def test_cross_entropy(convert):
    z, index, t = convert(Z), convert(INDEX), convert(np.eye(3)[INDEX])
    xp, one_hot = namespace_of(z), np.eye(3)[INDEX]
    close(
        numerics.softmax_cross_entropy_at(xp, z, index),
        numerics.softmax_cross_entropy_at(np, Z, INDEX),
    )
    for name in ("", "_gradient", "_hessian"):
        function = getattr(numerics, f"softmax_cross_entropy{name}")
        close(function(xp, z, t), function(np, Z, one_hot))
    finite = Z[[0, 1, 3]]
    for found, expected in zip(
        row_derivatives(numerics.logsumexp, xp, convert(finite)),
        row_derivatives(numerics.logsumexp, np, finite),
        strict=True,
    ):
        close(found, expected)


def test_products(convert):
    a, b = np.asarray([0.0, 2.0, 0.0]), np.asarray([np.inf, 3.0, 0.5])
    x, y = convert(a), convert(b)
    xp = namespace_of(x)
    close(numerics.multiply_or_zero(xp, x, y), np.asarray([0.0, 6.0, 0.0]))
    close(numerics.xlogy(xp, x, x), numerics.xlogy(np, a, a))
    close(numerics.quotient(xp, x, x), np.asarray([0.0, 1.0, 0.0]))
