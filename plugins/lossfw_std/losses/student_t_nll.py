"""The negative log-likelihood of Student's t distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from lossfw import LOG, REAL, Array, Claims, Columns, Namespace, Space
from lossfw.numerics import (
    binet,
    binet_derivative,
    binet_second_derivative,
    log1p_minus,
    select,
)
from lossfw_std.likelihood import Likelihood
from lossfw_std.shape import second_derivative_of_binet

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class StudentTNll(Likelihood):
    r"""Student's t negative log-likelihood, (v + 1) / 2 log(1 + z^2 / v) and its constant.

    Use it when a model predicts location and scale of targets with outliers, and how heavy their
    tails are.

    The prediction has shape (..., 3): in each row the location m, the logarithm of the scale s,
    and the logarithm of the degrees of freedom v; z is (t - m) / s. The target has shape (...).
    One loss per row.

    Notes
    -----
    The constant is log s + log(v pi) / 2 + log Gamma(v / 2) - log Gamma((v + 1) / 2). It is
    computed from differences of Binet's function, which stay accurate for many degrees of freedom;
    in the limit it is the constant of the normal distribution. It has no lower bound, so its
    accuracy is that of a value of 1. Not convex in the location.

    Source: Lange, Little and Taylor, *Robust statistical modeling using the t distribution*,
    Journal of the American Statistical Association 84, 1989, doi:10.1080/01621459.1989.10478852.

    See Also
    --------
    heteroscedastic_gaussian_nll : its limit for many degrees of freedom.
    cauchy : its shape for one degree and a known scale.

    Examples
    --------
    >>> loss = StudentTNll()
    >>> loss([[0.0, 0.0, 0.0], [0.0, 0.0, 40.0]], [1.0, 1.0], reduction="none").round(6)
    array([1.837877, 1.418939])
    """

    # The formula has Binet's function in place of gammas.
    latex: ClassVar[str] = (
        r"\log s + \frac{\log(v \pi)}{2} + \log\frac{\Gamma(v / 2)}{\Gamma((v + 1) / 2)} + "
        r"\frac{v + 1}{2} \log\left(1 + \frac{(t - m)^{2}}{s^{2} v}\right)"
    )

    prediction: ClassVar[Space] = Columns.of(location=REAL, log_scale=LOG, log_freedom=LOG)
    target: ClassVar[Space] = REAL

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The definition, with Stirling's series for both gamma functions."""
        z, v = (t - y.location) / xp.exp(y.log_scale), xp.exp(y.log_freedom)
        ratio = v / 2 * xp.log1p(1 / v) + binet(xp, (v + 1) / 2) - binet(xp, v / 2)
        constant = (xp.log(2 * xp.pi * xp.ones_like(v)) + 1) / 2 - ratio
        return constant + y.log_scale + (v + 1) / 2 * xp.log1p(z * z / v)

    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return the log scale, 1 / s, z, v and log(1 + z^2 / v)."""
        m, s, u, t = columns
        inverse, v = xp.exp(-s), xp.exp(u)
        z = (t - m) * inverse
        return s, inverse, z, v, xp.log1p(z * z / v)

    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        """The constant by Binet's function, and a logarithm that keeps a small square."""
        s, _, _, v, log = parts
        return (_constant(xp, v) + s) + log * (0.5 * (v + 1.0))

    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """-(v + 1) z / (v + z^2) / s, v (1 - z^2) / (v + z^2), and that by the log freedom."""
        _, inverse, z, v, log = parts
        total = v + z * z
        by_scale = (v / total) * ((1.0 - z) * (1.0 + z))
        return -((v + 1.0) / total) * (z * inverse), by_scale, _freedom_derivative(xp, z, v, log)

    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """g (v - z^2) / (v + z^2) / s^2, 2 g v z^2 / (v + z^2), and that by the log freedom."""
        _, inverse, z, v, log = parts
        total = v + z * z
        share = (v + 1.0) / total
        by_location = share * inverse * inverse * ((v - z * z) / total)
        return (
            by_location,
            2.0 * share * z * z * (v / total),
            _freedom_second_derivative(xp, z, v, log),
        )

    def claims(self) -> Claims:
        """Smooth."""
        return Claims(twice_smooth=True)


def _constant(xp: Namespace, v: Array) -> Array:
    """Return log(v pi) / 2 + log Gamma(v / 2) - log Gamma((v + 1) / 2)."""
    x = 0.5 * v
    ratio = x * log1p_minus(xp, 0.5 / x) + (binet(xp, x + 0.5) - binet(xp, x))
    return _HALF_LOG_TWO_PI - ratio


def _freedom_derivative(xp: Namespace, z: Array, v: Array, log: Array) -> Array:
    """Return the derivative by the log freedom: of the constant, the logarithm, and its weight."""
    x, w, part = 0.5 * v, z * z / v, z * z / (v + z * z)
    gap = binet_derivative(xp, x + 0.5) - binet_derivative(xp, x)
    constant = -(_constant_derivative(xp, x) + x * gap)
    # log(1 + w) - w / (1 + w), which cancels near 0.
    logarithm = select(xp, w < 1.0, log1p_minus(xp, w) + w * part, log - part)
    return constant + (x * logarithm - 0.5 * part)


def _constant_derivative(xp: Namespace, x: Array) -> Array:
    """Return x (log(1 + 1 / (2 x)) - 1 / (2 x)) + 1 / (4 x + 2)."""
    return x * log1p_minus(xp, 0.5 / x) + 0.25 / (x + 0.5)


def _freedom_second_derivative(xp: Namespace, z: Array, v: Array, log: Array) -> Array:
    """Return the second derivative by the log freedom, from terms of which some are below 0."""
    x, w, total = 0.5 * v, z * z / v, v + z * z
    part, rest = z * z / total, v / total
    above = binet_derivative(xp, x + 0.5) + x * binet_second_derivative(xp, x + 0.5)
    # Where x is small, terms of 1/2 cancel.
    near = 0.5 * x * (x + 1.0) / (x + 0.5) ** 2 - x * xp.log1p(0.5 / x)
    constant = select(xp, x < 1.0, near, 0.25 * x / (x + 0.5) ** 2 - _constant_derivative(xp, x))
    logarithm = select(xp, w < 1.0, log1p_minus(xp, w) + w * part, log - part)
    gammas = second_derivative_of_binet(xp, x) - x * above
    return constant + gammas + x * logarithm + (0.5 * part * rest - x * part * part)
