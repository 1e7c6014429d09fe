"""The deviance of the gamma distribution."""

from __future__ import annotations

from typing import ClassVar

from lossfw import POSITIVE, Array, Claims, Namespace, Space
from lossfw.numerics import (
    apply_where,
    at_least,
    computed_in_float64,
    select,
    with_float32_form,
)
from lossfw_std.deviance import (
    MORE_THAN_ANY_LOG,
    NEAR_ANGLE,
    Deviance,
    LogMeanBody,
    distance,
    half_angle,
)
from lossfw_std.shared_parts import Deferred, shared_parts

# Below this, y / t - 1 has lost so many digits of y / t that float32 would miss them.
_LEAST_SHARE = -(2.0**27)

# Below this distance of logarithms exp(-d) - 1 + d may round to less than 0, and is d^2 / 2 to
# the digits that z and t determine.
_NEAR_ZERO = 2.0**-30


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
    It depends only on the ratio of prediction and target: scaling both changes
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
        return _OnLogits(self)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        return 2 * (xp.log(y / t) + t / y - 1)

    def _plain_parts(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array, Array]:
        """Return the value, (y - t) / y, and where that is not to be used."""
        r = y - t
        share = r / y
        # Also where it is infinity over infinity.
        rare = ~(share > _LEAST_SHARE)
        value = 2.0 * (xp.log1p(r / t) - share)
        return apply_where(xp, value, rare, self.value, y, t), share, rare

    def _plain_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        return self._plain_parts(xp, y, t)[0]

    def _plain_value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        value, share, rare = self._plain_parts(xp, y, t)
        return value, apply_where(xp, 2.0 * share / y, rare, self.derivative, y, t)

    @with_float32_form(_plain_value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """With s = (y - t) / (y + t), 2 s (y - t) / y + 4 s (atanh(s) - s) near the target."""
        r, total = y - t, y + t
        share, log = r / y, xp.log(y / t)
        s, tail = half_angle(r, total)
        return 2.0 * select(xp, xp.abs(s) < NEAR_ANGLE, s * (share + tail), log - share)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) / y^2."""
        return 2.0 * ((y - t) / y / y)

    @with_float32_form(_plain_value_and_derivative)
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, which share a quotient where float32 goes by float64."""
        return self.value(xp, y, t), self.derivative(xp, y, t)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (2 t - y) / y^3."""
        # 2 t may overflow, y / 2 not.
        return 4.0 * ((t - 0.5 * y) / y / y / y)

    def claims(self) -> Claims:
        """Convex in the logarithm of the mean; zero at the target as a mean."""
        log = self.link == "log"
        return Claims(
            nonnegative=True,
            zero_at_target=not log or None,
            strictly_convex=log or None,
            twice_smooth=True,
            elicits=None if log else "mean",
        )


def _share(xp: Namespace, z: Array, t: Array) -> Array:
    return t * xp.exp(-z)


@shared_parts
def _plain(body: _OnLogits, xp: Namespace, z: Array, t: Array) -> Deferred:
    """With d = z - log(t), and exp(-d) - 1."""
    d = at_least(xp, distance(xp, z, t), -MORE_THAN_ANY_LOG)
    rise = xp.expm1(-d)
    return lambda: 2.0 * (rise + d), lambda: -2.0 * rise


class _OnLogits(LogMeanBody):
    """The deviance of a logarithm of the mean."""

    @with_float32_form(_plain.value)
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (t exp(-z) - 1 + d) with d = z - log(t), near the target 2 (exp(-d) - 1 + d)."""
        return self._value_and_derivative(xp, z, t)[0]

    @staticmethod
    def _value_and_derivative(xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        share, d = t * xp.exp(-z), distance(xp, z, t)
        size = xp.abs(d)
        near = apply_where(xp, xp.expm1(-d) + d, size < _NEAR_ZERO, lambda xp, d: 0.5 * d * d, d)
        return 2.0 * select(xp, size < 1.0, near, share - (1.0 - d)), 2.0 * (1.0 - share)

    @with_float32_form(_plain.derivative)
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (1 - t exp(-z))."""
        return 2.0 * (1.0 - _share(xp, z, t))

    @with_float32_form(_plain.both)
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, from one exponential."""
        return self._value_and_derivative(xp, z, t)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 exp(-d), which is 2 t exp(-z)."""
        return 2.0 * _share(xp, z, t)
