"""Losses of residual and margin against plain mpmath: values, derivatives, formulas, claims."""

import mpmath as mp
import numpy as np
import pytest

import lossfw
from lossfw.numerics.dual import derivatives as dual
from lossfw.numerics.exact.namespace import ExactNamespace, exact_array
from support.elementwise_truth import DISTANCE, MARGIN, OTHERS, exactly, worst

ALL = {**DISTANCE, **MARGIN}

# Every loss at its defaults and at some other parameters.
CASES = [
    pytest.param(name, truth, parameters, id=f"{name}-{','.join(map(str, parameters.values()))}")
    for name, (truth, defaults) in ALL.items()
    for parameters in (defaults, *OTHERS.get(name, ()))
]
PLACES = [-700.5, -6.1, -1.7, -0.6, -1.3e-3, 1e-8, 0.07, 0.45, 1.3, 4.4, 31.0, 2e3]


def joints(claims):
    return [np.array([joint]) for joint in claims.second_breaks or ()]


def value_at(truth, parameters, x):
    return truth(x, **exactly(parameters))[0]


@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_the_truth_of_these_tests_differentiates_itself(name, truth, parameters):
    for place in PLACES:
        x = mp.mpf(place)
        _, first, second = truth(x, **exactly(parameters))
        h = abs(x) * mp.mpf(10) ** -20
        below, middle, above = (value_at(truth, parameters, x + k * h) for k in (-1, 0, 1))
        scale = max(abs(middle / x), mp.mpf(10) ** -300)
        assert abs((above - below) / (2 * h) - first) <= 1e-12 * max(abs(first), scale * 1e-9)
        bend = (above - 2 * middle + below) / h**2
        assert abs(bend - second) <= 1e-9 * max(abs(second), abs(first / x), scale * 1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_right_to_the_last_digits(name, truth, parameters, dtype):
    loss = lossfw.loss(name, **parameters)
    value, first, second = worst(loss, truth, parameters, dtype, count=24)
    assert value[0] <= 4, value
    assert first[0] <= 4, first
    assert second[0] <= 8, second


@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_the_formula_is_the_definition(name, truth, parameters):
    loss = lossfw.loss(name, **parameters)
    places = [p for p in PLACES if abs(p) < 100]
    # A float parameter that was rounded, as 1 - q may be, would show at once.
    results = loss.formula(ExactNamespace(150), exact_array(places, 150))
    for place, result in zip(places, results, strict=True):
        wanted = value_at(truth, parameters, mp.mpf(place))
        assert mp.almosteq(mp.mpf(str(result)), wanted, 1e-15, mp.mpf(10) ** -150)


@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_dual_numbers_find_the_written_derivatives(name, truth, parameters):
    loss = lossfw.loss(name, **parameters)
    x = np.array([-5.3, -1.7, -0.6, -0.013, 0.07, 0.35, 1.3, 4.4])
    with np.errstate(all="ignore"):
        value, first, second = dual.derivatives(loss.value, np, x)
        assert np.array_equal(value, loss.value(np, x))
        assert np.allclose(first, loss.derivative(np, x), rtol=1e-9, atol=1e-12)
        scale = np.abs(loss.second_derivative(np, x)).max()
        assert np.allclose(second, loss.second_derivative(np, x), rtol=1e-6, atol=1e-9 * scale)


@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_dual_numbers_find_the_derivatives_of_the_formula_at_0(name, truth, parameters):
    """Where a function of abs(r) is smooth at 0, abs itself is not."""
    loss = lossfw.loss(name, **parameters)
    claims = loss.claims()
    _, first, second = dual.derivatives(loss.formula, np, np.zeros(1))
    if claims.breaks == ():
        assert first == pytest.approx(loss.derivative(np, np.zeros(1)), rel=1e-12)
    if claims.twice_smooth:
        assert second == pytest.approx(loss.second_derivative(np, np.zeros(1)), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_nan_stays_nan_and_infinity_makes_none(name, truth, parameters, dtype):
    loss = lossfw.loss(name, **parameters)
    x = np.array([np.nan, -np.inf, np.inf, 0.0, -0.0, np.finfo(dtype).max], dtype)
    with np.errstate(all="ignore"):
        for function in (loss.value, loss.derivative, loss.second_derivative):
            result = function(np, x)
            assert result.dtype == dtype
            assert np.isnan(result).tolist() == [True] + [False] * 5
        if loss.claims().nonnegative:
            assert (loss.value(np, x[1:]) >= 0).all()


@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_constants_are_tight(name, truth, parameters):
    """No slope is above the Lipschitz constant, and one comes near it; likewise curvatures."""
    loss = lossfw.loss(name, **parameters)
    claims = loss.claims()
    size = max([1.0, *(v for v in parameters.values() if not isinstance(v, bool))])
    x = np.concatenate([np.linspace(-3, 3, 6_001) * s for s in (0.002, 0.05, 1, size)])
    x = np.concatenate([x, np.geomspace(1e-6, 1e9, 2_000), -np.geomspace(1e-6, 1e9, 2_000)])
    # Some curvatures are greatest in the limit at a joint.
    x = np.concatenate([x, *(np.nextafter(joint, s) for s in (-9, 9) for joint in joints(claims))])
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
    elif name != "zero_one" and not claims.breaks:
        assert curvatures.min() < 0
    if claims.bounded is not None:
        assert 0.999 * claims.bounded <= values.max() <= claims.bounded * (1 + 1e-12)


@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_breaks_are_where_the_derivatives_jump_and_nowhere_else(name, truth, parameters):
    claims = lossfw.loss(name, **parameters).claims()
    places = {0.0, 1.0, -1.0, *(s * v for v in parameters.values() for s in (1, -1) if v > 0)}
    places |= {*(claims.breaks or ()), *(claims.second_breaks or ())}
    for place in sorted(places):
        x = mp.mpf(place)
        # The claim is a float, and the joint may lie between two of them.
        h = max(abs(x) * mp.mpf(2) ** -50, mp.mpf(10) ** -40)
        below, above = (truth(x + k * h, **exactly(parameters)) for k in (-1, 1))
        jumps = [abs(a - b) > 1e-9 for a, b in zip(above, below, strict=True)]
        if claims.breaks is not None:
            assert jumps[1] == (place in claims.breaks), place
        if claims.second_breaks is not None:
            assert jumps[2] == (place in claims.second_breaks), place


@pytest.mark.parametrize(("name", "truth", "parameters"), CASES)
def test_bodies_use_the_array_standard_alone(name, truth, parameters):
    strict = pytest.importorskip("array_api_strict")
    loss = lossfw.loss(name, **parameters)
    x = np.array([-5.3, -1.0, 0.0, 1e-3, 0.7, 1e6, np.inf, np.nan], np.float32)
    for function in (loss.value, loss.derivative, loss.second_derivative, loss.formula):
        with np.errstate(all="ignore"):
            wanted, found = function(np, x), np.asarray(function(strict, strict.asarray(x)))
        assert found.dtype == np.float32
        assert np.array_equal(wanted, found, equal_nan=True)
