"""Liars about the distribution that a prediction names."""

import math

from lossfw import Claims, DistanceLoss, DistributionLoss
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


LIARS = (
    Liar("component", "distribution:quantile", "half the variance", OfHalfTheVariance()),
    Liar("component", "distribution:curvature", "twice", TwiceTheCurvature()),
    Liar(
        "loss", "claim:proper", "another quantile", OfAnotherQuantile(), ("claim:strictly_proper",)
    ),
)
