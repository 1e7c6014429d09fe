"""Gradients of rows in one pass, held to the passes of one class at a time and to 60 digits."""

import numpy as np
import pytest

from lossfw.losses.engine.probes import row_probes
from lossfw.numerics.dual import derivatives as module
from lossfw.numerics.dual.derivatives import row_derivatives
from lossfw.numerics.exact.reference import reference
from lossfw.numerics.exact.ulp import ulp_error
from support.row_bodies import BODIES

# Errors above this are those of a body that cancels, and of equal size in every order of products.
_LARGEST_ERROR = 1e3


def probes(name, columns=5):
    body, *spaces = BODIES[name]
    return body, *row_probes(tuple(spaces), np.dtype(float), columns, by_index=False)


@pytest.mark.parametrize("name", BODIES)
def test_a_row_is_finite_where_dual_numbers_are(name):
    body, y, t = probes(name)
    one_by_one = module._by_columns(body, np, y, (t,), 1)[1]
    gradient = row_derivatives(body, np, y, t, order=1)[1]
    finite = np.isfinite(gradient).all(axis=-1)
    np.testing.assert_array_equal(finite, np.isfinite(one_by_one).all(axis=-1))
    assert finite.any()
    assert not np.signbit(gradient[gradient == 0]).any()


def test_errors_of_all_bodies_together_are_no_larger():
    errors = {"passes": 0.0, "one pass": 0.0}
    for name in BODIES:
        body, y, t = probes(name)
        one_by_one = module._by_columns(body, np, y, (t,), 1)[1]
        gradient = row_derivatives(body, np, y, t, order=1)[1]
        chosen = np.flatnonzero(np.isfinite(gradient).all(axis=-1))[::17]
        truth = reference(body, (y[chosen], t[chosen]), 1, rows=True)
        for way, found in (("passes", one_by_one), ("one pass", gradient)):
            units = ulp_error(found[chosen], truth)
            errors[way] += np.minimum(units[np.isfinite(units)], _LARGEST_ERROR).sum()
    assert errors["one pass"] <= 1.1 * errors["passes"]


def test_a_body_that_is_recorded_takes_one_pass(monkeypatch):
    monkeypatch.delattr(module, "_by_columns")
    for name in BODIES:
        body, y, t = probes(name)
        row_derivatives(body, np, y, t, order=1)


def test_a_body_that_is_not_recorded_takes_a_pass_for_each_class():
    def body(xp, y):
        return xp.sum(xp.sort(y, axis=0) ** 2, axis=-1)

    y = np.array([[1.0, 2.0, -3.0]])
    np.testing.assert_array_equal(row_derivatives(body, np, y, order=1)[1], 2 * y)
