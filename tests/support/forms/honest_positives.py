"""Honest losses of numbers that are not negative: counts, rates, amounts."""

import math
from typing import Annotated

from pydantic import Field, PositiveFloat

from lossfw import COUNT, NONNEGATIVE, POSITIVE, PointwiseLoss
from support.forms.form import right, wrong

Power = Annotated[float, Field(gt=1, lt=2)]


def of_difference(xp, d, log):
    """Return ``d - log``, where `log` is the logarithm of 1 + d, by a series for a small d."""
    small = xp.abs(d) < 0.1
    s = xp.where(small, d, 0 * d)
    series = 1 / 15
    for k in range(14, 1, -1):
        series = 1 / k - s * series
    return xp.where(small, s * s * series, d - log)


@right("exp(z) - t z crosses 0, as its arguments do not determine more than 1e-16 of its terms")
class HonestPoissonOfLog(PointwiseLoss):
    """The Poisson likelihood of a log rate, as PyTorch has it."""

    target = COUNT

    def value(self, xp, z, t):
        return xp.exp(z) - t * z


@right("each term has its digits; where they cancel, y does not determine more")
class HonestPoisson(PointwiseLoss):
    """The Poisson likelihood of a rate."""

    prediction, target = POSITIVE, COUNT

    def value(self, xp, y, t):
        return y - t * xp.log(y)


@right("a series next to y = t, where y - t is exact")
class HonestPoissonDeviance(PointwiseLoss):
    """Twice the distance of log likelihoods; McCullagh and Nelder, 1989."""

    prediction, target = POSITIVE, POSITIVE

    def formula(self, xp, y, t):
        return 2 * (t * xp.log(t / y) - (t - y))

    def value(self, xp, y, t):
        return 2 * t * of_difference(xp, (y - t) / t, xp.log(y / t))


@right("a series next to y = t, where t - y is exact")
class HonestGammaDeviance(PointwiseLoss):
    """The deviance of the gamma distribution; McCullagh and Nelder, 1989."""

    prediction, target = POSITIVE, POSITIVE

    def formula(self, xp, y, t):
        return 2 * (t / y - 1 - xp.log(t / y))

    def value(self, xp, y, t):
        return 2 * of_difference(xp, (t - y) / y, xp.log(t / y))


@right("two powers, each with its digits; 1e-30^-2.3 = 1e69 is far from the largest float")
class HonestTweedie(PointwiseLoss):
    """The part of the Tweedie deviance that depends on the prediction, as LightGBM has it."""

    prediction, target = POSITIVE, NONNEGATIVE
    p: Power = 1.3

    def value(self, xp, y, t):
        of_target = -t * y ** (1 - self.p) / (1 - self.p)
        return of_target + y ** (2 - self.p) / (2 - self.p)


@right("z = -2500 is NaN for t = 0, and t = 1 has a loss above every float")
class TweedieOfLog(PointwiseLoss):
    """The same of a log mean, as XGBoost has it."""

    target = NONNEGATIVE
    p: Power = 1.3

    def value(self, xp, z, t):
        of_target = -t * xp.exp((1 - self.p) * z) / (1 - self.p)
        return of_target + xp.exp((2 - self.p) * z) / (2 - self.p)


@right("log1p keeps the digits; what the difference loses, y and t do not determine")
class HonestSquaredLog(PointwiseLoss):
    """The mean squared logarithmic error, before the mean."""

    prediction = target = NONNEGATIVE

    def formula(self, xp, y, t):
        return (xp.log(1 + y) - xp.log(1 + t)) ** 2

    def value(self, xp, y, t):
        return (xp.log1p(y) - xp.log1p(t)) ** 2


@right("y - t is exact where it is small")
class HonestPercentageError(PointwiseLoss):
    """The absolute percentage error."""

    target = POSITIVE

    def value(self, xp, y, t):
        return xp.abs((y - t) / t)


@wrong("float32, t = y = 1e4: terms of 9e4 have errors of 4e-3, and their difference is 25")
class NegativeBinomialAsPrinted(PointwiseLoss):
    """The negative binomial likelihood of a mean, r fixed; Hilbe, 2011."""

    prediction, target = POSITIVE, COUNT
    r: PositiveFloat = 2.5

    def value(self, xp, y, t):
        return (self.r + t) * xp.log(self.r + y) - t * xp.log(y) - self.r * math.log(self.r)
