"""Poly-1 cross-entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from lossfw import Array, Claims, LinkedLoss, Namespace, RowBody
from lossfw.numerics import (
    computed_in_float64,
    extended_range,
    log1p_minus,
    multiply_or_zero,
    quotient,
    scaled_softmax,
    softmax_parts,
    softmax_parts_at,
)
from lossfw_std.own_class import OnLogits, OwnClassLoss, of_others

# Above this probability the loss is computed from the distance to 1.
_NEAR_ONE = 0.5

# The quotient of a smaller target may be subnormal.
_LEAST_TARGET = 1e-290


class PolyCrossEntropy(LinkedLoss, OwnClassLoss):
    """Poly-1 cross-entropy, sum over classes of t (-log y + epsilon (1 - y)).

    Use it when the slope of cross-entropy near the target is to be tuned.

    Prediction of shape (..., K): distributions, or logits of any size, infinite
    ones included. Target: class indices (...), or distributions (..., K),
    one-hot or soft. One loss per row, infinite where the target's class has
    probability 0.

    Parameters
    ----------
    epsilon : float
        What is added to the coefficient 1 of the first power of 1 - y in the
        series of -log y. At least -1, below which the loss would be negative.
    from_logits : bool
        Predictions are logits; softmax and loss are computed as one.

    Notes
    -----
    Calibrated, because each term falls as y grows. Proper only for ``epsilon=0``,
    where it is cross-entropy: otherwise the minimiser solves t (1/y + epsilon)
    = constant, which is not y = t. 0 at y = t for a class, not for a soft
    target. No bound on its slope by the probabilities. In logits it is convex up
    to ``epsilon=1``; where its second derivative goes through 0 beyond, its
    accuracy is that of its terms. Source: Leng et al., *PolyLoss: a polynomial
    expansion perspective of classification loss functions*, 2022, eq. 7,
    doi:10.48550/arXiv.2204.12511.

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

    link_name: ClassVar[str] = "softmax"

    epsilon: Annotated[float, Field(ge=-1)] = 1.0
    from_logits: bool = False

    def logit_body(self) -> RowBody:
        return _OnLogits(self)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Sum of t (-log y + epsilon (1 - y)), with 0 times infinity 0."""
        return xp.sum(multiply_or_zero(xp, t, -xp.log(y) + self.epsilon * (1 - y)), axis=-1)

    def class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The same; for an epsilon below 0, near 1, as (-log(1 - q) - q) + (1 + epsilon) q.

        There the first powers of q = 1 - y cancel in the textbook's form.
        """
        if self.epsilon >= 0:
            return self.plain_class_value(xp, y, t)
        return multiply_or_zero(xp, t, self.of_chance(xp, y, 1.0 - y, None))

    def of_chance(self, xp: Namespace, y: Array, q: Array, surprise: Array | None) -> Array:
        """Return the loss of a class from y, q = 1 - y and, if it is known, -log y."""
        ones = xp.ones_like(y)
        if self.epsilon >= 0:
            return (-xp.log(y) if surprise is None else surprise) + self.epsilon * q
        near = y > _NEAR_ONE
        log = -xp.log(xp.where(near, ones, y)) if surprise is None else surprise
        close = (1.0 + self.epsilon) * q - log1p_minus(xp, xp.where(near, -q, 0.0 * ones))
        return xp.where(near, close, log + self.epsilon * q)

    def plain_class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The textbook's form."""
        return multiply_or_zero(xp, t, self.epsilon * (1.0 - y) - xp.log(y))

    def class_slope(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """-t (1/y + epsilon), as (1 - y)/y + (1 + epsilon) for an epsilon near -1."""
        return -(quotient(xp, t * (1.0 - y), y) + (1.0 + self.epsilon) * t)

    @extended_range(lambda self, xp, y, t: (t > 0) & (t < _LEAST_TARGET))
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2; t / y may be subnormal."""
        return quotient(xp, quotient(xp, t, y), y)

    def factor(self, p: Array, c: Array) -> Array:
        """Return 1 + epsilon p, the slope at logits over that of cross-entropy; c is 1 - p."""
        if self.epsilon >= 0:
            return 1.0 + self.epsilon * p
        return (1.0 + self.epsilon) - self.epsilon * c

    def claims(self) -> Claims:
        """Cross-entropy and a straight line; in logits a bounded one."""
        plain = self.epsilon == 0
        if self.from_logits:
            # The slope is 1 + epsilon p times that of cross-entropy, sqrt(2) (1 - p) at most.
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
class _OnLogits(OnLogits):
    """Poly-1 cross-entropy of logits, with p the softmax and c = 1 - p."""

    loss: PolyCrossEntropy

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same from log p and 1 - p, each computed from the logits."""
        p, c, surprise = softmax_parts(xp, z)
        return xp.sum(multiply_or_zero(xp, t, self.loss.of_chance(xp, p, c, surprise)), axis=-1)

    def value_at(self, xp: Namespace, z: Array, index: Array) -> Array:
        """The term of the class."""
        return self.value_and_derivative_at(xp, z, index)[0]

    def value_and_derivative_at(self, xp: Namespace, z: Array, index: Array) -> tuple[Array, Array]:
        """Both, from the same exponentials."""

        @computed_in_float64
        def both(xp: Namespace, z: Array) -> tuple[Array, Array]:
            own = softmax_parts_at(xp, z, index)
            value = self.loss.of_chance(xp, own.p, own.rest, own.surprise)
            return value, self.loss.factor(own.p, own.rest)[..., None] * own.slope

        value, slope = both(xp, z)
        return value, slope

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Sum over k of w_k (p_j - [j = k]), w = t (1 + epsilon p)."""
        p, c, _ = softmax_parts(xp, z)
        w = t * self.loss.factor(p, c)
        return p * of_others(xp, w) - w * c

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The terms of the own class and of the other classes.

        A class adds t p c (1 + epsilon (p - c)) to itself, and to another, of probability s,
        s ((1 - s) w - s epsilon t p).
        """
        p, c, _ = softmax_parts(xp, z)
        scaled, unit = scaled_softmax(xp, z)
        epsilon = self.loss.epsilon
        w, tilt = t * self.loss.factor(p, c), epsilon * (t * p)
        # For an epsilon near -1 the textbook's sum would cancel.
        turn = 1.0 + epsilon * (p - c) if epsilon >= 0 else (1.0 + epsilon) - 2.0 * epsilon * c
        own = scaled * (t * c * turn)
        others = scaled * (c * of_others(xp, w) - p * of_others(xp, tilt))
        return (own + others) * unit
