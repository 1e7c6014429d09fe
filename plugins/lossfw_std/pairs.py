"""Pairs of the rows of a group.

An array (..., n) of a group becomes an array of pairs, (..., n, n), whose entry i, j belongs to the
rows i and j.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from lossfw import Array, GroupLoss, Namespace
from lossfw.numerics import computed_in_float64, multiply_or_zero

# A row of this relevance fills up a group: it is in no pair and has no place.
ABSENT = -math.inf
NEUTRAL = (0.0, ABSENT)


def pairs(x: Array) -> tuple[Array, Array]:
    """Return an array (..., n) for row i, as (..., n, 1), and for row j, as (..., 1, n).

    Examples
    --------
    >>> import numpy as np
    >>> i, j = pairs(np.asarray([1.0, 2.0]))
    >>> i - j
    array([[ 0., -1.],
           [ 1.,  0.]])
    """
    return x[..., :, None], x[..., None, :]


def is_more_relevant(xp: Namespace, t: Array) -> Array:
    """Return for each pair whether row i is more relevant than row j, which is not absent.

    Examples
    --------
    >>> is_more_relevant(np, np.asarray([1.0, ABSENT, 2.0]))
    array([[False, False, False],
           [False, False, False],
           [ True, False, False]])
    """
    # One comparison of pairs: no row is above one that is absent.
    ti, tj = t[..., :, None], xp.where(t > ABSENT, t, -t)[..., None, :]
    result: Array = ti > tj
    return result


def is_unknown(xp: Namespace, y: Array, t: Array) -> Array:
    """Return whether a prediction or a target of a group is NaN, with a last axis of 1."""
    return xp.any(xp.isnan(y) | xp.isnan(t), axis=-1, keepdims=True)


def with_nan(xp: Namespace, unknown: Array, result: Array) -> Array:
    """Return a result, NaN in groups where a number is unknown."""
    if xp is np and not unknown.any():
        return result
    return xp.where(unknown, xp.full_like(result, math.nan), result)


class PairLoss(GroupLoss):
    """Base class of losses that sum over the pairs in which row i is more relevant than row j.

    Write the cost of a pair and its derivatives by d = s_j - s_i, the difference of the scores.
    """

    neutral: ClassVar[tuple[Any, Any] | None] = NEUTRAL

    @abstractmethod
    def textbook_cost(self, xp: Namespace, d: Array) -> Array:
        """Return the cost of each pair by its definition."""

    @abstractmethod
    def cost(self, xp: Namespace, d: Array) -> Array:
        """Return the cost of each pair."""

    @abstractmethod
    def cost_derivative(self, xp: Namespace, d: Array) -> Array:
        """Return its derivative."""

    def cost_and_derivative(self, xp: Namespace, d: Array) -> tuple[Array, Array]:
        """Return both; override it if they share parts."""
        return self.cost(xp, d), self.cost_derivative(xp, d)

    @abstractmethod
    def cost_second_derivative(self, xp: Namespace, d: Array) -> Array:
        """Return its second derivative."""

    def order(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """Return the order of the rows in which `weights` expects them; None for any."""
        return None

    def weights(self, xp: Namespace, t: Array) -> Array | None:
        """Return the weight of each pair, 0 where row i is not better; None where all have 1."""
        return None

    def textbook_weights(self, xp: Namespace, t: Array) -> Array:
        """Return the weights by their definition."""
        return xp.astype(is_more_relevant(xp, t), t.dtype)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The sum over the pairs, by the definitions of cost and weights."""
        y, t, _ = self._sort_rows(xp, y, t)
        si, sj = pairs(y)
        terms = multiply_or_zero(xp, self.textbook_weights(xp, t), self.textbook_cost(xp, sj - si))
        return xp.sum(xp.sum(terms, axis=-1), axis=-1)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The sum over all pairs."""
        y, t, _ = self._sort_rows(xp, y, t)
        return with_nan(
            xp,
            is_unknown(xp, y, t)[..., 0],
            _sum_of_pairs(xp, *self._weighted_terms(xp, y, t, self.cost)),
        )

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Up for each row that should stand above, and down for each that should stand below."""
        worse, better = self._sums_in_order(xp, y, t, self.cost_derivative)
        return with_nan(xp, is_unknown(xp, y, t), worse - better)

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, with the same weights."""
        y, t, place = self._sort_rows(xp, y, t)
        costs, derivatives = self._weighted_terms(xp, y, t, self.cost_and_derivative)
        unknown = is_unknown(xp, y, t)
        worse, better = _sums_by_row(xp, derivatives)
        derivative = with_nan(xp, unknown, worse - better)
        value = with_nan(xp, unknown[..., 0], _sum_of_pairs(xp, costs))
        return value, derivative if place is None else xp.take_along_axis(
            derivative, place, axis=-1
        )

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The sum over all pairs of a row."""
        worse, better = self._sums_in_order(xp, y, t, self.cost_second_derivative)
        return with_nan(xp, is_unknown(xp, y, t), worse + better)

    def _weighted_terms(
        self, xp: Namespace, y: Array, t: Array, function: Callable[..., Any]
    ) -> tuple[Array, ...]:
        """Return what a function of the gaps of all pairs returns, times their weights."""
        (si, sj), counts, weights = pairs(y), is_more_relevant(xp, t), self.weights(xp, t)
        if xp is not np:
            results = _as_tuple(function(xp, sj - si))
            if weights is not None:
                results = tuple(multiply_or_zero(xp, weights, x) for x in results)
            return tuple(xp.where(counts, x, xp.zeros_like(x)) for x in results)
        # NumPy computes the pairs that count, mostly less than half.
        (some,) = counts.reshape(-1).nonzero()
        found = []
        for x in _as_tuple(function(np, (sj - si).take(some))):
            terms = np.zeros(counts.shape, x.dtype)
            own = x if weights is None else multiply_or_zero(np, weights.take(some), x)
            terms.reshape(-1)[some] = own
            found.append(terms)
        return tuple(found)

    def _sums_in_order(
        self, xp: Namespace, y: Array, t: Array, function: Callable[..., Array]
    ) -> tuple[Array, Array]:
        """Return sums over the pairs in which a row is the worse one, and the better one."""
        y, t, place = self._sort_rows(xp, y, t)
        worse, better = _sums_by_row(xp, *self._weighted_terms(xp, y, t, function))
        if place is None:
            return worse, better
        return tuple(xp.take_along_axis(one, place, axis=-1) for one in (worse, better))

    def _sort_rows(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array, Array | None]:
        """Return predictions and targets in the order of the weights, and the way back."""
        order = self.order(xp, y, t)
        if order is None:
            return y, t, None
        y, t = (xp.take_along_axis(x, order, axis=-1) for x in (y, t))
        return y, t, xp.argsort(order, axis=-1)


def _as_tuple(results: Any) -> tuple[Array, ...]:
    return results if isinstance(results, tuple) else (results,)


def _sums_by_row(xp: Namespace, terms: Array) -> tuple[Array, Array]:
    """Return the sums over the pairs in which a row is the second one, and the first one."""
    if xp is np:
        # A third of the time of NumPy's sums of so few numbers.
        return np.einsum("...ij->...j", terms), np.einsum("...ij->...i", terms)
    return xp.sum(terms, axis=-2), xp.sum(terms, axis=-1)


def _sum_of_pairs(xp: Namespace, terms: Array) -> Array:
    # Each group as one row, which has the same bits alone and in a stack.
    return xp.sum(xp.reshape(terms, (*terms.shape[:-2], terms.shape[-1] ** 2)), axis=-1)
