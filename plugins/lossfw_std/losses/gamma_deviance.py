"""The deviance of the gamma distribution."""

from __future__ import annotations

from typing import ClassVar

from lossfw import POSITIVE, Array, Claims, Namespace, Space
from lossfw.numerics import (
    exp_words,
    expm1_minus_words,
    expm1_words,
    in_double,
    two_diff,
)
from lossfw_std.deviance import Deviance, LogMeanBody, distance, gap, half_angle, log_ratio, near


class GammaDeviance(Deviance):
    """Gamma deviance, 2 (log(y / t) + t / y - 1).

    Use it when targets are positive and their spread grows with their mean, as for
    amounts of claims.

    Prediction and target of one shape; one loss per element. The prediction y
    is a mean above 0, or its logarithm z, of any size, for ``link="log"``. The
    target is any number above 0.

    Parameters
    ----------
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.

    Notes
    -----
    It depends on the ratio of prediction and target alone: scaling both changes
    nothing. Near the target neither form cancels. It elicits the mean; for
    ``link="log"`` its logarithm, and then it is not 0 where the prediction is
    the target. Convex in the logarithm, but not in the mean: beyond 2 t it
    bends the other way, and the second derivative goes through 0. Source:
    Nelder and Wedderburn, *Generalized linear models*, Journal of the Royal
    Statistical Society A 135, 1972, doi:10.2307/2344614.

    See Also
    --------
    tweedie_deviance : of any power of the mean; this is its power 2.
    squared_log_error : depends on the ratio too, up to the 1 that is added.

    Examples
    --------
    >>> GammaDeviance()([2.0, 1.0], [2.0, 3.0], reduction="none")
    array([0.        , 1.80277542])
    """

    target: ClassVar[Space] = POSITIVE

    def logit_body(self) -> LogMeanBody:
        """Return the functions of logarithms of the mean."""
        return _OnLogits(self)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition."""
        return 2 * (xp.log(y / t) + t / y - 1)

    @in_double
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """With s = (y - t) / (y + t), 2 s (y - t) / y + 4 s (atanh(s) - s) near the target."""
        close = near(y, t)
        s, part, tail = half_angle(xp, y, t, close)
        share = gap(xp, y, t)
        _, lost = two_diff(xp, y, t)
        far = log_ratio(xp, y, t) - share
        # Rounding errors of s are added where they meet a rounding anyway.
        rest = share * part + lost / y + 2.0 * tail
        return 2.0 * xp.where(close, s * (share + rest), far)

    @in_double
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) / y^2."""
        return 2.0 * gap(xp, y, t) / y

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (2 t - y) / y^3."""
        # 2 t may overflow, y / 2 not.
        share = xp.where(y > 4.0 * t, t / y - 0.5, (t - 0.5 * y) / y)
        return 4.0 * share / y / y

    def claims(self) -> Claims:
        """Convex in the logarithm of the mean; zero at the target as a mean."""
        log = self.link == "log"
        return Claims(
            nonnegative=True,
            zero_at_target=not log,
            strictly_convex=log,
            twice_smooth=True,
            elicits=None if log else "mean",
        )


class _OnLogits(LogMeanBody):
    """The deviance of a logarithm of the mean."""

    @in_double
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (exp(-d) - 1 + d) with d = z - log(t)."""
        return 2.0 * expm1_minus_words(xp, -distance(xp, z, t))

    @in_double
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (1 - exp(-d))."""
        return -2.0 * expm1_words(xp, -distance(xp, z, t))

    @in_double
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 exp(-d), which is 2 t exp(-z)."""
        return 2.0 * exp_words(xp, -distance(xp, z, t))
