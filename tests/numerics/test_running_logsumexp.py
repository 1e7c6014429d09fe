"""Running log-sums and those of segments, on every number system."""

import numpy as np
import pytest

from lossfw.numerics import cumulative_logsumexp, segment_logsumexp
from lossfw.numerics.arrays import namespace_of
from lossfw.numerics.dual.derivatives import row_derivatives
from lossfw.numerics.exact.namespace import ExactNamespace

STARTS = [0, 3, 4]
X = np.asarray([[1.0, -800.0, 700.0, 2.0, -np.inf, -np.inf], [0.5, 0.5, 0.25, -3.0, 40.0, 0.0]])
# The ends of sums: of the running ones all, of the segments three.
CASES = {
    "cumulative": (cumulative_logsumexp, [(0, k + 1) for k in range(6)]),
    "segment": (lambda xp, x: segment_logsumexp(xp, x, STARTS), [(0, 3), (3, 4), (4, 6)]),
}
each = pytest.mark.parametrize(("function", "ends"), CASES.values(), ids=CASES)


def definition(x, ends):
    with np.errstate(divide="ignore"):
        wide = x.astype(np.longdouble)
        return np.stack([np.logaddexp.reduce(wide[:, i:j], axis=-1) for i, j in ends], -1)


@each
def test_values(convert, function, ends):
    x = convert(X)
    found = np.asarray(function(namespace_of(x), x))
    np.testing.assert_allclose(found, definition(X, ends).astype(float), 1e-14)


@each
def test_exact_and_dual_numbers(function, ends):
    exact = function(ExactNamespace(), ExactNamespace().to_balls(X))
    np.testing.assert_allclose(exact.astype(float), definition(X, ends).astype(float), 1e-14)
    _, gradient, _ = row_derivatives(lambda xp, x: function(xp, x)[..., -1], np, X[1:])
    i, j = ends[-1]
    shares = np.exp(X[1] - np.logaddexp.reduce(X[1, i:j]))
    shares[:i] = 0
    np.testing.assert_allclose(gradient[0], shares, 1e-14)
