"""Poly-1 cross-entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from lossfw import Array, Claims, Namespace, RawOutputLoss, RowBody
from lossfw.numerics import (
    computed_in_float64,
    log1p_minus,
    multiply_or_zero,
    softmax_cross_entropy_and_gradient_at,
    softmax_cross_entropy_at,
    softmax_parts,
)
from lossfw_std.own_class import LogitBody, OwnClassLoss, sum_of_others

# Where 1 - p is smaller, its series is summed without the first power.
_NEAR_ONE = 0.5


class PolyCrossEntropy(RawOutputLoss, OwnClassLoss):
    """Poly-1 cross-entropy, sum over classes of t (-log y + epsilon (1 - y)).

    Use it to tune the derivative of cross-entropy near the target.

    Prediction of shape (..., K): distributions, or logits of any size, infinite ones included.
    Target: class indices (...), or distributions (..., K), one-hot or soft. One loss per row,
    infinite where the target's class has probability 0.

    Parameters
    ----------
    epsilon : float
        Added to the coefficient 1 of the first power of 1 - y in the series of -log y. At least -1,
        below which the loss would be negative.
    from_logits : bool
        Predictions are logits; softmax and loss are computed as one.

    Notes
    -----
    Calibrated, because each term falls as y grows. Proper only for ``epsilon=0``, where it is
    cross-entropy: otherwise the minimiser solves t (1/y + epsilon) = constant, which is not y = t.
    0 at y = t for a class, not for a soft target. Its derivative by the probabilities is unbounded.
    In logits it is convex up to ``epsilon=1``; beyond, the second derivative has a zero, where its
    accuracy is that of its terms. Source: Leng et al., *PolyLoss: a polynomial expansion
    perspective of classification loss functions*, 2022, eq. 7, doi:10.48550/arXiv.2204.12511.

    See Also
    --------
    cross_entropy : the same for ``epsilon=0``, with the guard ``"none"``.

    Examples
    --------
    >>> PolyCrossEntropy(epsilon=2.0)([[0.5, 0.5]], [0])
    1.6931471805599454
    >>> PolyCrossEntropy(epsilon=2.0, from_logits=True)([[0.0, 0.0]], [0])
    1.6931471805599454
    """

    output_activation: ClassVar[str] = "softmax"

    epsilon: Annotated[float, Field(ge=-1)] = 1.0
    from_logits: bool = False

    def raw_body(self) -> RowBody:
        return _LogitBody(self)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Sum of t (-log y + epsilon (1 - y)), with 0 times infinity 0."""
        return xp.sum(multiply_or_zero(xp, t, -xp.log(y) + self.epsilon * (1 - y)), axis=-1)

    def class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The same."""
        return multiply_or_zero(xp, t, self.epsilon * (1.0 - y) - xp.log(y))

    def class_derivative(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """-t (1/y + epsilon)."""
        return -multiply_or_zero(xp, t, 1.0 / y + self.epsilon)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2."""
        return multiply_or_zero(xp, t, 1.0 / (y * y))

    def claims(self) -> Claims:
        """Cross-entropy and a straight line; in logits a bounded one."""
        plain = self.epsilon == 0
        if self.from_logits:
            # The derivative is 1 + epsilon p times that of cross-entropy, sqrt(2) (1 - p) at most.
            rise = (1.0 + self.epsilon) ** 2 / (4.0 * self.epsilon) if self.epsilon > 1 else 1.0
            return Claims(
                nonnegative=True,
                convex=self.epsilon <= 1 or None,
                lipschitz=math.sqrt(2.0) * rise,
                gradient_lipschitz=0.5 if plain else None,
                twice_smooth=True,
                calibrated=True,
                shift_invariant=True,
                permutation_equivariant=True,
                linear_in_target=True,
            )
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            convex=True,
            twice_smooth=True,
            strictly_proper=plain or None,
            calibrated=True,
            linear_in_target=True,
            permutation_equivariant=True,
            elicits="mean" if plain else None,
        )


@dataclass(frozen=True)
class _LogitBody(LogitBody):
    """Poly-1 cross-entropy of logits, with p the softmax and c = 1 - p."""

    loss: PolyCrossEntropy

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same from log p and 1 - p, each computed from the logits."""
        _, c, surprise = softmax_parts(xp, z)
        return xp.sum(multiply_or_zero(xp, t, self._class_loss(xp, c, surprise)), axis=-1)

    def value_at(self, xp: Namespace, z: Array, index: Array) -> Array:
        """The term of the class."""

        @computed_in_float64
        def value(xp: Namespace, z: Array) -> Array:
            surprise = softmax_cross_entropy_at(xp, z, index)
            return self._class_loss(xp, -xp.expm1(-surprise), surprise)

        return value(xp, z)

    def value_and_derivative_at(self, xp: Namespace, z: Array, index: Array) -> tuple[Array, Array]:
        """Both, from cross-entropy and its derivative, of which the derivative is a multiple."""

        @computed_in_float64
        def value_and_derivative(xp: Namespace, z: Array) -> tuple[Array, Array]:
            surprise, derivative = softmax_cross_entropy_and_gradient_at(xp, z, index)
            c = -xp.expm1(-surprise)
            factor = self._derivative_factor(xp.exp(-surprise), c)
            return self._class_loss(xp, c, surprise), factor[..., None] * derivative

        return value_and_derivative(xp, z)

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Sum over k of w_k (p_j - [j = k]), w = t (1 + epsilon p)."""
        p, c, _ = softmax_parts(xp, z)
        return self._derivative(xp, p, c, t)

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same exponentials."""
        p, c, surprise = softmax_parts(xp, z)
        value = xp.sum(multiply_or_zero(xp, t, self._class_loss(xp, c, surprise)), axis=-1)
        return value, self._derivative(xp, p, c, t)

    def _derivative(self, xp: Namespace, p: Array, c: Array, t: Array) -> Array:
        w = t * self._derivative_factor(p, c)
        return p * sum_of_others(xp, w) - w * c

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The terms of the own class and of the other classes.

        A class adds t p c (1 + epsilon (p - c)) to itself, and to another, of probability s,
        s ((1 - s) w - s epsilon t p).
        """
        p, c, _ = softmax_parts(xp, z)
        epsilon = self.loss.epsilon
        own = t * c * ((1.0 + epsilon) * p + (1.0 - epsilon) * c)
        w, tilt = t * self._derivative_factor(p, c), epsilon * (t * p)
        return p * (own + c * sum_of_others(xp, w) - p * sum_of_others(xp, tilt))

    def _class_loss(self, xp: Namespace, c: Array, surprise: Array) -> Array:
        """Return the loss of a class from 1 - p and -log p."""
        epsilon = self.loss.epsilon
        if epsilon >= 0:
            return surprise + epsilon * c
        # For an epsilon near -1 both terms cancel near p = 1, and logits know 1 - p.
        near = c < _NEAR_ONE
        rest = xp.where(near, -log1p_minus(xp, xp.where(near, -c, 0.0 * c)), surprise - c)
        return rest + (1.0 + epsilon) * c

    def _derivative_factor(self, p: Array, c: Array) -> Array:
        """Return 1 + epsilon p, the derivative over that of cross-entropy, as terms above 0."""
        return c + (1.0 + self.loss.epsilon) * p
