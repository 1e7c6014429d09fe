"""Poly-1 cross-entropy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lossfw import Array, Claims, Namespace
from lossfw.numerics import log1p_minus, quotient, times
from lossfw_std.own_class import OwnClassLoss

# Above this probability the loss is computed from the distance to 1.
_NEAR_ONE = 0.5


class PolyCrossEntropy(OwnClassLoss):
    """Poly-1 cross-entropy, sum over classes of t (-log y + epsilon (1 - y)).

    Use it when the slope of cross-entropy near the target is to be tuned.

    Prediction of shape (..., K): distributions. Target: class indices (...), or
    distributions (..., K), one-hot or soft. One loss per row, infinite where
    the target's class has probability 0.

    Parameters
    ----------
    epsilon : float
        What is added to the coefficient 1 of the first power of 1 - y in the
        series of -log y. At least -1, below which the loss would be negative.

    Notes
    -----
    Calibrated, for each term falls as y grows. Proper for ``epsilon=0`` alone,
    where it is cross-entropy: otherwise the minimiser solves t (1/y + epsilon)
    = constant, which is not y = t. 0 at y = t for a class, not for a soft
    target. No bound on its slope. Source: Leng et al., *PolyLoss: a polynomial
    expansion perspective of classification loss functions*, 2022, eq. 7,
    doi:10.48550/arXiv.2204.12511.

    See Also
    --------
    cross_entropy : the same for ``epsilon=0``, with the guard ``"none"``.

    Examples
    --------
    >>> PolyCrossEntropy(epsilon=2.0)([[0.5, 0.5]], [0])
    1.6931471805599454
    """

    epsilon: Annotated[float, Field(ge=-1)] = 1.0

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Sum of t (-log y + epsilon (1 - y)), with 0 times infinity 0."""
        return xp.sum(times(xp, t, -xp.log(y) + self.epsilon * (1 - y)), axis=-1)

    def class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The same; for an epsilon below 0, near 1, as (-log(1 - q) - q) + (1 + epsilon) q.

        There the first powers of q = 1 - y cancel in the textbook's form.
        """
        if self.epsilon >= 0:
            return self.plain_class_value(xp, y, t)
        q = 1.0 - y
        near = y > _NEAR_ONE
        ones = xp.ones_like(y)
        far = -xp.log(xp.where(near, ones, y)) + self.epsilon * q
        close = (1.0 + self.epsilon) * q - log1p_minus(xp, xp.where(near, -q, 0.0 * ones))
        return times(xp, t, xp.where(near, close, far))

    def plain_class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The textbook's form."""
        return times(xp, t, self.epsilon * (1.0 - y) - xp.log(y))

    def class_slope(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """-t (1/y + epsilon), as (1 - y)/y + (1 + epsilon) for an epsilon near -1."""
        return -(quotient(xp, t * (1.0 - y), y) + (1.0 + self.epsilon) * t)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2."""
        return quotient(xp, quotient(xp, t, y), y)

    def claims(self) -> Claims:
        """Cross-entropy and a straight line."""
        proper = self.epsilon == 0
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            twice_smooth=True,
            strictly_proper=proper or None,
            calibrated=True,
            linear_in_target=True,
            permutation_equivariant=True,
            elicits="mean" if proper else None,
        )
