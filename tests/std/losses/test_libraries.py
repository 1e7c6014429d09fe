"""The losses of a prediction and a target on the arrays of PyTorch, JAX and the strict standard."""

import numpy as np
import pytest

import lossfw
from lossfw.numerics.arrays import namespace_of

LOSSES = [
    ("squared_log_error", {}, "mean"),
    ("absolute_percentage_error", {}, "mean"),
    ("absolute_percentage_error", {"floor": 0.5}, "mean"),
    *(
        (name, {**parameters, "link": link}, "mean" if link == "identity" else "real")
        for name, parameters in (
            ("poisson_deviance", {}),
            ("gamma_deviance", {}),
            ("tweedie_deviance", {"power": 1.5}),
            ("tweedie_deviance", {"power": 0.0}),
            ("tweedie_deviance", {"power": -0.3}),
            ("tweedie_deviance", {"power": 2.5}),
        )
        for link in ("identity", "log")
    ),
    *(
        ("binary_cross_entropy", {"guard": guard, "delta": 0.01}, "unit")
        for guard in ("normalised", "additive", "floor", "none")
    ),
    ("binary_cross_entropy", {"from_logits": True}, "real"),
    ("focal", {"gamma": 1.5, "alpha": 0.25}, "unit"),
    ("focal", {"gamma": 1.5, "alpha": 0.25, "from_logits": True}, "real"),
]

PREDICTIONS = {
    "mean": np.array([0.3, 1.0, 2.5, 40.0, 0.01]),
    "unit": np.array([0.3, 0.9, 0.5, 1e-3, 0.999]),
    "real": np.array([-3.0, 0.0, 1.5, 4.0, -0.25]),
}
MEANS = np.array([1.5, 1.0, 2.4, 3.0, 0.02])
SHARES = np.array([0.0, 1.0, 0.25, 1.0, 1.0])


def agree(found, expected, digits):
    found = np.asarray(found)
    assert found.dtype == expected.dtype
    tolerance = 1e-6 if expected.dtype == np.float32 else digits
    np.testing.assert_allclose(found, expected, rtol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "parameters", "kind"), LOSSES)
def test_bodies(convert, name, parameters, kind, dtype):
    loss = lossfw.loss(name, **parameters)
    y = PREDICTIONS[kind].astype(dtype)
    t = (SHARES if name in ("binary_cross_entropy", "focal") else MEANS).astype(dtype)
    foreign = convert(y), convert(t)
    with np.errstate(all="ignore"):
        for body in (loss.unreduced, loss.unreduced_gradient, loss.unreduced_hessian):
            # Without logarithms of two words their differences keep fewer digits.
            agree(body(namespace_of(*foreign), *foreign), body(np, y, t), 1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_of_mean_and_log_variance(convert, dtype):
    loss = lossfw.loss("heteroscedastic_gaussian_nll")
    y = np.array([[0.5, -1.0], [2.0, 3.0], [-1.0, 0.0]], dtype)
    t = np.array([1.0, 2.0, 0.5], dtype)
    foreign = convert(y), convert(t)
    for body in (loss.unreduced, loss.unreduced_gradient, loss.unreduced_hessian):
        agree(body(namespace_of(*foreign), *foreign), body(np, y, t), 1e-13)


@pytest.mark.parametrize("convert", ["torch", "jax"], indirect=True)
def test_calls(convert):
    for name, parameters, kind in LOSSES:
        loss, y = lossfw.loss(name, **parameters), PREDICTIONS[kind]
        t = SHARES if name in ("binary_cross_entropy", "focal") else MEANS
        assert float(loss(convert(y), convert(t))) == pytest.approx(loss(y, t), rel=1e-12)
        agree(loss.gradient(convert(y), convert(t)), loss.gradient(y, t), 1e-11)
    rows, t = np.array([[0.5, -1.0], [2.0, 3.0]]), np.array([1.0, 2.0])
    loss = lossfw.loss("heteroscedastic_gaussian_nll")
    assert float(loss(convert(rows), convert(t))) == pytest.approx(loss(rows, t), rel=1e-12)
    agree(loss.gradient(convert(rows), convert(t)), loss.gradient(rows, t), 1e-13)
