"""Losses of which wrappers are made: built-in ones, and three that show what those do not."""

from typing import ClassVar

import lossfw
from lossfw import LOGITS, REAL, CategoricalLoss, Claims, DistanceLoss, Space
from lossfw.numerics import softplus

ABSOLUTE, SQUARED, HUBER, BOUNDED = (
    lossfw.loss(name) for name in ("absolute_error", "squared_error", "huber", "geman_mcclure")
)
HINGE, LOGISTIC, ZERO_ONE = (lossfw.loss(name) for name in ("hinge", "logistic", "zero_one"))
BINARY = lossfw.loss("binary_cross_entropy", guard="none")
BRIER = lossfw.loss("brier")
CROSS = lossfw.loss("cross_entropy", guard="none")
AT_LOGITS = lossfw.loss("cross_entropy", from_logits=True)


class Shifted(DistanceLoss):
    """abs(r - at): its kink is not at 0."""

    at: float = 0.5

    def value(self, xp, r):
        return xp.abs(r - self.at)

    def claims(self):
        return Claims(
            nonnegative=True, convex=True, lipschitz=1.0, breaks=(self.at,), second_breaks=()
        )


class OwnScore(CategoricalLoss):
    """log(1 + exp(-z_k)) for the class k: steep and curved in its own score alone."""

    prediction: ClassVar[Space] = LOGITS

    def value(self, xp, z, t):
        return xp.sum(t * softplus(xp, -z), axis=-1)

    def claims(self):
        return Claims(
            nonnegative=True,
            convex=True,
            lipschitz=1.0,
            gradient_lipschitz=0.25,
            twice_smooth=True,
            permutation_equivariant=True,
            linear_in_target=True,
        )


class Bowl(CategoricalLoss):
    """The squared distance to the class's corner, its mean over the classes."""

    prediction: ClassVar[Space] = REAL

    def value(self, xp, y, t):
        own = xp.sum(y * y, axis=-1, keepdims=True) - 2 * y + 1
        return xp.sum(t * own, axis=-1)

    def claims(self):
        return Claims(
            lower_bound=0.0,
            strongly_convex=2.0,
            gradient_lipschitz=2.0,
            twice_smooth=True,
            permutation_equivariant=True,
            linear_in_target=True,
        )
