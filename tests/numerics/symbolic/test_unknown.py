"""A test of NaN does not compute a value that nobody reads."""

import numpy as np
import pytest

from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.symbolic.trace import trace
from lossfw.numerics.symbolic.written import write

X = np.array([np.nan, -np.inf, -2.0, -1.0, -0.5, -0.0, 0.0, 0.3, 2.0, 800.0, np.inf])

# Bodies, and the operations that their derivatives do without.
BODIES = {
    "a logarithm": (lambda xp, x: 0.5 * xp.log1p(x * x) - 3.0, {"log1p"}),
    "of some numbers": (lambda xp, x: xp.log1p(x), {"log1p"}),
    "of positive ones": (lambda xp, x: 2.0 / xp.log(xp.abs(x)), set()),
    "a choice": (
        lambda xp, x: xp.where(x > 0, xp.log(x) + 1.0, xp.sqrt(xp.abs(x)) - 1.0),
        {"log"},
    ),
    "infinity less itself": (lambda xp, x: x * x - xp.exp(x), set()),
}


def hold(body):
    graph = trace(body, {"x": "float64"})
    with np.errstate(all="ignore"):
        expected = body(np, X)
        found = write(graph.without_rare_values(), None, "C").function(X)[0]
    np.testing.assert_array_equal(found, expected)
    return {graph.nodes[node_id].op for node_id in graph.live_nodes()}


@pytest.mark.parametrize("name", BODIES)
def test_a_derivative_is_nan_where_its_value_is(name):
    body, spared = BODIES[name]
    operations = hold(lambda xp, x: derivatives(body, xp, x, order=1)[1])
    assert not operations & spared


def test_a_value_that_is_read_is_computed():
    def both(xp, x):
        value = xp.log1p(x)
        return xp.where(xp.isnan(value), value, 2.0 * x) + value

    assert "log1p" in hold(both)
