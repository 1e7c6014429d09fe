"""The deviance of Poisson's distribution."""

from __future__ import annotations

from typing import ClassVar

from lossfw import NONNEGATIVE, Array, Claims, Namespace, Space
from lossfw.numerics import (
    expm1_minus_words,
    expm1_words,
    in_double,
    times,
    two_diff,
    xlogy,
    zero_or_nan,
)
from lossfw_std.deviance import Deviance, LogMeanBody, distance, gap, half_angle, log_ratio, near

# Where z exceeds log(t) by more than this, exp(z) is the whole difference to t,
# and the quotient of both may overflow.
_FAR = 600.0

# A target below 1 is scaled by this before it is divided: its quotient by a
# large prediction may be subnormal, which the next division would lift.
_SCALE = 2.0**64


class PoissonDeviance(Deviance):
    """Poisson deviance, 2 (t log(t / y) - t + y).

    Use it when targets are counts.

    Prediction and target of one shape; one loss per element. The prediction y
    is a mean above 0, or its logarithm z, of any size, for ``link="log"``. The
    target is any number at or above 0, whole or not.

    Parameters
    ----------
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.

    Notes
    -----
    At a target of 0 it is 2 y. Near the target neither form cancels. It elicits
    the mean; for ``link="log"`` its logarithm, and then it is not 0 where the
    prediction is the target. With the identity it is not strictly convex, since
    it is straight for a target of 0. Half its derivative by z, exp(z) - t, is
    that of the negative log-likelihood. Source: Nelder and Wedderburn,
    *Generalized linear models*, Journal of the Royal Statistical Society A 135,
    1972, doi:10.2307/2344614.

    See Also
    --------
    tweedie_deviance : of any power of the mean; this is its power 1.
    gamma_deviance : for targets whose spread grows like the mean.

    Examples
    --------
    >>> PoissonDeviance()([2.0, 3.0, 1.0], [2.0, 0.0, 3.0], reduction="none")
    array([0.        , 6.        , 2.59167373])
    """

    target: ClassVar[Space] = NONNEGATIVE

    def logit_body(self) -> LogMeanBody:
        """Return the functions of logarithms of the mean."""
        return _OnLogits(self)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition, with 0 log 0 = 0."""
        return 2 * (xlogy(xp, t, t / y) - t + y)

    @in_double
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """With s = (y - t) / (y + t), 2 (y - t) s - 4 t s (atanh(s) - s) near the target."""
        close = near(y, t)
        s, part, tail = half_angle(xp, y, t, close)
        r, lost = two_diff(xp, y, t)
        far = r - times(xp, t, log_ratio(xp, y, t))
        # inf - inf is NaN, and the logarithm is nothing beside y.
        far = xp.where(xp.isinf(y), y, far)
        # Rounding errors of s r are added where they meet a rounding anyway.
        rest = r * part + 2.0 * lost - 2.0 * (t * tail)
        return 2.0 * xp.where(close, s * (r + rest), far)

    @in_double
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) / y."""
        return 2.0 * gap(xp, y, t)

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 t / y^2."""
        one = xp.ones_like(t)
        scale = xp.where(t < 1.0, _SCALE * one, one)
        return 2.0 * (scale * t / y) / (scale * y)

    def claims(self) -> Claims:
        """Convex in the mean and in its logarithm; zero at the target as a mean."""
        log = self.link == "log"
        return Claims(
            nonnegative=True,
            zero_at_target=not log,
            convex=True,
            strictly_convex=log,
            twice_smooth=True,
            elicits=None if log else "mean",
        )


class _OnLogits(LogMeanBody):
    """The deviance of a logarithm of the mean."""

    @in_double
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 t (exp(d) - 1 - d) with d = z - log(t)."""
        d = distance(xp, z, t)
        whole = (t == 0.0) | (d.high > _FAR)
        return 2.0 * xp.where(whole, xp.exp(z), times(xp, t, expm1_minus_words(xp, d)))

    @in_double
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (exp(z) - t), which is 2 t (exp(d) - 1)."""
        d = distance(xp, z, t)
        whole = (t == 0.0) | (d.high > _FAR)
        return 2.0 * xp.where(whole, xp.exp(z), times(xp, t, expm1_words(xp, d)))

    @in_double
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 exp(z) for every target; NaN in it stays."""
        return 2.0 * xp.exp(z) + zero_or_nan(xp, t)
