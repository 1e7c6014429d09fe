"""The deviance of Poisson's distribution."""

from __future__ import annotations

from typing import ClassVar

from lossfw import NONNEGATIVE, Array, Claims, Namespace, Space
from lossfw.numerics import computed_in_float64, xlogy, zero_or_nan
from lossfw_std.deviance import Deviance, LogMeanBody
from lossfw_std.poisson import half_deviance


class PoissonDeviance(Deviance):
    """Poisson deviance, 2 (t log(t / y) - t + y).

    Use it when targets are counts.

    Prediction and target of one shape; one loss per element. The prediction y is a mean above 0, or
    its logarithm z, of any size, for ``link="log"``. The target is any number at or above 0, whole
    or not.

    Parameters
    ----------
    link : {"identity", "log"}
        Whether predictions are the mean or its logarithm.

    Notes
    -----
    At a target of 0 it is 2 y. Near the target neither form cancels. It elicits the mean; for
    ``link="log"`` its logarithm, and then it is not 0 where the prediction is the target. With the
    identity it is not strictly convex, since it is straight for a target of 0. Half its derivative
    by z, exp(z) - t, is that of the negative log-likelihood. Source: Nelder and Wedderburn,
    *Generalized linear models*, Journal of the Royal Statistical Society A 135, 1972,
    doi:10.2307/2344614.

    See Also
    --------
    tweedie_deviance : of any power of the mean; this is its power 1.
    poisson_nll : half of it, less what depends only on the target.
    gamma_deviance : for targets whose standard deviation grows like the mean.

    Examples
    --------
    >>> PoissonDeviance()([2.0, 3.0, 1.0], [2.0, 0.0, 3.0], reduction="none")
    array([0.        , 6.        , 2.59167373])
    """

    target: ClassVar[Space] = NONNEGATIVE

    def raw_body(self) -> LogMeanBody:
        return _LogMeanBody(self)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The definition, with 0 log 0 = 0."""
        return 2 * (xlogy(xp, t, t / y) - t + y)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """With u = y / t, 2 t (u - 1 - log(u)); 2 y for a target of 0."""
        return 2.0 * half_deviance(xp, y, t)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 (y - t) / y."""
        return 2.0 * (y - t) / y

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """2 t / y^2."""
        return 2.0 * t / (y * y)

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


class _LogMeanBody(LogMeanBody):
    """The deviance of a logarithm of the mean."""

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The deviance of the mean exp(z)."""
        return 2.0 * half_deviance(xp, xp.exp(z), t)

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 (exp(z) - t)."""
        return 2.0 * (xp.exp(z) - t)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """2 exp(z) for every target; NaN in it stays."""
        return 2.0 * xp.exp(z) + zero_or_nan(xp, t)
