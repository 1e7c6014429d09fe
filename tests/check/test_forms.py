"""Losses as people write them end with the exit code that their numbers deserve.

Some are what somebody writes on a first afternoon with a textbook at hand, some are mistakes that
numerical courses warn of. A check ends with 1 where a user is hurt: a NaN or an infinity where the
truth is finite within the promise, a broken claim or law, or a result that lacks digits which
somebody needs. A logarithm of a scale has the space REAL here: where its exponential is not a
float, neither is the loss of nearly every target, and a NaN at the others is a note.
"""

import math
from typing import Annotated

import pytest
from pydantic import Field, PositiveFloat

from lossfw import (
    BINARY,
    COUNT,
    POSITIVE,
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
from lossfw.numerics import log_cosh, quotient, sigmoid, softplus, xlogy

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


@wrong(
    "|r| has gradient 0 at 0 for dual numbers, so that the curvature there is 0 in the place of 1"
)
class LogCoshByAbs(DistanceLoss):
    """With the absolute value taken out, as Keras has it."""

    def formula(self, xp, r):
        return xp.log(xp.cosh(r))

    def value(self, xp, r):
        a = xp.abs(r)
        return a + xp.log1p(xp.exp(-2 * a)) - math.log(2)


@right("a power of a sigmoid times softplus: a product of numbers that keep their digits")
class HonestFocal(PointwiseLoss):
    """Lin et al., 2017, of a logit."""

    target = BINARY
    g: Annotated[float, Field(ge=2)] = 2.0

    def formula(self, xp, z, t):
        m = z * (2 * t - 1)
        p = 1 / (1 + xp.exp(-m))
        return -((1 - p) ** self.g) * xp.log(p)

    def value(self, xp, z, t):
        m = z * (2 * t - 1)
        return sigmoid(xp, -m) ** self.g * softplus(xp, -m)


@right("exp(z) - t z crosses 0, as its arguments do not determine more than 1e-16 of its terms")
class HonestPoissonOfLog(PointwiseLoss):
    """The Poisson likelihood of a log rate, as PyTorch has it."""

    target = COUNT

    def value(self, xp, z, t):
        return xp.exp(z) - t * z


@wrong("float32, t = y = 1e4: terms of 9e4 have errors of 4e-3, and their difference is 25")
class NegativeBinomialAsPrinted(PointwiseLoss):
    """The negative binomial likelihood of a mean, r fixed; Hilbe, 2011."""

    prediction, target = POSITIVE, COUNT
    r: PositiveFloat = 2.5

    def value(self, xp, y, t):
        return (self.r + t) * xp.log(self.r + y) - t * xp.log(y) - self.r * math.log(self.r)


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


@right("next to y = t two terms cancel to an error of 1e-16, of a loss that is nearly 0")
class HonestJensenShannon(CategoricalLoss):
    """Lin, 1991."""

    target = SIMPLEX

    def formula(self, xp, y, t):
        m = (y + t) / 2
        of_target = xlogy(xp, t, t) - xlogy(xp, t, m)
        return xp.sum(of_target + xlogy(xp, y, y) - xlogy(xp, y, m), axis=-1) / 2

    def value(self, xp, y, t):
        m = (y + t) / 2
        of_target = xlogy(xp, t, quotient(xp, t, m))
        return xp.sum(of_target + xlogy(xp, y, quotient(xp, y, m)), axis=-1) / 2


@wrong("exp(800) is infinite, and so is the loss; the truth is 800")
class LogOnePlusExp(MarginLoss):
    """log(1 + exp(-m)) as printed."""

    def value(self, xp, m):
        return xp.log(1 + xp.exp(-m))


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


@wrong("1e6 and 1e6 + 1: squares of 1e12 have errors of 1e-4, and the variance is 1/4")
class NaiveVariance(CategoricalLoss):
    """The mean of squares less the square of the mean."""

    prediction = target = REAL

    def formula(self, xp, y, t):
        d = y - xp.mean(y, axis=-1, keepdims=True)
        return xp.mean(d**2, axis=-1) + 0 * xp.sum(t, axis=-1)

    def value(self, xp, y, t):
        return xp.mean(y * y, axis=-1) - xp.mean(y, axis=-1) ** 2 + 0 * xp.sum(t, axis=-1)


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


@pytest.mark.turns(12)
@pytest.mark.parametrize(("form", "code", "why"), FORMS, ids=lambda x: getattr(x, "__name__", ""))
def test_a_check_of_a_form_ends_as_it_must(form, code, why):
    report = check(form())
    assert int(not report.ok) == code, f"{why}\n{report}"
