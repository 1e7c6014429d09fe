"""The negative log-likelihood of the Weibull distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw import LOG, POSITIVE, Array, Claims, Columns, DistributionLoss, Namespace, Space
from lossfw.numerics import select
from lossfw_std.likelihood import Likelihood

# Up to this |log w| digits of w - 1 would cancel.
_NEAR = 0.5

# The second derivative by the log shape where the prediction is true: (1 - gamma)^2 + pi^2 / 6.
_SHAPE_INFORMATION = 1.8236806608528794


class WeibullNll(DistributionLoss, Likelihood):
    r"""Weibull negative log-likelihood, w - log w - log k + log t with w = (t / s)^k.

    Use it when targets are durations, whose hazard rises with time (k above 1) or falls (k below
    1), or strengths of materials.

    The prediction has shape (..., 2): in each row the logarithms of the scale s and of the shape
    k. The target has shape (...) and is above 0. One loss per row.

    Notes
    -----
    The scale is the 63 % quantile. With log k = 0 it is the exponential distribution. It has no
    lower bound, so its accuracy is that of a value of 1. Convex in the log scale, but not in
    the row. Censored durations need `aft` or `censored_weibull_nll`.

    Source: Weibull, *A statistical distribution function of wide applicability*, Journal of
    Applied Mechanics 18, 1951, doi:10.1115/1.4010337.

    See Also
    --------
    lognormal_nll : for durations whose hazard rises and then falls.

    Examples
    --------
    >>> WeibullNll()([[0.0, 0.0], [1.0, 0.5]], [1.0, 2.0], reduction="none").round(6)
    array([1.      , 1.302016])
    >>> WeibullNll().quantiles([[0.0, 0.0]], [0.5]).round(3)
    array([[0.693]])
    """

    prediction: ClassVar[Space] = Columns.of(log_scale=LOG, log_shape=LOG)
    target: ClassVar[Space] = POSITIVE

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        s, k = xp.exp(y.log_scale), xp.exp(y.log_shape)
        return (t / s) ** k - (k - 1) * xp.log(t / s) - xp.log(k / s)

    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return log(t / w), less the logarithm of the shape, then the shape, w and log w."""
        s, k, t = columns
        shape, more, ratio = xp.exp(k), xp.expm1(k), t * xp.exp(-s)
        log = xp.log(ratio)
        # Next to a shape of 1, a large logarithm needs the digits of expm1(k) that exp(k) has not.
        return (s - k) - more * log, shape, ratio * ratio**more, shape * log

    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        """w and the logarithms."""
        logs, _, w, _ = parts
        return w + logs

    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """-k (w - 1) by the log scale, and (w - 1) log w - 1 by the log shape."""
        _, shape, w, u = parts
        rise = excess_over_one(xp, w, u)
        return -shape * rise, u * rise - 1.0

    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """k^2 w, and w (log w)^2 + (w - 1) log w."""
        _, shape, w, u = parts
        return shape * shape * w, u * (u * w + excess_over_one(xp, w, u))

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """s (-log(1 - p))^(1 / k)."""
        return xp.exp(y.log_scale + xp.log(-xp.log1p(-p)) * xp.exp(-y.log_shape))

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """1 - exp(-w); 0 up to 0."""
        some = xp.where(x > 0, x, xp.ones_like(x))
        w = (some * xp.exp(-y.log_scale)) ** xp.exp(y.log_shape)
        return xp.where(x > 0, -xp.expm1(-w), xp.zeros_like(x))

    def expected_second_derivative(self, xp: Namespace, y: Any) -> tuple[Array, ...]:
        """k^2, and a constant."""
        return xp.exp(2.0 * y.log_shape), xp.full_like(y.log_shape, _SHAPE_INFORMATION)

    def claims(self) -> Claims:
        """Smooth, and strictly proper."""
        return Claims(twice_smooth=True, proper=True, strictly_proper=True)


def excess_over_one(xp: Namespace, w: Array, log: Array) -> Array:
    """Return w - 1, with the digits of its logarithm near 1."""
    return select(xp, xp.abs(log) < _NEAR, xp.expm1(log), w - 1.0)
