"""Focal modulation: less weight for good predictions."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import NonNegativeFloat, field_validator

from lossfw.components.claims import Claims
from lossfw.errors import ParameterError
from lossfw.losses.base import ResultForm
from lossfw.losses.bodies import one_hot_rows
from lossfw.losses.loss import Loss
from lossfw.losses.nested import NestedLoss
from lossfw.losses.wrappers.base import PartWrapper, refuse_groups, refuse_own_weights
from lossfw.losses.wrappers.claim_table import WrapperKind, wrapper_claims
from lossfw.losses.wrappers.error_probability import (
    ErrorProbability,
    error_probability,
    error_probability_with_derivatives,
    probability_of,
)
from lossfw.numerics import computed_in_float64, multiply_or_zero
from lossfw.numerics.arrays import Array, Namespace


class FocalModulated(PartWrapper):
    """A loss times a power of the missed probability, (1 - p_t)^gamma l.

    Use it when easy rows should count less in any loss of classes.

    Parameters
    ----------
    of : Loss
        A loss of probabilities or of logits whose output activation is softmax or sigmoid.
    gamma : float
        At least 0; 0 changes nothing.

    Notes
    -----
    p_t is the predicted probability of the target's class; for soft targets the mean over the
    classes, weighted by the target. 1 - p_t is accurate near p_t = 1.

    Around cross-entropy, and for hard targets, it is the focal loss. For a soft target, one factor
    modulates the whole loss; `categorical_focal` modulates the term of each class separately.

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
    def _require_probabilities(cls, loss: Loss) -> Loss:
        refuse_groups(loss, cls.name)
        refuse_own_weights(loss, cls.name, "which multiplies its losses")
        if probability_of(loss) is None:
            raise ParameterError(
                f"{loss.name} takes predictions in {loss.prediction_space}, which are "
                "neither probabilities nor logits of a softmax or a sigmoid."
            )
        return loss

    _forms_at_index: ClassVar[tuple[ResultForm, ...]] = ("value",)

    def _compute_losses(
        self, form: ResultForm, xp: Namespace, y: Array, t: Array, by_index: bool
    ) -> Any:
        """Modulate the results of the part."""
        if not self.gamma:
            return self.of._unreduced_losses(form, xp, y, t, by_index)
        if form == "formula":
            return self._modulate(xp, y, t, self.of._unreduced_losses(form, xp, y, t))
        if form == "value":
            return self._values_at_index(xp, y, t) if by_index else self._values(xp, y, t)
        if form == "hessian":
            return self._hessian(xp, y, t)
        both = self._values_and_gradients(xp, y, t)
        return both if form == "both" else both[1]

    # A product of float32 goes by float64: of its factors one may overflow where the other
    # makes up for it.

    @computed_in_float64
    def _values(self, xp: Namespace, y: Array, t: Array) -> Array:
        return self._modulate(xp, y, t, self.of._unreduced(xp, y, t))

    def _values_at_index(self, xp: Namespace, y: Array, index: Array) -> Array:
        @computed_in_float64
        def values(xp: Namespace, y: Array) -> Array:
            losses = self.of._unreduced_at(xp, y, index)
            return self._modulate(xp, y, one_hot_rows(xp, y, index), losses)

        return values(xp, y)

    @computed_in_float64
    def _values_and_gradients(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Return m l and (m l)' = m l' + m' l for m = u^gamma."""
        losses, gradients = self.of._unreduced_with_gradient(xp, y, t)
        u = error_probability_with_derivatives(xp, self.of, y, t)
        terms = self._gradient_terms(xp, u, losses, gradients)
        return multiply_or_zero(xp, u.value**self.gamma, losses), _sum_terms(xp, *terms)

    @computed_in_float64
    def _hessian(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Return (m l)'' = m l'' + 2 m' l' + m'' l."""
        return _sum_terms(xp, *self._hessian_terms(xp, y, t))

    def _modulate(self, xp: Namespace, y: Array, t: Array, losses: Array) -> Array:
        return multiply_or_zero(xp, error_probability(xp, self.of, y, t) ** self.gamma, losses)

    def _gradient_terms(
        self, xp: Namespace, u: ErrorProbability, losses: Array, gradients: Array
    ) -> tuple[Array, Array]:
        first = self._times_power(xp, u.value, self.gamma, gradients)
        return first, self._times_derivative(xp, u, self._expand(losses))

    def _hessian_terms(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array, Array]:
        losses, gradients = self.of._unreduced_with_gradient(xp, y, t)
        u = error_probability_with_derivatives(xp, self.of, y, t)
        first = self._times_power(xp, u.value, self.gamma, self.of._unreduced_hessian(xp, y, t))
        cross_term = 2.0 * self._times_derivative(xp, u, gradients)
        return (
            first,
            cross_term,
            multiply_or_zero(xp, self._second_derivative(xp, u), self._expand(losses)),
        )

    def _times_power(self, xp: Namespace, u: Array, power: float, x: Array) -> Array:
        """Return u^power x by halves: the power of a small u is 0 where x makes it a number."""
        half = self._expand(u ** (0.5 * power))
        return multiply_or_zero(xp, half, multiply_or_zero(xp, half, x))

    def _times_derivative(self, xp: Namespace, u: ErrorProbability, x: Array) -> Array:
        """Return the derivative of m, times x."""
        power = self._times_power(xp, u.value, self.gamma - 1.0, x)
        return multiply_or_zero(xp, u.derivative, self.gamma * power)

    def _second_derivative(self, xp: Namespace, u: ErrorProbability) -> Array:
        """Return the second derivative of m."""
        g = self.gamma
        # u = 0 has an infinite power for a gamma below 2, with a factor that may be 0. The root of
        # the square, since the square of a small derivative is 0 where the power makes it a number.
        root = multiply_or_zero(xp, self._expand(u.value ** (0.5 * g - 1.0)), u.derivative)
        curved = multiply_or_zero(xp, self._expand(g * u.value ** (g - 1.0)), u.second_derivative)
        return multiply_or_zero(xp, g * (g - 1.0), root * root) + curved

    def _expand(self, x: Array) -> Array:
        """Return numbers of rows with an axis for the elements of a row."""
        return x[..., None] if self.takes_rows else x

    def claims(self) -> Claims:
        """Bounds and smoothness; convexity and claims about minima are lost."""
        part = self.of.claims()
        return wrapper_claims("modulated", [part]) if self.gamma else part


def _sum_terms(xp: Namespace, first: Array, *others: Array) -> Array:
    """Return the sum; of infinite terms the first, which has the highest derivative of the loss."""
    total = first
    for term in others:
        total = xp.where(xp.isinf(total), total, total + term)
    return total
