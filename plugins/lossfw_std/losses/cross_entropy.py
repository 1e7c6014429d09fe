"""Cross-entropy over classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from lossfw import (
    Array,
    CategoricalLoss,
    Claims,
    GuardedLoss,
    Namespace,
    RawOutputLoss,
    RowBody,
    numerics,
)
from lossfw.numerics import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    guarded_log,
    guarded_log_derivative,
    guarded_log_second_derivative,
    multiply_or_zero,
    put_at,
    take_at,
    textbook_log,
    with_nan_of_rows,
)


class CrossEntropy(RawOutputLoss, GuardedLoss, CategoricalLoss):
    """Cross-entropy, -sum over classes of t log y.

    Use it when a model predicts the probabilities of exclusive classes.

    Parameters
    ----------
    guard : {"normalised", "additive", "floor", "none"}
        What keeps log(0) finite; see `lossfw.numerics.guards`. Not used with logits.
    delta : float
        The guard's constant.
    from_logits : bool
        Predictions are logits; softmax and logarithm are computed as one.
    label_smoothing : float
        Fraction of the target that is spread evenly over all K classes.

    Notes
    -----
    Prediction of shape (..., K): distributions, or logits of any size, infinite ones included.
    Target: class indices (...), or distributions (..., K), one-hot or soft. One loss per row. It is
    0 at y = t for a class, and the target's entropy for a soft target.

    From logits, with m the largest of a row, the loss is ``(m - z_k) + log1p(rest)``, where the
    rest sums exp(z_j - m) over all classes but one of the largest: the usual ``log(sum(exp))``
    loses the digits of a small loss. There its derivative is a difference of distributions, so at
    most sqrt(2), and its curvature that of log(sum(exp)), at most 1/2; with label smoothing the
    bound of the derivative depends on the number of classes. On probabilities the derivative along
    the simplex does, so no constant is claimed there.

    Strictly proper only for the guard ``"none"``: the others move the minimiser, by delta at most.
    With label smoothing it is not proper: the minimiser is the smoothed distribution. Both keep the
    most probable class, so the loss stays calibrated. The additive guard is bounded by
    -log1p(delta), not by 0. Not convex with the floor, which is flat below delta. Source: Good,
    *Rational decisions*, 1952, doi:10.1111/j.2517-6161.1952.tb00104.x; Bishop, *Pattern recognition
    and machine learning*, 2006, eq. 4.108; label smoothing: Szegedy et al., *Rethinking the
    Inception architecture for computer vision*, 2016, doi:10.1109/CVPR.2016.308.

    See Also
    --------
    binary_cross_entropy : for one probability per element.
    kl_divergence : minus the entropy of the target.
    categorical_focal, poly_cross_entropy, generalised_cross_entropy : with other weights for
        well predicted or wrongly labelled classes.

    Examples
    --------
    >>> CrossEntropy(from_logits=True)([[2.0, 0.0, 0.0]], [0])
    0.23954476622188453
    """

    output_activation: ClassVar[str] = "softmax"

    guard: Guard = "normalised"
    delta: Delta = DEFAULT_DELTA
    from_logits: bool = False
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def raw_body(self) -> RowBody:
        return _LogitBody()

    @property
    def body(self) -> object:
        """The functions below, or those of logits, of smoothed targets."""
        body: Any = self.raw_body() if self.from_logits else self
        return _SmoothedBody(body, self.label_smoothing) if self.label_smoothing else body

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-sum t log y, with the guard in its textbook form and 0 log 0 = 0."""
        return -xp.sum(
            multiply_or_zero(xp, t, textbook_log(xp, y, self.guard, self.delta)), axis=-1
        )

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-sum t log y, with the digits of a small loss."""
        return -xp.sum(multiply_or_zero(xp, t, guarded_log(xp, y, self.guard, self.delta)), axis=-1)

    def value_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """-log of the target's probability: one gather instead of a sum."""
        log = guarded_log(xp, take_at(xp, y, index), self.guard, self.delta)
        return with_nan_of_rows(xp, y, 0.0 - log)

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-t / y, with the guard."""
        return 0.0 - multiply_or_zero(xp, t, guarded_log_derivative(xp, y, self.guard, self.delta))

    def derivative_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """-1 / y at the target, with the guard; 0 elsewhere."""
        derivative = guarded_log_derivative(xp, take_at(xp, y, index), self.guard, self.delta)
        # 0 y keeps a NaN.
        return put_at(xp, 0.0 * y, index, -derivative)

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2, with the guard."""
        return multiply_or_zero(
            xp, t, -guarded_log_second_derivative(xp, y, self.guard, self.delta)
        )

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
            nonnegative=not additive or None,
            lower_bound=-math.log1p(self.delta) if additive else None,
            bounded=self._largest_loss(),
            zero_at_target=(plain and not additive) or None,
            convex=self.guard != "floor" or None,
            twice_smooth=self.guard != "floor" or None,
            strictly_proper=proper or None,
            calibrated=True,
            permutation_equivariant=True,
            linear_in_target=True,
            finite_at_boundary=self.guard != "none",
            elicits="mean" if proper else None,
        )

    def _largest_loss(self) -> float | None:
        """Return the loss of probability 0; None where it is infinite."""
        if self.guard == "none":
            return None
        return math.log1p(1.0 / self.delta) if self.guard == "normalised" else -math.log(self.delta)


class _LogitBody(RowBody):
    """Cross-entropy of logits, sum of t (log sum exp z - z)."""

    value = staticmethod(numerics.softmax_cross_entropy)
    value_at = staticmethod(numerics.softmax_cross_entropy_at)
    derivative = staticmethod(numerics.softmax_cross_entropy_gradient)
    value_and_derivative = staticmethod(numerics.softmax_cross_entropy_and_gradient)
    value_and_derivative_at = staticmethod(numerics.softmax_cross_entropy_and_gradient_at)
    second_derivative = staticmethod(numerics.softmax_cross_entropy_hessian)

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        total = xp.log(xp.sum(xp.exp(z), axis=-1, keepdims=True))
        return xp.sum(multiply_or_zero(xp, t, total - z), axis=-1)

    def derivative_at(self, xp: Namespace, z: Array, index: Array) -> Array:
        """softmax(z), less 1 at the target."""
        return self.value_and_derivative_at(xp, z, index)[1]


@dataclass(frozen=True)
class _SmoothedBody(RowBody):
    """A body whose targets are smoothed."""

    of: RowBody
    share: float

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Smooth without a float in between, for exact numbers."""
        one = xp.ones_like(t)
        return self.of.formula(xp, y, (one - self.share) * t + one * self.share / t.shape[-1])

    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        return self.of.value(xp, y, _smooth_target(t, self.share))

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        return self.of.derivative(xp, y, _smooth_target(t, self.share))

    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        return self.of.value_and_derivative(xp, y, _smooth_target(t, self.share))

    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        return self.of.second_derivative(xp, y, _smooth_target(t, self.share))


def _smooth_target(t: Array, smoothing: float) -> Array:
    return (1.0 - smoothing) * t + smoothing / t.shape[-1] if smoothing else t
