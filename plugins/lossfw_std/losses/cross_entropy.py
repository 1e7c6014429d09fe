"""Cross-entropy over classes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from lossfw import CategoricalLoss, Claims
from lossfw.guards import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    guarded_log,
    guarded_log_derivative,
    guarded_log_second_derivative,
    textbook_log,
)
from lossfw.numbers.arrays import Array, Namespace
from lossfw.numerics import (
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_at,
    softmax_cross_entropy_gradient,
    times,
)


class CrossEntropy(CategoricalLoss):
    """Cross-entropy, -sum over classes of t log y.

    Parameters
    ----------
    guard : {"normalised", "additive", "floor", "none"}
        What keeps log(0) finite; see `lossfw.guards`. Plays no part in logits.
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
    one-hot or soft. One loss per row.

    From logits, with m the largest of a row, the loss is ``(m - z_k) +
    log1p(rest)``, where the rest sums exp(z_j - m) over all classes but one of
    the largest: the usual ``log(sum(exp))`` loses the digits of a small loss.

    Strictly proper for the guard ``"none"`` alone: the others move the
    minimiser, by delta at most. With label smoothing it is not proper. The
    additive guard is bounded by -log1p(delta), not by 0. Source: Good,
    *Rational decisions*, 1952; Bishop, *Pattern recognition and machine
    learning*, 2006, eq. 4.108.

    See Also
    --------
    binary_cross_entropy : for one probability per element.
    kl_divergence : less the entropy of the target.

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
        """-sum t log y, with the guard in its textbook form."""
        log = textbook_log(xp, y, self.guard, self.delta)
        return -xp.sum(times(xp, self._smoothed(t), log), axis=-1)

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-sum t log y, with 0 log 0 = 0."""
        log = guarded_log(xp, y, self.guard, self.delta)
        return -xp.sum(times(xp, self._smoothed(t), log), axis=-1)

    def value_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """-log of the target's probability: one gather instead of a sum."""
        if self.label_smoothing:
            return super().value_at(xp, y, index)
        own = xp.take_along_axis(y, index[..., None], axis=-1)[..., 0]
        # A NaN anywhere in the row reaches the result.
        spoilt = xp.any(xp.isnan(y), axis=-1)
        log = guarded_log(xp, own, self.guard, self.delta)
        return xp.where(spoilt, xp.nan * xp.ones_like(log), -log)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-t times the derivative of the guarded logarithm."""
        slope = guarded_log_derivative(xp, y, self.guard, self.delta)
        return -times(xp, self._smoothed(t), slope)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-t times its second derivative."""
        bend = guarded_log_second_derivative(xp, y, self.guard, self.delta)
        return -times(xp, self._smoothed(t), bend)

    def formula_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Sum of t (log sum exp z - z)."""
        total = xp.log(xp.sum(xp.exp(z), axis=-1, keepdims=True))
        return xp.sum(times(xp, self._smoothed(t), total - z), axis=-1)

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

    def second_derivative_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """p (1 - p), times the target's sum."""
        p = softmax(xp, z)
        return p * (1.0 - p) * xp.sum(self._smoothed(t), axis=-1, keepdims=True)

    def _smoothed(self, t: Array) -> Array:
        if not self.label_smoothing:
            return t
        share = self.label_smoothing / t.shape[-1]
        return (1.0 - self.label_smoothing) * t + share

    def claims(self) -> Claims:
        """Convex in every form; bounds and properness depend on guard and smoothing."""
        smooth = self.label_smoothing == 0
        if self.from_logits:
            return Claims(
                nonnegative=True,
                convex=True,
                twice_smooth=True,
                shift_invariant=True,
                permutation_equivariant=True,
                calibrated=smooth,
            )
        additive = self.guard == "additive"
        return Claims(
            nonnegative=not additive,
            lower_bound=-self.delta if additive else None,
            convex=self.guard != "floor",
            permutation_equivariant=True,
            finite_at_boundary=self.guard != "none",
            strictly_proper=self.guard == "none" and smooth,
        )
