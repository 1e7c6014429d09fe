"""What the deviances share: the link, and arithmetic with a ratio of two positive numbers.

A deviance depends, apart from its scale, on the ratio of prediction and target
alone, and has a double zero where that is 1. The functions here keep its digits
there, and where the ratio leaves the range of floats.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal, Self

from lossfw import PointwiseLoss
from lossfw.components.spaces import POSITIVE, Space
from lossfw.losses.base import Form
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.double_double import DoubleDouble
from lossfw.numerics.double_double_log import log_distance_words
from lossfw.numerics.error_free import two_diff
from lossfw.numerics.primitive import polynomial

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


class Deviance(PointwiseLoss):
    """A deviance, twice the log-likelihood that is lost by predicting y where t is.

    The base of its kind. Derive, and write the functions of a `PointwiseLoss`
    in both forms; those of logits take z = log y.

    Parameters
    ----------
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.
    """

    prediction: ClassVar[Space] = POSITIVE

    link: Literal["identity", "log"] = "identity"

    @property
    def input_form(self) -> Form:
        """``"logits"`` where predictions are logarithms of the mean."""
        return "logits" if self.link == "log" else "prediction"

    def link_activation(self) -> str | None:
        """The exponential, unless the loss has it within itself."""
        return "exp" if self.link == "identity" else None

    def on_logits(self) -> Self | None:
        """The same as a function of the logarithm of the mean; None if it is one."""
        return self.replace(link="log") if self.link == "identity" else None

    def formula_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The deviance of the mean exp(z)."""
        return self.formula(xp, xp.exp(z), t)

    @abstractmethod
    def value_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Return the deviance of the mean exp(z)."""


def near(y: Array, t: Array) -> Array:
    """Tell where the ratio of two numbers is below `NEAR_RATIO`."""
    return (y < NEAR_RATIO * t) & (t < NEAR_RATIO * y)


def half_angle(xp: Namespace, y: Array, t: Array, where: Array) -> tuple[Array, Array, Array]:
    """Return s = (y - t) / (y + t), the part of it that is still to be added, and a tail.

    log(y / t) is 2 atanh(s). The part is what rounding the sum took; the tail is
    (atanh(s) - s) / s. Outside of `where` all of them are 0.
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
