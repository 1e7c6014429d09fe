"""The Gaussian negative log-likelihood of a known variance."""

from __future__ import annotations

import math

from pydantic import PositiveFloat

from lossfw import Array, Claims, DistanceLoss, DistributionLoss, Namespace
from lossfw.numerics import normal_cdf, normal_quantile, zero_or_nan


class GaussianNll(DistributionLoss, DistanceLoss):
    """Gaussian negative log-likelihood, (log(2 pi v) + r^2 / v) / 2.

    Use it when residuals are normal with a known variance, and you compare likelihoods.

    Prediction and target of one shape, both real; one loss per element. The prediction is the mean;
    the variance is known.

    Parameters
    ----------
    variance : float
        v, in squared units of the target.
    full : bool
        Whether to include the constant log(2 pi) / 2.

    Notes
    -----
    It elicits the mean. It can be negative for a variance below 1 / (2 pi), or below 1 if it is not
    full, so its accuracy is that of its larger term. At the target it is 0 only for a variance of 1
    without the constant. Source: Gauss, *Theoria motus corporum coelestium*, 1809.

    See Also
    --------
    squared_error : the same up to a constant, with factor = 1 / (2 v).
    heteroscedastic_gaussian_nll : also predicts the variance.

    Examples
    --------
    >>> GaussianNll(variance=4.0, full=False)([2.0], [0.0])
    1.1931471805599454
    """

    variance: PositiveFloat = 1.0
    full: bool = True

    def formula(self, xp: Namespace, r: Array) -> Array:
        v = self.variance * xp.ones_like(r)
        return (xp.log(2 * xp.pi * v if self.full else v) + r * r / v) / 2

    def value(self, xp: Namespace, r: Array) -> Array:
        """The same; the square comes last, because by itself it may overflow."""
        return 0.5 * r / self.variance * r + self._constant

    def derivative(self, xp: Namespace, r: Array) -> Array:
        """r / v."""
        return r / self.variance

    def second_derivative(self, xp: Namespace, r: Array) -> Array:
        """1 / v."""
        return zero_or_nan(xp, r) + 1.0 / self.variance

    def quantile(self, xp: Namespace, y: Array, p: Array) -> Array:
        """That of the normal distribution."""
        return y + math.sqrt(self.variance) * normal_quantile(xp, p)

    def cdf(self, xp: Namespace, y: Array, x: Array) -> Array:
        """That of the normal distribution."""
        return normal_cdf(xp, (x - y) / math.sqrt(self.variance))

    def expected_second_derivative(self, xp: Namespace, y: Array) -> Array:
        """1 / v."""
        return self.second_derivative(xp, y)

    @property
    def _constant(self) -> float:
        """The loss at the target."""
        log = math.log(self.variance)
        return 0.5 * (math.log(2.0 * math.pi) + log if self.full else log)

    def claims(self) -> Claims:
        """Quadratic; the loss at the target is its lower bound."""
        least = self._constant
        return Claims(
            nonnegative=least >= 0 or None,
            lower_bound=least,
            zero_at_target=least == 0 or None,
            strongly_convex=1.0 / self.variance,
            gradient_lipschitz=1.0 / self.variance,
            symmetric=True,
            twice_smooth=True,
            strictly_proper=True,
            elicits="mean",
        )
