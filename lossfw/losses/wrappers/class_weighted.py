"""Weights for the classes of a target."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from pydantic import NonNegativeFloat, field_validator

from lossfw.components.claims import Claims
from lossfw.errors import ParameterError
from lossfw.losses.array_api import widest_float
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import (
    Change,
    TargetChangingWrapper,
    identity,
    refuse_groups,
    refuse_own_weights,
)
from lossfw.losses.wrappers.claim_table import WrapperKind, weighted_claims
from lossfw.numerics import multiply_or_zero
from lossfw.numerics.arrays import Array, Namespace, device_of, supports_float64


class ClassWeighted(TargetChangingWrapper):
    """A loss of classes in which each class has a weight: sum over k of t_k w_k l(y, k).

    Use it when some classes are rarer than others, or their mistakes cost more.

    Parameters
    ----------
    of : Loss
        A loss of classes that claims to be linear in its target, such as
        cross-entropy: its loss for a soft target t is the sum of t_k l(y, k).
    weights : sequence of float
        One weight per class, at or above 0, at least one above 0.
    in_denominator : bool
        Whether a mean also divides by the weights.

    Notes
    -----
    A row of weight w_k stands for w_k equal rows, and a row with a soft target t for t_k rows of
    each class k. So its loss is sum(t_k w_k l(y, k)), and it counts as sum(t_k w_k) rows. A mean
    divides by the sum of these, each times its sample weight. So a class index, its one-hot row and
    a soft target close to it give the same mean; a class of weight 0 does not count. With
    ``denominator="count"`` every row counts once.

    With ``in_denominator=False`` the weights are only factors of the losses. Wrappers other than
    `Scaled` and `Masked` require this, because a mean has one divisor for all its terms.

    Not proper: its minimiser is the weighted distribution, unless all weights
    are the same. Source: King and Zeng, *Logistic regression in rare events
    data*, Political Analysis 9, 2001,
    doi:10.1093/oxfordjournals.pan.a004868.

    To weight each term of a smoothed target instead of the class of the row,
    smooth outside: ``LabelSmoothed(of=ClassWeighted(..., in_denominator=False))``.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("class_weighted", of="cross_entropy", weights=[1.0, 3.0])
    >>> y = [[0.5, 0.5], [0.75, 0.25]]
    >>> round(loss(y, [0, 1]), 6)  # (log 2 + 3 log 4) / (1 + 3)
    1.213007
    >>> loss(y, [0, 1]) == loss(y, [[1, 0], [0, 1]])
    True
    """

    weights_as_factors: ClassVar[str] = "give it in_denominator=False"

    claim_column: ClassVar[WrapperKind | None] = "weighted"
    latex_of_parts: ClassVar[str] = r"\sum_{k} t_{k}\,w_{k}\,\ell(y, k)"

    of: NestedLoss
    weights: tuple[NonNegativeFloat, ...]
    in_denominator: bool = True

    @field_validator("of")
    @classmethod
    def _require_linear(cls, loss: Loss) -> Loss:
        refuse_groups(loss, cls.name)
        refuse_own_weights(loss, cls.name, "which sets weights itself")
        if not loss.takes_classes:
            raise ParameterError(f"{loss.name} is not a loss of classes; expected one.")
        if not loss.claims().linear_in_target:
            raise ParameterError(
                f"{loss.name} does not claim linear_in_target, so the loss of a soft target has no "
                "terms to weight: pass sample_weight=weights[target] instead."
            )
        return loss

    @field_validator("weights")
    @classmethod
    def _require_weights(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if not any(weights):
            raise ValueError("numbers of at least 0, not all 0")
        return weights

    def change_targets(self, xp: Namespace, t: Array, by_index: bool) -> tuple[Array, Change]:
        if by_index:
            return t, lambda losses: multiply_or_zero(
                xp, _take_at(xp, _weights_array(xp, self.weights, losses), t), losses
            )
        t, size = reweight_targets(xp, t, self.weights)
        # Results of rows, or of their elements.
        return t, lambda x: multiply_or_zero(xp, size[..., None] if x.ndim > size.ndim else size, x)

    @property
    def fixed_classes(self) -> int:
        """One for each weight."""
        return len(self.weights)

    @property
    def _has_own_weight(self) -> bool:
        """Whether a mean divides by the weights."""
        return self.in_denominator

    def _own_mask_and_weight(
        self, xp: Namespace, t: Array, by_index: bool
    ) -> tuple[Array | None, Array | None]:
        """Return the number of rows that each row stands for."""
        if not self.in_denominator:
            return None, None
        if by_index:
            return None, _weights_at_index(xp, self.weights, t)
        return None, _row_weights(xp, self.weights, xp.astype(t, widest_float(xp)))

    def _without_own_weight(self) -> Loss:
        """Return the part on reweighted targets; see `Loss._without_own_weight`."""
        return self._terms if self.in_denominator else self

    @cached_property
    def _terms(self) -> Loss:
        return _ReweightedPart(of=self.of, weights=self.weights)

    def claims(self) -> Claims:
        """Those of mixtures of classes, tight if renaming classes changes nothing."""
        return weighted_claims(self.of.claims(), self.weights)


class _ReweightedPart(TargetChangingWrapper):
    """The part on targets t_k w_k / sum(t_k w_k): a weighted row is a multiple of that."""

    of: NestedLoss
    weights: tuple[float, ...]

    def change_targets(self, xp: Namespace, t: Array, by_index: bool) -> tuple[Array, Change]:
        return t if by_index else reweight_targets(xp, t, self.weights)[0], identity


def reweight_targets(xp: Namespace, t: Array, weights: Sequence[float]) -> tuple[Array, Array]:
    """Return targets t_k w_k / s with s = sum(t_k w_k), and s.

    A row whose classes all have weight 0 is unchanged; its s is 0.
    """
    weighted = t * _weights_array(xp, weights, t)
    size = xp.sum(weighted, axis=-1)
    has_weight = (size > 0)[..., None]
    divisor = xp.where(has_weight, size[..., None], xp.ones_like(t))
    return xp.where(has_weight, weighted / divisor, t), size


def _weights_array(xp: Namespace, weights: Sequence[float], like: Array) -> Array:
    return xp.asarray(list(weights), dtype=like.dtype, device=device_of(like))


def _take_at(xp: Namespace, row: Array, index: Array) -> Array:
    """Return the entries of a row at indices of any shape."""
    return xp.reshape(xp.take(row, xp.reshape(index, (-1,))), index.shape)


# What is out of its space must not get the weight 0: it would be left out
# before anyone sees it. With the weight 1 it comes to the check of the domain.


def _weights_at_index(xp: Namespace, weights: Sequence[float], index: Array) -> Array:
    # A narrow index would not hold the number of classes.
    index = xp.astype(index, xp.int64 if supports_float64(xp) else xp.int32)
    known = (index >= 0) & (index < len(weights))
    row = xp.asarray([*weights, 1.0], dtype=widest_float(xp), device=device_of(index))
    return _take_at(xp, row, xp.where(known, index, xp.full_like(index, len(weights))))


def _row_weights(xp: Namespace, weights: Sequence[float], t: Array) -> Array:
    size = xp.sum(t * _weights_array(xp, weights, t), axis=-1)
    weightless = xp.all(t >= 0, axis=-1) & (xp.sum(t, axis=-1) > 0) & (size == 0)
    return xp.where((size > 0) | weightless, size, xp.ones_like(size))
