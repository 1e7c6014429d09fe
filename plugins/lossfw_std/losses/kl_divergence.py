"""The divergence of Kullback and Leibler."""

from __future__ import annotations

import math
from typing import ClassVar

from lossfw import SIMPLEX, Array, CategoricalLoss, Claims, GuardedLoss, Namespace, Order, Space
from lossfw.numerics import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    in_double,
    log1p_minus,
    quotient,
    textbook_log,
    times,
)
from lossfw_std.guarded_ratio import guarded, guarded_difference, log_ratio


class KlDivergence(GuardedLoss, CategoricalLoss):
    """Kullback-Leibler divergence, sum over classes of t log(t / y).

    Use it when targets are distributions, as in distillation or variational
    inference.

    Prediction of shape (..., K): distributions. Target: class indices (...), or
    distributions (..., K), one-hot or soft. One loss per row. A class of target
    0 adds nothing, even at y = 0.

    Parameters
    ----------
    guard : {"normalised", "additive", "floor", "none"}
        Changes the arguments t and y of both logarithms; see `lossfw.numerics.guards`.
        In their ratio "normalised" and "additive" are the same. With "none"
        the loss is infinite where y = 0 and t > 0.
    delta : float
        The guard's constant.
    reverse : bool
        The sum of y log(y / t) instead, which punishes probability where the
        target has none.

    Notes
    -----
    Convex, except with the guard "floor" and not in reverse; strictly proper
    for the guard "none" alone, since the others move the minimiser, by delta at
    most. In reverse it is strictly convex but not proper. It is not claimed to
    be non-negative: rows of floats sum to 1 only up to rounding, and for a
    prediction that sums to more than its target the truth is below 0. Source:
    Kullback and Leibler, *On information and sufficiency*, 1951,
    doi:10.1214/aoms/1177729694.

    See Also
    --------
    cross_entropy : this plus the entropy of the target; the same for a class
        index, except with the guard "additive".
    js_divergence : half of both divergences to the midpoint.

    Examples
    --------
    >>> KlDivergence()([[0.25, 0.75]], [[0.25, 0.75]])
    0.0
    >>> KlDivergence(guard="none")([[0.5, 0.5]], [[1.0, 0.0]])
    0.6931471805599453
    """

    target: ClassVar[Space] = SIMPLEX

    guard: Guard = "normalised"
    delta: Delta = DEFAULT_DELTA
    reverse: bool = False

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Sum of t log t - t log y, with the guard in its textbook form and 0 log 0 = 0."""
        of, against = (y, t) if self.reverse else (t, y)
        gain = times(xp, of, textbook_log(xp, against, self.guard, self.delta))
        loss = times(xp, of, textbook_log(xp, of, self.guard, self.delta))
        return xp.sum(loss - gain, axis=-1)

    @in_double
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same; near t = y as t (x - log(1 + x)) - t x with x = y/t - 1.

        The first part keeps the digits of the loss, the second sums to nearly 0:
        without a guard it is the sum of t - y.
        """
        of, against = (y, t) if self.reverse else (t, y)
        a, b = self._guarded(xp, of), self._guarded(xp, against)
        gap = guarded_difference(xp, of, against, self.guard, self.delta)
        near = (xp.abs(gap) < 0.5 * a) | (gap == 0)
        none = xp.zeros_like(a)
        inside = xp.where(near & (a > 0), a, xp.ones_like(a))
        close_gap = xp.where(near, gap, none)
        close = 0.0 - of * log1p_minus(xp, -close_gap / inside)
        far = times(xp, of, xp.where(near, none, log_ratio(xp, a, b, gap)))
        total = xp.sum(xp.where(near, close, far), axis=-1)
        if self.guard == "none":
            return total + xp.sum(close_gap, axis=-1)
        # The gap times of / a; for the larger classes as the gap, exactly, less the rest.
        large = of >= self.delta
        exact = xp.sum(xp.where(large, close_gap, none), axis=-1)
        added = a - of if self.guard == "floor" else self.delta * xp.ones_like(a)
        return total + exact + xp.sum(close_gap * (xp.where(large, -added, of) / inside), axis=-1)

    @in_double
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-t / y; in reverse log(y / t) + 1; with the guard in both."""
        own = self._guarded(xp, y)
        moves = _moves(xp, y, self.guard, self.delta)
        if not self.reverse:
            return 0.0 - moves * quotient(xp, t, own)
        other = self._guarded(xp, t)
        gap = guarded_difference(xp, y, t, self.guard, self.delta)
        log = log_ratio(xp, own, other, gap)
        # Where the target has none, any probability is infinitely wrong.
        log = xp.where(other == 0, xp.inf * xp.ones_like(log), log)
        return log + (moves if self.guard in ("none", "floor") else y / own)

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2; in reverse 1 / y; with the guard in both."""
        own = self._guarded(xp, y)
        moves = _moves(xp, y, self.guard, self.delta)
        if not self.reverse:
            return moves * quotient(xp, quotient(xp, t, own), own)
        # (y + 2 delta) / (y + delta)^2 where the guard is a sum.
        return moves / own if self.guard in ("none", "floor") else (own + self.delta) / own / own

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """The largest class of the sum; in reverse the 1 that the slope adds to a logarithm."""
        of, against = (y, t) if self.reverse else (t, y)
        a, b = self._guarded(xp, of), self._guarded(xp, against)
        gap = guarded_difference(xp, of, against, self.guard, self.delta)
        if order == 0:
            return (xp.max(xp.abs(times(xp, of, log_ratio(xp, a, b, gap))), axis=-1),)
        return (y / a,) if self.reverse and order == 1 else ()

    def claims(self) -> Claims:
        """Convex as -log is, in reverse as y log y is; the floor is flat below delta."""
        plain, floor = self.guard == "none", self.guard == "floor"
        largest = -math.log(self.delta) if floor else math.log1p(1.0 / self.delta)
        return Claims(
            bounded=None if plain else largest,
            zero_at_target=True,
            convex=self.reverse or not floor,
            strictly_convex=self.reverse and not floor,
            strongly_convex=2.0 if self.reverse and plain else None,
            twice_smooth=not floor,
            strictly_proper=plain and not self.reverse,
            calibrated=not self.reverse,
            permutation_equivariant=True,
            finite_at_boundary=not plain,
            elicits="mean" if plain and not self.reverse else None,
        )

    def _guarded(self, xp: Namespace, p: Array) -> Array:
        return guarded(xp, p, self.guard, self.delta)


def _moves(xp: Namespace, y: Array, guard: Guard, delta: float) -> Array:
    """Return the derivative of the guarded probability: 0 below the floor, else 1."""
    still = (y < delta) if guard == "floor" else (y != y)
    return xp.where(still, 0.0 * y, xp.ones_like(y))
