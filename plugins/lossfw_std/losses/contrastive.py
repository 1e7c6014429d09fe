"""Contrastive losses: rows of a batch that belong together should have vectors of one direction."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import PositiveFloat

from lossfw import REAL, VECTOR, Array, Claims, Columns, GroupLoss, Namespace, Space
from lossfw.numerics import (
    column_numbers,
    computed_in_float64,
    logsumexp,
    multiply_or_zero,
    sigmoid,
    softmax_cross_entropy,
    softmax_cross_entropy_and_gradient_at,
    softmax_cross_entropy_at,
    softmax_cross_entropy_gradient,
    softplus,
)
from lossfw_std.directions import (
    DIRECTION,
    combine_rows,
    gradient_by_rows,
    pairwise_dots,
    unit_rows,
)
from lossfw_std.pairs import ABSENT, pairs, with_nan
from lossfw_std.shared_parts import Deferred

# A row of this label fills up a batch: it is in no pair, whatever its direction.
_NEUTRAL = (1.0, ABSENT)


class _ContrastiveLoss(GroupLoss):
    """Base of losses of vectors with a class for each row, by the cosines of their pairs."""

    prediction: ClassVar[Space] = DIRECTION
    target: ClassVar[Space] = REAL
    needs_group: ClassVar[bool] = False
    neutral: ClassVar[tuple[Any, Any] | None] = _NEUTRAL

    temperature: PositiveFloat = 0.5

    def loss_from_cosines(self, xp: Namespace, cosine: Array, t: Array) -> Deferred:
        """Return the loss from the cosines of pairs, and its derivative by each ordered pair's."""
        raise NotImplementedError

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The loss by the sums of the other rows, which keep the digits of near pairs."""
        unit = unit_rows(xp, y)
        value, _ = self.loss_from_cosines(xp, pairwise_dots(xp, unit.rows, unit.rows), t)
        return with_nan(xp, _is_unknown(xp, y, t), value())

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Near pairs of one class, and those of other classes away, across each row."""
        unit = unit_rows(xp, y)
        _, derivative = self.loss_from_cosines(xp, pairwise_dots(xp, unit.rows, unit.rows), t)
        return with_nan(
            xp, _is_unknown(xp, y, t)[..., None, None], gradient_by_rows(xp, unit, derivative())
        )

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same cosines."""
        unit, unknown = unit_rows(xp, y), _is_unknown(xp, y, t)
        value, derivative = self.loss_from_cosines(xp, pairwise_dots(xp, unit.rows, unit.rows), t)
        gradient = with_nan(xp, unknown[..., None, None], gradient_by_rows(xp, unit, derivative()))
        return with_nan(xp, unknown, value()), gradient

    def claims(self) -> Claims:
        """At least 0, and smooth where rows have directions."""
        return Claims(nonnegative=True, twice_smooth=True, row_order=True, zero_alone=True)


class NtXent(_ContrastiveLoss):
    """Normalised temperature-scaled cross-entropy (NT-Xent), the loss of SimCLR.

    Use it when a batch holds pairs of views of the same thing, and all other rows are negatives.

    Prediction: one vector per row, not all zeros, an array (n, D). Target: the number of the row's
    class, such as the number of the image that a view shows. One loss for each group; without
    ``group=`` all rows are one batch. A batch without two rows of a class costs 0.

    Parameters
    ----------
    temperature : float
        Divides the cosines: the smaller it is, the more the nearest negatives count.

    Notes
    -----
    With c_ij the cosine of two rows it is the mean over the ordered pairs (i, j) of one class of
    -log(e_ij / (e_ij + sum of e_ik over the rows k of other classes)), e_ij = exp(c_ij / T).
    Negatives come only from the same group, so a mean over parts of a batch differs from the loss
    of the whole batch. Source: Chen et al., *A simple framework for contrastive learning of visual
    representations*, ICML 2020, arXiv:2002.05709.

    See Also
    --------
    supervised_contrastive : the sum also includes the other rows of the class.
    info_nce : pairs of a query and a key.

    Examples
    --------
    >>> views = [[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0], [-1.0, 0.1]]
    >>> round(NtXent(temperature=0.1)(views, [0, 0, 1, 1]), 12)
    4.679e-09
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{P}\sum_{i \ne j,\, t_{i} = t_{j}} -\log\frac{e^{c_{ij}/T}}{e^{c_{ij}/T} +"
        r" \sum_{k:\,t_{k} \ne t_{i}} e^{c_{ik}/T}}"
        r"\quad\text{with } c_{ij} = \cos(y_{i}, y_{j}) \text{ and } P \text{ pairs}"
    )

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        same, other = _class_pairs(xp, t)
        e = xp.exp(_textbook_cosines(xp, y) / self.temperature)
        rest = xp.sum(xp.where(other, e, xp.zeros_like(e)), axis=-1)[..., None]
        term = xp.log1p(rest / e)
        total = xp.sum(xp.sum(xp.where(same, term, xp.zeros_like(e)), axis=-1), axis=-1)
        return total / _count_pairs(xp, same, t)

    def loss_from_cosines(self, xp: Namespace, cosine: Array, t: Array) -> Deferred:
        """softplus(x) with x the log of the sum of the negatives less the own, and its share."""
        same, other = _class_pairs(xp, t)
        z, count = cosine / self.temperature, _count_pairs(xp, same, t)
        negatives = xp.where(other, z, xp.full_like(z, -xp.inf))
        rest = logsumexp(xp, negatives, keepdims=True)
        x = rest - z

        def value() -> Array:
            terms = xp.where(same, softplus(xp, x), xp.zeros_like(x))
            return xp.sum(xp.sum(terms, axis=-1), axis=-1) / count

        def derivative() -> Array:
            pull = xp.where(same, sigmoid(xp, x), xp.zeros_like(x))
            push = xp.sum(pull, axis=-1)[..., None] * xp.exp(xp.where(other, -x, negatives))
            return (push - pull) / count[..., None, None] / self.temperature

        return value, derivative


class SupervisedContrastive(_ContrastiveLoss):
    """Supervised contrastive loss over all rows that share a class.

    Use it when rows of a batch have labels, and more than two of them may share one.

    Prediction: one vector per row, not all zeros, an array (n, D). Target: the number of the row's
    class. One loss for each group; without ``group=`` all rows are one batch. A batch without two
    rows of a class costs 0.

    Parameters
    ----------
    temperature : float
        Divides the cosines: the smaller it is, the more the nearest rows count.

    Notes
    -----
    With c_ij the cosine of two rows it is the mean over the rows i that share their class of the
    mean over the others j of the class of log(sum over k != i of exp(c_ik / T)) - c_ij / T.
    Source: Khosla et al., *Supervised contrastive learning*, NeurIPS 2020, arXiv:2004.11362.

    See Also
    --------
    nt_xent : the sum includes only rows of other classes.

    Examples
    --------
    >>> rows = [[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0], [-1.0, 0.1]]
    >>> round(SupervisedContrastive(temperature=0.1)(rows, [0, 0, 1, 1]), 12)
    4.679e-09
    """

    latex: ClassVar[str | None] = (
        r"-\frac{1}{N}\sum_{i} \frac{1}{P_{i}}\sum_{j \ne i,\, t_{j} = t_{i}}"
        r" \left(\frac{c_{ij}}{T} - \log\sum_{k \ne i} e^{c_{ik}/T}\right)"
        r"\quad\text{with } c_{ij} = \cos(y_{i}, y_{j}) \text{ and } P_{i} \text{ partners of } i"
    )

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        same, other = _class_pairs(xp, t)
        cosine = _textbook_cosines(xp, y)
        e = xp.exp(cosine / self.temperature)
        total = xp.sum(xp.where(same | other, e, xp.zeros_like(e)), axis=-1)[..., None]
        total = xp.where(total > 0, total, xp.ones_like(total))
        term = xp.log(total) - cosine / self.temperature
        terms = xp.where(same, term * _pair_weights(xp, same, t), xp.zeros_like(e))
        return xp.sum(xp.sum(terms, axis=-1), axis=-1)

    def loss_from_cosines(self, xp: Namespace, cosine: Array, t: Array) -> Deferred:
        """The softmax cross-entropy of the others of the class, of each row."""
        same, other = _class_pairs(xp, t)
        z = cosine / self.temperature
        logits = xp.where(same | other, z, xp.full_like(z, -xp.inf)), _pair_weights(xp, same, t)
        return (
            lambda: xp.sum(softmax_cross_entropy(xp, *logits), axis=-1),
            lambda: softmax_cross_entropy_gradient(xp, *logits) / self.temperature,
        )


class InfoNce(GroupLoss):
    """InfoNCE, the cross-entropy of finding for each query the key of the same row.

    Use it when rows are pairs, such as a text and its image, and the keys of the other rows are
    negatives.

    The prediction has the columns query and key, two vectors of one size: an array (n, 2, D). The
    target is ignored: any numbers of shape (n,) will do, such as zeros. One loss for each group;
    without ``group=`` all rows are one batch. A batch of one row costs 0.

    Parameters
    ----------
    temperature : float
        Divides the products.

    Notes
    -----
    It is the mean over the rows i of log(sum_j exp(q_i . k_j / T)) - q_i . k_i / T. Vectors are not
    normalised: for cosines, scale them to length 1. For both directions, add the loss with
    exchanged columns. Source: van den Oord, Li and Vinyals, *Representation learning with
    contrastive predictive coding*, 2018, arXiv:1807.03748.

    See Also
    --------
    nt_xent : with cosines and classes.

    Examples
    --------
    >>> rows = [[[40.0, 0.0], [1.0, 0.0]], [[0.0, 40.0], [0.0, 1.0]]]
    >>> InfoNce(temperature=1.0)(rows, [0, 0])
    4.248354255291589e-18
    """

    latex: ClassVar[str | None] = (
        r"\frac{1}{n}\sum_{i} \left(\log\sum_{j} e^{q_{i} \cdot k_{j}/T} - \frac{q_{i} \cdot"
        r" k_{i}}{T}\right)"
        r"\quad\text{with queries } q \text{ and keys } k"
    )

    prediction: ClassVar[Space] = Columns.of(query=VECTOR, key=VECTOR)
    target: ClassVar[Space] = REAL
    needs_group: ClassVar[bool] = False
    neutral: ClassVar[tuple[Any, Any] | None] = (0.0, ABSENT)

    temperature: PositiveFloat = 0.5

    def formula(self, xp: Namespace, y: Any, t: Array) -> Array:
        z = xp.sum(y.query[..., :, None, :] * y.key[..., None, :, :], axis=-1) / self.temperature
        there = (t > ABSENT)[..., None, :]
        total = xp.sum(xp.where(there, xp.exp(z), xp.zeros_like(z)), axis=-1)
        own = _own_pair_weights(xp, t)
        total = xp.where(t > ABSENT, total, xp.ones_like(total))[..., None]
        return xp.sum(xp.sum(own * xp.where(own > 0, xp.log(total) - z, 0 * z), axis=-1), axis=-1)

    @computed_in_float64
    def value(self, xp: Namespace, y: Any, t: Array) -> Array:
        """The softmax cross-entropy of the row's own key."""
        losses = softmax_cross_entropy_at(xp, *self._key_logits(xp, y, t))
        unknown = self._is_unknown(xp, y, t, losses)
        return with_nan(xp, unknown, _mean(xp, losses, t, _row_weights(xp, t)))

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array]:
        """A query goes to its key and away from others, and a key likewise."""
        derivative: tuple[Array, Array] = self.value_and_derivative(xp, y, t)[1]
        return derivative

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Any]:
        """Both, from the same softmaxes."""
        losses, derivative = softmax_cross_entropy_and_gradient_at(xp, *self._key_logits(xp, y, t))
        unknown, weights = self._is_unknown(xp, y, t, losses), _row_weights(xp, t)
        derivative = xp.reshape(derivative, (*t.shape, t.shape[-1]))
        derivative = derivative * (weights / self.temperature)[..., None]
        query = combine_rows(xp, derivative, y.key)
        key = combine_rows(xp, xp.moveaxis(derivative, -1, -2), y.query)
        parts = tuple(with_nan(xp, unknown[..., None, None], x) for x in (query, key))
        return with_nan(xp, unknown, _mean(xp, losses, t, weights)), parts

    def claims(self) -> Claims:
        """At least 0, and smooth."""
        return Claims(nonnegative=True, twice_smooth=True, row_order=True, zero_alone=True)

    def _key_logits(self, xp: Namespace, y: Any, t: Array) -> tuple[Array, Array]:
        """Return for each query, as one row, the logits of all keys, and the place of its own."""
        z, there = pairwise_dots(xp, y.query, y.key) / self.temperature, (t > ABSENT)[..., None, :]
        if xp is not np or not there.all():
            z = xp.where(there, z, xp.full_like(z, -xp.inf))
        own = xp.broadcast_to(column_numbers(xp, t), t.shape)
        return xp.reshape(z, (-1, t.shape[-1])), xp.reshape(own, (-1,))

    def _is_unknown(self, xp: Namespace, y: Any, t: Array, losses: Array) -> Array:
        if xp is np and np.isfinite(t).all() and not np.isnan(losses).any():
            # A vector with NaN leaves it in a loss, unless its row is absent.
            return np.zeros(t.shape[:-1], bool)
        return _is_unknown(xp, y.query, t) | _is_unknown(xp, y.key, t)


def _class_pairs(xp: Namespace, t: Array) -> tuple[Array, Array]:
    """Return which pairs of two rows are of one class, and which of two classes."""
    (ti, tj), (i, j) = pairs(t), pairs(column_numbers(xp, t))
    there = (ti > ABSENT) & (tj > ABSENT)
    return (ti == tj) & (i != j) & there, (ti != tj) & there


def _count_pairs(xp: Namespace, same: Array, t: Array) -> Array:
    """Return the number of pairs of one class, at least 1."""
    count = xp.sum(xp.sum(xp.astype(same, t.dtype), axis=-1), axis=-1)
    return xp.where(count > 0, count, xp.ones_like(count))


def _pair_weights(xp: Namespace, same: Array, t: Array) -> Array:
    """Return the weight of each pair in a mean over rows of means over their class."""
    same = xp.astype(same, t.dtype)
    own = xp.sum(same, axis=-1, keepdims=True)
    rows = xp.sum(xp.astype(own[..., 0] > 0, t.dtype), axis=-1)[..., None, None]
    one = xp.ones_like(own)
    return same / xp.where(own > 0, own, one) / xp.where(rows > 0, rows, xp.ones_like(rows))


def _own_pair_weights(xp: Namespace, t: Array) -> Array:
    """Return the weight of the pair of each row with itself, in a mean over the rows."""
    i, j = pairs(column_numbers(xp, t))
    return xp.astype(i == j, t.dtype) * _row_weights(xp, t)[..., None]


def _row_weights(xp: Namespace, t: Array) -> Array:
    """Return the weight of each row in a mean over those that are there."""
    there = xp.astype(t > ABSENT, t.dtype)
    rows = xp.sum(there, axis=-1, keepdims=True)
    return there / xp.where(rows > 0, rows, xp.ones_like(rows))


def _mean(xp: Namespace, losses: Array, t: Array, weights: Array) -> Array:
    """Return the mean over the rows that are there."""
    return xp.sum(multiply_or_zero(xp, weights, xp.reshape(losses, t.shape)), axis=-1)


def _is_unknown(xp: Namespace, y: Array, t: Array) -> Array:
    """Return whether a number of a group is NaN."""
    return xp.any(xp.isnan(y), axis=(-2, -1)) | xp.any(xp.isnan(t), axis=-1)


def _textbook_cosines(xp: Namespace, y: Array) -> Array:
    """Return the cosines of all pairs of rows by their definition."""
    norm = xp.sqrt(xp.sum(y * y, axis=-1))
    a, b = pairs(norm)
    return xp.sum(y[..., :, None, :] * y[..., None, :, :], axis=-1) / (a * b)
