"""The Gaussian negative log-likelihood with a predicted variance."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from lossfw import (
    LOG,
    REAL,
    Array,
    Claims,
    Columns,
    DistributionLoss,
    Namespace,
    PointwiseLoss,
    Space,
)
from lossfw.numerics import computed_in_float64, normal_cdf, normal_quantile, zero_or_nan

_LOG_TWO_PI = math.log(2.0 * math.pi)


class HeteroscedasticGaussianNll(DistributionLoss, PointwiseLoss):
    """Gaussian negative log-likelihood, (log(2 pi) + s + (m - t)^2 exp(-s)) / 2.

    Use it when a model also predicts its uncertainty.

    The prediction has shape (..., 2): in each row the mean m and the logarithm s of the variance,
    both any real numbers. The target has shape (...), one number for each row. One loss per row;
    the gradient has the prediction's shape.

    Parameters
    ----------
    full : bool
        Whether to include the constant log(2 pi) / 2.

    Notes
    -----
    With s = log v for every row it is `gaussian_nll` with the variance v. Given s, the best m is
    the mean of the targets, and given both, the best exp(s) is their variance.

    It has no lower bound: at m = t it falls with s without end. So its accuracy is that of a value
    of 1. Not convex in the row, although it is in m and in s. Source: Nix and Weigend, *Estimating
    the mean and variance of the target probability distribution*, IEEE International Conference on
    Neural Networks, 1994, doi:10.1109/ICNN.1994.374138.

    See Also
    --------
    gaussian_nll : for a known variance.
    crps_normal : the same distribution, with less weight on outliers.

    Examples
    --------
    >>> loss = HeteroscedasticGaussianNll(full=False)
    >>> loss([[1.0, 0.0], [1.0, 2.0]], [3.0, 1.0], reduction="none")
    array([2., 1.])
    >>> loss.gradient([[1.0, 0.0], [1.0, 2.0]], [3.0, 1.0], reduction="sum")
    array([[-2. , -1.5],
           [ 0. ,  0.5]])
    """

    prediction: ClassVar[Space] = Columns.of(mean=REAL, log_variance=LOG)
    target: ClassVar[Space] = REAL

    full: bool = True

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        r, s = y.mean - t, y.log_variance
        constant = xp.log(2 * xp.pi * xp.ones_like(s)) if self.full else 0
        return (constant + s + r * r * xp.exp(-s)) / 2

    @computed_in_float64
    def value(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The same."""
        return self._value_and_derivatives(xp, y, t)[0]

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Any, t: Array) -> Any:
        """(m - t) exp(-s) by m, and (1 - (m - t)^2 exp(-s)) / 2 by s."""
        return self._value_and_derivatives(xp, y, t)[1]

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Any]:
        """Both, from the same exponential."""
        return self._value_and_derivatives(xp, y, t)

    def _value_and_derivatives(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Any]:
        r, s = y.mean - t, y.log_variance
        derivative = r * xp.exp(-s)
        half = 0.5 * r * derivative
        value = 0.5 * s + half + (0.5 * _LOG_TWO_PI if self.full else 0.0)
        return value, {"mean": derivative, "log_variance": 0.5 - half}

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Any, t: Array) -> dict[str, Array]:
        """exp(-s) by m, and (m - t)^2 exp(-s) / 2 by s."""
        r, e = y.mean - t, xp.exp(-y.log_variance)
        half = 0.5 * r * r * e
        return {"mean": e + zero_or_nan(xp, half), "log_variance": half}

    def expected_second_derivative(self, xp: Namespace, y: Any) -> dict[str, Array]:
        """exp(-s) by m, and 1 / 2 by s."""
        return {"mean": xp.exp(-y.log_variance), "log_variance": xp.full_like(y.log_variance, 0.5)}

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """That of the normal distribution."""
        return y.mean + xp.exp(0.5 * y.log_variance) * normal_quantile(xp, p)

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """That of the normal distribution."""
        return normal_cdf(xp, (x - y.mean) * xp.exp(-0.5 * y.log_variance))

    def claims(self) -> Claims:
        """Smooth, and a likelihood."""
        return Claims(twice_smooth=True, strictly_proper=True)
