"""Small losses whose claims are plain, for wrappers to be made of."""

import math
from typing import ClassVar

import numpy as np

from lossfw import (
    LOGITS,
    REAL,
    UNIT,
    CategoricalLoss,
    Claims,
    DistanceLoss,
    MarginLoss,
    PointwiseLoss,
    Space,
)
from lossfw.numerics import log_sigmoid, sigmoid, softplus, times

# Where the losses below have kinks: there the attacks look.
KINKS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)


class Absolute(DistanceLoss):
    """abs(r - at)."""

    at: float = 0.0

    def value(self, xp, r):
        return xp.abs(r - self.at)

    def claims(self):
        return Claims(
            nonnegative=True,
            zero_at_target=self.at == 0,
            symmetric=self.at == 0,
            convex=True,
            lipschitz=1.0,
            breaks=(self.at,),
            second_breaks=(),
            elicits="median" if self.at == 0 else None,
        )


class Quadratic(DistanceLoss):
    """r^2."""

    def value(self, xp, r):
        return r * r

    def claims(self):
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            symmetric=True,
            strongly_convex=2.0,
            gradient_lipschitz=2.0,
            twice_smooth=True,
            elicits="mean",
        )


class Rounded(DistanceLoss):
    """Huber's loss."""

    delta: float = 1.0

    def value(self, xp, r):
        a = xp.abs(r)
        return xp.where(a <= self.delta, 0.5 * r * r, self.delta * (a - 0.5 * self.delta))

    def claims(self):
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            symmetric=True,
            convex=True,
            lipschitz=self.delta,
            gradient_lipschitz=1.0,
            second_breaks=(-self.delta, self.delta),
        )


class Bump(DistanceLoss):
    """r^2 / (1 + r^2): bounded, and not convex."""

    def value(self, xp, r):
        return r * r / (1 + r * r)

    def claims(self):
        return Claims(
            nonnegative=True,
            bounded=1.0,
            zero_at_target=True,
            symmetric=True,
            lipschitz=3 * math.sqrt(3) / 8,
            gradient_lipschitz=2.0,
            twice_smooth=True,
        )


class Hinge(MarginLoss):
    """max(0, 1 - m)."""

    def value(self, xp, m):
        return xp.maximum(1 - m, xp.zeros_like(m))

    def claims(self):
        return Claims(
            nonnegative=True,
            convex=True,
            lipschitz=1.0,
            monotone=True,
            calibrated=True,
            breaks=(1.0,),
            second_breaks=(),
        )


class Logistic(MarginLoss):
    """log(1 + exp(-m))."""

    def value(self, xp, m):
        return softplus(xp, -m)

    def claims(self):
        return Claims(
            nonnegative=True,
            strictly_convex=True,
            lipschitz=1.0,
            gradient_lipschitz=0.25,
            monotone=True,
            calibrated=True,
            twice_smooth=True,
        )


class Ramp(MarginLoss):
    """min(1, max(0, 1 - m))."""

    def value(self, xp, m):
        return xp.clip(1 - m, 0.0, 1.0)

    def claims(self):
        return Claims(
            nonnegative=True,
            bounded=1.0,
            lipschitz=1.0,
            monotone=True,
            breaks=(0.0, 1.0),
            second_breaks=(),
        )


class Sign(MarginLoss):
    """1 for a negative margin, else 0."""

    def value(self, xp, m):
        return xp.where(m < 0, 1.0 + 0.0 * m, 0.0 * m)

    def claims(self):
        return Claims(
            nonnegative=True,
            bounded=1.0,
            monotone=True,
            gradient_zero_almost_everywhere=True,
        )


class Binary(PointwiseLoss):
    """Cross-entropy of one probability."""

    prediction: ClassVar[Space] = UNIT
    target: ClassVar[Space] = UNIT
    link: ClassVar[str] = "sigmoid"

    from_logits: bool = False

    def value(self, xp, y, t):
        return -(times(xp, t, xp.log(y)) + times(xp, 1 - t, xp.log1p(-y)))

    def value_from_logits(self, xp, z, t):
        return -(t * log_sigmoid(xp, z) + (1 - t) * log_sigmoid(xp, -z))

    def claims(self):
        if self.from_logits:
            return Claims(
                nonnegative=True,
                strictly_convex=True,
                lipschitz=1.0,
                gradient_lipschitz=0.25,
                twice_smooth=True,
                linear_in_target=True,
            )
        return Claims(
            nonnegative=True, strictly_convex=True, strictly_proper=True, linear_in_target=True
        )


class Squares(CategoricalLoss):
    """Brier's score, which is not linear in the target."""

    def value(self, xp, y, t):
        return xp.sum((y - t) * (y - t), axis=-1)

    def claims(self):
        return Claims(
            nonnegative=True,
            zero_at_target=True,
            strongly_convex=2.0,
            gradient_lipschitz=2.0,
            twice_smooth=True,
            permutation_equivariant=True,
            strictly_proper=True,
            finite_at_boundary=True,
            bounded=2.0,
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


DISTANCES = (Absolute(), Absolute(at=0.5), Quadratic(), Rounded(), Rounded(delta=2.0), Bump())
MARGINS = (Hinge(), Logistic(), Ramp(), Sign())
SCORES = (OwnScore(), Bowl())


def logit_of(p):
    """Return the logits of a probability."""
    return np.log(p) - np.log1p(-p)


__all__ = [
    "DISTANCES",
    "KINKS",
    "MARGINS",
    "SCORES",
    "Absolute",
    "Binary",
    "Bowl",
    "Bump",
    "Hinge",
    "Logistic",
    "OwnScore",
    "Quadratic",
    "Ramp",
    "Rounded",
    "Sign",
    "Squares",
    "logit_of",
    "sigmoid",
]
