"""Cross-entropy of one probability per element."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import Field, PositiveFloat

from lossfw import (
    UNIT,
    Array,
    Claims,
    GuardedLoss,
    Namespace,
    PointwiseBody,
    PointwiseLoss,
    RawOutputLoss,
    Space,
)
from lossfw.numerics import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    computed_in_float64,
    guarded_log,
    multiply_or_zero,
    textbook_log,
    with_float32_form,
)
from lossfw_std.binary_logits import TargetBody, WeightedBody
from lossfw_std.parabolas import logistic_curvature

# With the floor below this the risk has its minimum on the right side of 1/2.
_HALF = 0.5

# For a smaller delta the sum of 1 - p and delta in float64 has fewer digits than float32.
_SMALL_DELTA = 1e-8


class BinaryCrossEntropy(RawOutputLoss, GuardedLoss, PointwiseLoss):
    """Binary cross-entropy, -w t log y - (1 - t) log(1 - y).

    Use it when a model predicts the probability of one class, or of several classes that are not
    exclusive.

    Prediction and target of one shape; one loss per element. Predictions are probabilities, or
    logits of any size, infinite ones included. Targets are 0, 1 or anything between them.

    Parameters
    ----------
    guard : {"normalised", "additive", "floor", "none"}
        What keeps log(0) finite; see `lossfw.numerics.guards`. It applies to both logarithms, but
        not with logits.
    delta : float
        The guard's constant.
    from_logits : bool
        Predictions are logits; sigmoid and logarithm are computed as one.
    pos_weight : float
        The factor w of a target of 1, above 0: one of them counts as much as w targets of 0, as in
        ``torch.nn.BCEWithLogitsLoss``.
    label_smoothing : float
        Fraction s of the target that is spread evenly over 0 and 1, as in Keras: t becomes (1 - s)
        t + s / 2, before it is weighted.

    Notes
    -----
    ``loss(y, t)`` is ``loss(1 - y, 1 - t)``, and from logits ``loss(-z, 1 - t)``. From logits it is
    the logistic loss of the margin for t in {0, 1}, and the cross-entropy of the two classes with
    logits 0 and z.

    The gradient for a soft target goes through 0 where prediction and target agree; there its
    accuracy is that of its terms.

    It elicits the mean of the targets, and is strictly proper, only for the guard ``"none"``: the
    others move the minimiser, by delta at most. Its minimum for a soft target is the target's
    entropy, not 0. The floor makes a kink where the loss is not convex, at delta for one target and
    at 1 - delta for the other. The additive guard is bounded by -log1p(delta), not by 0.

    With a weight w the minimiser of targets of mean p is w p / (w p + 1 - p), so the loss is
    neither proper nor calibrated: the minimiser is 1/2 at p = 1 / (1 + w). A mean divides by the
    number of targets, not by their weights; to divide by these, give them as sample_weight. With
    smoothing the minimiser is the smoothed mean, on the same side of 1/2. Source: Good, *Rational
    decisions*, Journal of the Royal Statistical Society B 14, 1952,
    doi:10.1111/j.2517-6161.1952.tb00104.x; weights: King and Zeng, *Logistic regression in rare
    events data*, Political Analysis 9, 2001, doi:10.1093/oxfordjournals.pan.a004868; label
    smoothing: Szegedy et al., *Rethinking the Inception architecture for computer vision*, 2016,
    doi:10.1109/CVPR.2016.308.

    See Also
    --------
    cross_entropy : over classes.
    logistic : of the margin, with targets -1 and 1.
    focal : gives less weight to good predictions; the same for gamma = 0.

    Examples
    --------
    >>> BinaryCrossEntropy(from_logits=True)([20.0, -20.0], [1.0, 0.0])
    2.061153620314381e-09
    >>> BinaryCrossEntropy(from_logits=True, pos_weight=3.0)([0.0, 0.0], [1.0, 0.0])
    1.3862943611198906
    """

    output_activation: ClassVar[str] = "sigmoid"
    prediction: ClassVar[Space] = UNIT
    target: ClassVar[Space] = UNIT

    guard: Guard = "normalised"
    delta: Delta = DEFAULT_DELTA
    from_logits: bool = False
    pos_weight: PositiveFloat = 1.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def raw_body(self) -> PointwiseBody:
        if self._has_plain_factors:
            return TargetBody()
        return WeightedBody(self._smoothed_target, self._smoothed_exact_target, self.pos_weight)

    @property
    def _has_plain_factors(self) -> bool:
        """Whether the factors of both logarithms are t and 1 - t."""
        return self.pos_weight == 1.0 and self.label_smoothing == 0.0

    def _smoothed_target(self, xp: Namespace, t: Array) -> tuple[Array, Array]:
        """Return the smoothed target, and 1 less it."""
        if self.label_smoothing == 0.0:
            return t, 1.0 - t
        half, rest = 0.5 * self.label_smoothing, 1.0 - self.label_smoothing
        return rest * t + half, rest * (1.0 - t) + half

    def _smoothed_exact_target(self, xp: Namespace, t: Array) -> tuple[Array, Array]:
        """Return the same without a float in between, for exact numbers."""
        one = xp.ones_like(t)
        smoothed = (one - self.label_smoothing) * t + one * self.label_smoothing / 2
        return smoothed, 1 - smoothed

    def _apply_weight(self, x: Array) -> Array:
        """Return w x."""
        return x if self.pos_weight == 1.0 else self.pos_weight * x

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-w t log y - (1 - t) log(1 - y), with the guard in its textbook form."""
        log = textbook_log(xp, y, self.guard, self.delta)
        rest = textbook_log(xp, 1 - y, self.guard, self.delta)
        a, b = (t, 1 - t) if self._has_plain_factors else self._smoothed_exact_target(xp, t)
        return -self._apply_weight(multiply_or_zero(xp, a, log)) - multiply_or_zero(xp, b, rest)

    def _float32_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        if self.guard != "normalised" or self.delta <= _SMALL_DELTA:
            return self.value(xp, y, t)
        # log((p + delta) / (1 + delta)) = log1p((p - 1) / (1 + delta))
        k = 1.0 / (1.0 + self.delta)
        a, b = self._smoothed_target(xp, t)
        return -(self._apply_weight(a * xp.log1p((y - 1.0) * k)) + b * xp.log1p(y * -k))

    @with_float32_form(_float32_value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same with 0 log 0 = 0; either logarithm knows its distance to 1."""
        rest = 1.0 - y
        log = guarded_log(xp, y, self.guard, self.delta, rest)
        log_rest = guarded_log(xp, rest, self.guard, self.delta, y)
        a, b = self._smoothed_target(xp, t)
        first = self._apply_weight(multiply_or_zero(xp, a, log))
        return -(first + multiply_or_zero(xp, b, log_rest))

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-w t / y + (1 - t) / (1 - y), with the guard."""
        own, other, a, b = self._derivatives(xp, y, t)
        return multiply_or_zero(xp, b, other) - self._apply_weight(multiply_or_zero(xp, a, own))

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """w t / y^2 + (1 - t) / (1 - y)^2, with the guard."""
        own, other, a, b = self._derivatives(xp, y, t)
        first = self._apply_weight(multiply_or_zero(xp, a, own * own))
        return first + multiply_or_zero(xp, b, other * other)

    def _derivatives(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array, Array, Array]:
        """Return the derivatives of both guarded logarithms, and the shares of both."""
        rest = 1.0 - y
        return (
            self._derivative(xp, y, rest),
            self._derivative(xp, rest, y),
            *self._smoothed_target(xp, t),
        )

    def _derivative(self, xp: Namespace, p: Array, rest: Array) -> Array:
        """Return the derivative of the guarded logarithm of p."""
        if self.guard == "none":
            return 1.0 / p
        if self.guard == "floor":
            # One of the differences 1 - p and 1 - delta is exact, and its comparison right.
            flat = (p < self.delta) | (rest > 1.0 - self.delta)
            return 1.0 / xp.where(flat, xp.inf, p)
        return 1.0 / (p + self.delta)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """The bound of the logistic loss: at logits, the target only adds a linear term."""
        if not self.from_logits:
            return super().curvature_bound(xp, y, t)
        if self._has_plain_factors:
            return logistic_curvature(xp, y)
        a, b = self._smoothed_target(xp, t)
        return (self.pos_weight * a + b) * logistic_curvature(xp, y)

    def claims(self) -> Claims:
        """Convex but for the floor; the constants are those of the targets 0 and 1."""
        ends = self._extreme_factors
        even = self.pos_weight == 1.0
        if self.from_logits:
            return Claims(
                nonnegative=True,
                strictly_convex=True,
                lipschitz=max(max(pair) for pair in ends),
                gradient_lipschitz=0.25 * max(sum(pair) for pair in ends),
                twice_smooth=True,
                calibrated=even or None,
                linear_in_target=True,
            )
        none, floor, additive = (self.guard == name for name in ("none", "floor", "additive"))
        proper = none and self._has_plain_factors
        least = min(_least_loss(a, b, self.delta) for a, b in ends) if additive else None
        delta = 0.0 if none else self.delta
        return Claims(
            nonnegative=least is None or None,
            lower_bound=least,
            bounded=None if none else max(self._value_at_wrong_end(a, b) for a, b in ends),
            strongly_convex=None
            if floor
            else min(_least_second_derivative(a, b, delta) for a, b in ends),
            lipschitz=None if none else max(self._derivative_at_wrong_end(a, b) for a, b in ends),
            gradient_lipschitz=None
            if none or floor
            else max(_second_derivative(a, b, delta) for a, b in ends),
            twice_smooth=not floor or None,
            finite_at_boundary=not none,
            strictly_proper=proper or None,
            calibrated=even or None,
            linear_in_target=True,
            elicits="mean" if proper else None,
        )

    @property
    def _extreme_factors(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The larger and the smaller factor for a target of 1, and for one of 0.

        The loss is linear in the target and symmetric in both classes but for the weight, so
        that all extremes are at these, with predictions from the wrong end to the right one.
        """
        half = 0.5 * self.label_smoothing
        w = self.pos_weight
        return (w * (1.0 - half), half), (1.0 - half, w * half)

    def _value_at_wrong_end(self, a: float, b: float) -> float:
        """Return the loss of the wrong end; for the floor where that begins."""
        if self.guard == "normalised":
            return a * math.log1p(1.0 / self.delta)
        if self.guard == "additive":
            return -a * math.log(self.delta) - b * math.log1p(self.delta)
        return -a * math.log(self.delta) - b * math.log(max(1.0 - self.delta, self.delta))

    def _derivative_at_wrong_end(self, a: float, b: float) -> float:
        """Return the steepest derivative, at the wrong end; for the floor where that begins."""
        if self.guard != "floor":
            return a / self.delta - b / (1.0 + self.delta)
        if self.delta > _HALF:
            # The logarithm of the other class is flat where that of this one is not.
            return a / self.delta
        return max(a / self.delta - b / (1.0 - self.delta), a / (1.0 - self.delta))


def _least_loss(a: float, b: float, delta: float) -> float:
    """Return the minimum of -a log(y + delta) - b log(1 - y + delta)."""
    y = min(1.0, max(0.0, (1.0 + 2.0 * delta) * (a / (a + b)) - delta))
    return -a * math.log1p((y - 1.0) + delta) - (b * math.log1p(delta - y) if b else 0.0)


def _second_derivative(a: float, b: float, delta: float) -> float:
    """Return the second derivative at the wrong end."""
    return a * (1.0 / delta) ** 2 + b / (1.0 + delta) ** 2


def _least_second_derivative(a: float, b: float, delta: float) -> float:
    """Return the least second derivative, a / (y + delta)^2 + b / (1 - y + delta)^2."""
    # Where its own derivative is 0, the denominators are as the third roots of a and b.
    part = math.cbrt(a) / (math.cbrt(a) + math.cbrt(b))
    own = min(1.0 + delta, max(delta, (1.0 + 2.0 * delta) * part))
    other = 1.0 + 2.0 * delta - own
    return a / own**2 + (b / other**2 if b else 0.0)
