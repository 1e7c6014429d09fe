"""The focal loss of one probability per element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field, NonNegativeFloat

from lossfw import (
    UNIT,
    Array,
    Claims,
    LinkedLoss,
    Namespace,
    PointwiseBody,
    PointwiseLoss,
    Space,
)
from lossfw.numerics import (
    computed_in_float64,
    multiply_or_zero,
    sigmoid,
    softplus,
    with_float32_form,
)
from lossfw_std import focusing
from lossfw_std.focusing import Odds
from lossfw_std.shared_parts import Deferred, shared_parts

# Value, slope or bend of one class.
_Part: TypeAlias = Callable[..., Any]


class Focal(LinkedLoss, PointwiseLoss):
    """Focal loss, -a (1 - s)^gamma log s with s the probability of the truth.

    Use it when one of two classes is rare, as objects are against a background.

    Prediction and target of one shape; one loss per element. Predictions are
    probabilities y, or logits of any size, infinite ones included. For a target
    of 1, s = y and a = alpha; for a target of 0, s = 1 - y and a = 1 - alpha. A
    soft target in between has the sum of both, weighted by t and 1 - t.

    Parameters
    ----------
    gamma : float
        How much less a good prediction counts; 0 for no less.
    alpha : float or None
        Share of the targets of 1 in the weight; None gives both classes weight 1.
    from_logits : bool
        Predictions are logits; sigmoid and logarithm are computed as one.

    Notes
    -----
    With gamma = 0 and alpha = None it is binary cross-entropy without a guard;
    with gamma = 0 and alpha = 1/2, half of it.

    Stated not proper: with gamma > 0 the minimiser lies nearer to 1/2 than the
    true probability, though on the same side of it, so it is calibrated. Where
    alpha is not 1/2, it is not even that. Convex in the probability and, with
    gamma > 0, not in the logit. Its constants are found by search where they
    have no closed form. The derivatives for a soft target and the second
    derivative from logits go through 0; there their accuracy is that of their
    terms. Source: Lin, Goyal, Girshick, He and Dollar, *Focal loss for dense
    object detection*, ICCV 2017, doi:10.1109/ICCV.2017.324; Charoenphakdee and
    others, *On focal loss for class-posterior probability estimation*, CVPR
    2021, doi:10.1109/CVPR46437.2021.00516.

    See Also
    --------
    binary_cross_entropy : the same without the weight, and with guards.
    categorical_focal : over classes.

    Examples
    --------
    >>> Focal()([0.9, 0.1], [1.0, 1.0], reduction="none")
    array([1.05360516e-03, 1.86509393e+00])
    """

    link_name: ClassVar[str] = "sigmoid"
    prediction: ClassVar[Space] = UNIT
    target: ClassVar[Space] = UNIT

    gamma: NonNegativeFloat = 2.0
    alpha: Annotated[float, Field(ge=0, le=1)] | None = None
    from_logits: bool = False

    def logit_body(self) -> PointwiseBody:
        return _OnLogits(self.gamma, self.alpha)

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-a (1 - s)^gamma log s, summed over both classes."""
        rest = 1 - y
        own = multiply_or_zero(xp, t, multiply_or_zero(xp, rest**self.gamma, xp.log(y)))
        return _sum(
            xp,
            self.alpha,
            -own,
            -multiply_or_zero(xp, 1 - t, multiply_or_zero(xp, y**self.gamma, xp.log(rest))),
        )

    def _plain_value(self, xp: Namespace, y: Array, t: Array) -> Array:
        own = focusing.plain_value(xp, t, 1.0 - y, xp.log(y), self.gamma)
        other = focusing.plain_value(xp, 1.0 - t, y, xp.log1p(-y), self.gamma)
        return _sum(xp, self.alpha, own, other)

    def _plain_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        rest = 1.0 - y
        own = focusing.plain_slope(xp, t, rest, xp.log(y), y, self.gamma)
        other = focusing.plain_slope(xp, 1.0 - t, y, xp.log1p(-y), rest, self.gamma)
        return _sum(xp, self.alpha, own, -other)

    @with_float32_form(_plain_value)
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same; see `lossfw_std.focusing`."""
        own, other = focusing.of_one(xp, y, t), focusing.of_other(xp, y, t)
        first, second = (focusing.value(xp, c, self.gamma) for c in (own, other))
        return _sum(xp, self.alpha, first, second)

    @with_float32_form(_plain_derivative)
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """That of the class less that of the other."""
        own, other = focusing.of_one(xp, y, t), focusing.of_other(xp, y, t)
        (weight, unit), (rest, unit_of_rest) = map(focusing.over_power_of_two, self._weights)
        first = focusing.slope(xp, own, self.gamma, unit)
        second = focusing.slope(xp, other, self.gamma, unit_of_rest)
        return _weighted(xp, weight, first) - _weighted(xp, rest, second)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Those of both classes."""
        own, other = focusing.of_one(xp, y, t), focusing.of_other(xp, y, t)
        weight, rest = self._weights
        bend = focusing.bend(xp, own, self.gamma, weight)
        return bend + focusing.bend(xp, other, self.gamma, rest)

    @property
    def _weights(self) -> tuple[float, float]:
        """The factors of both classes."""
        return (1.0, 1.0) if self.alpha is None else (self.alpha, 1.0 - self.alpha)

    def claims(self) -> Claims:
        """Proper only for gamma = 0; calibrated where both classes weigh the same."""
        fair = self.alpha is None or self.alpha == 0.5
        proper = fair and self.gamma == 0
        weights = self._weights
        known = focusing.extremes(self.gamma)
        if self.from_logits:
            return Claims(
                nonnegative=True,
                strictly_convex=(self.gamma == 0 and min(weights) > 0) or None,
                lipschitz=max(weights) * known.slope,
                gradient_lipschitz=max(weights) * known.bend,
                twice_smooth=True,
                calibrated=fair or None,
                linear_in_target=True,
            )
        # For gamma > 1 the curvature is 0 at s = 1.
        least = min(weights) * (known.least_bend if 0 < self.gamma < 1 else 1.0 + self.gamma)
        return Claims(
            nonnegative=True,
            convex=True,
            strictly_convex=min(weights) > 0 or None,
            strongly_convex=least if least > 0 and self.gamma <= 1 else None,
            twice_smooth=True,
            strictly_proper=proper or None,
            calibrated=fair or None,
            linear_in_target=True,
            elicits="mean" if proper else None,
        )


def _of_odds(
    body: _OnLogits, xp: Namespace, sides: tuple[Odds, Odds], value: _Part, slope: _Part
) -> Deferred:
    return lambda: body.of_both(xp, value, sides, 1.0), lambda: body.of_both(xp, slope, sides, -1.0)


@shared_parts
def _plain(body: _OnLogits, xp: Namespace, z: Array, t: Array) -> Deferred:
    sides = focusing.odds(xp, t, z, body.gamma, plain=True)
    return _of_odds(body, xp, sides, focusing.plain_value_of_odds, focusing.plain_slope_of_odds)


@shared_parts
def _stable(body: _OnLogits, xp: Namespace, z: Array, t: Array) -> Deferred:
    sides = focusing.odds(xp, t, z, body.gamma)
    return _of_odds(body, xp, sides, focusing.value_of_odds, focusing.slope_of_odds)


@dataclass(frozen=True)
class _OnLogits(PointwiseBody):
    """The focal loss of logits."""

    gamma: float
    alpha: float | None

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """-a (1 - s)^gamma log s at s = sigmoid(z) and at s = sigmoid(-z)."""
        first = multiply_or_zero(xp, sigmoid(xp, -z) ** self.gamma, softplus(xp, -z))
        second = multiply_or_zero(xp, sigmoid(xp, z) ** self.gamma, softplus(xp, z))
        return _sum(
            xp, self.alpha, multiply_or_zero(xp, t, first), multiply_or_zero(xp, 1 - t, second)
        )

    @with_float32_form(_plain.both)
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both from the same exponentials."""
        return _stable.both(self, xp, z, t)

    @with_float32_form(_plain.value)
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same in powers of exp(-abs(z))."""
        return _stable.value(self, xp, z, t)

    @with_float32_form(_plain.derivative)
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """That of the class less that of the other."""
        return _stable.derivative(self, xp, z, t)

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """Those of both classes."""
        sides = focusing.odds(xp, t, z, self.gamma)
        return self.of_both(xp, focusing.bend_of_odds, sides, 1.0)

    def of_both(self, xp: Namespace, part: _Part, sides: tuple[Odds, Odds], sign: float) -> Array:
        """Return the sum of a part of both classes, that of the other times `sign`."""
        first, second = (part(xp, side, self.gamma) for side in sides)
        return _sum(xp, self.alpha, first, sign * second)


def _sum(xp: Namespace, alpha: float | None, own: Array, other: Array) -> Array:
    """Return the sum over both classes by their weights; 0 drops even infinity."""
    if alpha is None:
        return own + other
    return multiply_or_zero(xp, alpha, own) + multiply_or_zero(xp, 1.0 - alpha, other)


def _weighted(xp: Namespace, weight: float, x: Array) -> Array:
    return x if weight == 1.0 else multiply_or_zero(xp, weight, x)
