"""The deviance of the gamma distribution."""

from __future__ import annotations

from typing import ClassVar

from lossfw import POSITIVE, Array, Claims, Namespace, Space
from lossfw.numerics import computed_in_float64
from lossfw_std.deviance import Deviance, LogMeanBody, linear_minus_log


class GammaDeviance(Deviance):
    """Gamma deviance, 2 (log(y / t) + t / y - 1).

    Use it when targets are positive and their spread grows with their mean, as for claim amounts.

    Prediction and target of one shape; one loss per element. The prediction y is a mean above 0, or
    its logarithm z, of any size, for ``link="log"``. The target is any number above 0.

    Parameters
    ----------
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.

    Notes
    -----
    It depends only on the ratio of prediction and target: scaling both changes nothing. Near the
    target neither form cancels. It elicits the mean; for ``link="log"`` its logarithm, and then it
    is not 0 where the prediction is the target. Convex in the logarithm, but not in the mean:
    beyond 2 t it is concave, and the second derivative goes through 0. Source: Nelder and
    Wedderburn, *Generalized linear models*, Journal of the Royal Statistical Society A 135, 1972,
    doi:10.2307/2344614.

    See Also
    --------
    tweedie_deviance : of any power of the mean; this is its power 2.
    squared_log_error : depends on the ratio of 1 + y and 1 + t.

    Examples
    --------
    >>> GammaDeviance()([2.0, 1.0], [2.0, 3.0], reduction="none")
    array([0.        , 1.80277542])
    """

    target: ClassVar[Space] = POSITIVE

    def raw_body(self) -> LogMeanBody:
        return _LogMeanBody(self)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        return 2 * (xp.log(y / t) + t / y - 1)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (u - 1 - log(u)) with u = t / y."""
        return 2.0 * linear_minus_log(xp, t / y)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) / y^2."""
        return 2.0 * (y - t) / (y * y)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (2 t - y) / y^3."""
        return 2.0 * (2.0 * t - y) / (y * y * y)

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


class _LogMeanBody(LogMeanBody):
    """The deviance of a logarithm of the mean."""

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (u - 1 - log(u)) with u = t exp(-z)."""
        return 2.0 * linear_minus_log(xp, t * xp.exp(-z))

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (1 - t exp(-z))."""
        return 2.0 * (1.0 - t * xp.exp(-z))

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, from one exponential."""
        u = t * xp.exp(-z)
        return 2.0 * linear_minus_log(xp, u), 2.0 * (1.0 - u)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 t exp(-z)."""
        return 2.0 * t * xp.exp(-z)
