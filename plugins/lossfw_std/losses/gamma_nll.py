"""The negative log-likelihood of the gamma distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from lossfw import LOG, POSITIVE, Array, Claims, Columns, Namespace, Space
from lossfw.numerics import binet, binet_derivative
from lossfw_std.likelihood import Likelihood
from lossfw_std.shape import second_derivative_of_binet

_LOG_TWO_PI = math.log(2.0 * math.pi)


class GammaNll(Likelihood):
    r"""Gamma negative log-likelihood, of amounts whose spread grows with their mean.

    Use it when targets are above 0 and skewed, such as claim costs, rainfall or waiting times, and
    the model also predicts their spread.

    The prediction has shape (..., 2): in each row the logarithms of the mean m and of the shape k.
    The target has shape (...) and is above 0. One loss per row.

    Notes
    -----
    The standard deviation is m / sqrt(k), so that 1 / k is the dispersion of a generalised linear
    model; with k = 1 it is the exponential distribution. Up to terms of k and t alone it is k / 2
    times `gamma_deviance`. It has no lower bound, so its accuracy is that of a value of 1. Convex
    in the log mean, but not in the row. Binet's function, which falls like 1 / (12 k), replaces the
    gamma function of k.

    ================================= ==================================================
    elsewhere                         here
    ================================= ==================================================
    ``torch``, Gamma                  concentration is k, rate is k / m
    ``scipy.stats.gamma``             a is k, scale is m / k
    statsmodels, GLM of Gamma         scale is 1 / k
    ================================= ==================================================

    Source: McCullagh and Nelder, *Generalized Linear Models*, 2nd edition, 1989, chapter 8,
    doi:10.1007/978-1-4899-3242-6.

    See Also
    --------
    gamma_deviance : for the mean only.
    weibull_nll, lognormal_nll : for other skewed distributions.

    Examples
    --------
    >>> GammaNll()([[0.0, 0.0], [1.0, 0.5]], [1.0, 2.0], reduction="none").round(6)
    array([1.      , 1.482318])
    """

    # The formula has Binet's function in place of the gamma function.
    latex: ClassVar[str] = r"\log\Gamma(k) - k \log\frac{k}{m} - (k - 1) \log t + \frac{k\,t}{m}"

    prediction: ClassVar[Space] = Columns.of(log_mean=LOG, log_shape=LOG)
    target: ClassVar[Space] = POSITIVE

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The definition, with Stirling's series for the gamma function."""
        m, k = xp.exp(y.log_mean), xp.exp(y.log_shape)
        gamma = (k - 0.5) * y.log_shape - k + xp.log(2 * xp.pi + 0 * k) / 2 + binet(xp, k)
        return gamma - k * (y.log_shape - y.log_mean) - (k - 1) * xp.log(t) + k * t / m

    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return the terms of the value without t / m, the shape, t / m, and its distance from 1.

        The last is half a unit deviance, t / m - 1 - log(t / m).
        """
        s, log_shape, t = columns
        ratio = t * xp.exp(-s)
        log = xp.log(ratio)
        # expm1 has digits next to a shape of 1 that k - 1 has not.
        terms = (s + 0.5 * (_LOG_TWO_PI - log_shape)) - xp.expm1(log_shape) * log
        return terms, xp.exp(log_shape), ratio, (ratio - 1.0) - log

    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        """k (t / m - 1), Binet's function of k, and the rest."""
        terms, k, ratio, _ = parts
        return (k * (ratio - 1.0) + binet(xp, k)) + terms

    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """-k (t / m - 1) by the log mean, and what the log shape moves."""
        _, k, ratio, apart = parts
        return k * (1.0 - ratio), k * (apart + binet_derivative(xp, k)) - 0.5

    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """k t / m, and that by the log shape."""
        _, k, ratio, apart = parts
        return k * ratio, k * apart + second_derivative_of_binet(xp, k)

    def claims(self) -> Claims:
        """Smooth; a density may be above 1, so that the loss may be negative."""
        return Claims(twice_smooth=True)
