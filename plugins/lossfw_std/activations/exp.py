"""The exponential."""

from __future__ import annotations

from typing import ClassVar

from lossfw import NONNEGATIVE, Activation, ActivationClaims, Array, Namespace, Space


class Exp(Activation):
    """Exponential, exp(x).

    Use it when a result must be positive and effects multiply, as for rates and counts.

    Any real x, infinite ones included; it makes a positive mean of a logarithm, as the deviances
    expect. Its own derivative, and its own second derivative.

    Notes
    -----
    There is no Lipschitz constant: it grows without bound. Results are declared non-negative rather
    than positive, because exp(-1000) is 0 in every float format. Source: Nelder and Wedderburn,
    *Generalized linear models*, 1972 (the inverse of the logarithmic link), doi:10.2307/2344614.

    See Also
    --------
    softplus : positive too, but growing only linearly.

    Examples
    --------
    >>> Exp()([0.0, 1.0])
    array([1.        , 2.71828183])
    """

    out_space: ClassVar[Space] = NONNEGATIVE

    def value(self, xp: Namespace, x: Array) -> Array:
        """exp(x)."""
        return xp.exp(x)

    def derivative(self, xp: Namespace, x: Array) -> Array:
        """exp(x)."""
        return xp.exp(x)

    def value_and_derivative(self, xp: Namespace, x: Array) -> tuple[Array, Array]:
        """Both from one exponential, in arrays of their own."""
        e = xp.exp(x)
        return e, 1.0 * e

    def second_derivative(self, xp: Namespace, x: Array) -> Array:
        """exp(x)."""
        return xp.exp(x)

    def claims(self) -> ActivationClaims:
        """Increasing and positive."""
        return ActivationClaims(monotone=True, range=(0.0, float("inf")), breaks=())
