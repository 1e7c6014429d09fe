"""The NDCG of smooth ranks."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pydantic import PositiveFloat

from lossfw import NONNEGATIVE, Array, Claims, GroupLoss, Namespace, PromisedRange, Space
from lossfw.numerics import column_numbers, computed_in_float64, sigmoid
from lossfw_std.discounts import gains, ideal_gain
from lossfw_std.pairs import ABSENT, NEUTRAL, is_unknown, pairs, with_nan

_LOG_TWO = math.log(2.0)


class ApproxNdcg(GroupLoss):
    """Minus the NDCG of smooth ranks, -sum_i (2^t_i - 1) / log2(1 + r_i) / ideal.

    Use it to train a network on the NDCG itself, not on pairs.

    Prediction real: a score for each row. Target: its relevance t, at or above 0, with the gain
    2^t - 1. One loss per group, from -1 for a perfect order with distant scores up to 0; 0 if
    nothing is relevant.

    Parameters
    ----------
    temperature : float
        T, in units of the scores: the smaller it is, the nearer the smooth ranks are to true ranks.

    Notes
    -----
    The rank of row i is r_i = 1 + sum over j of sigmoid((y_j - y_i) / T). Smooth and bounded, not
    convex, and flat where scores are many T apart. Source: Qin, Liu and Li, *A general
    approximation framework for direct optimization of information retrieval measures*, Information
    Retrieval 13, 2010, doi:10.1007/s10791-009-9124-x.

    See Also
    --------
    lambda_ndcg : from pairs, as in boosting libraries.

    Examples
    --------
    >>> loss = ApproxNdcg(temperature=0.1)
    >>> round(loss([3.0, 2.0, 0.0], [2, 1, 0], group=[1, 1, 1]), 4)
    -1.0
    """

    latex: ClassVar[str | None] = (
        r"-\frac{1}{\mathrm{DCG}_{\mathrm{best}}}\sum_{i} \frac{2^{t_{i}} - 1}{\log_{2}\left(1"
        r" + r_{i}\right)}"
        r"\quad\text{with } r_{i} = 1 + \sum_{j \ne i} \frac{1}{1 + e^{(y_{i} - y_{j})/T}}"
    )

    target: ClassVar[Space] = NONNEGATIVE
    neutral: ClassVar[tuple[Any, Any] | None] = NEUTRAL
    # 2^t overflows beyond.
    target_range: ClassVar[PromisedRange] = PromisedRange(high=1000.0)

    temperature: PositiveFloat = 1.0

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        si, sj = pairs(y)
        share = 1 / (1 + xp.exp((si - sj) / self.temperature))
        rank = 1 + xp.sum(xp.where(_counts_in_rank(xp, t), share, xp.zeros_like(share)), axis=-1)
        gain = xp.where(t > ABSENT, xp.exp2(t) - 1, xp.zeros_like(t)) / ideal_gain(xp, t, None)
        return -xp.sum(gain / xp.log2(1 + rank), axis=-1)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same; of a perfect order at least -1, without a rounding error beyond."""
        return _value(xp, t, self._ranks(xp, y, t)[2], is_unknown(xp, y, t))

    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Down by the rank of the row itself, up by the ranks of the others."""
        return self.value_and_derivative(xp, y, t)[1]

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, of the same ranks."""
        _, steep, rank = self._ranks(xp, y, t)
        own, other = pairs(_derivative(xp, t, rank))
        derivative = xp.sum(steep * (other - own), axis=-1) / self.temperature
        unknown = is_unknown(xp, y, t)
        return _value(xp, t, rank, unknown), with_nan(xp, unknown, derivative)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The curvatures of the ranks, and of the loss by each rank."""
        x, steep, rank = self._ranks(xp, y, t)
        derivative, second_derivative = _derivative(xp, t, rank), _second_derivative(xp, t, rank)
        own, other = pairs(derivative)
        by_ranks = xp.sum(steep**2 * second_derivative[..., None, :], axis=-1)
        by_ranks = by_ranks + second_derivative * xp.sum(steep, axis=-1) ** 2
        # The sigmoid's second derivative is that of its steepness, -tanh(x / 2) times that.
        of_ranks = xp.sum(steep * xp.tanh(0.5 * x) * (other - own), axis=-1)
        result = (by_ranks + of_ranks) / self.temperature**2
        return with_nan(xp, is_unknown(xp, y, t), result)

    def claims(self) -> Claims:
        """Bounded and smooth."""
        return Claims(
            lower_bound=-1.0, bounded=0.0, twice_smooth=True, shift_invariant=True, row_order=True
        )

    def _ranks(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array, Array]:
        """Return (y_j - y_i) / T, the steepness of the sigmoid there, and the ranks."""
        si, sj = pairs(y)
        x, counts = (sj - si) / self.temperature, _counts_in_rank(xp, t)
        share, zero = sigmoid(xp, x), xp.zeros_like(x)
        steep = xp.where(counts, share * sigmoid(xp, -x), zero)
        return x, steep, 1.0 + xp.sum(xp.where(counts, share, zero), axis=-1)


def _value(xp: Namespace, t: Array, rank: Array, unknown: Array) -> Array:
    """Return minus the NDCG of ranks."""
    result = -xp.sum(gains(xp, t) / ideal_gain(xp, t, None) / xp.log2(1.0 + rank), axis=-1)
    return with_nan(xp, unknown[..., 0], xp.maximum(result, xp.full_like(result, -1.0)))


def _counts_in_rank(xp: Namespace, t: Array) -> Array:
    """Return whether row j counts in the rank of row i: another one, both there."""
    (i, j), (ti, tj) = pairs(column_numbers(xp, t)), pairs(t)
    return (i != j) & (ti > ABSENT) & (tj > ABSENT)


def _derivative(xp: Namespace, t: Array, rank: Array) -> Array:
    """Return the derivative of the loss by each rank."""
    logarithm = xp.log2(1.0 + rank)
    return (
        gains(xp, t) / ideal_gain(xp, t, None) / (_LOG_TWO * (1.0 + rank) * logarithm * logarithm)
    )


def _second_derivative(xp: Namespace, t: Array, rank: Array) -> Array:
    """Return the second derivative of the loss by each rank."""
    factor = 1.0 + 2.0 / (_LOG_TWO * xp.log2(1.0 + rank))
    return -_derivative(xp, t, rank) * factor / (1.0 + rank)
