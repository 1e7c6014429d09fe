"""Smoothed targets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from lossfw.components.claims import Claims
from lossfw.errors import ParameterError
from lossfw.losses.kinds import one_hot_rows
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import PartWrapper, refuse_weighing
from lossfw.losses.wrappers.claim_table import wrapper_claims
from lossfw.losses.wrappers.compatibility import takes_classes
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.exact.reference import Order


class LabelSmoothed(PartWrapper):
    """A loss of classes whose targets are smoothed: l(y, (1 - s) t + s / K).

    Parameters
    ----------
    of : Loss
        A loss of classes that takes soft targets.
    smoothing : float
        The share s of the target that is spread evenly over all K classes,
        the target's own among them; at least 0 and below 1.

    Notes
    -----
    Indices, one-hot and soft targets are smoothed alike. Not proper: its
    minimiser is the smoothed distribution. It is still calibrated where the
    part is and is linear in the target. Source: Szegedy, Vanhoucke, Ioffe,
    Shlens, Wojna, *Rethinking the Inception architecture*, 2016.

    See Also
    --------
    cross_entropy : has the same as a parameter, ``label_smoothing``.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("label_smoothed", of="cross_entropy", smoothing=0.5)
    >>> y = [[0.75, 0.25]]
    >>> loss(y, [0]) == lossfw.loss("cross_entropy")(y, [[0.75, 0.25]])
    True
    """

    of: NestedLoss
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @field_validator("of")
    @classmethod
    def _of_classes(cls, of: Loss) -> Loss:
        refuse_weighing(of, cls.name, "which changes the targets")
        if not takes_classes(of):
            raise ParameterError(f"{of.name} is no loss of classes, so no label can be smoothed.")
        return of

    def unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_formula`."""
        return self.of.unreduced_formula(xp, y, self._smoothed(t))

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced`."""
        return self.of.unreduced(xp, y, self._smoothed(t))

    def unreduced_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """See `Loss.unreduced_at`."""
        if not self.smoothing:
            return self.of.unreduced_at(xp, y, index)
        return self.unreduced(xp, y, one_hot_rows(xp, y, index))

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_gradient`."""
        return self.of.unreduced_gradient(xp, y, self._smoothed(t))

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_hessian`."""
        return self.of.unreduced_hessian(xp, y, self._smoothed(t))

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """See `Loss.unreduced_with_gradient`."""
        return self.of.unreduced_with_gradient(xp, y, self._smoothed(t))

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """See `Loss.terms`."""
        return self.of.terms(xp, y, self._smoothed(t), order)

    def _smoothed(self, t: Array) -> Array:
        if not self.smoothing:
            return t
        return (1.0 - self.smoothing) * t + self.smoothing / t.shape[-1]

    def claims(self) -> Claims:
        """Those that hold for all targets; what speaks of the target itself is dropped."""
        part = self.of.claims()
        return wrapper_claims("smoothed", [part]) if self.smoothing else part
