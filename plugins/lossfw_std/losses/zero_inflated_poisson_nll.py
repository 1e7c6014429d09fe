"""The negative log-likelihood of the zero-inflated Poisson distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw import COUNT, LOG, REAL, Array, Claims, Columns, Namespace, Space
from lossfw.numerics import (
    expm1_minus,
    factorial_rest,
    log_factorial,
    select,
    sigmoid,
    softplus,
)
from lossfw_std.likelihood import Likelihood


class ZeroInflatedPoissonNll(Likelihood):
    r"""Zero-inflated Poisson negative log-likelihood: 0 with probability p, otherwise Poisson.

    Use it when targets are counts with more zeros than their mean explains, such as purchases,
    claims or visits.

    The prediction has shape (..., 2): in each row the logarithm of the mean m of the Poisson
    counts, and the logit of the probability p of an extra 0. The target has shape (...) and is a
    count. One loss per row, at or above 0.

    Notes
    -----
    At 0 it is -log(p + (1 - p) exp(-m)), and at a count t it is -log(1 - p) + m - t log m +
    log t!. The mean of the targets is (1 - p) m. It keeps its digits where m or p is near 0.
    Source: Lambert, *Zero-inflated Poisson regression, with an application to defects in
    manufacturing*, Technometrics 34, 1992, doi:10.2307/1269547.

    See Also
    --------
    poisson_nll : without extra zeros.
    negative_binomial_nll : for counts that vary more than Poisson counts.

    Examples
    --------
    >>> loss = ZeroInflatedPoissonNll()
    >>> loss([[0.0, 0.0], [0.0, 0.0]], [0.0, 2.0], reduction="none").round(6)
    array([0.379885, 2.386294])
    """

    prediction: ClassVar[Space] = Columns.of(log_mean=LOG, zero_logit=REAL)
    target: ClassVar[Space] = COUNT

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        mean, p = xp.exp(y.log_mean), 1 / (1 + xp.exp(-y.zero_logit))
        q = 1 / (1 + xp.exp(y.zero_logit))
        zero = -xp.log(p + q * xp.exp(-mean))
        return xp.where(t == 0, zero, -xp.log(q) - t * y.log_mean + mean + log_factorial(xp, t))

    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return target, logit, mean, and the logarithm of the mean over the target."""
        mu, z, t = columns
        return t, z, xp.exp(mu), mu - xp.log(xp.where(t > 0, t, xp.ones_like(t)))

    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        """Poisson's half deviance and factorial beside log(1 + exp(z)); at 0 one logarithm."""
        t, z, mean, d = parts
        half = select(xp, xp.abs(d) < 1.0, t * expm1_minus(xp, d), mean - t * (1.0 + d))
        count = softplus(xp, z) + (half + factorial_rest(xp, t))
        inflated = sigmoid(xp, -z) * xp.expm1(-mean)
        apart = softplus(xp, z) + xp.minimum(mean, -z) - softplus(xp, -xp.abs(z + mean))
        zero = select(xp, inflated > -0.5, -xp.log1p(inflated), apart)
        return xp.where(t > 0, count, zero)

    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """At a count m - t and p; at 0 m and p times what Poisson's distribution has of it."""
        t, z, mean, d = parts
        p, q = sigmoid(xp, z), sigmoid(xp, -z)
        share, forced = _zero_probabilities(xp, z, mean)
        counted = select(xp, xp.abs(d) < 1.0, t * xp.expm1(d), mean - t)
        by_mean = xp.where(t > 0, counted, share * mean)
        return by_mean, xp.where(t > 0, p, q * forced * xp.expm1(-mean))

    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """At a count m and p (1 - p); at 0 the derivatives of both derivatives."""
        t, z, mean, _ = parts
        p, q = sigmoid(xp, z), sigmoid(xp, -z)
        share, forced = _zero_probabilities(xp, z, mean)
        by_mean = xp.where(t > 0, mean, share * mean * (1.0 - mean * forced))
        # Of forced q (exp(-m) - 1): the shares change by forced share, and q by -p q.
        by_logit = forced * q * xp.expm1(-mean) * (share - p)
        return by_mean, xp.where(t > 0, p * q, by_logit)

    def claims(self) -> Claims:
        """A likelihood of at most 1."""
        return Claims(nonnegative=True, twice_smooth=True)


def _zero_probabilities(xp: Namespace, z: Array, mean: Array) -> tuple[Array, Array]:
    """Return the chances that a 0 is one of Poisson's distribution, and that it is forced."""
    return sigmoid(xp, -(z + mean)), sigmoid(xp, z + mean)
