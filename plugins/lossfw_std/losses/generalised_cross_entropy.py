"""Generalised cross-entropy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lossfw import Array, Claims, Namespace
from lossfw.numerics import computed_in_float64, multiply_or_zero
from lossfw_std.own_class import OwnClassLoss


class GeneralisedCrossEntropy(OwnClassLoss):
    """Generalised cross-entropy, sum over classes of t (1 - y^q) / q.

    Use it when class labels are noisy.

    Prediction of shape (..., K): distributions. Target: class indices (...), or
    distributions (..., K), one-hot or soft. One loss per row, from 0 to 1/q.

    Parameters
    ----------
    q : float
        Between 0, towards which it becomes cross-entropy, and 1, where it is 1 - y of the target's
        class: half the sum of absolute errors.

    Notes
    -----
    The loss of a wrong label is at most 1/q, while cross-entropy is unbounded. Calibrated, because
    each term falls as y grows. Not proper: the minimiser is proportional to the true probability to
    the power 1 / (1 - q), and for q = 1 it names only the most probable class. 0 at y = t for a
    class, not for a soft target. Its derivative has no bound for q < 1; for q = 1 the derivative
    along the simplex depends on the number of classes, so no Lipschitz constant is claimed. Source:
    Zhang and Sabuncu, *Generalized cross entropy loss for training deep neural networks with noisy
    labels*, 2018, eq. 6, doi:10.48550/arXiv.1805.07836.

    See Also
    --------
    cross_entropy : the limit for q to 0, with the guard ``"none"``.

    Examples
    --------
    >>> GeneralisedCrossEntropy(q=0.5)([[0.25, 0.75]], [0])
    1.0
    """

    q: Annotated[float, Field(gt=0, le=1)] = 0.7

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Sum of t (1 - y^q) / q."""
        return xp.sum(t * (1 - y**self.q) / self.q, axis=-1)

    def class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The same by expm1: 1 - y^q cancels near y = 1, and for a small q everywhere."""
        return t * (-xp.expm1(self.q * xp.log(y)) / self.q)

    def class_derivative(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """-t y^(q - 1)."""
        # 0 y keeps NaN, whose power 0 is 1.
        return 0.0 * y - multiply_or_zero(xp, t, y ** (self.q - 1.0))

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(1 - q) t y^(q - 2)."""
        return multiply_or_zero(xp, (1.0 - self.q) * t, y ** (self.q - 2.0))

    def claims(self) -> Claims:
        """Convex, for -y^q is; bounded by 1/q."""
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            bounded=1.0 / self.q,
            convex=True,
            twice_smooth=True,
            calibrated=True,
            linear_in_target=True,
            permutation_equivariant=True,
            finite_at_boundary=True,
        )
