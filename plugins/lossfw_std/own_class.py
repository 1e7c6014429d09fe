"""Losses of rows to which each class adds a term of its own, with its share of the target.

For a class index that is the term of one class, and the others need not be computed.
"""

from __future__ import annotations

from lossfw import Array, CategoricalLoss, Namespace
from lossfw.numerics import put_at, take_at


class OwnClassLoss(CategoricalLoss):
    """A loss whose value is a sum over classes of t f(y), and so its derivative t f'(y).

    Write `value` and `derivative` of rows. For class indices they are called with rows of
    one column, the target's class.
    """

    def of_shares(self) -> OwnClassLoss:
        """Return this loss for targets that are shares already, without factors of classes."""
        return self

    def value_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """The term of the target's class; a NaN anywhere in the row stays."""
        value = self.of_shares().value(xp, *self._own(xp, y, index))
        return value + 0.0 * xp.sum(y, axis=-1)

    def derivative_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """The slope of the target's class, 0 elsewhere."""
        slope = self.of_shares().derivative(xp, *self._own(xp, y, index))
        return self._placed(xp, y, index, slope)

    def value_and_derivative_at(self, xp: Namespace, y: Array, index: Array) -> tuple[Array, Array]:
        """Both for the target's class."""
        value, slope = self.of_shares().value_and_derivative(xp, *self._own(xp, y, index))
        return value + 0.0 * xp.sum(y, axis=-1), self._placed(xp, y, index, slope)

    def share_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """Return the share of the target's class, of shape (...)."""
        return xp.ones_like(y[..., 0])

    def _own(self, xp: Namespace, y: Array, index: Array) -> tuple[Array, Array]:
        share = self.share_at(xp, y, index)
        return take_at(xp, y, index)[..., None], share[..., None]

    def _placed(self, xp: Namespace, y: Array, index: Array, slope: Array) -> Array:
        # 0 y keeps a NaN.
        return put_at(xp, 0.0 * y, index, slope[..., 0])
