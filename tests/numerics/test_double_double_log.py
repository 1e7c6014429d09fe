"""Logarithms of two words against mpmath."""

import math

import mpmath as mp
import numpy as np
import pytest

from lossfw.numerics.double_double import DoubleDouble
from lossfw.numerics.double_double_log import (
    exp_words,
    expm1_minus_words,
    expm1_words,
    log_distance_words,
    log_ratio_words,
    log_words,
    scale_words,
)
from lossfw.numerics.dual.derivatives import derivatives
from lossfw.numerics.exact.truth import evaluate
from lossfw.numerics.exact.ulp import to_float
from lossfw.numerics.log_difference import close_distance

inf, nan = math.inf, math.nan

RNG = np.random.default_rng(11)
WIDE = 10.0 ** RNG.uniform(-323, 308, 300)
NEAR_ONE = 1 + RNG.choice([-1, 1], 200) * 10.0 ** RNG.uniform(-16, -0.5, 200)
X = np.concatenate([WIDE, NEAR_ONE, [5e-324, 1.7e308, 1.0, 2.0, 0.75, 1.5, 1 + 2.0**-52]])


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(120):
        yield


def bits(words, truths):
    """Return how many bits of each sum of two words are right, at the least."""
    worst = inf
    for high, low, truth in zip(words.high.tolist(), words.low.tolist(), truths, strict=True):
        if truth == 0:
            assert high == low == 0
            continue
        error = abs((mp.mpf(high) + mp.mpf(low)) / truth - 1)
        if error:
            worst = min(worst, float(-mp.log(error, 2)))
    return worst


def exact(x):
    return [mp.mpf(v) for v in x.tolist()]


def test_a_logarithm_has_two_words():
    found = log_words(np, X)
    assert bits(found, [mp.log(x) for x in exact(X)]) > 66
    assert (np.abs(found.low) <= np.spacing(np.abs(found.high)) / 2).all()


def test_neighbours_have_a_ratio():
    close = X * (1 + RNG.choice([-1, 1], X.size) * 10.0 ** RNG.uniform(-16, 0, X.size))
    y = np.concatenate([np.nextafter(X[X < 1e308], inf), close[close > 0], RNG.permutation(X)])
    t = np.concatenate([X[X < 1e308], X[close > 0], X])
    truths = [mp.log(a / b) for a, b in zip(exact(y), exact(t), strict=True)]
    assert bits(log_ratio_words(np, y, t), truths) > 62


@pytest.mark.parametrize("reach", [(-17, -15), (-16, -3), (-3, 0)])
def test_the_float_next_to_a_logarithm_has_a_distance(reach):
    """As close as a float can be: then the difference has 53 bits less of the logarithm."""
    moved = 1 + RNG.choice([-1, 1], X.size) * 10.0 ** RNG.uniform(*reach, X.size)
    z = np.log(X) * moved
    truths = [a - mp.log(b) for a, b in zip(exact(z), exact(X), strict=True)]
    assert bits(log_distance_words(np, z, X), truths) > 52


def test_the_hardest_distance():
    # log(1 + u) = u - u^2 / 2 + u^3 / 3 for u = 2^-52; the first two make a float.
    t = np.array([1 + 2.0**-52])
    found = close_distance(np, np.array([2.0**-52 - 2.0**-105]), t)
    assert found.high[0] == pytest.approx(-(2.0**-156) / 3, rel=1e-15)


def test_ends_of_a_logarithm():
    high, low = log_words(np, np.array([0.0, inf]))
    assert high.tolist() == [-inf, inf]
    assert low.tolist() == [0, 0]
    assert np.isnan(log_words(np, np.array([nan])).high).all()
    high, low = log_distance_words(np, np.array([inf, -inf]), np.array([2.0, 2.0]))
    assert high.tolist() == [inf, -inf]
    assert low.tolist() == [0, 0]


def test_exponentials_take_the_second_word():
    high = np.concatenate([RNG.uniform(-700, 700, 100), RNG.uniform(-1, 1, 100)])
    low = RNG.uniform(-0.5, 0.5, 200) * np.spacing(np.abs(high))
    sums = [a + b for a, b in zip(exact(high), exact(low), strict=True)]
    truths = {
        exp_words: [mp.exp(s) for s in sums],
        expm1_words: [mp.expm1(s) for s in sums],
        expm1_minus_words: [mp.expm1(s) - s for s in sums],
    }
    for function, wanted in truths.items():
        found = function(np, DoubleDouble(high, low))
        np.testing.assert_allclose(found, [float(w) for w in wanted], rtol=5e-16)
    far = DoubleDouble(np.array([-inf, 800.0, inf]), np.array([0.0, 1e-14, 0.0]))
    assert exp_words(np, far).tolist() == [0, inf, inf]
    assert expm1_words(np, far).tolist() == [-1, inf, inf]


def test_scaling_keeps_two_words_or_is_infinite():
    d = DoubleDouble(np.array([10.1, -3.3, 1e300, inf]), np.array([1e-16, 0.0, 0.0, 0.0]))
    found = scale_words(np, 0.7, d)
    truths = [
        mp.mpf(0.7) * (mp.mpf(h) + mp.mpf(w)) for h, w in zip(d.high[:2], d.low[:2], strict=True)
    ]
    assert bits(DoubleDouble(found.high[:2], found.low[:2]), truths) > 100
    assert found.high[2:].tolist() == [0.7 * 1e300, inf]
    assert found.low[2:].tolist() == [0, 0]


def test_dual_numbers_have_the_derivatives_of_logarithms():
    y, t = np.array([0.5, 3.0, 1.0 + 1e-9]), np.array([2.0, 2.9, 1.0])
    for body, slope, bend in (
        (lambda xp, y: log_words(xp, y).high, 1 / y, -1 / y**2),
        (lambda xp, y: log_ratio_words(xp, y, t).high, 1 / y, -1 / y**2),
        (lambda xp, z: log_distance_words(xp, z, t).high, np.ones(3), np.zeros(3)),
    ):
        _, first, second = derivatives(body, np, y)
        np.testing.assert_allclose(first, slope, rtol=1e-12)
        np.testing.assert_allclose(second, bend, rtol=1e-6, atol=1e-12)


def test_exact_numbers_have_one_word():
    y, t = np.array([0.5, 3.0]), np.array([2.0, 2.9])
    ratio = evaluate(lambda xp, y, t: log_ratio_words(xp, y, t).high, y, t)
    assert to_float(ratio) == pytest.approx(np.log(y / t), rel=1e-14)
    distance = evaluate(lambda xp, z, t: sum(log_distance_words(xp, z, t)), y, t)
    assert to_float(distance) == pytest.approx(y - np.log(t), rel=1e-14)
