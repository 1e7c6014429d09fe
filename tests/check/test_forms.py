"""Losses as people write them end with the exit code that their numbers deserve.

Some are what somebody writes on a first afternoon with a textbook at hand, some are mistakes that
numerical courses warn of. A check ends with 1 where a user is hurt: a NaN or an infinity where the
truth is finite within the promise, a broken claim or law, or a result that lacks digits which
somebody needs. A logarithm of a scale has the space REAL here: where its exponential is not a
float, neither is the loss of nearly every target, and a NaN at the others is a note.
"""

import math

import pytest
from pydantic import PositiveFloat

from lossfw import (
    BINARY,
    COUNT,
    REAL,
    SIMPLEX,
    UNIT,
    CategoricalLoss,
    Claims,
    Columns,
    DistanceLoss,
    MarginLoss,
    PointwiseLoss,
)
from lossfw.check import check
from lossfw.numerics import log_cosh, quotient, sigmoid, xlogy

# Each with its exit code and what it loses, in numbers.
FORMS = []


def _ending(code):
    def with_reason(why):
        def keep(cls):
            FORMS.append((cls, code, why))
            return cls

        return keep

    return with_reason


right, wrong = _ending(0), _ending(1)


@wrong("NaN < 1 is false: a prediction of NaN costs c^2 / 6, and breaks a law")
class TukeyByWhere(DistanceLoss):
    """The biweight of Beaton and Tukey, 1974."""

    c: PositiveFloat = 4.685

    def formula(self, xp, r):
        u = (r / self.c) ** 2
        return self.c**2 / 6 * xp.where(u < 1, 1 - (1 - u) ** 3, xp.ones_like(u))

    def value(self, xp, r):
        u = (r / self.c) ** 2
        u = xp.where(u < 1, u, xp.ones_like(u))
        return self.c**2 / 6 * u * (3 - u * (3 - u))


@right("exp(z) - t z crosses 0, as its arguments do not determine more than 1e-16 of its terms")
class HonestPoissonOfLog(PointwiseLoss):
    """The Poisson likelihood of a log rate, as PyTorch has it."""

    target = COUNT

    def value(self, xp, z, t):
        return xp.exp(z) - t * z


@right("log_var = -800 and t = mean is NaN, and any other t has a loss above every float")
class GaussianOfLogVariance(PointwiseLoss):
    """Nix and Weigend, 1994."""

    prediction = Columns.of(mean=REAL, log_var=REAL)
    target = REAL

    def value(self, xp, y, t):
        return (y.log_var + (t - y.mean) ** 2 * xp.exp(-y.log_var)) / 2


@wrong("y = 0, t = 1: the gradient is 0 times infinity, and a NaN at legal numbers breaks a law")
class DivergenceByQuotient(CategoricalLoss):
    """Kullback and Leibler, 1951."""

    target = SIMPLEX

    def formula(self, xp, y, t):
        return xp.sum(xlogy(xp, t, t) - xlogy(xp, t, y), axis=-1)

    def value(self, xp, y, t):
        return xp.sum(xlogy(xp, t, quotient(xp, t, y)), axis=-1)


class OfProbability(PointwiseLoss):
    """Abstract: the textbook's binary cross-entropy."""

    prediction, target = UNIT, BINARY

    def formula(self, xp, y, t):
        return -xlogy(xp, t, y) - xlogy(xp, 1 - t, 1 - y)


@wrong(
    "a perfect prediction, y = t = 1, costs 1e-7 with gradient 0; the truth is 0 with gradient -1"
)
class ClippedLog(OfProbability):
    """Probabilities clipped at 1e-7, as in Keras."""

    def value(self, xp, y, t):
        y = xp.clip(y, 1e-7, 1 - 1e-7)
        return -t * xp.log(y) - (1 - t) * xp.log1p(-y)


@right("all digits go where y is below 1e-16, of a loss of y (float32: below 1e-7)")
class LogOneMinusP(OfProbability):
    """log(1 - y) for a small y: log1p is forgotten."""

    def value(self, xp, y, t):
        return self.formula(xp, y, t)


@wrong("7 digits are right where a caller with float64 has 16")
class InSingle(CategoricalLoss):
    """Squares added in float32."""

    prediction = target = REAL

    def formula(self, xp, y, t):
        return xp.sum((y - t) ** 2, axis=-1)

    def value(self, xp, y, t):
        return xp.astype(xp.sum(xp.astype((y - t) ** 2, xp.float32), axis=-1), y.dtype)


@wrong("off by 1.9e-8 from |r| = 1 on, of a loss of 0.43 there")
class SeventhDigit(DistanceLoss):
    """log 2 with seven digits."""

    def formula(self, xp, r):
        return xp.log(xp.cosh(r))

    def value(self, xp, r):
        a = xp.abs(r)
        far = a + xp.log1p(xp.exp(-2 * a)) - 0.6931472
        return xp.where(a < 1, log_cosh(xp, a), far)


@right("12 digits are right everywhere")
class TwelfthDigit(DistanceLoss):
    """A constant with 12 digits."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return r * r * (1 + 1e-12)


@right("0 for a loss of exp(-m), from m = 37 on (float32: 17)")
class SigmoidSaturates(MarginLoss):
    """1 - sigmoid(m)."""

    def formula(self, xp, m):
        return 1 / (1 + xp.exp(m))

    def value(self, xp, m):
        return 1 - sigmoid(xp, m)


@right("a gradient is a difference of two results, which may be 4 units off each")
class LipschitzByOne(DistanceLoss):
    """A Lipschitz constant that is a unit too small."""

    def value(self, xp, r):
        return xp.abs(r) * 0.7

    def claims(self):
        return Claims(lipschitz=math.nextafter(0.7, 0))


@pytest.mark.turns(6)
@pytest.mark.parametrize(("form", "code", "why"), FORMS, ids=lambda x: getattr(x, "__name__", ""))
def test_a_check_of_a_form_ends_as_it_must(form, code, why):
    report = check(form())
    assert int(not report.ok) == code, f"{why}\n{report}"
