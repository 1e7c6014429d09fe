"""Focal modulation: less loss for good predictions."""

from __future__ import annotations

from typing import ClassVar

from pydantic import NonNegativeFloat, field_validator

from lossfw.components.claims import Claims
from lossfw.errors import ParameterError
from lossfw.losses.bodies import one_hot_rows
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import PartWrapper, refuse_weighing
from lossfw.losses.wrappers.claim_table import WrapperKind, wrapper_claims
from lossfw.losses.wrappers.error_probability import Missed, missed, missed_share, probability_of
from lossfw.numerics import times
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.exact.reference import Order


class FocalModulated(PartWrapper):
    """A loss times a power of the missed probability, (1 - p_t)^gamma l.

    Use it when easy rows are to count less under some other loss of classes.

    Parameters
    ----------
    of : Loss
        A loss of probabilities or of logits whose link is softmax or sigmoid.
    gamma : float
        At least 0; with 0 nothing is changed.

    Notes
    -----
    p_t is the probability that the prediction gives to the target: that of the
    target's class; for soft targets the mean over the classes, weighted by the
    target. 1 - p_t keeps its digits near p_t = 1.

    Around cross-entropy, and for hard targets, it is the focal loss. For a soft
    target the whole loss is modulated by one factor; `categorical_focal`
    modulates the term of each class by its own.

    Not proper, and not convex. Source: Lin, Goyal, Girshick, He, Dollar, *Focal
    loss for dense object detection*, 2017, doi:10.1109/ICCV.2017.324.

    Examples
    --------
    >>> import lossfw
    >>> loss = lossfw.loss("focal_modulated", of="cross_entropy", gamma=2.0)
    >>> round(loss([[0.75, 0.25]], [0]), 6)  # 0.25^2 * -log 0.75
    0.01798
    """

    claim_column: ClassVar[WrapperKind | None] = "modulated"
    latex_of_parts: ClassVar[str] = r"\left(1 - p_{t}\right)^{\gamma}\,\ell(y, t)"

    of: NestedLoss
    gamma: NonNegativeFloat = 2.0

    @field_validator("of")
    @classmethod
    def _of_probabilities(cls, of: Loss) -> Loss:
        refuse_weighing(of, cls.name, "which multiplies its losses")
        if probability_of(of) is None:
            raise ParameterError(
                f"{of.name} takes predictions in {of.prediction_space}, which are no "
                "probabilities, and no logits of a softmax or a sigmoid."
            )
        return of

    def unreduced_formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced_formula`."""
        return self._modulated(xp, y, t, self.of.unreduced_formula(xp, y, t))

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced`."""
        return self._modulated(xp, y, t, self.of.unreduced(xp, y, t))

    def unreduced_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """See `Loss.unreduced_at`."""
        losses = self.of.unreduced_at(xp, y, index)
        return self._modulated(xp, y, one_hot_rows(xp, y, index), losses)

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(m l)' = m l' + m' l; see `Loss.unreduced_gradient`."""
        return self.unreduced_with_gradient(xp, y, t)[1]

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """See `Loss.unreduced_with_gradient`."""
        losses, slopes = self.of.unreduced_with_gradient(xp, y, t)
        if not self.gamma:
            return losses, slopes
        u = missed(xp, self.of, y, t)
        terms = self._gradient_terms(xp, u, losses, slopes)
        return times(xp, u.share**self.gamma, losses), _total(xp, *terms)

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(m l)'' = m l'' + 2 m' l' + m'' l; see `Loss.unreduced_hessian`."""
        if not self.gamma:
            return self.of.unreduced_hessian(xp, y, t)
        return _total(xp, *self._hessian_terms(xp, y, t))

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """Return the terms of the product rule, and the part's own; see `Loss.terms`."""
        own = self.of.terms(xp, y, t, order)
        if not self.gamma:
            return own
        factor = missed_share(xp, self.of, y, t) ** self.gamma
        own = tuple(times(xp, self._spread(factor) if order else factor, term) for term in own)
        if order == 0:
            return own
        if order == 2:
            return (*self._hessian_terms(xp, y, t), *own)
        losses, slopes = self.of.unreduced_with_gradient(xp, y, t)
        return (*self._gradient_terms(xp, missed(xp, self.of, y, t), losses, slopes), *own)

    def _gradient_terms(
        self, xp: Namespace, u: Missed, losses: Array, slopes: Array
    ) -> tuple[Array, Array]:
        own = times(xp, self._spread(u.share**self.gamma), slopes)
        return own, times(xp, self._slope(xp, u), self._spread(losses))

    def _hessian_terms(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array, Array]:
        losses, slopes = self.of.unreduced_with_gradient(xp, y, t)
        u = missed(xp, self.of, y, t)
        own = times(xp, self._spread(u.share**self.gamma), self.of.unreduced_hessian(xp, y, t))
        crossed = times(xp, 2.0 * self._slope(xp, u), slopes)
        return own, crossed, times(xp, self._bend(xp, u), self._spread(losses))

    def _modulated(self, xp: Namespace, y: Array, t: Array, losses: Array) -> Array:
        if not self.gamma:
            return losses
        return times(xp, missed_share(xp, self.of, y, t) ** self.gamma, losses)

    def _slope(self, xp: Namespace, u: Missed) -> Array:
        """Return the derivative of m = u^gamma."""
        return times(xp, self._spread(self.gamma * u.share ** (self.gamma - 1.0)), u.slope)

    def _bend(self, xp: Namespace, u: Missed) -> Array:
        """Return the second derivative of m = u^gamma."""
        g = self.gamma
        # u = 0 has an infinite power for a gamma below 2, with a factor that may be 0.
        curvature = times(xp, g * (g - 1.0), u.share ** (g - 2.0))
        bent = times(xp, self._spread(g * u.share ** (g - 1.0)), u.bend)
        return times(xp, self._spread(curvature), u.slope * u.slope) + bent

    def _spread(self, x: Array) -> Array:
        """Return numbers of rows with an axis for the elements of a row."""
        return x[..., None] if self.takes_rows else x

    def claims(self) -> Claims:
        """Bounds and smoothness; convexity and claims about minima are lost."""
        part = self.of.claims()
        return wrapper_claims("modulated", [part]) if self.gamma else part


def _total(xp: Namespace, first: Array, *others: Array) -> Array:
    """Return the sum; of infinite terms the first, which has the highest derivative of the loss."""
    total = first
    for term in others:
        total = xp.where(xp.isinf(total), total, total + term)
    return total
