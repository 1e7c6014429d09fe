"""Losses of residual and margin at many parameters: their claims, and their derivatives."""

import numpy as np
import pytest

from lossfw.numerics.dual import derivatives as dual
from support.formulas import DISTANCES, MARGINS
from support.loss_settings import settings

each = pytest.mark.parametrize("loss", settings([*DISTANCES, *MARGINS]), ids=repr)


def numbers_of(loss):
    """Return the parameters that are numbers."""
    values = (getattr(loss, name) for name in type(loss).model_fields)
    return [value for value in values if type(value) is float]


@each
def test_dual_numbers_find_the_written_derivatives(loss):
    x = np.array([-5.3, -1.7, -0.6, -0.013, 0.07, 0.35, 1.3, 4.4])
    with np.errstate(all="ignore"):
        value, first, second = dual.derivatives(loss.value, np, x)
        assert np.array_equal(value, loss.value(np, x))
        assert np.allclose(first, loss.derivative(np, x), rtol=1e-9, atol=1e-12)
        scale = np.abs(loss.second_derivative(np, x)).max()
        assert np.allclose(second, loss.second_derivative(np, x), rtol=1e-6, atol=1e-9 * scale)

    # Where a function of abs(r) is smooth at 0, abs itself is not.
    claims = loss.claims()
    _, first, second = dual.derivatives(loss.formula, np, np.zeros(1))
    if claims.breaks == ():
        assert first == pytest.approx(loss.derivative(np, np.zeros(1)), rel=1e-12)
    if claims.twice_smooth:
        assert second == pytest.approx(loss.second_derivative(np, np.zeros(1)), rel=1e-12)


@each
def test_constants_are_tight(loss):
    """No slope is above the Lipschitz constant, and one comes near it; likewise curvatures."""
    claims = loss.claims()
    size = max([1.0, *numbers_of(loss)])
    x = np.concatenate([np.linspace(-3, 3, 6_001) * s for s in (0.002, 0.05, 1, size)])
    x = np.concatenate([x, np.geomspace(1e-6, 1e9, 2_000), -np.geomspace(1e-6, 1e9, 2_000)])
    # Some curvatures are greatest in the limit at a joint.
    joints = np.array(claims.second_breaks or ())
    x = np.concatenate([x, np.nextafter(joints, -9), np.nextafter(joints, 9)])
    with np.errstate(all="ignore"):
        values, slopes = loss.value(np, x), loss.derivative(np, x)
        curvatures = loss.second_derivative(np, x)
    for constant, found in (
        (claims.lipschitz, slopes),
        (claims.gradient_lipschitz, curvatures),
    ):
        if constant is not None:
            assert 0.999 * constant <= np.abs(found).max() <= constant * (1 + 1e-12)
        else:
            assert np.abs(found).max() == 0 or np.abs(found).max() > 1e5 or claims.breaks
    if claims.strongly_convex is not None:
        assert curvatures.min() == pytest.approx(claims.strongly_convex, rel=1e-12)
    if claims.convex:
        assert curvatures.min() >= 0
    elif loss.name != "zero_one" and not claims.breaks:
        assert curvatures.min() < 0
    if claims.bounded is not None:
        assert 0.999 * claims.bounded <= values.max() <= claims.bounded * (1 + 1e-12)
