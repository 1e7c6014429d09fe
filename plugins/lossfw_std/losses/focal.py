"""The focal loss of one probability per element."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, NonNegativeFloat

from lossfw import (
    UNIT,
    Array,
    Claims,
    Namespace,
    PointwiseBody,
    PointwiseLoss,
    RawOutputLoss,
    Space,
)
from lossfw.numerics import (
    computed_in_float64,
    multiply_or_zero,
    positive_part,
    sigmoid,
    softplus,
    unit_step,
)
from lossfw_std import focusing
from lossfw_std.focusing import ClassProbability

# Beyond this logit, and nearer to 0 or 1 than this, no derivative has its extreme.
_REACH, _MARGIN = 60.0, 1e-9

# How an extreme is narrowed down: points in each round, and rounds.
_POINTS, _ROUNDS = 401, 12


class Focal(RawOutputLoss, PointwiseLoss):
    """Focal loss, -a (1 - s)^gamma log s with s the probability of the truth.

    Use it when one of two classes is rare, such as objects against a background.

    Prediction and target of one shape; one loss per element. Predictions are probabilities y, or
    logits of any size, infinite ones included. For a target of 1, s = y and a = alpha; for a target
    of 0, s = 1 - y and a = 1 - alpha. A soft target in between has the sum of both, weighted by t
    and 1 - t.

    Parameters
    ----------
    gamma : float
        The larger it is, the less a good prediction counts; 0 for equal weights.
    alpha : float or None
        Weight of the targets 1; targets 0 have 1 - alpha. None gives both classes weight 1.
    from_logits : bool
        Predictions are logits; sigmoid and logarithm are computed as one.

    Notes
    -----
    With gamma = 0 and alpha = None it is binary cross-entropy without a guard; with gamma = 0 and
    alpha = 1/2, half of it.

    Not proper for gamma > 0: the minimiser is nearer to 1/2 than the true probability. It is on the
    same side of 1/2, so the loss is calibrated, unless alpha differs from 1/2. Convex in the
    probability and, with gamma > 0, not in the logit. Constants without a closed form were found by
    search. The derivatives for a soft target and the second derivative from logits go through 0;
    there their accuracy is that of their terms. Source: Lin, Goyal, Girshick, He and Dollar, *Focal
    loss for dense object detection*, ICCV 2017, doi:10.1109/ICCV.2017.324; Charoenphakdee and
    others, *On focal loss for class-posterior probability estimation*, CVPR 2021,
    doi:10.1109/CVPR46437.2021.00516.

    See Also
    --------
    binary_cross_entropy : the same without the weight, and with guards.
    categorical_focal : over classes.

    Examples
    --------
    >>> Focal()([0.9, 0.1], [1.0, 1.0], reduction="none")
    array([1.05360516e-03, 1.86509393e+00])
    """

    output_activation: ClassVar[str] = "sigmoid"
    prediction: ClassVar[Space] = UNIT
    target: ClassVar[Space] = UNIT

    gamma: NonNegativeFloat = 2.0
    alpha: Annotated[float, Field(ge=0, le=1)] | None = None
    from_logits: bool = False

    def raw_body(self) -> PointwiseBody:
        return _LogitBody(self)

    @property
    def weights(self) -> tuple[float, float]:
        """The factors of both classes."""
        return (1.0, 1.0) if self.alpha is None else (self.alpha, 1.0 - self.alpha)

    def target_weights(self, t: Array) -> tuple[Array, Array]:
        """Return the weighted shares of both classes in a target."""
        own, other = self.weights
        return (t, 1.0 - t) if self.alpha is None else (own * t, other * (1.0 - t))

    def formula(self, xp: Namespace, y: Array, t: Array) -> Array:
        """-a (1 - s)^gamma log s, summed over both classes."""
        (own, other), rest = self.target_weights(t), 1 - y
        first = multiply_or_zero(xp, rest**self.gamma, xp.log(y))
        second = multiply_or_zero(xp, y**self.gamma, xp.log(rest))
        return -multiply_or_zero(xp, own, first) - multiply_or_zero(xp, other, second)

    @computed_in_float64
    def value(self, xp: Namespace, y: Array, t: Array) -> Array:
        """The same, with log1p for the other class."""
        first, second = self._probabilities(xp, y, t)
        return focusing.value(xp, first, self.gamma) + focusing.value(xp, second, self.gamma)

    @computed_in_float64
    def derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """That of the class minus the score of the other class."""
        first, second = self._probabilities(xp, y, t)
        return focusing.derivative(xp, first, self.gamma) - focusing.derivative(
            xp, second, self.gamma
        )

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same logarithms."""
        g, (first, second) = self.gamma, self._probabilities(xp, y, t)
        return (
            focusing.value(xp, first, g) + focusing.value(xp, second, g),
            focusing.derivative(xp, first, g) - focusing.derivative(xp, second, g),
        )

    @computed_in_float64
    def second_derivative(self, xp: Namespace, y: Array, t: Array) -> Array:
        """Those of both classes."""
        first, second = self._probabilities(xp, y, t)
        return focusing.second_derivative(xp, first, self.gamma) + focusing.second_derivative(
            xp, second, self.gamma
        )

    def _probabilities(
        self, xp: Namespace, y: Array, t: Array
    ) -> tuple[ClassProbability, ClassProbability]:
        own, other = self.target_weights(t)
        return focusing.positive_class(xp, y, own), focusing.negative_class(xp, y, other)

    def claims(self) -> Claims:
        """Proper only for gamma = 0; calibrated where both classes weigh the same."""
        fair = self.alpha is None or self.alpha == 0.5
        proper = fair and self.gamma == 0
        known = _extremes(self.gamma)
        if self.from_logits:
            return Claims(
                nonnegative=True,
                strictly_convex=(self.gamma == 0 and min(self.weights) > 0) or None,
                lipschitz=max(self.weights) * known.derivative,
                gradient_lipschitz=max(self.weights) * known.second_derivative,
                twice_smooth=True,
                calibrated=fair or None,
                linear_in_target=True,
            )
        # For gamma > 1 the curvature is 0 at s = 1.
        flattest = known.least_second_derivative if 0 < self.gamma < 1 else 1.0 + self.gamma
        least = min(self.weights) * flattest
        return Claims(
            nonnegative=True,
            convex=True,
            strictly_convex=min(self.weights) > 0 or None,
            strongly_convex=least if least > 0 and self.gamma <= 1 else None,
            twice_smooth=True,
            strictly_proper=proper or None,
            calibrated=fair or None,
            linear_in_target=True,
            elicits="mean" if proper else None,
        )


@dataclass(frozen=True)
class _LogitBody(PointwiseBody):
    """The focal loss of logits, with p = sigmoid(z) and q = sigmoid(-z)."""

    loss: Focal

    def formula(self, xp: Namespace, z: Array, t: Array) -> Array:
        """-a (1 - s)^gamma log s at s = sigmoid(z) and at s = sigmoid(-z)."""
        own, other = self.loss.target_weights(t)
        first = multiply_or_zero(xp, sigmoid(xp, -z) ** self.loss.gamma, softplus(xp, -z))
        second = multiply_or_zero(xp, sigmoid(xp, z) ** self.loss.gamma, softplus(xp, z))
        return multiply_or_zero(xp, own, first) + multiply_or_zero(xp, other, second)

    @computed_in_float64
    def value(self, xp: Namespace, z: Array, t: Array) -> Array:
        """The same, with a power as the exponential of a logarithm that is there."""
        own, other = self.loss.target_weights(t)
        _, less, more = _negative_logs(xp, z)
        first = multiply_or_zero(xp, own, less) * self._focal_factor(xp, more)
        return first + multiply_or_zero(xp, other, more) * self._focal_factor(xp, less)

    @computed_in_float64
    def derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """p^gamma (p - gamma q log q) of the other class, less q^gamma (q - gamma p log p)."""
        return self.value_and_derivative(xp, z, t)[1]

    @computed_in_float64
    def value_and_derivative(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, Array]:
        """Both, from the same exponentials."""
        (own, other), g = self.loss.target_weights(t), self.loss.gamma
        e, less, more = _negative_logs(xp, z)
        p, q = _probabilities(xp, z, e)
        first, second = self._focal_factor(xp, more), self._focal_factor(xp, less)
        value = multiply_or_zero(xp, own, less) * first + multiply_or_zero(xp, other, more) * second
        rise = other * second * (p + g * multiply_or_zero(xp, q, more))
        return value, rise - own * first * (q + g * multiply_or_zero(xp, p, less))

    @computed_in_float64
    def second_derivative(self, xp: Namespace, z: Array, t: Array) -> Array:
        """q^gamma p ((2 gamma + 1) q + gamma (q - gamma p) log p), and with p and q swapped."""
        (own, other), g = self.loss.target_weights(t), self.loss.gamma
        e, less, more = _negative_logs(xp, z)
        p, q = _probabilities(xp, z, e)
        both = (2.0 * g + 1.0) * p * q
        first = both + g * (g * p - q) * multiply_or_zero(xp, p, less)
        second = both + g * (g * q - p) * multiply_or_zero(xp, q, more)
        return (
            own * self._focal_factor(xp, more) * first
            + other * self._focal_factor(xp, less) * second
        )

    def _focal_factor(self, xp: Namespace, surprise: Array) -> Array:
        """Return r^gamma for a surprise -log r, which may be infinite."""
        return xp.exp(-self.loss.gamma * surprise) if self.loss.gamma else xp.ones_like(surprise)


def _negative_logs(xp: Namespace, z: Array) -> tuple[Array, Array, Array]:
    """Return exp(-abs(z)), -log sigmoid(z) and -log sigmoid(-z)."""
    e = xp.exp(-xp.abs(z))
    log = xp.log1p(e)
    return e, log + positive_part(xp, -z), log + positive_part(xp, z)


def _probabilities(xp: Namespace, z: Array, e: Array) -> tuple[Array, Array]:
    """Return sigmoid(z) and sigmoid(-z) from e = exp(-abs(z))."""
    above, part = unit_step(xp, z), 1.0 / (1.0 + e)
    return xp.maximum(e, above) * part, xp.maximum(e, 1.0 - above) * part


class _Extremes(NamedTuple):
    """The largest derivatives by the logit, and the least second derivative by s."""

    derivative: float
    second_derivative: float
    least_second_derivative: float


@functools.cache
def _extremes(gamma: float) -> _Extremes:
    """Return the extremes of the derivatives over all s; two of them have no closed form.

    The derivative by the logit is 1 at an infinite logit.
    """
    loss, one = Focal(gamma=gamma), np.ones(_POINTS)
    body = loss.raw_body()
    return _Extremes(
        derivative=max(
            1.0, _maximise(lambda z: np.abs(body.derivative(np, z, one)), -_REACH, _REACH)
        ),
        second_derivative=_maximise(
            lambda z: np.abs(body.second_derivative(np, z, one)), -_REACH, _REACH
        ),
        least_second_derivative=-_maximise(
            lambda s: -loss.second_derivative(np, s, one), _MARGIN, 1.0 - _MARGIN
        ),
    )


def _maximise(function: Callable[[Array], Array], low: float, high: float) -> float:
    """Return the largest value, by looking ever closer around the largest so far."""
    best = -np.inf
    for _ in range(_ROUNDS):
        x = np.linspace(low, high, _POINTS)
        values = function(x)
        at = int(np.argmax(values))
        best = max(best, float(values[at]))
        low, high = x[max(at - 1, 0)], x[min(at + 1, _POINTS - 1)]
    return best
