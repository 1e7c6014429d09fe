"""Tweedie's deviance near the target, far from it, and as far as promised, against mpmath."""

import itertools

import mpmath as mp
import numpy as np
import pytest

import lossfw
from lossfw.check import check

POWERS = (-20, -3, -1, -0.3, -1e-3, 0, 1, 1 + 2**-30, 1.2, 1.5, 1.75, 1.999999, 2, 2.5, 3, 7.5, 20)
EDGES = [1e-30, 3.65e-14, 1e-5, 0.5, 1.5, 3e5, 1.146e14, 1e30]


def truth(y, t, power, *, log, same):
    """Return value and derivatives, and the largest term of each; of a zero at the target 0."""
    y, t, p = mp.mpf(float(y)), mp.mpf(float(t)), mp.mpf(power)
    y = mp.exp(y) if log else y
    a, b, below = 1 - p, 2 - p, power < 0 and t < 0
    mean = y**b
    if same:
        value = mp.mpf(0)
    elif power == 0:
        value = (y - t) ** 2
    elif power == 1:
        value = 2 * ((t * mp.log(t / y) if t else 0) - t + y)
    elif power == 2:
        value = 2 * (mp.log(y / t) + t / y - 1)
    else:
        value = 2 * ((0 if below else t**b) / (a * b) - t * y**a / a + mean / b)
    other = t * y**a
    if log:
        derivative, terms = 2 * (mean - other), (2 * mean, 2 * other)
        second_derivative, second_derivatives = (
            2 * (b * mean - a * other),
            (2 * b * mean, 2 * a * other),
        )
    else:
        derivative, terms = 2 * (y - t) * y**-p, ()
        second_derivative, second_derivatives = (
            2 * y**-p * (a + p * (t / y)),
            (2 * a * y**-p, 2 * p * (t / y) * y**-p),
        )
    # The logarithm of the mean has few digits near the mean's own zero.
    values = (2 * mean, 2 * other, 2 * other * mp.log(y)) if log else ()
    return (value, derivative, second_derivative), (values, terms, second_derivatives)


def points(power, *, log):
    """Return two numbers of the promise, close ones, targets of 0 and below, and the edges."""
    rng = np.random.default_rng(int(1000 * abs(power)) + log)
    any_y, any_t, some = 10.0 ** rng.uniform(-30, 30, (3, 60))
    close = some * (1 + 10.0 ** rng.uniform(-15, -1, 60))
    y, t = (x.ravel() for x in np.meshgrid(EDGES, EDGES))
    y, t = np.concatenate([y, any_y, some]), np.concatenate([t, any_t, close])
    if power < 2:
        t[::31] = 0.0
    if power <= 0:
        t[::7] *= -1.0
    if log:
        y = np.log(y)
        y[-120::2] = rng.uniform(-80, 80, 60)
    return y, t


def is_right(result, order, y, t, power, *, log, units):
    """Tell whether a result is one of numbers within four units of both, give or take units."""

    def exact(y, t, power=power):
        wanted, terms = truth(y, t, power, log=log, same=not log and y == t)
        return wanted[order], max(map(abs, (*terms[order], wanted[order])))

    wanted, size = exact(y, t)
    allowed = units * mp.mpf(float(np.spacing(float(size))))
    if abs(mp.mpf(result) - wanted) <= allowed:
        return True
    gaps = [4 * np.spacing(x) if x else 0.0 for x in (y, t, power)]
    ways = itertools.product(*((-gap, 0.0, gap) for gap in gaps))
    moved = [exact(y + a, t + b, power + c)[0] for a, b, c in ways]
    # The least value is that of the target.
    if order == 0 and not log and abs(y - t) <= gaps[0] + gaps[1]:
        moved.append(mp.mpf(0))
    return min(moved) - allowed <= result <= max(moved) + allowed


@pytest.mark.turns(5)
@pytest.mark.parametrize("log", [False, True], ids=["identity", "log"])
@pytest.mark.parametrize("power", POWERS)
def test_a_result_is_right_wherever_it_is_promised(power, log):
    loss = lossfw.loss("tweedie_deviance", power=power, link="log" if log else "identity")
    y, t = points(power, log=log)
    promised = loss.prediction_range.contains(y) & loss.target_range.contains(t)
    assert promised.sum() > 20
    y, t = y[promised], t[promised]
    with np.errstate(all="ignore"):
        found = [f(np, y, t) for f in (loss._unreduced, loss._unreduced_gradient)]
        found.append(loss._unreduced_hessian(np, y, t))
    with mp.workprec(400):
        for i in range(len(y)):
            for order in range(3):
                result = float(found[order][i])
                given = (result, order, y[i], t[i], power)
                # An exponential has the rounding error of its argument.
                assert is_right(*given, log=log, units=100 if log else 20), given


def test_scikit_learn_has_the_same_deviance_of_targets_below_0():
    metrics = pytest.importorskip("sklearn.metrics")
    y, t = np.array([0.5, 2.0, 1.0, 3.0]), np.array([-1.5, 2.5, -0.25, 0.0])
    for power in (-3.0, -1.5, -0.3):
        loss = lossfw.loss("tweedie_deviance", power=power)
        wanted = metrics.mean_tweedie_deviance(t, y, power=power)
        assert loss(y, t) == pytest.approx(wanted, rel=1e-14)
        on_raw_outputs = lossfw.loss("tweedie_deviance", power=power, link="log")
        assert on_raw_outputs(np.log(y), t) == pytest.approx(wanted, rel=1e-14)


def test_the_square_over_a_variance_may_be_finite_where_twice_its_half_is_not():
    loss, y = lossfw.loss("heteroscedastic_gaussian_nll"), [[-1.1e154, -0.5]]
    with mp.workprec(400):
        square = (mp.mpf(-1.1e154) - mp.mpf(1.5)) ** 2 * mp.exp(mp.mpf(0.5))
        wanted = float(square / 2)
    assert loss(y, [1.5]) == pytest.approx(wanted, rel=1e-14)
    assert loss.gradient(y, [1.5])[0, 1] == pytest.approx(-wanted, rel=1e-14)
    assert loss.hessian(y, [1.5])[0, 1] == pytest.approx(wanted, rel=1e-14)


def test_the_mean_is_elicited_wherever_it_is_a_prediction():
    # Of targets on both sides of 0 the mean may be no prediction.
    loss = lossfw.loss("tweedie_deviance", power=-0.3)
    assert check(loss, only=("claim:elicits",), examples=20).ok
