"""The divergence of Kullback and Leibler."""

from __future__ import annotations

import math
from typing import ClassVar

from lossfw import SIMPLEX, Array, CategoricalLoss, Claims, GuardedLoss, Namespace, Space
from lossfw.numerics import (
    DEFAULT_DELTA,
    Delta,
    Guard,
    computed_in_float64,
    multiply_or_zero,
    textbook_log,
)
from lossfw_std.guarded_ratio import apply_guard, guarded_difference, log_ratio


class KlDivergence(GuardedLoss, CategoricalLoss):
    """Kullback-Leibler divergence, sum over classes of t log(t / y).

    Use it when targets are distributions, as in distillation or variational inference.

    Prediction of shape (..., K): distributions. Target: class indices (...), or distributions (...,
    K), one-hot or soft. One loss per row. A class of target 0 adds nothing, even at y = 0.

    Parameters
    ----------
    guard : {"normalised", "additive", "floor", "none"}
        Changes the arguments t and y of both logarithms; see `lossfw.numerics.guards`. In their
        ratio "normalised" and "additive" are the same. With "none" the loss is infinite where y = 0
        and t > 0.
    delta : float
        The guard's constant.
    reverse : bool
        Use the sum of y log(y / t) instead, which penalises probability where the target has none.

    Notes
    -----
    Convex, except with the guard "floor" and not in reverse; strictly proper only for the guard
    "none", since the others move the minimiser, by delta at most. In reverse it is strictly convex
    but not proper. It is not claimed to be non-negative: rows of floats sum to 1 only up to
    rounding, and for a prediction that sums to more than its target the truth is below 0. Source:
    Kullback and Leibler, *On information and sufficiency*, 1951, doi:10.1214/aoms/1177729694.

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
        gain = multiply_or_zero(xp, of, textbook_log(xp, against, self.guard, self.delta))
        loss = multiply_or_zero(xp, of, textbook_log(xp, of, self.guard, self.delta))
        return xp.sum(loss - gain, axis=-1)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same from the logarithm of one ratio, which for close t and y has its digits."""
        of, against = (y, t) if self.reverse else (t, y)
        return xp.sum(multiply_or_zero(xp, of, self._log_ratio(xp, of, against)), axis=-1)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-t / y; in reverse log(y / t) + 1; with the guard in both."""
        own = self._apply_guard(xp, y)
        if not self.reverse:
            return 0.0 - self._chain_guard(xp, y, multiply_or_zero(xp, t, 1.0 / own))
        log = self._log_ratio(xp, y, t)
        # Where the target has none, any probability is infinitely wrong.
        log = xp.where(self._apply_guard(xp, t) == 0, xp.inf * xp.ones_like(log), log)
        return log + (y / own if self._is_added else self._chain_guard(xp, y, xp.ones_like(y)))

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """t / y^2; in reverse 1 / y; with the guard in both."""
        own = self._apply_guard(xp, y)
        if not self.reverse:
            return self._chain_guard(xp, y, multiply_or_zero(xp, t, 1.0 / (own * own)))
        # (y + 2 delta) / (y + delta)^2 where the guard is a sum.
        return (
            (own + self.delta) / own / own
            if self._is_added
            else self._chain_guard(xp, y, 1.0 / own)
        )

    def claims(self) -> Claims:
        """Convex as -log is, in reverse as y log y is; the floor is flat below delta."""
        plain, floor = self.guard == "none", self.guard == "floor"
        largest = -math.log(self.delta) if floor else math.log1p(1.0 / self.delta)
        return Claims(
            bounded=None if plain else largest,
            zero_at_target=True,
            convex=(self.reverse or not floor) or None,
            strictly_convex=(self.reverse and not floor) or None,
            strongly_convex=2.0 if self.reverse and plain else None,
            twice_smooth=not floor or None,
            strictly_proper=(plain and not self.reverse) or None,
            calibrated=not self.reverse or None,
            permutation_equivariant=True,
            finite_at_boundary=not plain,
            elicits="mean" if plain and not self.reverse else None,
        )

    def _apply_guard(self, xp: Namespace, p: Array) -> Array:
        return apply_guard(xp, p, self.guard, self.delta)

    def _log_ratio(self, xp: Namespace, p: Array, q: Array) -> Array:
        """Return log(p / q) with the guard."""
        gap = guarded_difference(xp, p, q, self.guard, self.delta)
        return log_ratio(xp, self._apply_guard(xp, p), self._apply_guard(xp, q), gap, self.guard)

    @property
    def _is_added(self) -> bool:
        """Whether the guard adds delta."""
        return self.guard in ("normalised", "additive")

    def _chain_guard(self, xp: Namespace, y: Array, derivative: Array) -> Array:
        """Return a derivative by the guarded probability as one by y; the floor is flat."""
        return (
            xp.where(y < self.delta, 0.0 * derivative, derivative)
            if self.guard == "floor"
            else derivative
        )
