"""The divergence of Jensen and Shannon."""

from __future__ import annotations

import math
from typing import ClassVar, TypeAlias

from lossfw import (
    SIMPLEX,
    Array,
    CategoricalLoss,
    Claims,
    GuardedLoss,
    Namespace,
    Space,
)
from lossfw.numerics import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    computed_in_float64,
    multiply_or_zero,
    quotient,
    select,
)
from lossfw_std.guarded_ratio import apply_guard, guarded_difference

# y and t with the guard, their sum, and their difference over their sum.
_Parts: TypeAlias = tuple[Array, Array, Array, Array]


class JsDivergence(GuardedLoss, CategoricalLoss):
    """Jensen-Shannon divergence, sum over classes of (t log(t / m) + y log(y / m)) / 2.

    Use it to compare two distributions symmetrically, with a bounded loss.

    With m = (t + y) / 2, the midpoint, and the natural logarithm: half of both Kullback-Leibler
    divergences to the midpoint. Prediction of shape (..., K): distributions. Target: class indices
    (...), or distributions (..., K), one-hot or soft. One loss per row, from 0 to log 2.

    Parameters
    ----------
    guard : {"normalised", "additive", "floor", "none"}
        Changes the arguments t, y and m of the logarithms; see `lossfw.numerics.guards`. The loss
        is finite without it, but its derivative at y = 0 is not. In ratios "normalised" and
        "additive" are the same.
    delta : float
        The guard's constant.

    Notes
    -----
    Every class adds at least 0, so the loss is non-negative for rows of any sum. Convex, but linear
    in a class of target 0, so not strictly. Calibrated, but not proper: for a label of probability
    t the minimiser solves t log(1 + 1/y) = constant. Its square root is a metric. Source: Lin,
    *Divergence measures based on the Shannon entropy*, 1991, doi:10.1109/18.61115; Endres and
    Schindelin, *A new metric for probability distributions*, 2003, doi:10.1109/TIT.2003.813506.

    See Also
    --------
    kl_divergence : this is the mean of two of them, to the midpoint.

    Examples
    --------
    >>> JsDivergence()([[0.0, 1.0]], [[1.0, 0.0]])
    0.6931470805599602
    """

    target: ClassVar[Space] = SIMPLEX

    guard: Guard = "normalised"
    delta: Delta = DEFAULT_DELTA

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Sum of (t log(t / m) + y log(y / m)) / 2, with the guard and 0 log 0 = 0."""
        a, b = (apply_guard(xp, p, self.guard, self.delta) for p in (y, t))
        total = a + b
        some = xp.where(total == 0, xp.ones_like(total), total)
        # Without a target the midpoint is y / 2, also at y = 0.
        ratio = xp.where(b == 0, 2.0 * xp.ones_like(b), 2 * a / some)
        own, other = (
            multiply_or_zero(xp, y, xp.log(ratio)),
            multiply_or_zero(xp, t, xp.log(2 * b / some)),
        )
        return xp.sum(own + other, axis=-1) / 2

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same by log1p of x and of -x, x = (y - t) / (y + t)."""
        x = self._parts(xp, y, t)[-1]
        return _value(xp, y, t, xp.log1p(x), x)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """log(y / m) / 2, with the terms of the guard."""
        parts = self._parts(xp, y, t)
        return self._derivative(xp, y, t, parts, xp.log1p(parts[-1]))

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same logarithm."""
        parts = self._parts(xp, y, t)
        log = xp.log1p(parts[-1])
        return _value(xp, y, t, log, parts[-1]), self._derivative(xp, y, t, parts, log)

    def _derivative(self, xp: Namespace, y: Array, t: Array, parts: _Parts, log: Array) -> Array:
        a, b, total, x = parts
        # Near -1 the quotient has lost the digits of a small y.
        log = select(xp, x > -0.5, log, xp.log(2.0 * a / total))
        if self.guard == "none":
            # For t = 0 the ratio is 2 however small y is.
            return 0.5 * xp.where(total == 0, math.log(2.0), log)
        if self.guard == "floor":
            return 0.5 * (log + xp.where(y < self.delta, 0.0 * y, (b - t) / total))
        return 0.5 * (log + x * (self.delta / a))

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / (2 y (t + y)), with the guard."""
        a, b, total, _ = self._parts(xp, y, t)
        if self.guard == "none":
            return 0.5 * quotient(xp, quotient(xp, t, total), y)
        other, own = b / total, a / total
        if self.guard == "floor":
            second_derivative = (other * other + (t / total) * own) / a
            return xp.where(y < self.delta, 0.0 * y, 0.5 * second_derivative)
        squares = other * other * (a + self.delta) + t * own * own
        return 0.5 * (squares + 2.0 * self.delta * own * other) / a / a

    def _parts(self, xp: Namespace, y: Array, t: Array) -> _Parts:
        a, b = (apply_guard(xp, p, self.guard, self.delta) for p in (y, t))
        gap = guarded_difference(xp, y, t, self.guard, self.delta)
        # Only without a guard is the sum 0 where both are.
        divided = quotient(xp, gap, a + b) if self.guard == "none" else gap / (a + b)
        # The smaller of the two may be lost in it, and the logarithm of 0 is infinite.
        largest = 1.0 - 0.5 * float(xp.finfo(y.dtype).eps)
        return a, b, a + b, xp.clip(divided, -largest, largest)

    def claims(self) -> Claims:
        """Bounded by log 2, with or without a guard."""
        return Claims(
            nonnegative=True,
            bounded=math.log(2.0),
            zero_at_target=True,
            convex=True,
            twice_smooth=self.guard != "floor" or None,
            calibrated=True,
            permutation_equivariant=True,
            exchangeable=True,
            finite_at_boundary=True,
        )


def _value(xp: Namespace, y: Array, t: Array, log: Array, x: Array) -> Array:
    """Return the loss from x and log1p(x)."""
    return 0.5 * xp.sum(y * log + t * xp.log1p(-x), axis=-1)
