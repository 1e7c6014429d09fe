"""A loss times a number."""

from __future__ import annotations

from lossfw.components.claims import Claims
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import PartWrapper, has_own_weight
from lossfw.losses.wrappers.claim_table import scaled_claims
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.exact.reference import Order


class Scaled(PartWrapper):
    """A loss times a number, scale * l; ``2 * loss`` makes it.

    Parameters
    ----------
    of : Loss
        The loss.
    scale : float
        Any finite number. With 0 the loss is 0 wherever the part is no NaN,
        also where it is infinite.

    Notes
    -----
    A negative scale turns the loss upside down: lower and upper bound change
    places, and convexity, properness and all else that speaks of minima is no
    longer claimed.

    Examples
    --------
    >>> import lossfw
    >>> -2 * lossfw.loss("squared_error")
    Scaled(of=SquaredError(factor=1.0), scale=-2.0)
    >>> (lossfw.loss("squared_error") / 4)([3.0], [1.0])
    1.0
    """

    of: NestedLoss
    scale: float

    def unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_formula`."""
        return self._times(xp, self.of.unreduced_formula(xp, y, t))

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced`."""
        return self._times(xp, self.of.unreduced(xp, y, t))

    def unreduced_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """See `Loss.unreduced_at`."""
        return self._times(xp, self.of.unreduced_at(xp, y, index))

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_gradient`."""
        return self._times(xp, self.of.unreduced_gradient(xp, y, t))

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_hessian`."""
        return self._times(xp, self.of.unreduced_hessian(xp, y, t))

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """See `Loss.unreduced_with_gradient`."""
        values, slopes = self.of.unreduced_with_gradient(xp, y, t)
        return self._times(xp, values), self._times(xp, slopes)

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """See `Loss.terms`."""
        return tuple(self._times(xp, term) for term in self.of.terms(xp, y, t, order))

    def _times(self, xp: Namespace, x: Array) -> Array:
        if self.scale:
            return self.scale * x
        return xp.where(xp.isnan(x), x, xp.zeros_like(x))

    @property
    def has_own_weight(self) -> bool:
        """As the part."""
        return has_own_weight(self.of)

    def own_mask_and_weight(
        self, xp: Namespace, t: Array, by_index: bool
    ) -> tuple[Array | None, Array | None]:
        """Return the part's rule: a mean of 2 l is twice the mean of l."""
        return self.of.own_mask_and_weight(xp, t, by_index)

    def without_own_weight(self) -> Loss:
        """Scale the part without its weights; see `Loss.without_own_weight`."""
        return self.replace(of=self.of.without_own_weight()) if self.has_own_weight else self

    def claims(self) -> Claims:
        """Bounds and constants scale; what speaks of minima needs a scale above 0."""
        return scaled_claims(self.of.claims(), self.scale)

    def __mul__(self, factor: object) -> Loss:
        # Factors of factors are multiplied.
        product = super().__mul__(factor)
        if isinstance(product, Scaled):
            return self.replace(scale=self.scale * product.scale)
        return product
