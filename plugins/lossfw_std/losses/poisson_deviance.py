"""The deviance of Poisson's distribution."""

from __future__ import annotations

import math
from typing import ClassVar

from lossfw import NONNEGATIVE, Array, Claims, Namespace, Order, Space
from lossfw.numerics import (
    at_least,
    at_most,
    expm1_minus,
    in_double,
    in_double_by,
    patched,
    select,
    times,
    xlogy,
    zero_or_nan,
)
from lossfw_std.deviance import (
    MORE_THAN_ANY_LOG,
    NEAR_ANGLE,
    Deviance,
    LogMeanBody,
    distance,
    finite,
    gap,
    half_angle,
    log_ratio,
    plain_log_ratio,
)

# The smallest float: its logarithm is finite.
_SMALLEST = 5e-324

# Beside this no float32 above 0 counts; z less its logarithm has an exponential.
_NO_TARGET = 1e-200

# A target below 1 is scaled by this before it is divided: its quotient by a
# large prediction may be subnormal, which the next division would lift.
_SCALE = 2.0**64


# Beyond this an exponential may overflow.
_LARGEST_EXPONENT = 709.0


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

    def _plain_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        log = at_most(xp, plain_log_ratio(xp, y, t), MORE_THAN_ANY_LOG)
        return 2.0 * ((y - t) - t * log)

    @in_double_by(_plain_value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """With s = (y - t) / (y + t), 2 (y - t) s - 4 t s (atanh(s) - s) near the target."""
        r = y - t
        s, tail = half_angle(xp, y, t)
        far = r - t * at_most(xp, log_ratio(xp, y, t), MORE_THAN_ANY_LOG)
        return 2.0 * select(xp, xp.abs(s) < NEAR_ANGLE, s * (r - t * tail), far)

    @in_double
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) / y."""
        return 2.0 * gap(xp, y, t)

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 t / y^2."""
        one = xp.ones_like(t)
        # Half a large target is half of what would overflow when it is doubled.
        scale = xp.where(t < 1.0, _SCALE * one, 0.5 * one)
        return (2.0 * scale * t / y) / (scale * y)

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """Of a logarithm z, those of t log t - t z - t + exp(z) and of its slope."""
        if self.link == "identity" or order == 2:
            return ()
        mean = xp.exp(y)
        logs = (2.0 * t * y, 2.0 * xlogy(xp, t, t)) if order == 0 else ()
        return finite(xp, 2.0 * mean, 2.0 * t, *logs)

    def claims(self) -> Claims:
        """Convex in the mean and in its logarithm; zero at the target as a mean."""
        log = self.link == "log"
        return Claims(
            nonnegative=True,
            zero_at_target=not log or None,
            convex=True,
            strictly_convex=log or None,
            twice_smooth=True,
            elicits=None if log else "mean",
        )


class _OnLogits(LogMeanBody):
    """The deviance of a logarithm of the mean."""

    def _plain_value(self, xp: Namespace, z: Array, t: Array) -> Array:
        some = at_least(xp, t, _NO_TARGET)
        d = at_most(xp, z - xp.log(some), MORE_THAN_ANY_LOG)
        loss = 2.0 * (some * (xp.expm1(d) - d))
        # A mean of 0 is right where the target is 0, however small the stand-in for it.
        return xp.where((t == 0) & (d == -math.inf), xp.zeros_like(loss), loss)

    @in_double_by(_plain_value)
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 t (exp(d) - 1 - d) with d = z - log(t)."""
        d = distance(xp, z, at_least(xp, t, _SMALLEST))
        mean = xp.exp(z)
        far = mean - times(xp, t, 1.0 + d)
        # inf - inf would be NaN.
        far = patched(xp, far, xp.isinf(mean), lambda xp, mean: mean, mean)
        return 2.0 * select(xp, xp.abs(d) < 1.0, t * expm1_minus(xp, d), far)

    @in_double
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (exp(z) - t)."""
        slope = 2.0 * (xp.exp(z) - t)
        # exp(z) may overflow where its difference to t does not.
        return patched(xp, slope, (z > _LARGEST_EXPONENT) & (t > 1.0), _slope_near, z, t)

    @in_double
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 exp(z) for every target; NaN in it stays."""
        return 2.0 * xp.exp(z) + zero_or_nan(xp, t)


def _slope_near(xp: Namespace, z: Array, t: Array) -> Array:
    """Return 8 (exp(z) / 4 - t / 4): the root of the exponential has a float, and its digits."""
    root = xp.exp(0.5 * z)
    return 8.0 * (root * (0.25 * root) - 0.25 * t)
