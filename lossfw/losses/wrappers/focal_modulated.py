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
from lossfw.numerics import in_double, times
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
        losses = self.of.unreduced_formula(xp, y, t)
        return self._modulated(xp, y, t, losses) if self.gamma else losses

    def unreduced(self, xp: Namespace, y: Array, t: Array) -> Array:
        """See `Loss.unreduced`."""
        return self._values(xp, y, t) if self.gamma else self.of.unreduced(xp, y, t)

    def unreduced_at(self, xp: Namespace, y: Array, index: Array) -> Array:
        """See `Loss.unreduced_at`."""
        if not self.gamma:
            return self.of.unreduced_at(xp, y, index)

        @in_double
        def values(xp: Namespace, y: Array) -> Array:
            losses = self.of.unreduced_at(xp, y, index)
            return self._modulated(xp, y, one_hot_rows(xp, y, index), losses)

        return values(xp, y)

    def unreduced_gradient(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(m l)' = m l' + m' l; see `Loss.unreduced_gradient`."""
        return self.unreduced_with_gradient(xp, y, t)[1]

    def unreduced_with_gradient(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """See `Loss.unreduced_with_gradient`."""
        if not self.gamma:
            return self.of.unreduced_with_gradient(xp, y, t)
        return self._values_and_slopes(xp, y, t)

    def unreduced_hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(m l)'' = m l'' + 2 m' l' + m'' l; see `Loss.unreduced_hessian`."""
        return self._bends(xp, y, t) if self.gamma else self.of.unreduced_hessian(xp, y, t)

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

    # A product of float32 goes by float64: of its factors one may overflow where the other
    # makes up for it.

    @in_double
    def _values(self, xp: Namespace, y: Array, t: Array) -> Array:
        return self._modulated(xp, y, t, self.of.unreduced(xp, y, t))

    @in_double
    def _values_and_slopes(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        losses, slopes = self.of.unreduced_with_gradient(xp, y, t)
        u = missed(xp, self.of, y, t)
        terms = self._gradient_terms(xp, u, losses, slopes)
        return times(xp, u.share**self.gamma, losses), _total(xp, *terms)

    @in_double
    def _bends(self, xp: Namespace, y: Array, t: Array) -> Array:
        return _total(xp, *self._hessian_terms(xp, y, t))

    def _modulated(self, xp: Namespace, y: Array, t: Array, losses: Array) -> Array:
        return times(xp, missed_share(xp, self.of, y, t) ** self.gamma, losses)

    def _gradient_terms(
        self, xp: Namespace, u: Missed, losses: Array, slopes: Array
    ) -> tuple[Array, Array]:
        own = self._lessened(xp, u.share, self.gamma, slopes)
        return own, self._slope(xp, u, self._spread(losses))

    def _hessian_terms(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array, Array]:
        losses, slopes = self.of.unreduced_with_gradient(xp, y, t)
        u = missed(xp, self.of, y, t)
        own = self._lessened(xp, u.share, self.gamma, self.of.unreduced_hessian(xp, y, t))
        crossed = 2.0 * self._slope(xp, u, slopes)
        return own, crossed, times(xp, self._bend(xp, u), self._spread(losses))

    def _lessened(self, xp: Namespace, share: Array, power: float, x: Array) -> Array:
        """Return u^power x by halves: the power of a small u is 0 where x makes it a number."""
        half = self._spread(share ** (0.5 * power))
        return times(xp, half, times(xp, half, x))

    def _slope(self, xp: Namespace, u: Missed, x: Array) -> Array:
        """Return the derivative of m = u^gamma, times x."""
        return times(xp, u.slope, self.gamma * self._lessened(xp, u.share, self.gamma - 1.0, x))

    def _bend(self, xp: Namespace, u: Missed) -> Array:
        """Return the second derivative of m = u^gamma."""
        g = self.gamma
        # u = 0 has an infinite power for a gamma below 2, with a factor that may be 0. The root of
        # the square, since the square of a small slope is 0 where the power makes it a number.
        root = times(xp, self._spread(u.share ** (0.5 * g - 1.0)), u.slope)
        bent = times(xp, self._spread(g * u.share ** (g - 1.0)), u.bend)
        return times(xp, g * (g - 1.0), root * root) + bent

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
