"""The secant of a mirrored loss, from the gradients that a round has computed already."""

import numpy as np
import pytest

import lossfw
from lossfw import Claims, DistanceLoss
from lossfw.learning.derivatives import derivatives
from lossfw.learning.secant import NEAR, secant, typical_distance
from lossfw.losses.engine.engine_mode import use_engine

GRADIENTS = []


class Lopsided(DistanceLoss):
    skew: float = 2.0

    def value(self, xp, r):
        return xp.where(r > 0, self.skew * (xp.sqrt(1.0 + r * r) - 1.0), xp.log1p(r * r))

    def derivative(self, xp, r):
        GRADIENTS.append(r.size)
        return xp.where(r > 0, self.skew * r / xp.sqrt(1.0 + r * r), 2.0 * r / (1.0 + r * r))

    def second_derivative(self, xp, r):
        return xp.ones_like(r)


class Symmetric(Lopsided):
    def value(self, xp, r):
        return xp.log1p(r * r)

    def derivative(self, xp, r):
        GRADIENTS.append(r.size)
        return 2.0 * r / (1.0 + r * r)

    def claims(self):
        return Claims(symmetric=True, nonnegative=True)


def rows():
    """Return predictions beside targets, some of them as good as equal, and some weights of 0."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=600)
    y = t + np.exp(2.0 * rng.normal(size=600)) * rng.choice([-1.0, 1.0], 600)
    y[:20] = t[:20]
    y[20:40] = t[20:40] * (1.0 + 1e-12)
    return y, t, np.where(np.arange(600) % 5, rng.random(600), 0.0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [Lopsided(), Symmetric(), lossfw.loss("quantile", q=0.8)])
def test_a_round_has_the_secant_of_both_sides(loss, weighted):
    y, t, w = rows()
    made = derivatives(loss, "bound")
    given = made.prepare_rows(y, t, w if weighted else None)
    gradients = given.compute(loss, "gradient")
    for has_kinks in (False, True):
        symmetric = isinstance(loss, Symmetric)
        found = secant(loss, given, gradients, symmetric=symmetric, has_kinks=has_kinks)
        a = np.maximum(np.abs(y - t), NEAR * (1.0 + np.abs(t)))
        up, down = (loss.gradient(t + side * a, t, reduction="none") for side in (1.0, -1.0))
        steepness = 0.5 * np.abs(up - down) * (w if weighted else 1.0)
        typical = typical_distance(a, steepness) if has_kinks else 0.0
        np.testing.assert_allclose(found, steepness / np.hypot(a, typical), rtol=1e-7)


@pytest.mark.parametrize(("loss", "times"), [(Lopsided(), 2), (Symmetric(), 1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_round_asks_for_each_gradient_once(loss, times, weighted):
    y, t, w = (x[40:] for x in rows())
    made = derivatives(loss, "bound")
    targets = made.prepare_targets(t, w + 0.5 if weighted else None)
    GRADIENTS.clear()
    with use_engine("tiles"):
        made(y, targets)
    assert sum(GRADIENTS) == times * len(y)


def test_an_infinite_prediction_does_not_hide_its_row():
    y, t, _ = rows()
    y[77] = np.inf
    with pytest.raises(lossfw.errors.DivergenceError, match="row 77"):
        derivatives(Lopsided(), "bound")(y, t)
