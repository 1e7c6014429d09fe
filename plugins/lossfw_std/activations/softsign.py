"""Softsign."""

from __future__ import annotations

from lossfw import Activation, ActivationClaims, Array, Namespace
from lossfw.numerics import apply_where


def _reciprocal(xp: Namespace, x: Array) -> Array:
    """1 / (1 + abs(x)): its powers are small where those of the sum would overflow."""
    return 1 / (1 + xp.abs(x))


class Softsign(Activation):
    """Softsign, x / (1 + abs(x)).

    Use it when a hidden unit should saturate more slowly than the hyperbolic tangent.

    Any real x, infinite ones included; results in [-1, 1]. Twice differentiable except at 0, where
    the second derivative jumps from 2 to -2 and is set to the latter.

    Notes
    -----
    Source: Bergstra, Desjardins, Lamblin and Bengio, *Quadratic polynomials learn better image
    features*, 2009.

    See Also
    --------
    tanh : approaches its limits exponentially, not like 1/x.

    Examples
    --------
    >>> Softsign()([-1.0, 0.0, 3.0])
    array([-0.5 ,  0.  ,  0.75])
    """

    def formula(self, xp: Namespace, x: Array) -> Array:
        """x / (1 + abs(x))."""
        return x / (1 + xp.abs(x))

    def value(self, xp: Namespace, x: Array) -> Array:
        """The same; infinity over infinity is 1."""
        share = x / (1 + xp.abs(x))
        return apply_where(xp, share, xp.isinf(x), lambda xp, x: xp.sign(x), x)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """1 / (1 + abs(x))^2."""
        r = _reciprocal(xp, x)
        return r * r

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """-2 sign(x) / (1 + abs(x))^3."""
        r = _reciprocal(xp, x)
        return xp.where(x < 0, 2 * r, -2 * r) * r * r

    def claims(self) -> ActivationClaims:
        """Odd and steepest at 0."""
        return ActivationClaims(
            monotone=True, odd=True, range=(-1.0, 1.0), lipschitz=1.0, breaks=()
        )
