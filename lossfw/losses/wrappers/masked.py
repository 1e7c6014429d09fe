"""A value of the target that marks elements or rows to leave out."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import field_validator

from lossfw.components.claims import Claims
from lossfw.errors import ParameterError
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import Change, TargetChangingWrapper
from lossfw.losses.wrappers.claim_table import WrapperKind, wrapper_claims
from lossfw.numerics.arrays import Array, Namespace, NDArray, column_numbers, namespace_of


class Masked(TargetChangingWrapper):
    """A loss that leaves out the elements or rows whose target has one value.

    Use it when one value of the target means that there is no target, such as padding.

    Parameters
    ----------
    of : Loss
        The loss.
    ignore : float
        The value. It has no default, because any number may be a target.

    Notes
    -----
    An element or a row with this target is left out, as if ``where`` were False there: sums and
    means do not include it, its gradient is 0, and its prediction may be NaN or outside of its
    space. It is

    - an element, for a loss of elements; with ``per: row`` it adds nothing to its row, and a row
      with only such elements is left out;
    - a row, for a loss of rows: one whose class index, or whose whole target
      row, has the value.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("masked", of="squared_error", ignore=-1.0)
    >>> loss([1.0, 5.0], [0.0, -1.0])
    1.0
    """

    claim_column: ClassVar[WrapperKind | None] = "masked"
    latex_of_parts: ClassVar[str] = (
        r"\begin{cases} 0 & \text{if } t = \mathrm{ignore} \\ "
        r"\ell(y, t) & \text{otherwise} \end{cases}"
    )

    of: NestedLoss
    ignore: float

    @field_validator("of")
    @classmethod
    def _require_rows(cls, loss: Loss) -> Loss:
        if loss.takes_groups:
            raise ParameterError(
                f"{loss.name} has one loss for a group of rows, whose targets do not say which "
                "rows are in it: pass where= in a call."
            )
        return loss

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Check the elements that are not masked; see `Loss.check_domain`."""
        xp = namespace_of(y, t)
        left_out = self._left_out_mask(xp, t, by_index)
        # Before a run there are targets and no predictions yet.
        if not self.takes_rows and y.shape == left_out.shape:
            y = xp.where(left_out, xp.ones_like(y), y)
        self.of.check_domain(y, self._replace_left_out(xp, t, left_out, by_index), by_index, start)

    def change_targets(self, xp: Namespace, t: Array, by_index: bool) -> tuple[Array, Change]:
        left_out = self._left_out_mask(xp, t, by_index)
        return self._replace_left_out(xp, t, left_out, by_index), lambda x: _zero_left_out(
            xp, x, left_out
        )

    @property
    def _has_own_weight(self) -> bool:
        """Always true: it has a mask."""
        return True

    def _own_mask_and_weight(
        self, xp: Namespace, t: Array, by_index: bool
    ) -> tuple[Array | None, Array | None]:
        """Leave out targets of the value; see `Loss._own_mask_and_weight`."""
        left_out = self._left_out_mask(xp, t, by_index)
        if self._sums_rows:
            left_out = xp.all(left_out, axis=-1)
        where, weight = self.of._own_mask_and_weight(xp, t, by_index)
        counts = xp.logical_not(left_out)
        return counts if where is None else counts & where, weight

    def _without_own_weight(self) -> Loss:
        """Mask the part without its weights; see `Loss._without_own_weight`."""
        return self.replace(of=self.of._without_own_weight()) if self.of._has_own_weight else self

    def claims(self) -> Claims:
        """Those of the part; fewer where the value could be a target."""
        part = self.of.claims()
        if self._is_target():
            return wrapper_claims("masked", [part], self._argument)
        return part

    def _is_target(self) -> bool:
        if self.of.takes_classes:
            # An index; or, below 1, a row that may sum to 1.
            return self.ignore >= 0
        return self.target_space.outside_or_none(np.array([self.ignore])) is None

    def _left_out_mask(self, xp: Namespace, t: Array, by_index: bool) -> Array:
        """Tell for each element, or for each row of a loss of rows, whether it is left out."""
        marked = self._equals(xp, t) if by_index else t == self.ignore
        whole_rows = self._takes_target_rows and not by_index
        return xp.all(marked, axis=-1) if whole_rows else marked

    def _equals(self, xp: Namespace, index: Array) -> Array:
        """Tell which class indices are the value, exactly: floats may round long ones."""
        bounds = xp.iinfo(index.dtype)
        if not self.ignore.is_integer() or not bounds.min <= self.ignore <= bounds.max:
            return xp.zeros_like(index, dtype=xp.bool)
        return index == int(self.ignore)

    def _replace_left_out(self, xp: Namespace, t: Array, left_out: Array, by_index: bool) -> Array:
        """Return targets that the part can take, with a legal one for each that is left out."""
        if by_index:
            return xp.where(left_out, xp.zeros_like(t), t)
        if self._takes_target_rows:
            # The first class: a distribution, and in every space of its elements.
            first = xp.astype(column_numbers(xp, t) == 0, t.dtype)
            return xp.where(left_out[..., None], first, t)
        # 1 lies in every space of numbers that lossfw has.
        return xp.where(left_out, xp.ones_like(t), t)


def _zero_left_out(xp: Namespace, results: Array, left_out: Array) -> Array:
    """Put 0 where nothing counts, in results of elements, of rows or of their elements."""
    if left_out.ndim < results.ndim:
        left_out = left_out[..., None]
    return xp.where(left_out, xp.zeros_like(results), results)
