"""Derivatives of rows in one pass, held to one pass for each column and to 60 digits."""

import numpy as np
import pytest

from lossfw.losses.engine.probes import row_probes
from lossfw.numerics.dual import derivatives as module
from lossfw.numerics.dual.derivatives import row_derivatives
from lossfw.numerics.exact.reference import reference
from lossfw.numerics.exact.ulp import ulp_error
from support.row_bodies import BODIES, NOT_SPREAD

# Errors above this are those of a body that cancels, and of equal size in every order of products.
_LARGEST_ERROR = 1e3


def probes(name, columns=5):
    body, *spaces = BODIES[name]
    return body, *row_probes(tuple(spaces), np.dtype(float), columns, by_index=False)


def both_ways(name, order):
    """Return the last derivative by the usual way and by a pass for each column."""
    body, y, t = probes(name)
    usual = row_derivatives(body, np, y, t, order=order)[-1]
    return usual, module._by_columns(body, np, y, (t,), order)[-1]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", BODIES)
def test_a_row_is_finite_where_dual_numbers_are(name, order):
    found, by_columns = both_ways(name, order)
    finite = np.isfinite(found).all(axis=-1)
    np.testing.assert_array_equal(finite, np.isfinite(by_columns).all(axis=-1))
    assert finite.any()
    assert not np.signbit(found[found == 0]).any()


@pytest.mark.parametrize("order", [1, 2])
def test_errors_of_all_bodies_together_are_no_larger(order):
    errors = {"one pass": 0.0, "by columns": 0.0}
    for name, (body, *_) in BODIES.items():
        _, y, t = probes(name)
        for way, found in zip(errors, both_ways(name, order), strict=True):
            chosen = np.flatnonzero(np.isfinite(found).all(axis=-1))[::17]
            truth = reference(body, (y[chosen], t[chosen]), order, rows=True)
            units = ulp_error(found[chosen], truth)
            errors[way] += np.minimum(units[np.isfinite(units)], _LARGEST_ERROR).sum()
    assert errors["one pass"] <= 1.1 * errors["by columns"]


@pytest.mark.parametrize("order", [1, 2])
def test_a_body_that_is_recorded_takes_one_pass(monkeypatch, order):
    monkeypatch.delattr(module, "_by_columns")
    for name in set(BODIES) - (set(NOT_SPREAD) if order == 2 else set()):
        body, y, t = probes(name)
        row_derivatives(body, np, y, t, order=order)


@pytest.mark.parametrize("name", NOT_SPREAD)
def test_a_body_without_that_form_takes_a_pass_for_each_column(name):
    found, by_columns = both_ways(name, 2)
    np.testing.assert_array_equal(found, by_columns)


def test_a_body_that_is_not_recorded_takes_a_pass_for_each_class():
    def body(xp, y):
        return xp.sum(xp.sort(y, axis=0) ** 2, axis=-1)

    y = np.array([[1.0, 2.0, -3.0]])
    np.testing.assert_array_equal(row_derivatives(body, np, y, order=1)[1], 2 * y)


def test_a_body_may_take_no_class_at_all():
    def body(xp, y):
        return y[..., 0] ** 2 + xp.sum(y[..., 1:0] * y[..., 1:0], axis=-1)

    y = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(row_derivatives(body, np, y, order=1)[1], [[2, 0], [6, 0]])
