"""The focal loss over classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple, TypeAlias, cast

from pydantic import Field, NonNegativeFloat, PositiveFloat

from lossfw import Array, Claims, LinkedLoss, Namespace, RowBody, ShapeError
from lossfw.numerics import (
    computed_in_float64,
    device_of,
    extended_range,
    multiply_or_zero,
    power,
    quotient,
    scaled_softmax,
    softmax_cross_entropy_and_gradient_at,
    softmax_cross_entropy_at,
    softmax_parts,
    softmax_parts_at,
    with_float32_form,
)
from lossfw_std import focusing
from lossfw_std.own_class import OnLogits, OwnClassLoss, of_others

# One factor for all classes, or one for each.
Alpha: TypeAlias = PositiveFloat | Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]


# Between these distances of the largest logit from the next, the sum of the other probabilities
# is subnormal, or nearly so; beyond it is 0.
_SUBNORMAL_FROM, _SUBNORMAL_TO = 690.0, 800.0

# A product with a smaller target may be subnormal.
_LEAST_TARGET = 1e-290


def _has_tiny_target(self: CategoricalFocal, xp: Namespace, y: Array, t: Array) -> Array:
    return xp.any((t > 0) & (t < _LEAST_TARGET), axis=-1)


class CategoricalFocal(LinkedLoss, OwnClassLoss):
    """Focal loss over classes, -sum over classes of a t (1 - y)^gamma log y.

    Use it when most rows are easy and some classes are rare.

    Prediction of shape (..., K): distributions, or logits of any size, infinite
    ones included. Target: class indices (...), or distributions (..., K),
    one-hot or soft. One loss per row.

    Parameters
    ----------
    gamma : float
        At or above 0. How much less a class counts that is already predicted well.
    alpha : float or tuple of float, optional
        The factor a: one number, or one for each class. None is 1.
    from_logits : bool
        Predictions are logits.

    Notes
    -----
    Calibrated, because each term falls as y grows, unless alpha weighs the classes.
    Not proper for gamma above 0: the minimiser is less sure than the truth.
    Convex in the probabilities for every gamma, but not in logits: for a class
    that is predicted badly the slope tends to -1 from below. 0 at y = t for a
    class, not for a soft target. Source: Lin et al., *Focal loss for dense
    object detection*, 2017, eq. 4, doi:10.1109/ICCV.2017.324; calibration:
    Charoenphakdee et al., *On focal loss for class-posterior probability
    estimation*, 2021, doi:10.1109/CVPR46437.2021.00516.

    See Also
    --------
    cross_entropy : the same for ``gamma=0``, with the guard ``"none"``.
    focal : for one probability per element, where alpha means two factors.

    Examples
    --------
    >>> CategoricalFocal(gamma=2.0)([[0.5, 0.5]], [0])
    0.17328679513998632
    """

    link_name: ClassVar[str] = "softmax"

    gamma: NonNegativeFloat = 2.0
    alpha: Alpha | None = None
    from_logits: bool = False

    def logit_body(self) -> RowBody:
        return _OnLogits(self)

    @property
    def fixed_classes(self) -> int | None:
        """One for each factor."""
        return len(self.alpha) if isinstance(self.alpha, tuple) else None

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-sum of a t (1 - y)^gamma log y, with 0 times infinity 0."""
        term = multiply_or_zero(xp, (1 - y) ** self.gamma, -xp.log(y))
        return xp.sum(multiply_or_zero(xp, self.shares(xp, t), term), axis=-1)

    def class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The same; see `lossfw_std.focusing`."""
        return focusing.value(xp, focusing.of_one(xp, y, t), self.gamma)

    def class_slope(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """Those of the class's own term only."""
        return focusing.slope(xp, focusing.of_one(xp, y, t), self.gamma)

    def plain_class_value(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The textbook's form."""
        return focusing.plain_value(xp, t, 1.0 - y, xp.log(y), self.gamma)

    def plain_class_slope(self, xp: Namespace, y: Array, t: Array | float) -> Array:
        """The textbook's form."""
        return focusing.plain_slope(xp, t, 1.0 - y, xp.log(y), y, self.gamma)

    @with_float32_form(OwnClassLoss.plain_value)
    @extended_range(_has_tiny_target)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The sum of the terms of the classes."""
        return xp.sum(self.class_value(xp, y, self.shares(xp, t)), axis=-1)

    @extended_range(_has_tiny_target)
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Those of each class's own term only."""
        return focusing.bend(xp, focusing.of_one(xp, y, self.shares(xp, t)), self.gamma)

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

    def shares(self, xp: Namespace, t: Array) -> Array:
        """Return the targets with their factor."""
        if not isinstance(self.alpha, tuple):
            return t if self.alpha is None else self.alpha * t
        return t * self._factors(xp, t)

    def share_at(self, xp: Namespace, y: Array, index: Array) -> Array | float:
        """The factor of the target's class."""
        if isinstance(self.alpha, tuple):
            return xp.take(self._factors(xp, y), index)
        return 1.0 if self.alpha is None else self.alpha

    def _factors(self, xp: Namespace, rows: Array) -> Array:
        """Return alpha as an array of one factor for each class."""
        factors = cast(tuple[float, ...], self.alpha)
        if len(factors) != rows.shape[-1]:
            raise ShapeError(
                f"CategoricalFocal has {len(factors)} factors in alpha for "
                f"{rows.shape[-1]} classes: give one number, or one for each class."
            )
        return xp.asarray(factors, dtype=rows.dtype, device=device_of(rows))


@dataclass(frozen=True)
class _OnLogits(OnLogits):
    """The focal loss of logits."""

    loss: CategoricalFocal

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same from log y and 1 - y, each computed from the logits."""
        _, c, surprise = softmax_parts(xp, z)
        term = multiply_or_zero(xp, power(xp, c, self.loss.gamma), surprise)
        return xp.sum(multiply_or_zero(xp, self.loss.shares(xp, t), term), axis=-1)

    def value_at(self, xp: Namespace, z: Array, index: Array) -> Array:
        """The term of the class; in float32 only from its cross-entropy."""

        def plain(xp: Namespace, z: Array) -> Array:
            surprise = softmax_cross_entropy_at(xp, z, index)
            return self._plain_of_own(xp, surprise, self.loss.share_at(xp, z, index))[0]

        @with_float32_form(plain)
        def value(xp: Namespace, z: Array) -> Array:
            return self._both_at(xp, z, index)[0]

        return value(xp, z)

    def value_and_derivative_at(self, xp: Namespace, z: Array, index: Array) -> tuple[Array, Array]:
        """Both, from the same exponentials."""

        @with_float32_form(lambda xp, z: self._plain_both_at(xp, z, index))
        def both(xp: Namespace, z: Array) -> tuple[Array, Array]:
            return self._both_at(xp, z, index)

        return both(xp, z)

    def _both_at(self, xp: Namespace, z: Array, index: Array) -> tuple[Array, Array]:
        """Return value and slope for class indices.

        The slope is a (1 - y)^gamma (1 + gamma m) times that of the cross-entropy -log y.
        """
        own = softmax_parts_at(xp, z, index)
        share = self.loss.share_at(xp, z, index)
        value, factor = self._of_own(xp, own.p, own.rest, own.surprise, share)
        return value, factor[..., None] * own.slope

    def _plain_both_at(self, xp: Namespace, z: Array, index: Array) -> tuple[Array, Array]:
        """Return the same in float64 that was float32, from the cross-entropy of the class.

        In float64 the power would multiply its errors.
        """
        surprise, slope = softmax_cross_entropy_and_gradient_at(xp, z, index)
        value, factor = self._plain_of_own(xp, surprise, self.loss.share_at(xp, z, index))
        return value, factor[..., None] * slope

    def _plain_of_own(
        self, xp: Namespace, surprise: Array, share: Array | float
    ) -> tuple[Array, Array]:
        return self._of_own(xp, xp.exp(-surprise), -xp.expm1(-surprise), surprise, share)

    def _of_own(
        self, xp: Namespace, y: Array, c: Array, surprise: Array, share: Array | float
    ) -> tuple[Array, Array]:
        """Return the loss of a class from y, 1 - y and -log y, and the factor of its slope."""
        modulated = share * power(xp, c, self.loss.gamma)
        m = focusing.entropy_share(xp, y, c, surprise)
        return multiply_or_zero(xp, modulated, surprise), modulated * (1.0 + self.loss.gamma * m)

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Sum over k of w_k (y_j - [j = k]), w = a t (1 - y)^gamma (1 + gamma m)."""
        y, c, m, _ = _parts(xp, z)
        w = self.loss.shares(xp, t) * power(xp, c, self.loss.gamma) * (1.0 + self.loss.gamma * m)
        return y * of_others(xp, w) - w * c

    @extended_range(lambda self, xp, z, t: _has_subnormal_rest(xp, z))
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The terms of the own class and of the other classes.

        With c = 1 - y and l = -log y, a class of weight a t adds to itself
        c^(gamma + 1) (y (1 + 2 gamma + gamma^2 m) - gamma y l), and to another,
        of probability p, p ((1 - p) u - p v) with u = c^gamma (1 + gamma m) and
        v = gamma c^(gamma - 1) y (l - 2 + (1 - gamma) m).
        """
        b = self.bends(xp, z, t)
        v = of_others(xp, b.v_more - b.v_less)
        others = b.scaled * (b.c * of_others(xp, b.u) - b.y * v)
        return ((b.more - b.less) + others) * b.unit

    def bends(self, xp: Namespace, z: Array, t: Array) -> _Bends:
        """Return the terms of the second derivative."""
        y, c, m, surprise = _parts(xp, z)
        scaled, unit = scaled_softmax(xp, z)
        g, at = self.loss.gamma, self.loss.shares(xp, t)
        modulation = power(xp, c, g)
        own = at * modulation * c
        # Where c is 0 no other class has any probability that v could act on.
        v = at * g * quotient(xp, modulation, xp.where(c == 0, xp.inf * xp.ones_like(c), c))
        # The quotient by a subnormal number is infinite.
        v = v if g else 0.0 * at * c
        # (1 - gamma) y m has the sign of 1 - gamma.
        turn = v * ((1.0 - g) * y * m)
        positive, negative = (turn, 0.0 * turn) if g < 1 else (0.0 * turn, -turn)
        return _Bends(
            more=own * (scaled * (1.0 + 2.0 * g + g * g * m)),
            less=own * (g * multiply_or_zero(xp, scaled, surprise)),
            u=at * modulation * (1.0 + g * m),
            v_more=v * (m * c) + positive,
            v_less=v * (2.0 * y) + negative,
            y=y,
            c=c,
            scaled=scaled,
            unit=unit,
        )


def _has_subnormal_rest(xp: Namespace, z: Array) -> Array:
    """Tell for which rows the probabilities of all classes but one are subnormal."""
    largest = xp.max(z, axis=-1, keepdims=True)
    others = xp.where(z == largest, -xp.inf * xp.ones_like(z), z)
    ahead = largest[..., 0] - xp.max(others, axis=-1)
    return (ahead > _SUBNORMAL_FROM) & (ahead < _SUBNORMAL_TO)


class _Parts(NamedTuple):
    """The softmax y of logits, c = 1 - y, m = -y log y / (1 - y), and -log y."""

    y: Array
    c: Array
    m: Array
    surprise: Array


class _Bends(NamedTuple):
    """The terms of the second derivative, and their factors.

    `more` and `less` are over the `unit` of `scaled_softmax`: y may be subnormal,
    and its other factor large.
    """

    more: Array
    less: Array
    u: Array
    v_more: Array
    v_less: Array
    y: Array
    c: Array
    scaled: Array
    unit: Array


def _parts(xp: Namespace, z: Array) -> _Parts:
    y, c, surprise = softmax_parts(xp, z)
    return _Parts(y, c, focusing.entropy_share(xp, y, c, surprise), surprise)
