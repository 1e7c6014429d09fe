"""Exponential linear units: elu, selu and celu."""

from __future__ import annotations

from pydantic import PositiveFloat

from lossfw import Activation, ActivationClaims, Array, Namespace
from lossfw.numerics import clip_above, computed_in_float64, positive_part, select

# The fixed point of Klambauer et al., eq. 14: with c = erfc(sqrt(1/2)) and
# d = erfc(sqrt(2)),
#   alpha = sqrt(2/pi) / (1 - c sqrt(e)),
#   lambda = (1 - c sqrt(e)) sqrt(2 pi)
#            / sqrt(2 d e^2 + pi c^2 e - 2 (2 + pi) c sqrt(e) + pi + 2).
# A standard normal argument then gives results of mean 0 and variance 1.
SELU_ALPHA = 1.67326324235437728481704299167165203846115534828127
SELU_LAMBDA = 1.05070098735548049341933498529460635195898120437640
# lambda alpha: the derivative just below 0, which is the steepest.
SELU_STEEPEST = 1.75809934084737685994021752081227957732350683713716


@computed_in_float64
def _elu(xp: Namespace, x: Array, alpha: float, scale: float) -> Array:
    """scale x above 0, alpha (exp(x) - 1) below; the other of both terms is 0."""
    return scale * positive_part(xp, x) + alpha * xp.expm1(clip_above(xp, x, 0.0))


@computed_in_float64
def _elu_derivative(xp: Namespace, x: Array, alpha: float, scale: float) -> Array:
    """scale above 0, alpha exp(x) elsewhere."""
    e = xp.exp(clip_above(xp, x, 0.0))
    return select(xp, x > 0, xp.full_like(x, scale), alpha * e)


class Elu(Activation):
    """Exponential linear unit, x for x > 0, else alpha (exp(x) - 1).

    Use it when hidden units should have means near 0 without normalisation.

    Any real x, infinite ones included. At 0 its derivative is alpha, the limit from the left; with
    alpha = 1 it is continuous.

    Parameters
    ----------
    alpha : float
        Minus the limit at -inf, above 0.

    Notes
    -----
    Source: Clevert, Unterthiner and Hochreiter, *Fast and accurate deep network learning by
    exponential linear units*, 2016, doi:10.48550/arXiv.1511.07289.

    See Also
    --------
    celu : differentiable for every alpha, and the same with alpha = 1.
    selu : the same with an alpha and a scale that keep mean and variance.

    Examples
    --------
    >>> Elu()([-1.0, 2.0])
    array([-0.63212056,  2.        ])
    """

    alpha: PositiveFloat = 1.0

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x for x > 0, else alpha (exp(x) - 1)."""
        return xp.where(x > 0, x, self.alpha * (xp.exp(x) - 1))

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same by expm1, which keeps the digits near 0."""
        return _elu(xp, x, self.alpha, 1.0)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """1 above 0, else alpha exp(x)."""
        return _elu_derivative(xp, x, self.alpha, 1.0)

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """0 above 0, else alpha exp(x)."""
        return _elu_derivative(xp, x, self.alpha, 0.0)

    def claims(self) -> ActivationClaims:
        """Steepest above 0, or just below it."""
        return ActivationClaims(
            monotone=True,
            range=(-self.alpha, float("inf")),
            lipschitz=max(1.0, self.alpha),
            breaks=() if self.alpha == 1 else (0.0,),
        )


class Selu(Activation):
    """Scaled exponential linear unit, lambda x for x > 0, else lambda alpha (exp(x) - 1).

    Use it for a deep dense network that should normalise itself, with LeCun's initial weights.

    Any real x, infinite ones included. lambda = 1.0507... and alpha = 1.6732... are such that
    standard normal arguments give results of mean 0 and variance 1. Its derivative at 0 is the
    limit from the left.

    Notes
    -----
    Its Lipschitz constant is lambda alpha = 1.7580993408473768599... Source: Klambauer,
    Unterthiner, Mayr and Hochreiter, *Self-normalizing neural networks*, 2017, eq. 2 and 14,
    doi:10.48550/arXiv.1706.02515.

    See Also
    --------
    elu : lambda times the elu of this alpha.

    Examples
    --------
    >>> Selu()([-1.0, 1.0])
    array([-1.11133074,  1.05070099])
    """

    def formula(self, xp: Namespace, x: Array) -> Array:
        """lambda x for x > 0, else lambda alpha (exp(x) - 1)."""
        return SELU_LAMBDA * xp.where(x > 0, x, SELU_ALPHA * (xp.exp(x) - 1))

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same by expm1, which keeps the digits near 0."""
        return _elu(xp, x, SELU_STEEPEST, SELU_LAMBDA)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """lambda above 0, else lambda alpha exp(x)."""
        return _elu_derivative(xp, x, SELU_STEEPEST, SELU_LAMBDA)

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """0 above 0, else lambda alpha exp(x)."""
        return _elu_derivative(xp, x, SELU_STEEPEST, 0.0)

    def claims(self) -> ActivationClaims:
        """Steepest just below 0."""
        return ActivationClaims(
            monotone=True,
            range=(-SELU_STEEPEST, float("inf")),
            lipschitz=SELU_STEEPEST,
            breaks=(0.0,),
        )


class Celu(Activation):
    """Continuously differentiable exponential linear unit, alpha (exp(x/alpha) - 1) below 0.

    Use it when an exponential linear unit should be smooth for every alpha.

    max(0, x) + min(0, alpha (exp(x / alpha) - 1)), for any real x, infinite ones included. Its
    derivative is continuous for every alpha.

    Parameters
    ----------
    alpha : float
        Minus the limit at -inf, and the width of the bend; above 0.

    Notes
    -----
    celu(alpha) of x is alpha times celu(1) of x / alpha. Source: Barron, *Continuously
    differentiable exponential linear units*, 2017, doi:10.48550/arXiv.1704.07483.

    See Also
    --------
    elu : the same with alpha = 1.

    Examples
    --------
    >>> Celu(alpha=2.0)([-2.0, 2.0])
    array([-1.26424112,  2.        ])
    """

    alpha: PositiveFloat = 1.0

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x for x > 0, else alpha (exp(x / alpha) - 1)."""
        return xp.where(x > 0, x, self.alpha * (xp.exp(x / self.alpha) - 1))

    @computed_in_float64
    def value(self, xp: Namespace, x: Array) -> Array:
        """The same by expm1, which keeps the digits near 0."""
        return positive_part(xp, x) + self.alpha * xp.expm1(self._ratio(xp, x))

    @computed_in_float64
    def derivative(self, xp: Namespace, x: Array) -> Array:
        """1 above 0, else exp(x / alpha)."""
        return xp.exp(self._ratio(xp, x))

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        """Both, with one quotient."""
        ratio = self._ratio(xp, x)
        return positive_part(xp, x) + self.alpha * xp.expm1(ratio), xp.exp(ratio)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """0 above 0, else exp(x / alpha) / alpha."""
        second_derivative = xp.exp(self._ratio(xp, x)) / self.alpha
        return select(xp, x > 0.0, xp.zeros_like(x), second_derivative)

    def _ratio(self, xp: Namespace, x: Array) -> Array:
        return clip_above(xp, x, 0.0) / self.alpha

    def claims(self) -> ActivationClaims:
        """Steepest above 0."""
        return ActivationClaims(
            monotone=True, range=(-self.alpha, float("inf")), lipschitz=1.0, breaks=()
        )
