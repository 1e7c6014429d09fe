"""Base class of deviances, and a function of the ratio that two of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lossfw import POSITIVE, Array, Namespace, PointwiseBody, PointwiseLoss, RawOutputLoss, Space


class Deviance(RawOutputLoss, PointwiseLoss):
    """A deviance, twice the log-likelihood that the prediction y loses against y = t.

    Derive, and write the functions of a `PointwiseLoss` for the mean y and those of a `LogMeanBody`
    for its logarithm.

    Parameters
    ----------
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.
    """

    prediction: ClassVar[Space] = POSITIVE
    output_activation: ClassVar[str] = "exp"
    raw_parameters: ClassVar[Mapping[str, Any]] = {"link": "log"}

    link: Literal["identity", "log"] = "identity"


@dataclass(frozen=True)
class LogMeanBody(PointwiseBody):
    """The functions of a deviance of z, the logarithm of the mean."""

    loss: Deviance

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The deviance of the mean exp(z)."""
        return self.loss.formula(xp, xp.exp(z), t)


def linear_minus_log(xp: Namespace, ratio: Array) -> Array:
    """Return ratio - 1 - log(ratio), which is at or above 0.

    Near 1 it has as many digits as the ratio determines, because both terms use the same rounded
    ratio.

    Examples
    --------
    >>> import numpy as np
    >>> linear_minus_log(np, np.asarray([1.0, 2.0])).round(6)
    array([0.      , 0.306853])
    """
    return (ratio - 1.0) - xp.log(ratio)
