"""Losses of residual and margin at many parameters: their claims, and their derivatives."""

import numpy as np
import pytest

from lossfw.numerics.dual import derivatives as dual
from lossfw.numerics.exact import differences
from support.formulas import DISTANCES, MARGINS
from support.loss_settings import settings

each = pytest.mark.parametrize("loss", settings([*DISTANCES, *MARGINS]), ids=repr)


def numbers_of(loss):
    """Return the parameters that are numbers."""
    values = (getattr(loss, name) for name in type(loss).model_fields)
    return [value for value in values if type(value) is float]


def jumps(loss, place, order):
    """Tell whether a derivative of the formula differs on both sides of a place."""
    # The claim is a float, and the joint may lie between two of them.
    h = max(abs(place) * 2.0**-50, 1e-40)
    below, above = differences.derivative(loss.formula, [place - h, place + h], order=order)
    return abs(float(above - below)) > 1e-9


@each
def test_dual_numbers_find_the_written_derivatives(loss):
    x = np.array([-5.3, -1.7, -0.6, -0.013, 0.07, 0.35, 1.3, 4.4])
    with np.errstate(all="ignore"):
        value, first, second = dual.derivatives(loss.value, np, x)
        assert np.array_equal(value, loss.value(np, x))
        assert np.allclose(first, loss.derivative(np, x), rtol=1e-9, atol=1e-12)
        scale = np.abs(loss.second_derivative(np, x)).max()
        assert np.allclose(second, loss.second_derivative(np, x), rtol=1e-6, atol=1e-9 * scale)


@each
def test_dual_numbers_find_the_derivatives_of_the_formula_at_0(loss):
    """Where a function of abs(r) is smooth at 0, abs itself is not."""
    claims = loss.claims()
    _, first, second = dual.derivatives(loss.formula, np, np.zeros(1))
    if claims.breaks == ():
        assert first == pytest.approx(loss.derivative(np, np.zeros(1)), rel=1e-12)
    if claims.twice_smooth:
        assert second == pytest.approx(loss.second_derivative(np, np.zeros(1)), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each
def test_nan_stays_nan_and_infinity_makes_none(loss, dtype):
    x = np.array([np.nan, -np.inf, np.inf, 0.0, -0.0, np.finfo(dtype).max], dtype)
    with np.errstate(all="ignore"):
        for function in (loss.value, loss.derivative, loss.second_derivative):
            result = function(np, x)
            assert result.dtype == dtype
            assert np.isnan(result).tolist() == [True] + [False] * 5
        if loss.claims().nonnegative:
            assert (loss.value(np, x[1:]) >= 0).all()


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


@each
def test_breaks_are_where_the_derivatives_jump_and_nowhere_else(loss):
    claims = loss.claims()
    places = {0.0, 1.0, -1.0, *(s * v for v in numbers_of(loss) for s in (1, -1) if v > 0)}
    places |= {*(claims.breaks or ()), *(claims.second_breaks or ())}
    for place in sorted(places):
        if claims.breaks is not None:
            assert jumps(loss, place, 1) == (place in claims.breaks), place
        if claims.second_breaks is not None:
            assert jumps(loss, place, 2) == (place in claims.second_breaks), place


@each
def test_bodies_use_the_array_standard_alone(loss):
    strict = pytest.importorskip("array_api_strict")
    x = np.array([-5.3, -1.0, 0.0, 1e-3, 0.7, 1e6, np.inf, np.nan], np.float32)
    for function in (loss.value, loss.derivative, loss.second_derivative, loss.formula):
        with np.errstate(all="ignore"):
            wanted, found = function(np, x), np.asarray(function(strict, strict.asarray(x)))
        assert found.dtype == np.float32
        assert np.array_equal(wanted, found, equal_nan=True)
