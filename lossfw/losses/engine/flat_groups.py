"""A loss of groups as a loss of rows, for the rules of PyTorch and JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from lossfw.components.claims import Claims
from lossfw.losses.base import LossDefinition, ResultForm
from lossfw.numerics.arrays import Array, Namespace


def as_row_loss(loss: LossDefinition, width: int | None) -> LossDefinition:
    """Return a loss of groups as a loss of rows, with everything that the rules use.

    `width` is the number of values in the prediction of a row; None if it is a single number.
    """
    return cast(LossDefinition, _FlatGroupLoss(loss, width))


@dataclass(frozen=True)
class _FlatGroupLoss:
    """A loss of groups whose groups are the numbers of their rows, one after the other."""

    loss: LossDefinition
    width: int | None

    takes_rows: ClassVar[bool] = True
    # No function is written out in PyTorch's operations.
    has_columns: ClassVar[bool] = True
    _argument: ClassVar[str] = "prediction"

    @property
    def name(self) -> str:
        """That of the loss."""
        return self.loss.name

    @property
    def body(self) -> _FlatGroupLoss:
        """Itself; it has no functions of an author."""
        return self

    @property
    def _cache_key(self) -> str:
        """A text that is the same for two that compute the same."""
        return f"{type(self.loss)} {self.loss._cache_key} {self.width}"

    def claims(self) -> Claims:
        """Return those of the loss."""
        return self.loss.claims()

    def _unreduced_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool = False
    ) -> Any:
        """Return the losses of rows, or derivatives; see `LossDefinition._unreduced_losses`."""
        if self.width is None:
            return self.loss._unreduced_losses(form, xp, y, t)
        whole = xp.reshape(y, (*y.shape[:-1], y.shape[-1] // self.width, self.width))
        results = self.loss._unreduced_losses(form, xp, whole, t)
        if form == "both":
            return results[0], xp.reshape(results[1], y.shape)
        return results if form == "value" else xp.reshape(results, y.shape)

    def _unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return the derivatives of rows."""
        return self._unreduced_losses("gradient", xp, y, t)
