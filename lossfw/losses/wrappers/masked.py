"""A value of the target that marks what does not count."""

from __future__ import annotations

import numpy as np

from lossfw.components.claims import Claims
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import PartWrapper, has_own_weight
from lossfw.losses.wrappers.claim_table import wrapper_claims
from lossfw.losses.wrappers.compatibility import takes_classes
from lossfw.numerics.arrays import Array, Namespace, NDArray, namespace_of
from lossfw.numerics.exact.reference import Order


class Masked(PartWrapper):
    """A loss in which one value of the target marks what does not count.

    Parameters
    ----------
    of : Loss
        The loss.
    ignore : float
        The value. There is no default: no number among targets has a meaning
        that nobody gave it.

    Notes
    -----
    What has the value as its target is left out as if ``where`` were False
    there: it is in no sum, a mean does not count it, its gradient is 0, and
    neither a NaN nor a value outside of its space does harm there. It is

    - an element, for a loss of elements; summed ``per: row``, it adds nothing
      to its row, and a row of nothing else is left out;
    - a row, for a loss of rows: one whose class index, or whose whole target
      row, has the value.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("masked", of="squared_error", ignore=-1.0)
    >>> loss([1.0, 5.0], [0.0, -1.0])
    1.0
    """

    of: NestedLoss
    ignore: float

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Check what counts; see `Loss.check_domain`."""
        xp = namespace_of(y, t)
        left_out = self._left_out(xp, t, by_index)
        if not self.takes_rows:
            y = xp.where(left_out, xp.ones_like(y), y)
        self.of.check_domain(y, self._legal(xp, t, left_out, by_index), by_index, start)

    def unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_formula`."""
        left_out = self._left_out(xp, t, by_index=False)
        return _blank(xp, self.of.unreduced_formula(xp, y, self._legal(xp, t, left_out)), left_out)

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced`."""
        left_out = self._left_out(xp, t, by_index=False)
        return _blank(xp, self.of.unreduced(xp, y, self._legal(xp, t, left_out)), left_out)

    def unreduced_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """See `Loss.unreduced_at`."""
        left_out = self._left_out(xp, index, by_index=True)
        legal = self._legal(xp, index, left_out, by_index=True)
        return _blank(xp, self.of.unreduced_at(xp, y, legal), left_out)

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_gradient`."""
        left_out = self._left_out(xp, t, by_index=False)
        return _blank(xp, self.of.unreduced_gradient(xp, y, self._legal(xp, t, left_out)), left_out)

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_hessian`."""
        left_out = self._left_out(xp, t, by_index=False)
        return _blank(xp, self.of.unreduced_hessian(xp, y, self._legal(xp, t, left_out)), left_out)

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """See `Loss.unreduced_with_gradient`."""
        left_out = self._left_out(xp, t, by_index=False)
        losses, slopes = self.of.unreduced_with_gradient(xp, y, self._legal(xp, t, left_out))
        return _blank(xp, losses, left_out), _blank(xp, slopes, left_out)

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """See `Loss.terms`."""
        left_out = self._left_out(xp, t, by_index=False)
        terms = self.of.terms(xp, y, self._legal(xp, t, left_out), order)
        return tuple(_blank(xp, term, left_out) for term in terms)

    @property
    def has_own_weight(self) -> bool:
        """Always: it says what counts."""
        return True

    def own_mask_and_weight(
        self, xp: Namespace, t: Array, by_index: bool
    ) -> tuple[Array | None, Array | None]:
        """Leave out what has the value as its target; see `Loss.own_mask_and_weight`."""
        left_out = self._left_out(xp, t, by_index)
        if self.sums_rows:
            left_out = xp.all(left_out, axis=-1)
        where, weight = self.of.own_mask_and_weight(xp, t, by_index)
        counts = xp.logical_not(left_out)
        return counts if where is None else counts & where, weight

    def without_own_weight(self) -> Loss:
        """Mask the part without its weights; see `Loss.without_own_weight`."""
        return self.replace(of=self.of.without_own_weight()) if has_own_weight(self.of) else self

    def claims(self) -> Claims:
        """Those of the part; fewer where the value could be a target."""
        part = self.of.claims()
        if self._is_target():
            return wrapper_claims("masked", [part], self.argument)
        return part

    def _is_target(self) -> bool:
        if takes_classes(self.of):
            # An index; or, below 1, a row that may sum to 1.
            return self.ignore >= 0
        return self.target_space.outside(np.array([self.ignore])) is None

    def _left_out(self, xp: Namespace, t: Array, by_index: bool) -> Array:
        """Tell for each element, or for each row of a loss of rows, whether it is left out."""
        marked = t == self.ignore
        whole_rows = self.takes_rows and not by_index and not self.target_per_row
        return xp.all(marked, axis=-1) if whole_rows else marked

    def _legal(self, xp: Namespace, t: Array, left_out: Array, by_index: bool = False) -> Array:
        """Return targets that the part can take, with anything for what is left out."""
        if by_index:
            return xp.where(left_out, xp.zeros_like(t), t)
        if self.takes_rows and not self.target_per_row:
            # The first class: a distribution, and in every space of its elements.
            first = xp.astype(xp.arange(t.shape[-1]) == 0, t.dtype)
            return xp.where(left_out[..., None], first, t)
        # 1 lies in every space of numbers that lossfw has.
        return xp.where(left_out, xp.ones_like(t), t)


def _blank(xp: Namespace, results: Array, left_out: Array) -> Array:
    """Put 0 where nothing counts, in results of elements, of rows or of their elements."""
    if left_out.ndim < results.ndim:
        left_out = left_out[..., None]
    return xp.where(left_out, xp.zeros_like(results), results)
