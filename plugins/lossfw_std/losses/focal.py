"""The focal loss of one probability per element."""

from __future__ import annotations

from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, NonNegativeFloat

from lossfw import Claims, PointwiseLoss
from lossfw.exactness import Order
from lossfw.guards import guarded_log
from lossfw.numbers.arrays import Array, Namespace
from lossfw.numerics import sigmoid, softplus, times
from lossfw.numerics.pairs import exact_difference, exact_product
from lossfw.spaces import UNIT, Space
from lossfw_std.double import in_double

# Beyond this a logit changes nothing in 1 + exp(-abs(z)); larger ones may be infinite.
_FAR = 1e4


class _Side(NamedTuple):
    """What the loss of one of both classes is made of."""

    s: Array  # the probability of the truth
    rest: Array  # 1 - s
    minus_log: Array  # -log s
    weight: Array  # (1 - s)^gamma


class Focal(PointwiseLoss):
    """Focal loss, -a (1 - s)^gamma log s with s the probability of the truth.

    Prediction and target of one shape; one loss per element. Predictions are
    probabilities y, or logits of any size, infinite ones included. For a target
    of 1, s = y and a = alpha; for a target of 0, s = 1 - y and a = 1 - alpha. A
    soft target in between has the sum of both, weighted by t and 1 - t.

    Parameters
    ----------
    gamma : float
        How much less counts what is right already; 0 for no less.
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
    alpha is not 1/2, it is not even that. Convex in the probability and not in
    the logit. From logits it is Lipschitz, but its constants have no closed
    form; so has that of strong convexity in the probability, for gamma between
    0 and 1. The derivatives for a soft target and the second derivative from
    logits go through 0; there their accuracy is that of their terms. Source:
    Lin, Goyal, Girshick, He and Dollar, *Focal loss for dense object detection*,
    ICCV 2017; Charoenphakdee and others, *On focal loss for class-posterior
    probability estimation*, CVPR 2021.

    See Also
    --------
    binary_cross_entropy : the same without the weight, and with guards.
    categorical_focal : over classes.

    Examples
    --------
    >>> Focal()([0.9, 0.1], [1.0, 1.0], reduction="none")
    array([1.05360516e-03, 1.86509393e+00])
    """

    link: ClassVar[str] = "sigmoid"
    prediction: ClassVar[Space] = UNIT
    target: ClassVar[Space] = UNIT

    gamma: NonNegativeFloat = 2.0
    alpha: Annotated[float, Field(ge=0, le=1)] | None = None
    from_logits: bool = False

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-a (1 - s)^gamma log s, summed over both classes."""
        rest = 1 - y
        own = -times(xp, rest**self.gamma, xp.log(y))
        other = -times(xp, y**self.gamma, xp.log(rest))
        return self._sum(xp, t, own, other)

    @in_double
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same; the logarithm knows its distance to 1."""
        own, other = self._sides(xp, y)
        return self._sum(xp, t, self._loss(xp, own), self._loss(xp, other))

    @in_double
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-(1 - s)^gamma (gamma q + 1) / s with q = -s log s / (1 - s), which is 1 at s = 1."""
        own, other = self._sides(xp, y)
        return self._sum(xp, t, self._slope(xp, own), -self._slope(xp, other))

    @in_double
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """(1 - s)^(gamma - 1) (gamma (gamma - 1) q + 2 gamma + (1 - s) / s) / s."""
        own, other = self._sides(xp, y)
        return self._sum(xp, t, self._bend(xp, own), self._bend(xp, other))

    def formula_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """-a (1 - s)^gamma log s at s = sigmoid(z) and at s = sigmoid(-z)."""
        own = times(xp, sigmoid(xp, -z) ** self.gamma, softplus(xp, -z))
        other = times(xp, sigmoid(xp, z) ** self.gamma, softplus(xp, z))
        return self._sum(xp, t, own, other)

    @in_double
    def value_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same; for gamma > 1 the power would multiply the errors of the sigmoid."""
        own, other = self._sides_from_logits(xp, z)
        return self._sum(xp, t, self._loss(xp, own), self._loss(xp, other))

    @in_double
    def derivative_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """-(1 - s)^gamma (1 - s - gamma s log s)."""
        own, other = self._sides_from_logits(xp, z)
        return self._sum(
            xp, t, self._slope_from_logits(xp, own), -self._slope_from_logits(xp, other)
        )

    @in_double
    def second_derivative_from_logits(self, xp: Namespace, z: Array, t: Array) -> Array:
        """(1 - s)^gamma s ((1 + 2 gamma) (1 - s) + gamma log s (1 - s - gamma s))."""
        own, other = self._sides_from_logits(xp, z)
        return self._sum(xp, t, self._bend_from_logits(xp, own), self._bend_from_logits(xp, other))

    # Both classes.

    def _sum(self, xp: Namespace, t: Array, own: Array, other: Array) -> Array:
        """Return what the loss of either class adds."""
        a, b = (1.0, 1.0) if self.alpha is None else (self.alpha, 1.0 - self.alpha)
        return times(xp, a * t, own) + times(xp, b * (1.0 - t), other)

    def _sides(self, xp: Namespace, y: Array) -> tuple[_Side, _Side]:
        rest = 1.0 - y
        return self._side(xp, y, rest), self._side(xp, rest, y)

    def _side(self, xp: Namespace, s: Array, rest: Array) -> _Side:
        return _Side(s, rest, -guarded_log(xp, s, "none", 0.0, rest), rest**self.gamma)

    def _sides_from_logits(self, xp: Namespace, z: Array) -> tuple[_Side, _Side]:
        return self._side_from_logits(xp, z), self._side_from_logits(xp, -z)

    def _side_from_logits(self, xp: Namespace, z: Array) -> _Side:
        # (1 - s)^gamma = exp(-gamma max(z, 0)) / (1 + exp(-abs(z)))^gamma. The
        # exponential would multiply the rounding error of gamma z by z, the power
        # that of the sum by gamma: both are taken along.
        high, low = exact_product(xp, xp.clip(z, 0.0, _FAR), xp.full_like(z, self.gamma))
        base, lost = exact_difference(xp, xp.ones_like(z), -xp.exp(-xp.abs(z)))
        power = xp.exp(-high)
        weight = (power - power * (low + self.gamma * lost / base)) / base**self.gamma
        return _Side(sigmoid(xp, z), sigmoid(xp, -z), softplus(xp, -z), weight)

    # One class.

    def _loss(self, xp: Namespace, side: _Side) -> Array:
        return times(xp, side.weight, side.minus_log)

    def _slope(self, xp: Namespace, side: _Side) -> Array:
        return -side.weight * (self.gamma * _quotient(xp, side) + 1.0) / side.s

    def _bend(self, xp: Namespace, side: _Side) -> Array:
        if self.gamma == 0:
            return 1.0 / side.s / side.s
        g, q = self.gamma, _quotient(xp, side)
        shared = g * (g - 1.0) * q + 2.0 * g + side.rest / side.s
        # In two halves: the whole power may be subnormal before it is multiplied.
        half = side.rest ** (0.5 * (g - 1.0))
        return half * (half * (shared / side.s))

    def _slope_from_logits(self, xp: Namespace, side: _Side) -> Array:
        return -side.weight * (side.rest + self.gamma * times(xp, side.s, side.minus_log))

    def _bend_from_logits(self, xp: Namespace, side: _Side) -> Array:
        g, q = self.gamma, times(xp, side.s, side.minus_log)
        falling = (1.0 + 2.0 * g) * side.s * side.rest
        return side.weight * (falling - g * q * (side.rest - g * side.s))

    def claims(self) -> Claims:
        """Proper for gamma = 0 alone; calibrated where both classes weigh the same."""
        fair = self.alpha is None or self.alpha == 0.5
        proper = fair and self.gamma == 0
        if self.from_logits:
            return Claims(
                nonnegative=True, twice_smooth=True, calibrated=fair, linear_in_target=True
            )
        least = 1.0 if self.alpha is None else min(self.alpha, 1.0 - self.alpha)
        return Claims(
            nonnegative=True,
            convex=True,
            strictly_convex=least > 0,
            strongly_convex=(1.0 + self.gamma) * least if self.gamma in (0, 1) else None,
            twice_smooth=True,
            strictly_proper=proper,
            calibrated=fair,
            linear_in_target=True,
            elicits="mean" if proper else None,
        )

    def terms(self, xp: Namespace, y: Array, t: Array, order: Order) -> tuple[Array, ...]:
        """Those of both classes, which cancel in the slope; the summands of the bend of logits."""
        if order == 0 or (order == 2 and not self.from_logits):
            return ()
        sides = self._sides_from_logits(xp, y) if self.from_logits else self._sides(xp, y)
        slope = self._slope_from_logits if self.from_logits else self._slope
        one, zero = xp.ones_like(t), xp.zeros_like(t)
        weights = self._sum(xp, t, one, zero), self._sum(xp, t, zero, one)
        found = []
        for weight, side in zip(weights, sides, strict=True):
            if order == 1:
                found.append(times(xp, weight, slope(xp, side)))
            else:
                q = times(xp, side.s, side.minus_log)
                steep = (1.0 + 2.0 * self.gamma) * side.s * side.rest
                found += [weight * side.weight * part for part in (steep, self.gamma * q)]
        return tuple(found)


def _quotient(xp: Namespace, side: _Side) -> Array:
    """Return -s log s / (1 - s): 0 at s = 0 and 1 at s = 1."""
    sure = side.rest == 0
    one = xp.ones_like(side.s)
    product = times(xp, side.s, side.minus_log)
    return xp.where(sure, one, product / xp.where(sure, one, side.rest))
