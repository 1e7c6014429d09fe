"""Cross-entropy of one probability per element."""

from __future__ import annotations

import math
from typing import ClassVar

from lossfw import (
    UNIT,
    Array,
    Claims,
    GuardedLoss,
    LinkedLoss,
    Namespace,
    Order,
    PointwiseBody,
    PointwiseLoss,
    Space,
)
from lossfw.numerics import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    guarded_log,
    in_double,
    in_double_by,
    quotient,
    sigmoid,
    softplus,
    textbook_log,
    times,
)
from lossfw_std.parabolas import over_logistic

# With the floor below this the risk has its minimum on the right side of 1/2.
_HALF = 0.5


# For a smaller delta the sum of 1 - p and delta in float64 has fewer digits than float32.
_SMALL_DELTA = 1e-8


class BinaryCrossEntropy(LinkedLoss, GuardedLoss, PointwiseLoss):
    """Binary cross-entropy, -t log y - (1 - t) log(1 - y).

    Use it when a model predicts the probability of a yes, or of several that are
    not exclusive.

    Prediction and target of one shape; one loss per element. Predictions are
    probabilities, or logits of any size, infinite ones included. Targets are 0,
    1 or anything between them.

    Parameters
    ----------
    guard : {"normalised", "additive", "floor", "none"}
        What keeps log(0) finite; see `lossfw.numerics.guards`. It is put before both
        logarithms and plays no part in logits.
    delta : float
        The guard's constant.
    from_logits : bool
        Predictions are logits; sigmoid and logarithm are computed as one.

    Notes
    -----
    ``loss(y, t)`` is ``loss(1 - y, 1 - t)``, and from logits ``loss(-z, 1 - t)``.
    From logits it is the logistic loss of the margin for t in {0, 1}, and the
    cross-entropy of the two classes with logits 0 and z.

    The gradient for a soft target goes through 0 where prediction and target
    agree; there its accuracy is that of its terms.

    It elicits the mean of the targets, and is strictly proper, for the guard
    ``"none"`` alone: the others move the minimiser, by delta at most. It is not
    0 at a soft target, whose entropy it has for its minimum. The floor makes a
    kink at which convexity is lost, at delta for one target and at 1 - delta
    for the other. The additive guard is bounded by -log1p(delta), not by 0.
    Source: Good, *Rational decisions*, Journal of the Royal Statistical Society
    B 14, 1952, doi:10.1111/j.2517-6161.1952.tb00104.x.

    See Also
    --------
    cross_entropy : over classes.
    logistic : of the margin, with targets -1 and 1.
    focal : weighs good predictions down; with gamma = 0 the same.

    Examples
    --------
    >>> BinaryCrossEntropy(from_logits=True)([20.0, -20.0], [1.0, 0.0])
    2.061153620314381e-09
    """

    link_name: ClassVar[str] = "sigmoid"
    prediction: ClassVar[Space] = UNIT
    target: ClassVar[Space] = UNIT

    guard: Guard = "normalised"
    delta: Delta = DEFAULT_DELTA
    from_logits: bool = False

    def logit_body(self) -> PointwiseBody:
        """Return the functions of logits."""
        return _OnLogits()

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-t log y - (1 - t) log(1 - y), with the guard in its textbook form."""
        log = textbook_log(xp, y, self.guard, self.delta)
        rest = textbook_log(xp, 1 - y, self.guard, self.delta)
        return -times(xp, t, log) - times(xp, 1 - t, rest)

    def _plain_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        if not self._is_plain:
            return self._value(xp, y, t)
        # log((p + delta) / (1 + delta)) = log1p((p - 1) / (1 + delta))
        k = 1.0 / (1.0 + self.delta)
        return -(t * xp.log1p((y - 1.0) * k) + (1.0 - t) * xp.log1p(y * -k))

    @in_double_by(_plain_value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same with 0 log 0 = 0; either logarithm knows its distance to 1."""
        return self._value(xp, y, t)

    def _value(self, xp: Namespace, y: Array, t: Array) -> Array:
        rest = 1.0 - y
        log = guarded_log(xp, y, self.guard, self.delta, rest)
        log_rest = guarded_log(xp, rest, self.guard, self.delta, y)
        return -(times(xp, t, log) + times(xp, 1.0 - t, log_rest))

    def _plain_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        if not self._is_plain:
            return self._derivative(xp, y, t)
        gap = (y - t) + self.delta * (1.0 - 2.0 * t)
        return gap / ((y + self.delta) * ((1.0 - y) + self.delta))

    @property
    def _is_plain(self) -> bool:
        """Whether float64 that was float32 has the digits of 1 - p beside delta."""
        return self.guard == "normalised" and self.delta > _SMALL_DELTA

    @in_double_by(_plain_derivative)
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-t / y + (1 - t) / (1 - y), over one denominator where both count."""
        return self._derivative(xp, y, t)

    def _derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        own, other = self._under(xp, y, 1.0 - y), self._under(xp, 1.0 - y, y)
        apart = quotient(xp, 1.0 - t, other) - quotient(xp, t, own)
        # With two terms their difference keeps the digits of y - t.
        both = (t > 0.0) & (t < 1.0) & (own > 0.0) & (other > 0.0)
        both = both & xp.isfinite(own) & xp.isfinite(other)
        gap = y - t
        if self.guard in ("additive", "normalised"):
            gap = gap + self.delta * (1.0 - 2.0 * t)
        one = xp.ones_like(y)
        joint = gap / xp.where(both, own, one) / xp.where(both, other, one)
        return xp.where(both, joint, apart)

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2 + (1 - t) / (1 - y)^2."""
        own, other = self._under(xp, y, 1.0 - y), self._under(xp, 1.0 - y, y)
        first = quotient(xp, quotient(xp, t, own), own)
        return first + quotient(xp, quotient(xp, 1.0 - t, other), other)

    def _under(self, xp: Namespace, p: Array, rest: Array) -> Array:
        """Return 1 over the slope of the guarded logarithm; infinite for a slope of 0."""
        if self.guard == "none":
            return p
        if self.guard == "floor":
            # One of the differences 1 - p and 1 - delta is exact, and its comparison right.
            return xp.where((p < self.delta) | (rest > 1.0 - self.delta), xp.inf, p)
        return p + self.delta

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """That of the logistic loss at logits, for a target adds a straight line alone."""
        return over_logistic(xp, y) if self.from_logits else super().curvature_bound(xp, y, t)

    def claims(self) -> Claims:
        """Convex but for the floor; the other claims depend on form and guard."""
        if self.from_logits:
            return Claims(
                nonnegative=True,
                strictly_convex=True,
                lipschitz=1.0,
                gradient_lipschitz=0.25,
                twice_smooth=True,
                calibrated=True,
                linear_in_target=True,
            )
        none, floor = self.guard == "none", self.guard == "floor"
        # The largest slope is at a target's probability of 0, at delta for the floor.
        slope = None if none else 1.0 / self.delta
        least = -math.log1p(self.delta) if self.guard == "additive" else None
        worst = math.log1p(1.0 / self.delta) if self.guard == "normalised" else None
        return Claims(
            nonnegative=least is None or None,
            lower_bound=least,
            bounded=None if none else worst or -math.log(self.delta),
            strongly_convex=None if floor else 1.0 / self._end**2,
            lipschitz=slope,
            gradient_lipschitz=None if slope is None or floor else slope**2,
            twice_smooth=not floor or None,
            finite_at_boundary=not none,
            strictly_proper=none or None,
            calibrated=(not floor or self.delta < _HALF) or None,
            linear_in_target=True,
            elicits="mean" if none else None,
        )

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """Those of both classes, which cancel in the slope; in the value for a negative guard."""
        if self.from_logits:
            return (t * sigmoid(xp, -y), (1.0 - t) * sigmoid(xp, y)) if order == 1 else ()
        if order == 2 or (order == 0 and self.guard != "additive"):
            return ()
        sides = ((t, y, 1.0 - y), (1.0 - t, 1.0 - y, y))
        if order == 1:
            return tuple(quotient(xp, share, self._under(xp, p, q)) for share, p, q in sides)
        logs = (guarded_log(xp, p, self.guard, self.delta, rest) for _, p, rest in sides)
        return tuple(times(xp, share, log) for (share, _, _), log in zip(sides, logs, strict=True))

    @property
    def _end(self) -> float:
        """The argument of the logarithm at a probability of 1, without its constant factor."""
        return 1.0 if self.guard == "none" else 1.0 + self.delta


class _OnLogits(PointwiseBody):
    """Binary cross-entropy of logits.

    In terms of abs(z), e = exp(-abs(z)) and the misclassified share w of the
    target. Without a choice between arrays: it costs more than an exponential
    where the signs of the logits come in no order.
    """

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """t log(1 + exp(-z)) + (1 - t) log(1 + exp(z))."""
        return times(xp, t, softplus(xp, -z)) + times(xp, 1 - t, softplus(xp, z))

    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """log1p(e) + w abs(z)."""
        a = xp.abs(z)
        return _value(xp, a, _misclassified(xp, z, t), xp.exp(-a))

    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(1 - t) sigmoid(z) - t sigmoid(-z), in which nothing cancels for t of 0 or 1."""
        return _slope(xp, z, _misclassified(xp, z, t), xp.exp(-xp.abs(z)))

    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both from one exponential."""
        a = xp.abs(z)
        w, e = _misclassified(xp, z, t), xp.exp(-a)
        return _value(xp, a, w, e), _slope(xp, z, w, e)

    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """sigmoid(z) sigmoid(-z) for every target; NaN in it stays."""
        return sigmoid(xp, z) * sigmoid(xp, -z) + 0.0 * t


def _positive(xp: Namespace, z: Array) -> Array:
    """Return 1 where z is above 0, and 0 elsewhere."""
    return xp.astype(z > 0.0, z.dtype)


def _misclassified(xp: Namespace, z: Array, t: Array) -> Array:
    """Return the share of the target that the sign of z gets wrong: 1 - t or t."""
    return xp.abs(t - _positive(xp, z))


def _value(xp: Namespace, a: Array, w: Array, e: Array) -> Array:
    return times(xp, w, a) + xp.log1p(e)


def _slope(xp: Namespace, z: Array, w: Array, e: Array) -> Array:
    """Return sign(z) (w s - (1 - w) (1 - s)), with s = sigmoid(abs(z)) = 1 / (1 + e)."""
    sign = 2.0 * _positive(xp, z) - 1.0
    return sign * ((w - (1.0 - w) * e) / (1.0 + e))
