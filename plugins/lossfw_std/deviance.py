"""Base class of deviances, and arithmetic with the ratio of two positive numbers.

A deviance depends, apart from its scale, on the ratio of prediction and target
alone, and has a double zero where that is 1. The functions here keep its digits
there, and where the ratio leaves the range of floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lossfw import POSITIVE, Array, LinkedLoss, Namespace, PointwiseBody, PointwiseLoss, Space
from lossfw.numerics import DoubleDouble, log_distance_words, polynomial, two_diff

# Up to this ratio of both numbers a deviance is computed from their difference.
NEAR_RATIO = 4.0

# (atanh(s) - s) / s^3 as a polynomial in w = s^2 for s up to 0.6, which is where
# both numbers have the ratio 4; by interpolation at Chebyshev's points with 60
# digits. The error is below 2e-17. (Its series is 1/3 + w/5 + w^2/7 + ...)
_ATANH_TAIL = (
    0.3333333333333333,
    0.2000000000000005,
    0.14285714285699147,
    0.11111111112895994,
    0.09090908980189669,
    0.07692311860091663,
    0.06666563125032386,
    0.058841439037462626,
    0.05240816344530276,
    0.04967553418909724,
    0.02932066123743538,
    0.11329359448919098,
    -0.24754689107601707,
    0.8532026778662715,
    -1.668822353565434,
    2.462471300781843,
    -2.144245734613091,
    0.9771649671097749,
)


class Deviance(LinkedLoss, PointwiseLoss):
    """A deviance, twice the log-likelihood that is lost by predicting y where t is.

    Derive, and write the functions of a `PointwiseLoss` for the mean y and those
    of a `LogMeanBody` for its logarithm.

    Parameters
    ----------
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.
    """

    prediction: ClassVar[Space] = POSITIVE
    link_name: ClassVar[str] = "exp"
    logit_parameters: ClassVar[Mapping[str, Any]] = {"link": "log"}

    link: Literal["identity", "log"] = "identity"


@dataclass(frozen=True)
class LogMeanBody(PointwiseBody):
    """The functions of a deviance of z, the logarithm of the mean."""

    loss: Deviance

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The deviance of the mean exp(z)."""
        return self.loss.formula(xp, xp.exp(z), t)


def near(y: Array, t: Array) -> Array:
    """Tell where the ratio of two numbers is below `NEAR_RATIO`."""
    return (y < NEAR_RATIO * t) & (t < NEAR_RATIO * y)


def half_angle(xp: Namespace, y: Array, t: Array, where: Array) -> tuple[Array, Array, Array]:
    """Return s = (y - t) / (y + t), its relative rounding error, and (atanh(s) - s) / s.

    log(y / t) is 2 atanh(s). The error is still to be added. Outside of `where`
    all three are 0.
    """
    one = xp.ones_like(t)
    # The sum of large numbers would overflow.
    half = xp.where(t > 1.0, 0.5 * one, one)
    a, b = xp.where(where, y * half, one), xp.where(where, t * half, one)
    total, lost = two_diff(xp, a, -b)
    s = (a - b) / total
    w = s * s
    return s, -lost / total, w * polynomial(w, _ATANH_TAIL)


def log_ratio(xp: Namespace, y: Array, t: Array) -> Array:
    """Return log(y / t), for a ratio far from 1 that may leave the range of floats."""
    larger, smaller = xp.where(y > t, y, t), xp.where(y > t, t, y)
    ratio = larger / smaller
    size = xp.where(xp.isinf(ratio), xp.log(larger) - xp.log(smaller), xp.log(ratio))
    return xp.where(y > t, size, -size)


def gap(xp: Namespace, y: Array, t: Array) -> Array:
    """Return (y - t) / y, also for an infinite y."""
    return xp.where(y > 2.0 * t, 1.0 - t / y, (y - t) / y)


def distance(xp: Namespace, z: Array, t: Array) -> DoubleDouble:
    """Return z - log(t), and z itself where t is 0."""
    positive = t > 0.0
    d = log_distance_words(xp, z, xp.where(positive, t, xp.ones_like(t)))
    # NaN is not positive and has to stay.
    return DoubleDouble(xp.where(t == 0.0, z, xp.where(positive, d.high, t)), d.low)
