"""The negative log-likelihood of the negative binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw import COUNT, LOG, Array, Claims, Columns, Namespace, Space
from lossfw.numerics import (
    binet,
    binet_derivative,
    binet_second_derivative,
    factorial_rest,
    log1p_minus,
    log_factorial,
    select,
)
from lossfw_std.likelihood import Likelihood
from lossfw_std.shape import second_derivative_of_binet


class NegativeBinomialNll(Likelihood):
    r"""Negative binomial negative log-likelihood, of counts of variance m + a m^2.

    Use it when targets are counts that vary more than a Poisson distribution allows, as most do,
    and the model predicts how much more.

    The prediction has shape (..., 2): in each row the logarithms of the mean m and of the
    dispersion a. The target has shape (...) and is a count. One loss per row, at or above 0.

    Notes
    -----
    With r = 1 / a it is -log of Gamma(t + r) / (Gamma(r) t!) (1 + a m)^-r (a m / (1 + a m))^t.
    Towards a = 0 it becomes `poisson_nll`, with all digits: no gamma function of 1 / a is
    computed, but the deviance, Stirling's rest of t! and differences of Binet's function, which
    are all at or above 0. Convex in the log mean, but not in the row.

    ================================= ==================================================
    elsewhere                         here
    ================================= ==================================================
    ``torch``, NegativeBinomial       total_count is 1 / a, logits are log(a m)
    ``scipy.stats.nbinom``            n is 1 / a, p is 1 / (1 + a m)
    statsmodels, NB2                  alpha is a
    ================================= ==================================================

    Source: Lawless, *Negative binomial and mixed Poisson regression*, Canadian Journal of
    Statistics 15, 1987, doi:10.2307/3314912; Hilbe, *Negative Binomial Regression*, 2nd edition,
    2011, doi:10.1017/CBO9780511973420.

    See Also
    --------
    poisson_nll : its limit, with the variance of the mean.
    zero_inflated_poisson_nll : for too many zeros.

    Examples
    --------
    >>> loss = NegativeBinomialNll()
    >>> loss([[1.0, 0.0], [1.0, -40.0]], [3.0, 3.0], reduction="none").round(6)
    array([2.253047, 1.510041])
    """

    # The formula has Binet's function in place of gammas.
    latex: ClassVar[str] = (
        r"\log\frac{\Gamma(r)\,t!}{\Gamma(r + t)} + r \log\left(1 + \frac{m}{r}\right) + "
        r"t \log\frac{r + m}{m}"
    )

    prediction: ClassVar[Space] = Columns.of(log_mean=LOG, log_dispersion=LOG)
    target: ClassVar[Space] = COUNT

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The definition, with Stirling's series for both gamma functions of r."""
        r, m = xp.exp(-y.log_dispersion), xp.exp(y.log_mean)
        gammas = t - (r + t - 0.5) * xp.log1p(t / r) + binet(xp, r) - binet(xp, r + t)
        return gammas + log_factorial(xp, t) + (r + t) * xp.log1p(m / r) - t * y.log_mean

    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return target, r, mean, target less mean, and its share of the target."""
        mu, a, t = columns
        r, m = xp.exp(-a), xp.exp(mu)
        some = xp.where(t > 0, t, xp.ones_like(t))
        distance = xp.log(some) - mu
        above = select(xp, xp.abs(distance) < 0.5, -xp.expm1(-distance), 1.0 - m / some)
        return t, r, m, xp.where(t > 0, some * above, -m), above

    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        """The deviance, Stirling's rest of t!, and what Binet's function adds."""
        t, r, m, excess, above = parts
        some = xp.where(t > 0, t, xp.ones_like(t))
        by_mean = _log_minus_excess(xp, -above * (r / (r + m)), (m / some) * ((r + t) / (r + m)))
        by_shape = _log_minus_excess(xp, excess / (r + m), (r + t) / (r + m))
        rest = 0.5 * xp.log1p(t / r) + (binet(xp, r) - binet(xp, r + t))
        count = (-t * by_mean - r * by_shape) + (factorial_rest(xp, t) + rest)
        return xp.where(t > 0, count, r * xp.log1p(m / r))

    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """(m - t) / (1 + a m) by the log mean, and that by the log dispersion."""
        t, r, m, excess, _ = parts
        few = t * (m / (r + m)) - _zero_count_derivatives(xp, r, m)[0]
        by_dispersion = xp.where(t <= 1, few, _shape_derivative(xp, t, r, m, excess))
        return -excess * (r / (r + m)), by_dispersion

    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """m (1 + a t) / (1 + a m)^2 by the log mean, and that by the log dispersion."""
        t, r, m, excess, _ = parts
        share = m / (r + m)
        few = _zero_count_derivatives(xp, r, m)[1] + t * share * (r / (r + m))
        by_dispersion = xp.where(t <= 1, few, _shape_second_derivative(xp, t, r, m, excess))
        return m * (r / (r + m)) * ((r + t) / (r + m)), by_dispersion

    def claims(self) -> Claims:
        """A likelihood of at most 1."""
        return Claims(nonnegative=True, twice_smooth=True)


def _log_minus_excess(xp: Namespace, excess: Array, ratio: Array) -> Array:
    """Return log(ratio) - excess, of a ratio that is 1 + excess; it is at most 0."""
    return select(xp, ratio > 0.5, log1p_minus(xp, excess), xp.log(ratio) - excess)


def _shape_derivative(xp: Namespace, t: Array, r: Array, m: Array, excess: Array) -> Array:
    """Return the derivative by the log dispersion, from one term below 0 and two above."""
    below = r * _log_minus_excess(xp, excess / (r + m), (r + t) / (r + m))
    gammas = r * (binet_derivative(xp, r + t) - binet_derivative(xp, r))
    return below + (0.5 * (t / (r + t)) + gammas)


def _shape_second_derivative(xp: Namespace, t: Array, r: Array, m: Array, excess: Array) -> Array:
    """Return the second derivative by the log dispersion."""
    share, ratio = excess / (r + m), (r + t) / (r + m)
    near = -log1p_minus(xp, share) - share * share * (r / (r + t))
    weight = (r / (r + t)) * ((r + 2.0 * m) / (r + m)) + (t / (r + t)) * (m / (r + m))
    by_mean = r * select(xp, xp.abs(share) < 0.5, near, share * weight - xp.log(ratio))
    above = binet_derivative(xp, r + t) + r * binet_second_derivative(xp, r + t)
    return (
        by_mean
        + 0.5 * (t / (r + t)) * (r / (r + t))
        + (second_derivative_of_binet(xp, r) - r * above)
    )


def _zero_count_derivatives(xp: Namespace, r: Array, m: Array) -> tuple[Array, Array]:
    """Return by how much a count of 0 falls with the log dispersion, and its second derivative.

    It is r log(1 + m / r). A count of 1, whose gammas cancel, has it and the log of r + m.
    """
    u, share = m / r, m / (r + m)
    # Beyond, the logarithm is the larger term.
    is_small = u < 4.0
    near, far = log1p_minus(xp, u), xp.log1p(u) - share
    first = select(xp, is_small, near + u * share, far)
    second = select(xp, is_small, near + u * share * share, far - share * share)
    return r * first, r * second
