"""Losses of rows that are a sum of one term per class, times the class's fraction of the target.

For a class index only the term of that class needs to be computed.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from lossfw import Array, CategoricalLoss, Namespace, RowBody
from lossfw.numerics import column_numbers, computed_in_float64, put_at, take_at, with_nan_of_rows


class OwnClassLoss(CategoricalLoss):
    """A loss whose value is a sum over classes of t f(y), and so its derivative t f'(y).

    Write `class_value` and `class_derivative`; float32 is computed in float64.
    """

    @abstractmethod
    def class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """Return t f(y) for each class."""

    @abstractmethod
    def class_derivative(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """Return t f'(y) for each class."""

    def target_weights(self, xp: Namespace, t: Array) -> Array:
        """Return what multiplies f for rows of targets: t, unless classes have factors."""
        return t

    def target_weight_at(self, xp: Namespace, y: Array, index: Array) -> Array | float:
        """Return what multiplies f for class indices: one number, or an array of shape (...)."""
        return 1.0

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The sum of the terms of the classes."""
        return xp.sum(self.class_value(xp, y, self.target_weights(xp, t)), axis=-1)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Those of each class's own term only."""
        return self.class_derivative(xp, y, self.target_weights(xp, t)) + 0.0

    def value_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """The term of the target's class; a NaN anywhere in the row gives NaN."""
        return self._value_of_row(xp, y, take_at(xp, y, index), index)

    def derivative_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """The derivative of the target's class, 0 elsewhere."""
        return self._derivative_of_row(xp, y, take_at(xp, y, index), index)

    def value_and_derivative_at(self, xp: Namespace, y: Array, index: Array) -> tuple[Array, Array]:
        """Both for the target's class."""
        own = take_at(xp, y, index)
        return self._value_of_row(xp, y, own, index), self._derivative_of_row(xp, y, own, index)

    @computed_in_float64
    def _value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        return self.class_value(xp, y, t)

    @computed_in_float64
    def _derivative(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        return self.class_derivative(xp, y, t) + 0.0

    def _value_of_row(self, xp: Namespace, y: Array, own: Array, index: Array) -> Array:
        return with_nan_of_rows(xp, y, self._value(xp, own, self.target_weight_at(xp, y, index)))

    def _derivative_of_row(self, xp: Namespace, y: Array, own: Array, index: Array) -> Array:
        # 0 y keeps a NaN.
        return put_at(
            xp, 0.0 * y, index, self._derivative(xp, own, self.target_weight_at(xp, y, index))
        )


@dataclass(frozen=True)
class LogitBody(RowBody):
    """A body that takes logits, for a loss of their softmax."""

    loss: Any

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """`formula` of the softmax."""
        e = xp.exp(z)
        result: Array = self.loss.formula(xp, e / xp.sum(e, axis=-1, keepdims=True), t)
        return result

    def derivative_at(self, xp: Namespace, z: Array, index: Array) -> Array:
        """The derivative of the class's term by all logits."""
        return self.value_and_derivative_at(xp, z, index)[1]


def sum_of_others(xp: Namespace, w: Array) -> Array:
    """Return, for each class, the sum of w over the other classes."""
    # The total less the largest of its terms would cancel.
    largest = column_numbers(xp, w) == xp.argmax(xp.abs(w), axis=-1, keepdims=True)
    none = xp.zeros_like(w)
    rest = xp.sum(xp.where(largest, none, w), axis=-1, keepdims=True)
    top = xp.sum(xp.where(largest, w, none), axis=-1, keepdims=True)
    return xp.where(largest, rest, (rest - w) + top)
