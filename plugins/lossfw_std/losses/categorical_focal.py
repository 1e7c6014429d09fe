"""The focal loss over classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias, cast

from pydantic import Field, NonNegativeFloat, PositiveFloat

from lossfw import Array, Claims, Namespace, RawOutputLoss, RowBody, ShapeError
from lossfw.numerics import (
    computed_in_float64,
    device_of,
    multiply_or_zero,
    softmax_cross_entropy_and_gradient_at,
    softmax_cross_entropy_at,
    softmax_parts,
)
from lossfw_std import focusing
from lossfw_std.own_class import LogitBody, OwnClassLoss, sum_of_others

# One factor for all classes, or one for each.
Alpha: TypeAlias = PositiveFloat | Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]


class CategoricalFocal(RawOutputLoss, OwnClassLoss):
    """Focal loss over classes, -sum over classes of a t (1 - y)^gamma log y.

    Use it when most rows are easy and some classes are rare.

    Prediction of shape (..., K): distributions, or logits of any size, infinite ones included.
    Target: class indices (...), or distributions (..., K), one-hot or soft. One loss per row.

    Parameters
    ----------
    gamma : float
        At or above 0: the larger it is, the less a well predicted class counts.
    alpha : float or tuple of float, optional
        The factor a: one number, or one per class. None means 1.
    from_logits : bool
        Predictions are logits.

    Notes
    -----
    Calibrated, because each term falls as y grows, unless alpha weighs the classes. Not proper for
    gamma above 0: the minimiser is less confident than the true probabilities. Convex in the
    probabilities for every gamma, but not in logits: for a class that is predicted badly the
    derivative tends to -1 from below. 0 at y = t for a class, not for a soft target. Source: Lin et
    al., *Focal loss for dense object detection*, 2017, eq. 4, doi:10.1109/ICCV.2017.324;
    calibration: Charoenphakdee et al., *On focal loss for class-posterior probability estimation*,
    2021, doi:10.1109/CVPR46437.2021.00516.

    See Also
    --------
    cross_entropy : the same for ``gamma=0``, with the guard ``"none"``.
    focal : for one probability per element, where alpha means two factors.

    Examples
    --------
    >>> CategoricalFocal(gamma=2.0)([[0.5, 0.5]], [0])
    0.17328679513998632
    """

    output_activation: ClassVar[str] = "softmax"

    gamma: NonNegativeFloat = 2.0
    alpha: Alpha | None = None
    from_logits: bool = False

    def raw_body(self) -> RowBody:
        return _LogitBody(self)

    @property
    def fixed_classes(self) -> int | None:
        """One for each factor."""
        return len(self.alpha) if isinstance(self.alpha, tuple) else None

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-sum of a t (1 - y)^gamma log y, with 0 times infinity 0."""
        term = multiply_or_zero(xp, (1 - y) ** self.gamma, -xp.log(y))
        return xp.sum(multiply_or_zero(xp, self.target_weights(xp, t), term), axis=-1)

    def class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """See `lossfw_std.focusing`."""
        return focusing.value(xp, focusing.positive_class(xp, y, t), self.gamma)

    def class_derivative(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """Those of the class's own term only."""
        return focusing.derivative(xp, focusing.positive_class(xp, y, t), self.gamma)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Those of each class's own term only."""
        return focusing.second_derivative(
            xp, focusing.positive_class(xp, y, self.target_weights(xp, t)), self.gamma
        )

    def claims(self) -> Claims:
        """Convex on the simplex; proper only for gamma = 0."""
        even = not isinstance(self.alpha, tuple)
        plain = even and self.gamma == 0
        return Claims(
            nonnegative=True,
            zero_at_target=not self.from_logits or None,
            convex=(plain or not self.from_logits) or None,
            twice_smooth=True,
            strictly_proper=(plain and not self.from_logits) or None,
            calibrated=even or None,
            linear_in_target=True,
            shift_invariant=self.from_logits or None,
            permutation_equivariant=even or None,
            elicits="mean" if plain and not self.from_logits else None,
        )

    def target_weights(self, xp: Namespace, t: Array) -> Array:
        """Return the targets with their factor."""
        if not isinstance(self.alpha, tuple):
            return t if self.alpha is None else self.alpha * t
        return t * self._factors(xp, t)

    def target_weight_at(self, xp: Namespace, y: Array, index: Array) -> Array | float:
        """The factor of the target's class."""
        if isinstance(self.alpha, tuple):
            return xp.take(self._factors(xp, y), index)
        return 1.0 if self.alpha is None else self.alpha

    def _factors(self, xp: Namespace, rows: Array) -> Array:
        """Return alpha as an array of one factor for each class."""
        factors = cast(tuple[float, ...], self.alpha)
        if len(factors) != rows.shape[-1]:
            raise ShapeError(
                f"CategoricalFocal has {len(factors)} factors in alpha for {rows.shape[-1]} "
                "classes: give one number, or one per class."
            )
        return xp.asarray(factors, dtype=rows.dtype, device=device_of(rows))


@dataclass(frozen=True)
class _LogitBody(LogitBody):
    """The focal loss of logits, with p the softmax, c = 1 - p and l = -log p."""

    loss: CategoricalFocal

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same from c and l, each computed from the logits."""
        _, c, surprise = softmax_parts(xp, z)
        term = multiply_or_zero(xp, c**self.loss.gamma, surprise)
        return xp.sum(multiply_or_zero(xp, self.loss.target_weights(xp, t), term), axis=-1)

    def value_at(self, xp: Namespace, z: Array, index: Array) -> Array:
        """The term of the class, from its cross-entropy."""

        @computed_in_float64
        def value(xp: Namespace, z: Array) -> Array:
            surprise = softmax_cross_entropy_at(xp, z, index)
            focus = self._focal_factor_at(xp, z, index, -xp.expm1(-surprise))
            return multiply_or_zero(xp, focus, surprise)

        return value(xp, z)

    def value_and_derivative_at(self, xp: Namespace, z: Array, index: Array) -> tuple[Array, Array]:
        """Both, from cross-entropy and its derivative, of which the derivative is a multiple."""

        @computed_in_float64
        def value_and_derivative(xp: Namespace, z: Array) -> tuple[Array, Array]:
            surprise, derivative = softmax_cross_entropy_and_gradient_at(xp, z, index)
            c = -xp.expm1(-surprise)
            focus = self._focal_factor_at(xp, z, index, c)
            m = focusing.entropy_fraction(xp, xp.exp(-surprise), c, surprise)
            factor = focus * (1.0 + self.loss.gamma * m)
            return multiply_or_zero(xp, focus, surprise), factor[..., None] * derivative

        return value_and_derivative(xp, z)

    def _focal_factor_at(self, xp: Namespace, z: Array, index: Array, c: Array) -> Array:
        """Return a c^gamma of the target's class."""
        return self.loss.target_weight_at(xp, z, index) * c**self.loss.gamma

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Sum over k of u_k (p_j - [j = k]), u = a t c^gamma (1 + gamma m) with m = p l / c."""
        return self.value_and_derivative(xp, z, t)[1]

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same exponentials."""
        p, c, surprise = softmax_parts(xp, z)
        focus = self.loss.target_weights(xp, t) * c**self.loss.gamma
        m = focusing.entropy_fraction(xp, p, c, surprise)
        u = focus * (1.0 + self.loss.gamma * m)
        value = xp.sum(multiply_or_zero(xp, focus, surprise), axis=-1)
        return value, p * sum_of_others(xp, u) - u * c

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The terms of the own class and of the other classes.

        A class of weight a t adds to itself a t c^(gamma + 1) (p (1 + 2 gamma + gamma^2 m) - gamma
        p l), and to another, of probability s, s ((1 - s) u - s v) with v = a t gamma c^(gamma - 1)
        p (l - 2 + (1 - gamma) m).
        """
        p, c, surprise = softmax_parts(xp, z)
        g, m = self.loss.gamma, focusing.entropy_fraction(xp, p, c, surprise)
        focus = self.loss.target_weights(xp, t) * c**g
        own = p * (1.0 + 2.0 * g + g * g * m) - g * multiply_or_zero(xp, p, surprise)
        u = focus * (1.0 + g * m)
        # Where c is 0 no other class has any probability that v could act on.
        over = g * focus / xp.where(c == 0, xp.inf * xp.ones_like(c), c)
        v = over * (m * c - 2.0 * p + (1.0 - g) * p * m)
        return focus * c * own + p * (c * sum_of_others(xp, u) - p * sum_of_others(xp, v))
