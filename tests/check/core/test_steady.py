"""What cancellation leaves goes up and down; a mistake is steady."""

import numpy as np
import pytest

from lossfw import UNIT, Claims, DistanceLoss, PointwiseLoss
from lossfw.check import check
from lossfw.check.core.points import Points
from lossfw.check.core.steady import steady
from lossfw.check.core.subject import of_component


class Rounded(DistanceLoss):
    """sqrt(1 + r^2) - 1, as it is written."""

    def formula(self, xp, r):
        return r * r / (xp.sqrt(1 + r * r) + 1)

    def value(self, xp, r):
        return xp.sqrt(1 + r * r) - 1

    def claims(self):
        return Claims()


class Mistaken(Rounded):
    """It is 1 % too large."""

    def value(self, xp, r):
        return 1.01 * r * r / (xp.sqrt(1 + r * r) + 1)


class NearOne(PointwiseLoss):
    """1 % too large where the prediction is near 1."""

    prediction, target = UNIT, UNIT

    def formula(self, xp, y, t):
        return (1 - y) * (1 + t)

    def value(self, xp, y, t):
        return (1 - y) * (1 + t) * xp.where(y > 0.9, 1.01 + 0 * y, 1 + 0 * y)

    def claims(self):
        return Claims()


def found(loss, y, t):
    subject, points = of_component(loss), Points(np.asarray(y), np.asarray(t))
    exact = subject.exact.values(points.y, points.t).astype(float)
    errors = (subject.value(points.y, points.t) - exact) / np.abs(exact)
    return steady(subject, 0, points, errors)


@pytest.mark.parametrize("seed", range(5))
def test_rounding_is_not_steady(seed):
    # Between a tenth and the whole of these results is rounding.
    r = 10 ** np.random.default_rng(seed).uniform(-7.9, -7, 8)
    assert not found(Rounded(), r, np.zeros(8)).any()


def test_a_mistake_is_steady():
    r = 10.0 ** np.arange(-6, 2)
    assert found(Mistaken(), r, np.zeros(8)).all()


def test_numbers_near_a_bound_stay_near_it():
    assert found(NearOne(), 1 - 10.0 ** -np.arange(3, 7), np.full(4, 0.5)).all()


@pytest.mark.parametrize(
    ("loss", "expected"), [(Rounded, ("precision", "digits")), (Mistaken, ("value", "wrong"))]
)
def test_the_verdict_follows(loss, expected):
    refuted = check(loss(), only=["value", "precision"], within=(1e-6, 1e6)).refuted
    assert (refuted[0].check, refuted[0].grade) == expected
