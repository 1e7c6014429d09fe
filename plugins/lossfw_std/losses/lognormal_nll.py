"""The negative log-likelihood of the lognormal distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from lossfw import LOG, POSITIVE, Array, Claims, Columns, DistributionLoss, Namespace, Space
from lossfw.numerics import (
    normal_cdf,
    normal_quantile,
    zero_or_nan,
)
from lossfw_std.likelihood import Likelihood

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class LognormalNll(DistributionLoss, Likelihood):
    r"""Lognormal negative log-likelihood, log(t s) + log(2 pi) / 2 + z^2 / 2 with log t = m + s z.

    Use it when targets are positive and vary by factors, as prices and durations do, and the model
    predicts how widely they vary.

    The prediction has shape (..., 2): in each row the location m, the mean of log t, and the
    logarithm of the scale s, the standard deviation of log t. The target has shape (...) and is
    above 0. One loss per row.

    Notes
    -----
    The median is exp(m), and the mean exp(m + s^2 / 2). It has no lower bound, so its accuracy is
    that of a value of 1. Not convex in the row, although it is in m.

    Source: Aitchison and Brown, *The Lognormal Distribution*, 1957; Johnson, Kotz and
    Balakrishnan, *Continuous Univariate Distributions* 1, 2nd edition, 1994, chapter 14.

    See Also
    --------
    heteroscedastic_gaussian_nll : the same of log t, with a log variance.
    weibull_nll : of durations whose hazard rises or falls as a power.

    Examples
    --------
    >>> LognormalNll()([[0.0, 0.0], [1.0, 0.0]], [1.0, 2.0], reduction="none").round(6)
    array([0.918939, 1.659165])
    >>> LognormalNll().quantiles([[0.0, 0.0]], [0.5, 0.975]).round(3)
    array([[1.   , 7.099]])
    """

    prediction: ClassVar[Space] = Columns.of(location=LOG, log_scale=LOG)
    target: ClassVar[Space] = POSITIVE

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        z = (xp.log(t) - y.location) / xp.exp(y.log_scale)
        return xp.log(t) + y.log_scale + xp.log(2 * xp.pi * xp.ones_like(t)) / 2 + z * z / 2

    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return log t, the logarithm of the scale, z and 1 / s."""
        m, s, t = columns
        # Of the ratio the logarithm has digits that a difference has lost.
        distance, inverse = xp.log(t * xp.exp(-m)), xp.exp(-s)
        return distance + m, s, distance * inverse, inverse

    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        log, s, z, _ = parts
        return (log + s + _HALF_LOG_TWO_PI) + 0.5 * z * z

    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """-z / s by the location, and 1 - z^2 by the log scale."""
        _, _, z, inverse = parts
        return -z * inverse, 1.0 - z * z

    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """1 / s^2, and 2 z^2."""
        _, _, z, inverse = parts
        return inverse * inverse + zero_or_nan(xp, z), 2.0 * z * z

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """exp(m + s q) with the normal quantile q."""
        return xp.exp(y.location + xp.exp(y.log_scale) * normal_quantile(xp, p))

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """The normal distribution function of z; 0 up to 0."""
        some = xp.where(x > 0, x, xp.ones_like(x))
        z = (xp.log(some) - y.location) * xp.exp(-y.log_scale)
        return xp.where(x > 0, normal_cdf(xp, z), xp.zeros_like(x))

    def expected_second_derivative(self, xp: Namespace, y: Any) -> tuple[Array, ...]:
        """1 / s^2, and 2."""
        return xp.exp(-2.0 * y.log_scale), xp.full_like(y.log_scale, 2.0)

    def claims(self) -> Claims:
        """Smooth, and strictly proper."""
        return Claims(twice_smooth=True, proper=True, strictly_proper=True)
