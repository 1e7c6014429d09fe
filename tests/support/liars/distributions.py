"""Liars about the distribution that a prediction names."""

import math

from lossfw import (
    REAL,
    Claims,
    Columns,
    DistanceLoss,
    DistributionLoss,
    PointwiseLoss,
    PromisedRange,
)
from lossfw.numerics import normal_cdf, normal_quantile
from support.liars.liar import Liar


class _Normal(DistributionLoss, DistanceLoss):
    """A predicted mean of a normal distribution of variance 1."""

    def value(self, xp, r):
        return 0.5 * r * r

    def quantile(self, xp, y, p):
        return y + normal_quantile(xp, p)

    def cdf(self, xp, y, x):
        return normal_cdf(xp, x - y)


class OfHalfTheVariance(_Normal):
    """Has quantiles of another distribution than its probabilities."""

    def quantile(self, xp, y, p):
        return y + math.sqrt(0.5) * normal_quantile(xp, p)


class TwiceTheCurvature(_Normal):
    """Expects the second derivative of r^2."""

    def expected_second_derivative(self, xp, y):
        return xp.full_like(y, 2.0)


class OfAnotherQuantile(_Normal):
    """Is least where its prediction is the quantile of 0.9, and not the mean."""

    def value(self, xp, r):
        return xp.where(r < 0, -0.9 * r, 0.1 * r)

    def claims(self):
        return Claims(strictly_proper=True)


class _LocationAndScale(DistributionLoss, PointwiseLoss):
    prediction, target = Columns.of(location=REAL, log_scale=REAL), REAL
    # Their plain formulas have no digits beyond.
    prediction_range = target_range = PromisedRange(1e-3, 10.0)

    def quantile(self, xp, y, p):
        return y.location + xp.exp(y.log_scale) * normal_quantile(xp, p)

    def cdf(self, xp, y, x):
        return normal_cdf(xp, (x - y.location) * xp.exp(-y.log_scale))


class AnyScale(_LocationAndScale):
    """The distance of the location, to which every scale is as good as the true one."""

    def value(self, xp, y, t):
        return xp.abs(y.location - t) + 0.0 * y.log_scale

    def claims(self):
        return Claims(strictly_proper=True)


LIARS = (
    Liar("component", "distribution:quantile", "half the variance", OfHalfTheVariance()),
    Liar("component", "distribution:curvature", "twice", TwiceTheCurvature()),
    Liar("loss", "claim:proper", "another quantile", OfAnotherQuantile(),
         ("claim:strictly_proper",)),
    Liar("loss", "claim:strictly_proper", "any scale", AnyScale())
)  # fmt: skip
