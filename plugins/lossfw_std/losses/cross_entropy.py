"""Cross-entropy over classes."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import Field

from lossfw import CategoricalLoss, Claims
from lossfw.losses.guards import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    guarded_log,
    guarded_log_derivative,
    guarded_log_second_derivative,
    textbook_log,
)
from lossfw.numerics import (
    put_at,
    quotient,
    softmax_cross_entropy,
    softmax_cross_entropy_and_gradient,
    softmax_cross_entropy_and_gradient_at,
    softmax_cross_entropy_at,
    softmax_cross_entropy_gradient,
    softmax_cross_entropy_hessian,
    take_at,
    times,
)
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.exact.reference import Order


class CrossEntropy(CategoricalLoss):
    """Cross-entropy, -sum over classes of t log y.

    Parameters
    ----------
    guard : {"normalised", "additive", "floor", "none"}
        What keeps log(0) finite; see `lossfw.losses.guards`. Plays no part in logits.
    delta : float
        The guard's constant.
    from_logits : bool
        Predictions are logits; softmax and logarithm are computed as one.
    label_smoothing : float
        Share of the target that is spread evenly over all K classes.

    Notes
    -----
    Prediction of shape (..., K): distributions, or logits of any size, infinite
    ones included. Target: class indices (...), or distributions (..., K),
    one-hot or soft. One loss per row. It is 0 at y = t for a class; at a soft
    target the target's entropy remains.

    From logits, with m the largest of a row, the loss is ``(m - z_k) +
    log1p(rest)``, where the rest sums exp(z_j - m) over all classes but one of
    the largest: the usual ``log(sum(exp))`` loses the digits of a small loss.
    There its slope is a difference of distributions, so at most sqrt(2), and
    its curvature that of log(sum(exp)), at most 1/2; with label smoothing the
    bound of the slope depends on the number of classes. On probabilities the
    slope along the simplex does, so no constant is claimed there.

    Strictly proper for the guard ``"none"`` alone: the others move the
    minimiser, by delta at most. With label smoothing it is not proper, for the
    minimiser is the smoothed distribution. Both leave the most probable class
    the most probable, so it stays calibrated. The additive guard is bounded by
    -log1p(delta), not by 0. Not convex with the floor, which is flat below
    delta. Source: Good, *Rational decisions*, 1952; Bishop, *Pattern
    recognition and machine learning*, 2006, eq. 4.108; label smoothing: Szegedy
    et al., *Rethinking the Inception architecture for computer vision*, 2016.

    See Also
    --------
    binary_cross_entropy : for one probability per element.
    kl_divergence : less the entropy of the target.
    categorical_focal, poly_cross_entropy, generalised_cross_entropy : changed
        for classes that are predicted well, or labelled wrong.

    Examples
    --------
    >>> CrossEntropy(from_logits=True)([[2.0, 0.0, 0.0]], [0])
    0.23954476622188453
    """

    link: ClassVar[str] = "softmax"

    guard: Guard = "normalised"
    delta: Delta = DEFAULT_DELTA
    from_logits: bool = False
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-sum t log y, with the guard in its textbook form and 0 log 0 = 0."""
        log = textbook_log(xp, y, self.guard, self.delta)
        return -xp.sum(times(xp, self._smoothed_exactly(xp, t), log), axis=-1)

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-sum t log y; near y = 1 by log1p, which keeps the digits of a small loss."""
        log = guarded_log(xp, y, self.guard, self.delta)
        return -xp.sum(times(xp, self._smoothed(t), log), axis=-1)

    def value_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """-log of the target's probability: one gather instead of a sum."""
        if self.label_smoothing:
            return super().value_at(xp, y, index)
        own = take_at(xp, y, index)
        log = guarded_log(xp, own, self.guard, self.delta)
        # A NaN anywhere in the row is in its sum, and so reaches the result.
        return 0.0 * xp.sum(y, axis=-1) - log

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-t / y, with the guard."""
        t = self._smoothed(t)
        if self.guard == "none":
            return 0.0 - quotient(xp, t, y)
        return 0.0 - times(xp, t, guarded_log_derivative(xp, y, self.guard, self.delta))

    def derivative_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """-1 / y at the target, with the guard; 0 elsewhere."""
        if self.label_smoothing:
            return super().derivative_at(xp, y, index)
        own = take_at(xp, y, index)
        slope = guarded_log_derivative(xp, own, self.guard, self.delta)
        # 0 y keeps a NaN.
        return put_at(xp, 0.0 * y, index, -slope)

    def value_and_derivative_at(self, xp: Namespace, y: Array, index: Array) -> tuple[Array, Array]:
        """Both without a one-hot row."""
        return self.value_at(xp, y, index), self.derivative_at(xp, y, index)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2, with the guard."""
        t = self._smoothed(t)
        if self.guard == "none":
            return quotient(xp, quotient(xp, t, y), y)
        return times(xp, t, -guarded_log_second_derivative(xp, y, self.guard, self.delta))

    def formula_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Sum of t (log sum exp z - z)."""
        total = xp.log(xp.sum(xp.exp(z), axis=-1, keepdims=True))
        return xp.sum(times(xp, self._smoothed_exactly(xp, t), total - z), axis=-1)

    def value_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same without overflow or cancellation."""
        return softmax_cross_entropy(xp, z, self._smoothed(t))

    def value_at_from_logits(self, xp: Namespace, z: Array, index: Array) -> Array:
        """The same with one gather instead of a sum."""
        if self.label_smoothing:
            return super().value_at_from_logits(xp, z, index)
        return softmax_cross_entropy_at(xp, z, index)

    def derivative_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Softmax(z) - t, without cancellation at the target."""
        return softmax_cross_entropy_gradient(xp, z, self._smoothed(t))

    def derivative_at_from_logits(self, xp: Namespace, z: Array, index: Array) -> Array:
        """The same without a one-hot row."""
        return self.value_and_derivative_at_from_logits(xp, z, index)[1]

    def value_and_derivative_from_logits(
        self, xp: Namespace, z: Array, t: Array
    ) -> tuple[Array, Array]:
        """Both from one pass of exponentials."""
        return softmax_cross_entropy_and_gradient(xp, z, self._smoothed(t))

    def value_and_derivative_at_from_logits(
        self, xp: Namespace, z: Array, index: Array
    ) -> tuple[Array, Array]:
        """Both from one pass of exponentials, one gather and one scatter."""
        if self.label_smoothing:
            return super().value_and_derivative_at_from_logits(xp, z, index)
        return softmax_cross_entropy_and_gradient_at(xp, z, index)

    def second_derivative_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """p (1 - p) with p the softmax, times the target's sum."""
        return softmax_cross_entropy_hessian(xp, z, self._smoothed(t))

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """A target between 0 and 1, from which the slope at logits takes the softmax."""
        if order != 1 or not self.from_logits:
            return ()
        t = self._smoothed(t)
        return (xp.where((t > 0) & (t < 1), t, 0.0 * t),)

    def claims(self) -> Claims:
        """Bounds and properness depend on guard and smoothing."""
        plain = self.label_smoothing == 0
        if self.from_logits:
            return Claims(
                nonnegative=True,
                convex=True,
                lipschitz=math.sqrt(2.0) if plain else None,
                gradient_lipschitz=0.5,
                twice_smooth=True,
                calibrated=True,
                shift_invariant=True,
                permutation_equivariant=True,
                linear_in_target=True,
            )
        proper = plain and self.guard == "none"
        additive = self.guard == "additive"
        return Claims(
            nonnegative=not additive,
            lower_bound=-math.log1p(self.delta) if additive else None,
            bounded=self._largest(),
            zero_at_target=plain and not additive,
            convex=self.guard != "floor",
            twice_smooth=self.guard != "floor",
            strictly_proper=proper,
            calibrated=True,
            permutation_equivariant=True,
            linear_in_target=True,
            finite_at_boundary=self.guard != "none",
            elicits="mean" if proper else None,
        )

    def _largest(self) -> float | None:
        """Return the loss of probability 0; None where it is infinite."""
        if self.guard == "none":
            return None
        return math.log1p(1.0 / self.delta) if self.guard == "normalised" else -math.log(self.delta)

    def _smoothed(self, t: Array) -> Array:
        if not self.label_smoothing:
            return t
        return (1.0 - self.label_smoothing) * t + self.label_smoothing / t.shape[-1]

    def _smoothed_exactly(self, xp: Namespace, t: Array) -> Array:
        """Return the same without a float in between, for a formula on exact numbers."""
        if not self.label_smoothing:
            return t
        one = xp.ones_like(t)
        return (one - self.label_smoothing) * t + one * self.label_smoothing / t.shape[-1]
