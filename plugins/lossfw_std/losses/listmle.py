"""ListMLE, the likelihood of an order."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw import REAL, Array, Claims, GroupLoss, Namespace, Space
from lossfw.numerics import (
    column_numbers,
    computed_in_float64,
    softmax_cross_entropy,
    softmax_cross_entropy_and_gradient,
    softmax_cross_entropy_gradient,
    softmax_cross_entropy_hessian,
)
from lossfw_std.pairs import ABSENT, NEUTRAL, is_unknown, pairs, with_nan


class Listmle(GroupLoss):
    """ListMLE, -log of the Plackett-Luce probability of the order by relevance.

    Use it when the targets are complete orders, as in a vote or a race.

    Prediction real: a score for each row. Target real: its relevance, the largest first. One loss
    for each group.

    Notes
    -----
    The order is drawn from the first position to the last, each time by a softmax over the
    remaining rows: the loss is the sum over the rows i of log(sum_j exp(y_j)) - y_i, where j runs
    over the row and those after it. It is meant for relevances without ties: of equal ones the
    first row comes first, so the loss then depends on the order of the rows. Convex. Source: Xia et
    al., *Listwise approach to learning to rank: theory and algorithm*, ICML 2008,
    doi:10.1145/1390156.1390306.

    See Also
    --------
    listnet, softmax_ranking : only the first position.

    Examples
    --------
    >>> round(Listmle()([2.0, 1.0, 0.0], [3, 2, 1], group=["a", "a", "a"]), 6)
    0.720868
    """

    latex: ClassVar[str | None] = (
        r"\sum_{i} \left(\log\sum_{j:\,t_{j} \le t_{i}} e^{y_{j}} - y_{i}\right)"
    )

    target: ClassVar[Space] = REAL
    neutral: ClassVar[tuple[Any, Any] | None] = NEUTRAL

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        there, scores = t > ABSENT, xp.exp(y)[..., None, :] + xp.zeros_like(t)[..., :, None]
        left = xp.sum(xp.where(_is_left(xp, t), scores, xp.zeros_like(scores)), axis=-1)
        left = xp.where(there, left, xp.ones_like(y))
        return xp.sum(xp.where(there, xp.log(left) - y, xp.zeros_like(y)), axis=-1)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The sum over the choices of a softmax cross-entropy."""
        result = xp.sum(softmax_cross_entropy(xp, *_choice_logits(xp, y, t)), axis=-1)
        return with_nan(xp, is_unknown(xp, y, t)[..., 0], result)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The shares of a row in the choices of others, less what its own lacks."""
        result = xp.sum(softmax_cross_entropy_gradient(xp, *_choice_logits(xp, y, t)), axis=-2)
        return with_nan(xp, is_unknown(xp, y, t), result)

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same softmaxes."""
        losses, derivatives = softmax_cross_entropy_and_gradient(xp, *_choice_logits(xp, y, t))
        unknown = is_unknown(xp, y, t)
        value, derivative = xp.sum(losses, axis=-1), xp.sum(derivatives, axis=-2)
        return with_nan(xp, unknown[..., 0], value), with_nan(xp, unknown, derivative)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """p (1 - p) of each choice."""
        result = xp.sum(softmax_cross_entropy_hessian(xp, *_choice_logits(xp, y, t)), axis=-2)
        return with_nan(xp, is_unknown(xp, y, t), result)

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array:
        """1/2 for each choice among several rows: a variance of steps is at most that of two."""
        there = xp.astype(t > ABSENT, t.dtype)
        choices = xp.sum(xp.astype(_is_left(xp, t), t.dtype), axis=-2)
        most = xp.sum(there, axis=-1, keepdims=True) - 1.0
        return 0.5 * xp.minimum(choices, most) * there

    def claims(self) -> Claims:
        """Convex and smooth in all scores of a group."""
        return Claims(
            nonnegative=True, convex=True, twice_smooth=True, shift_invariant=True, zero_alone=True
        )


def _choice_logits(xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
    """Return for each row i the scores of the rows that are left, and row i as the one chosen."""
    (i, j), here = pairs(column_numbers(xp, t)), (t > ABSENT)[..., :, None]
    logits = xp.broadcast_to(y[..., None, :], (*y.shape, y.shape[-1]))
    logits = xp.where(_is_left(xp, t), logits, xp.full_like(logits, -xp.inf))
    return logits, xp.astype((i == j) & here, t.dtype)


def _is_left(xp: Namespace, t: Array) -> Array:
    """Return whether row j is left when row i is chosen: row i itself, or behind it."""
    (ti, tj), (i, j) = pairs(t), pairs(column_numbers(xp, t))
    return ((tj < ti) | ((tj == ti) & (j >= i))) & (tj > ABSENT)
