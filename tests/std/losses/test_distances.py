"""Losses of the residual: extreme parameters, kinks in float32."""

import numpy as np
import pytest

import lossfw

SCALED = dict.fromkeys(("cauchy", "tukey", "welsch", "charbonnier", "geman_mcclure"), "c")
SCALED |= {"fair": "c", "huber": "delta", "pseudo_huber": "delta"}


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e10, 1e30])
@pytest.mark.parametrize("name", sorted(SCALED))
def test_no_scale_ends_in_a_traceback(name, scale):
    loss = lossfw.loss(name, **{SCALED[name]: scale})
    x = np.array([0.0, 1.0, -scale, scale / 3, 1e7 * scale])
    t = np.zeros_like(x)
    assert (loss(x, t, reduction="none") >= 0).all()
    assert not np.isnan([loss.gradient(x, t), loss.hessian(x, t)]).any()
    assert loss.claims().nonnegative
