"""Base class of deviances, and arithmetic with the ratio of two positive numbers.

A deviance depends, apart from its scale, only on the ratio of prediction and target, and has
a double zero where that is 1. The functions here keep its digits there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lossfw import POSITIVE, Array, LinkedLoss, Namespace, PointwiseBody, PointwiseLoss, Space
from lossfw.numerics import apply_where, polynomial

# Up to this s = (y - t) / (y + t), the ratio 4 of both numbers, a deviance is computed from
# their difference.
NEAR_ANGLE = 0.6

# 2 (atanh(s) - s) / s^3 as a quotient of polynomials in w = s^2, for s up to 0.6; by rational
# interpolation at Chebyshev's points with 80 digits. The error is below 3e-16, of a term that
# is at most a third of the sum.
_ATANH_TOP = (
    0.6666666666666666,
    -1.577821272997588,
    1.2955194819974247,
    -0.4251328327280352,
    0.0451154909838828,
    -0.00017945319007703795,
)
_ATANH_BOTTOM = (
    1.0,
    -2.966731909496378,
    3.29474694012208,
    -1.676424213838591,
    0.3776767252564444,
    -0.02831719851234165,
)

# More than the logarithm of any ratio of floats: times a target of 0 it is 0.
MORE_THAN_ANY_LOG = 2000.0

# Below this, u = y / t - 1 has lost so many digits of y / t that float32 would miss them.
_LEAST_RISE = -1.0 + 2.0**-27

# From here to its inverse the ratio of two numbers is a normal float.
LEAST = 1e-150


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


def half_angle(r: Array, total: Array) -> tuple[Array, Array]:
    """Return s = (y - t) / (y + t), and 2 (atanh(s) - s) / s up to `NEAR_ANGLE`.

    log(y / t) is 2 atanh(s).
    """
    s = r / total
    w = s * s
    return s, w * (polynomial(w, _ATANH_TOP) / polynomial(w, _ATANH_BOTTOM))


def plain_log_ratio(xp: Namespace, y: Array, t: Array) -> Array:
    """Return log(y / t) for float64 that was float32, with the digits of a small one."""
    u = (y - t) / t
    lost = (u < _LEAST_RISE) & (y > 0.0)
    return apply_where(xp, xp.log1p(u), lost, lambda xp, y, t: xp.log(y / t), y, t)


def distance(xp: Namespace, z: Array, t: Array) -> Array:
    """Return z - log(t), and infinity where t is 0."""
    return z - xp.log(t)


def finite(xp: Namespace, *terms: Array) -> tuple[Array, ...]:
    """Return terms that have a last digit, also where they overflow."""
    largest = float(xp.finfo(terms[0].dtype).max)
    return tuple(xp.clip(term, -largest, largest) for term in terms)
