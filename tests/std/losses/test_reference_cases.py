"""Losses of columns and of groups, held to values of their definitions at 130 digits.

A loss is held to its cases as soon as it is registered.
"""

import mpmath
import numpy as np
import pytest

import lossfw
from lossfw.check.core.oracle import FLOOR
from support.reference_cases import CASES, spec_of

# In units in the last place of the value, and of the largest derivative.
VALUE_ULPS, GRADIENT_ULPS = 16, 64

# Relative errors of cases whose arguments do not determine more: of a time beside a scale of 2e-9,
# and of a prediction between two cuts that nearly meet.
BY_ARGUMENTS = {"lognormal_nll-6": 1e-6, "cumulative_link-6": 1e-12}

REGISTERED = {entry.name for entry in lossfw.registry().entries("loss")}


def arguments_of(case, loss):
    """Return prediction, target and options of a call: one group, or one row."""
    y = np.asarray(case["prediction"], float)
    columns = [np.asarray(column, float) for column in case["target"].values()]
    is_group = getattr(loss, "takes_groups", False)
    rows = len(y) if is_group else 1
    if not columns:
        t = np.zeros(rows)  # a loss that looks at the prediction alone
    elif len(columns) > 1:
        t = np.stack(columns, axis=-1)
    else:
        is_row = not is_group and loss.target_space.axes
        t = columns[0] if len(columns[0]) == rows and not is_row else columns[0][np.newaxis]
    if is_group:
        return y, t, {"group": np.zeros(rows, int)}
    return (y if loss.prediction_space.axes == 0 else y[np.newaxis]), t, {}


def unit(loss, scale, order):
    """Return the unit in the last place of a result, of a likelihood's value at least that of 1."""
    least = 0.0 if order or loss.claims().nonnegative else 1.0
    return np.spacing(max(abs(float(scale)), least))


cases = pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case["id"]) for case in CASES if spec_of(case)["name"] in REGISTERED],
)


@pytest.fixture(autouse=True)
def many_digits():
    with mpmath.workdps(60):
        yield


@cases
def test_value_and_gradient(case):
    loss = lossfw.loss(spec_of(case))
    y, t, options = arguments_of(case, loss)
    value, gradient = loss.value_and_gradient(y, t, reduction="sum", **options)
    true, derivatives = mpmath.mpf(case["value"]), np.vectorize(float)(case["gradient"])
    share, largest = BY_ARGUMENTS.get(case["id"], 0.0), np.abs(derivatives).max()
    allowed = VALUE_ULPS * unit(loss, true, 0) + share * abs(true)
    assert abs(mpmath.mpf(value) - true) <= allowed + FLOOR
    error = np.abs(gradient.reshape(derivatives.shape) - derivatives).max()
    assert error <= GRADIENT_ULPS * unit(loss, largest, 1) + share * largest


@cases
def test_exact_value(case):
    loss = lossfw.loss(spec_of(case))
    y, t, options = arguments_of(case, loss)
    true = mpmath.mpf(case["value"])
    exact = mpmath.mpf(loss.exact(y, t, **options).item())
    assert abs(exact - true) <= 1e-28 * abs(true)
