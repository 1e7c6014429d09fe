"""A loss times a number."""

from __future__ import annotations

from typing import Any, ClassVar

from lossfw.components.claims import Claims
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import Change, TargetChangingWrapper, part_property
from lossfw.losses.wrappers.claim_table import WrapperKind, scaled_claims
from lossfw.numerics.arrays import Array, Namespace


class Scaled(TargetChangingWrapper):
    """A loss times a number, scale * l; ``2 * loss`` makes it.

    Use it for a part of a sum, or to match another convention.

    Parameters
    ----------
    of : Loss
        The loss.
    scale : float
        Any finite number. With 0 the loss is 0 also where the part is infinite,
        and NaN where the part is NaN.

    Notes
    -----
    A negative scale turns the loss upside down: it swaps the bounds, and drops convexity,
    properness and other claims about minima.

    Examples
    --------
    >>> import lossfw
    >>> -2 * lossfw.loss("squared_error")
    Scaled(of=SquaredError(factor=1.0), scale=-2.0)
    >>> (lossfw.loss("squared_error") / 4)([3.0], [1.0])
    1.0
    """

    claim_column: ClassVar[WrapperKind | None] = "scaled"
    latex_of_parts: ClassVar[str] = r"\mathrm{scale}\;\ell(y, t)"

    of: NestedLoss
    scale: float

    def change_targets(self, xp: Namespace, t: Array, by_index: bool) -> tuple[Array, Change]:
        if self.scale:
            return t, lambda x: self.scale * x
        return t, lambda x: xp.where(xp.isnan(x), x, xp.zeros_like(x))

    def curvature_bound(self, xp: Namespace, y: Array, t: Array) -> Array | None:
        """Scale the part's bound; with a negative scale only the claimed constant remains."""
        if self.scale < 0:
            return Loss.curvature_bound(self, xp, y, t)
        return super().curvature_bound(xp, y, t)

    _has_own_weight: ClassVar[Any] = part_property("_has_own_weight")

    def _own_mask_and_weight(
        self, xp: Namespace, t: Array, by_index: bool
    ) -> tuple[Array | None, Array | None]:
        """Return the part's rule: a mean of 2 l is twice the mean of l."""
        return self.of._own_mask_and_weight(xp, t, by_index)

    def _without_own_weight(self) -> Loss:
        """Scale the part without its weights; see `Loss._without_own_weight`."""
        return self.replace(of=self.of._without_own_weight()) if self._has_own_weight else self

    def claims(self) -> Claims:
        """Bounds and constants scale; claims about minima need a scale above 0."""
        return scaled_claims(self.of.claims(), self.scale)

    def __mul__(self, factor: object) -> Loss:
        # Factors of factors are multiplied.
        product = super().__mul__(factor)
        if isinstance(product, Scaled):
            return self.replace(scale=self.scale * product.scale)
        return product
