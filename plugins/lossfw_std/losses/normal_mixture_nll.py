"""The negative log-likelihood of a mixture of normal distributions."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from lossfw import (
    LOG,
    REAL,
    VECTOR,
    Array,
    Claims,
    Columns,
    DistributionLoss,
    Namespace,
    PromisedRange,
    Space,
    Vector,
)
from lossfw.numerics import (
    log_softmax,
    logsumexp,
    multiply_or_zero,
    normal_cdf,
    normal_quantile,
    softmax,
    softmax_complement,
)
from lossfw_std.likelihood import Likelihood

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)

# Up to this size of a logarithm its exponential is a float. Beyond twice of it, a component of a
# narrower scale counts only for the target that is its location.
_SAFE = 700.0

# Halvings of the interval that holds a quantile: its ends are quantiles of components.
_HALVINGS = 64


class NormalMixtureNll(DistributionLoss, Likelihood):
    r"""Normal mixture negative log-likelihood, -log sum_j p_j N(t; m_j, s_j).

    Use it when targets have several likely values, such as the times of two routes, and a mixture
    density network predicts all of them.

    Standardize targets: results are promised for targets of size up to 1000. Farther from all
    components, the difference of two large squares decides which component a target belongs to, and
    it has few digits.

    The prediction has shape (..., 3, K): for each of K components a logit (p is their softmax), a
    location m and the logarithm of the scale s. The target has shape (...). One loss per row.

    Notes
    -----
    It has no lower bound: it falls without end as a component on a target gets narrower. So its
    accuracy is that of a value of 1. Not convex; components may change places.

    Source: Bishop, *Mixture density networks*, Aston University, 1994.

    See Also
    --------
    heteroscedastic_gaussian_nll : one component, with a log variance.

    Examples
    --------
    >>> loss = NormalMixtureNll()
    >>> loss([[[0.0, 1.0], [-1.0, 2.0], [0.0, 0.5]]], [0.5], reduction="none").round(6)
    array([1.885349])
    >>> loss.quantiles([[[0.0, 0.0], [-1.0, 3.0], [0.0, 0.0]]], [0.5]).round(6)
    array([[1.]])
    """

    latex: ClassVar[str | None] = (
        r"-\log\sum_{k} \frac{e^{w_{k}}}{\sum_{j} e^{w_{j}}} \frac{1}{s_{k} \sqrt{2 \pi}}"
        r" \exp\left(-\frac{(t - m_{k})^{2}}{2 s_{k}^{2}}\right)\quad\text{with logits } w"
    )

    prediction: ClassVar[Space] = Columns.of(
        logit=VECTOR, location=VECTOR, log_scale=Vector.of(LOG)
    )
    target: ClassVar[Space] = REAL
    target_range: ClassVar[PromisedRange] = PromisedRange(high=1000.0)

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        s = xp.exp(y.log_scale)
        z = (t[..., None] - y.location) / s
        density = xp.exp(-z * z / 2) / xp.sqrt(2 * xp.pi * xp.ones_like(s)) / s
        total = xp.sum(xp.exp(y.logit), axis=-1)
        return xp.log(total) - xp.log(xp.sum(xp.exp(y.logit) * density, axis=-1))

    def shared_parts(self, xp: Namespace, *columns: Array) -> tuple[Array, ...]:
        """Return the logits, s^(-1/2), z, and logarithms: of densities, p times them, the sum."""
        a, m, s, t = columns
        # Twice the root, so that no digit of a tiny residual is lost and none overflows alone.
        root = xp.exp(-xp.clip(0.5 * s, -_SAFE, _SAFE))
        z = (t[..., None] - m) * root * root
        own = -s - 0.5 * z * z
        logs = log_softmax(xp, a) + own
        return a, root, z, own, logs, logsumexp(xp, logs, keepdims=True)

    def value_from_parts(self, xp: Namespace, *parts: Array) -> Array:
        """By a log-sum of exponentials."""
        return _HALF_LOG_TWO_PI - parts[-1][..., 0]

    def derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """p - r, -r z / s and r (1 - z^2), with the shares r of the components in the density."""
        a, root, z, own, logs, total = parts
        p, r = softmax(xp, a), softmax(xp, logs)
        by_location = multiply_or_zero(xp, -r, z * root * root)
        return (
            _share_difference(xp, p, r, own - total),
            by_location,
            multiply_or_zero(xp, r, 1.0 - z * z),
        )

    def second_derivatives_from_parts(self, xp: Namespace, *parts: Array) -> tuple[Array, ...]:
        """(p - r) (1 - p - r), and by location and log scale those of one component and r."""
        a, root, z, own, logs, total = parts
        r, apart = softmax(xp, logs), softmax_complement(xp, logs)
        square = _mask_empty(xp, r, z) ** 2
        p = softmax(xp, a)
        rest = xp.where(r > 0.5, apart - p, softmax_complement(xp, a) - r)
        by_logit = _share_difference(xp, p, r, own - total) * rest
        bent = multiply_or_zero(xp, apart, square)
        by_location = multiply_or_zero(xp, r, _divide_by_square(xp, 1.0 - bent, root))
        by_scale = square * (2.0 + 2.0 * apart - bent) - apart
        return by_logit, by_location, multiply_or_zero(xp, r, by_scale)

    def quantile(self, xp: Namespace, y: Any, p: Array) -> Array:
        """By halving the interval between the quantiles of the components."""
        own = y.location + xp.exp(y.log_scale) * normal_quantile(xp, p)[..., None]
        low, high = xp.min(own, axis=-1), xp.max(own, axis=-1)
        for _ in range(_HALVINGS):
            middle = low + 0.5 * (high - low)
            below = self.cdf(xp, y, middle) < p
            low, high = xp.where(below, middle, low), xp.where(below, high, middle)
        return high

    def cdf(self, xp: Namespace, y: Any, x: Array) -> Array:
        """The sum of p times the distribution functions of the components."""
        z = (x[..., None] - y.location) * xp.exp(-y.log_scale)
        return xp.sum(softmax(xp, y.logit) * normal_cdf(xp, z), axis=-1)

    def claims(self) -> Claims:
        """Smooth."""
        return Claims(twice_smooth=True)


def _share_difference(xp: Namespace, p: Array, r: Array, log_ratio: Array) -> Array:
    """Return p - r, with log(r / p), of which the error is one number for each row.

    Components that are nearly the same have nearly the same r / p, and the sum of r - p is 0. So
    what it is instead is this error, which goes out again.
    """
    more = r - p
    near = p * xp.expm1(xp.clip(log_ratio, -1.0, 1.0))
    more = xp.where(xp.abs(more) < 0.5 * p, near, more)
    excess = xp.sum(more, axis=-1, keepdims=True)
    return (p * excess - more) / (1.0 + excess)


def _mask_empty(xp: Namespace, r: Array, z: Array) -> Array:
    """Return z, and 0 where the component has no share: its square may be infinite there."""
    return xp.where(r == 0, xp.zeros_like(z), z)


def _divide_by_square(xp: Namespace, x: Array, root: Array) -> Array:
    """Return x / s^2, from s^(-1/2)."""
    return x * root * root * root * root
