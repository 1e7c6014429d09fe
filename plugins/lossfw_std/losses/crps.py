"""The CRPS of distributions with a location and a scale: the normal and the logistic."""

from __future__ import annotations

import math
from abc import abstractmethod
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
from lossfw.numerics import (
    computed_in_float64,
    erf,
    normal_cdf,
    normal_pdf,
    normal_quantile,
    sigmoid,
)

_ROOT_HALF = math.sqrt(0.5)
_ROOT_PI_INVERSE = 1.0 / math.sqrt(math.pi)

# Twice the integral of z^2 f(z)^2 for the standard logistic distribution.
_LOGISTIC_SECOND_DERIVATIVE = (math.pi**2 - 6.0) / 9.0


class _LocationScaleCrps(DistributionLoss, PointwiseLoss):
    """s g(z) for a location m and a scale s, with z = (t - m) / s and g'' = 2 f."""

    prediction: ClassVar[Space] = Columns.of(location=REAL, log_scale=LOG)
    target: ClassVar[Space] = REAL

    # The limit of g(z) - |z|, far out.
    offset: ClassVar[float]
    # The mean of the second derivatives at scale 1, by location and by log scale.
    mean_second_derivatives: ClassVar[tuple[float, float]]

    @abstractmethod
    def standard_derivative_and_rest(self, xp: Namespace, z: Array) -> tuple[Array, Array]:
        """Return g'(z) and g(z) - z g'(z)."""

    @abstractmethod
    def standard_second_derivative(self, xp: Namespace, z: Array) -> Array:
        """Return g''(z)."""

    def value(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The same in parts of one sign."""
        return self.value_and_derivative(xp, y, t)[0]

    def derivative(self, xp: Namespace, y: Any, t: Array) -> Any:
        """-g' by the location, and s (g - z g') by the log scale."""
        return self.value_and_derivative(xp, y, t)[1]

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Any]:
        """Both: the value is (t - m) g' + s (g - z g')."""
        r, z, s = _parts(xp, y, t)
        derivative, rest = self.standard_derivative_and_rest(xp, z)
        by_log_scale = s * rest
        return r * derivative + by_log_scale, (-derivative, by_log_scale)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Any, t: Array) -> Any:
        """g'' / s by the location, and s (g - z g' + z^2 g'') by the log scale."""
        _, z, s = _parts(xp, y, t)
        second_derivative = self.standard_second_derivative(xp, z)
        return second_derivative / s, s * (
            self.standard_derivative_and_rest(xp, z)[1] + second_derivative * z * z
        )

    def expected_second_derivative(self, xp: Namespace, y: Any) -> Any:
        """Integrals of 2 f^2 / s and of 2 s z^2 f^2."""
        s = xp.exp(y.log_scale)
        by_location, by_log_scale = self.mean_second_derivatives
        return by_location / s, by_log_scale * s

    def claims(self) -> Claims:
        """Not convex: by the log scale it is concave at the location."""
        return Claims(nonnegative=True, convex=False, twice_smooth=True, strictly_proper=True)


def _parts(xp: Namespace, y: Any, t: Array) -> tuple[Array, Array, Array]:
    """Return t - m, z and the scale."""
    r, s = t - y.location, xp.exp(y.log_scale)
    return r, r / s, s


class CrpsNormal(_LocationScaleCrps):
    """CRPS of a normal distribution, s (z (2 F(z) - 1) + 2 f(z) - 1 / sqrt(pi)).

    Use it when a model predicts a normal distribution, and outliers should not dominate the fit.

    The prediction has the columns location, m, and log_scale, the logarithm of the standard
    deviation s; both are any real numbers. f and F are density and distribution function of the
    standard normal distribution, and z = (t - m) / s. One loss per row, in the unit of the
    target.

    Notes
    -----
    The continuous ranked probability score is the integral over x of (F(x) - [t <= x])^2,
    which grows like the absolute error, while the negative log-likelihood grows like the
    square. Towards s = 0 it is |t - m|. Source: Gneiting, Raftery, Westveld and Goldman,
    *Calibrated probabilistic forecasting using ensemble model output statistics and minimum
    CRPS estimation*, Monthly Weather Review 133, 2005, doi:10.1175/MWR2904.1.

    See Also
    --------
    heteroscedastic_gaussian_nll : the likelihood of the same, by the logarithm of the variance.
    crps_logistic : of a distribution with longer tails.

    Examples
    --------
    >>> loss = CrpsNormal()
    >>> loss([[0.0, 0.0], [0.0, -100.0]], [0.0, 2.0], reduction="none").round(4)
    array([0.2337, 2.    ])
    >>> loss.quantiles([[0.0, 0.0]], [0.05, 0.95]).round(4)
    array([[-1.6449,  1.6449]])
    """

    latex: ClassVar[str | None] = (
        r"s\left(z\left(2\Phi(z) - 1\right) + 2\varphi(z) - \frac{1}{\sqrt{\pi}}\right)"
        r"\quad\text{with } z = \frac{t - m}{s}"
    )
    offset: ClassVar[float] = -_ROOT_PI_INVERSE
    mean_second_derivatives: ClassVar[tuple[float, float]] = (
        _ROOT_PI_INVERSE,
        0.5 * _ROOT_PI_INVERSE,
    )

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The definition, with 2 F(z) - 1 as an error function."""
        s = xp.exp(y.log_scale)
        z = (t - y.location) / s
        one = xp.ones_like(z)
        density = xp.exp(-z * z / 2) / xp.sqrt(2 * xp.pi * one)
        return s * (z * erf(xp, z / xp.sqrt(2 * one)) + 2 * density - 1 / xp.sqrt(xp.pi * one))

    def standard_derivative_and_rest(self, xp: Namespace, z: Array) -> tuple[Array, Array]:
        """2 F(z) - 1, and 2 f(z) - 1 / sqrt(pi)."""
        return erf(xp, z * _ROOT_HALF), 2.0 * normal_pdf(xp, z) - _ROOT_PI_INVERSE

    def standard_second_derivative(self, xp: Namespace, z: Array) -> Array:
        """2 f(z)."""
        return 2.0 * normal_pdf(xp, z)

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """That of the normal distribution."""
        return y.location + xp.exp(y.log_scale) * normal_quantile(xp, p)

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """That of the normal distribution."""
        return normal_cdf(xp, _parts(xp, y, x)[1])


class CrpsLogistic(_LocationScaleCrps):
    """CRPS of a logistic distribution, s (z - 2 log F(z) - 1).

    Use it when a model predicts a distribution with longer tails than the normal one.

    The prediction has the columns location, m, and log_scale, the logarithm of the scale s;
    both are any real numbers. F(z) = 1 / (1 + exp(-z)) with z = (t - m) / s. The standard
    deviation is 1.814 s. One loss per row, in the unit of the target.

    Notes
    -----
    Towards s = 0 it is |t - m|. Source: Jordan, Krueger and Lerch, *Evaluating probabilistic
    forecasts with scoringRules*, Journal of Statistical Software 90, 2019,
    doi:10.18637/jss.v090.i12.

    See Also
    --------
    crps_normal : of a normal distribution.

    Examples
    --------
    >>> loss = CrpsLogistic()
    >>> loss([[0.0, 0.0], [0.0, -100.0]], [0.0, 2.0], reduction="none").round(4)
    array([0.3863, 2.    ])
    >>> loss.probabilities([[0.0, 0.0]], 2.0).round(4)
    array([0.8808])
    """

    latex: ClassVar[str | None] = (
        r"s\left(z + 2\log\!\left(1 + e^{-z}\right) - 1\right)"
        r"\quad\text{with } z = \frac{t - m}{s}"
    )
    offset: ClassVar[float] = -1.0
    mean_second_derivatives: ClassVar[tuple[float, float]] = (
        1.0 / 3.0,
        _LOGISTIC_SECOND_DERIVATIVE,
    )

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The definition at |z|, as it is the same for z and -z, without a kink at 0."""
        s = xp.exp(y.log_scale)
        z = (t - y.location) / s
        z = xp.where(z < 0, -z, z)
        return s * (z + 2 * xp.log(1 + xp.exp(-z)) - 1)

    def standard_derivative_and_rest(self, xp: Namespace, z: Array) -> tuple[Array, Array]:
        """tanh(z / 2), and 2 log(1 + e) - 1 + 2 |z| e / (1 + e) with e = exp(-|z|)."""
        a = xp.abs(z)
        e = xp.exp(-a)
        weight = a * e / (1.0 + e)
        return xp.tanh(0.5 * z), 2.0 * (xp.log1p(e) + weight) - 1.0

    def standard_second_derivative(self, xp: Namespace, z: Array) -> Array:
        """2 f(z)."""
        e = xp.exp(-xp.abs(z))
        return 2.0 * e / ((1.0 + e) * (1.0 + e))

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """The location, and the scale times the log odds."""
        return y.location + xp.exp(y.log_scale) * (xp.log(p) - xp.log1p(-p))

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """The sigmoid of z."""
        return sigmoid(xp, _parts(xp, y, x)[1])
