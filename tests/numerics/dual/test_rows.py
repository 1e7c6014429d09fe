"""Derivatives of rows in one pass, held to one pass for each column and to 60 digits."""

import json
import math
import pathlib
import tracemalloc

import numpy as np
import pytest

import lossfw
from lossfw import SIMPLEX
from lossfw.check.core.subject import subject_of_component
from lossfw.losses.engine.probes import row_probes
from lossfw.numerics.dual import derivatives as module
from lossfw.numerics.dual.derivatives import row_derivatives
from lossfw.numerics.exact.namespace import namespace
from lossfw.numerics.exact.reference import reference
from lossfw.numerics.exact.ulp import to_float, ulp_error
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
    return usual, module._differentiate_by_columns(body, np, y, (t,), order)[-1]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", BODIES)
def test_a_row_is_finite_where_dual_numbers_are(name, order):
    found, by_columns = both_ways(name, order)
    finite = np.isfinite(found).all(axis=-1)
    np.testing.assert_array_equal(finite, np.isfinite(by_columns).all(axis=-1))
    assert finite.any()
    assert not np.signbit(found[found == 0]).any()


@pytest.mark.turns(2)
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
    monkeypatch.delattr(module, "_differentiate_by_columns")
    for name in set(BODIES) - (set(NOT_SPREAD) if order == 2 else set()):
        body, y, t = probes(name)
        row_derivatives(body, np, y, t, order=order)


@pytest.mark.parametrize("name", NOT_SPREAD)
def test_a_body_without_that_form_takes_a_pass_for_each_column(name):
    found, by_columns = both_ways(name, 2)
    np.testing.assert_array_equal(found, by_columns)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # It is not recorded.
        (lambda xp, y: xp.sum(xp.sort(y, axis=0) ** 2, axis=-1), [[2, 4, -6]]),
        # A part of it takes no class at all.
        (lambda xp, y: y[..., 0] ** 2 + xp.sum(y[..., 1:0] * y[..., 1:0], axis=-1), [[2, 0, 0]]),
    ],
)
def test_other_bodies_take_a_pass_for_each_class(body, expected):
    y = np.array([[1.0, 2.0, -3.0]])
    np.testing.assert_array_equal(row_derivatives(body, np, y, order=1)[1], expected)


GOLDEN = json.loads(pathlib.Path(__file__).with_name("rows_by_jax.json").read_text("utf-8"))


@pytest.mark.parametrize("name", GOLDEN["derivatives"])
def test_derivatives_are_those_of_jax(name):
    body, space, target_space = BODIES[name]
    y = np.array(GOLDEN["simplex" if space == SIMPLEX else "real"])
    t = np.array(GOLDEN["targets" if target_space == SIMPLEX else "other"])
    for order, by_jax in enumerate(np.array(GOLDEN["derivatives"][name]), start=1):
        found = row_derivatives(body, np, y, t, order=order)[-1]
        largest = np.abs(by_jax).max(axis=-1, keepdims=True)
        assert (np.abs(found - by_jax) <= 4e-15 * np.maximum(largest, 1.0)).all()


# Body, row, and gradient; the comment says what JAX 0.10.2 and PyTorch 2.13.0 return.
WHERE_RULES_DECIDE = {
    # NaN at 0, from the branch that is not taken.
    "a branch not taken": (
        lambda xp, y: xp.sum(xp.where(y > 0, xp.log(y), 0 * y), axis=-1),
        [0.0, 1.0, 2.0],
        [0.0, 1.0, 0.5],
    ),
    # NaN everywhere.
    "a norm of zeros": (lambda xp, y: xp.sqrt(xp.sum(y * y, axis=-1)), [0.0] * 3, [0.0] * 3),
    # The same.
    "a tie of the largest": (lambda xp, y: xp.max(y, axis=-1), [1.0, 1.0, 0.0], [0.5, 0.5, 0.0]),
    "a tie with a number": (
        lambda xp, y: xp.sum(xp.maximum(y, xp.zeros_like(y)), axis=-1),
        [0.0, 1.0, -1.0],
        [0.5, 1.0, 0.0],
    ),
    # The same: no rule says what 0 times infinity is where an element moves itself.
    "the square of a root": (
        lambda xp, y: xp.sum(xp.sqrt(y) ** 2, axis=-1),
        [0.0, 1.0, 4.0],
        [math.nan, 1.0, 1.0],
    ),
    "two branches not taken": (
        lambda xp, y: xp.sum(
            xp.where(y > 0, xp.log(y), 0 * y) + xp.where(y > 0, xp.log(y) ** 2, 0 * y), axis=-1
        ),
        [0.0, 1.0, 1.0],
        [0.0, 1.0, 1.0],
    ),
}


@pytest.mark.parametrize(
    ("body", "row", "expected"), WHERE_RULES_DECIDE.values(), ids=WHERE_RULES_DECIDE
)
@pytest.mark.parametrize("order", [1, 2])
def test_rules_decide_where_a_gradient_is_hard(body, row, expected, order):
    found = row_derivatives(body, np, np.array([row]), order=order)[1]
    np.testing.assert_array_equal(found, [expected])
    careful = module._differentiate_by_columns(body, np, np.array([row]), (), order)[1]
    np.testing.assert_array_equal(careful, [expected])


def test_exact_derivatives_of_rows_are_those_by_columns():
    xp = namespace(60)
    for body, space, target in BODIES.values():
        y, t = row_probes((space, target), np.dtype(float), 4, by_index=False)
        usual = (np.abs(y) < 100).all(axis=-1) & np.isfinite(t).all(axis=-1)
        y, t = (xp.to_balls(x[usual][:3]) for x in (y, t))
        for order in (1, 2):
            found = to_float(row_derivatives(body, xp, y, t, order=order)[-1])
            expected = to_float(module._differentiate_by_columns(body, xp, y, (t,), order)[-1])
            np.testing.assert_array_equal(found, expected)


def test_of_two_exact_columns_an_infinite_product_is_unknown():
    # 1 - p rounds to 0, and its power of -0.7 is infinite; the true derivative is 0.
    loss = lossfw.loss("categorical_focal", gamma=0.3, from_logits=True)
    y, t = np.array([[1e17, 0.0]]), np.array([[1.0, 0.0]])
    second = subject_of_component(loss).exact.derivatives(2, y, t)[1]
    assert not np.isinf(to_float(second)).any()


def test_an_infinite_derivative_of_an_exact_row_keeps_its_sign():
    def body(xp, y):
        a, b = y[..., 0], y[..., 1]
        return xp.sqrt(a + b - 2 * a)

    xp = namespace(60)
    row = xp.to_balls(np.array([[0.5, 0.5, 1.0]]))
    assert to_float(row_derivatives(body, xp, row, order=1)[1]).tolist() == [
        [-math.inf, math.inf, 0]
    ]


@pytest.mark.parametrize("name", ["nt_xent", "supervised_contrastive"])
def test_a_group_that_is_compared_with_itself_takes_little_memory(name):
    rng = np.random.default_rng(0)
    y, t = rng.normal(size=(100, 1)), np.repeat(np.arange(50), 2)
    tracemalloc.start()
    try:
        lossfw.loss(name).hessian(y, t)
        # By all columns at once it is 150 MB, and 3 GB with 300 rows.
        assert tracemalloc.get_traced_memory()[1] < 60 * 2**20
    finally:
        tracemalloc.stop()
