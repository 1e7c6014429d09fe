"""Losses as authors write them, with `value` alone, and the same with derivatives by hand.

They measure and test what an author pays for derivatives that lossfw finds. Symmetric is
alpha CE + RCE of Wang et al. (2019), Focal is Lin et al. (2017), Softened is LogitNorm of Wei et
al. (2022) at temperature 1. The names are their own, so that the file is a plugin too.
"""

from typing import ClassVar

from lossfw import LOGITS, CategoricalLoss, DistanceLoss, Space
from lossfw.numerics import log_softmax, softmax


class AuthorSymmetric(CategoricalLoss):
    """Cross-entropy times alpha, and reverse cross-entropy with log 0 = floor."""

    alpha: float = 0.5
    floor: float = -4.0

    def value(self, xp, y, t):
        cross = -xp.sum(t * xp.log(xp.clip(y, 1e-7, 1.0)), axis=-1)
        return self.alpha * cross - xp.sum(y * self._log_target(xp, t), axis=-1)

    def _log_target(self, xp, t):
        floor = xp.full_like(t, self.floor)
        return xp.where(t > 0, xp.log(xp.maximum(t, xp.full_like(t, 1e-4))), floor)


class SymmetricByHand(AuthorSymmetric):
    """The same with its derivatives."""

    def derivative(self, xp, y, t):
        inside = (y > 1e-7) & (y < 1.0)
        gradient = xp.where(inside, t / xp.where(inside, y, xp.ones_like(y)), xp.zeros_like(y))
        return -self.alpha * gradient - self._log_target(xp, t)

    def second_derivative(self, xp, y, t):
        inside = (y > 1e-7) & (y < 1.0)
        p = xp.where(inside, y, xp.ones_like(y))
        return xp.where(inside, self.alpha * t / (p * p), xp.zeros_like(y))


class AuthorFocal(CategoricalLoss):
    """Cross-entropy times (1 - p)^2, of logits."""

    prediction: ClassVar[Space] = LOGITS

    def value(self, xp, z, t):
        log = log_softmax(xp, z)
        return -xp.sum(t * (1.0 - xp.exp(log)) ** 2 * log, axis=-1)


class FocalByHand(AuthorFocal):
    """The same with its derivatives."""

    def derivative(self, xp, z, t):
        log = log_softmax(xp, z)
        p = xp.exp(log)
        miss = 1.0 - p
        gradient = t * (2.0 * miss * p * log - miss * miss)
        return gradient - p * xp.sum(gradient, axis=-1, keepdims=True)

    def second_derivative(self, xp, z, t):
        log = log_softmax(xp, z)
        p = xp.exp(log)
        miss = 1.0 - p
        gradient = t * (2.0 * miss * p * log - miss * miss)
        curvature = t * (2.0 * p * log * (miss - p) + 4.0 * miss * p)
        gradients, curvatures = (xp.sum(x, axis=-1, keepdims=True) for x in (gradient, curvature))
        return curvature * (1 - 2 * p) + p * p * curvatures - p * miss * gradients


class AuthorSoftened(CategoricalLoss):
    """Cross-entropy of logits over their norm."""

    prediction: ClassVar[Space] = LOGITS

    def value(self, xp, z, t):
        norm = xp.sqrt(xp.sum(z * z, axis=-1, keepdims=True)) + 1e-7
        return -xp.sum(t * log_softmax(xp, z / norm), axis=-1)


class SoftenedByHand(AuthorSoftened):
    """The same with its derivative."""

    def derivative(self, xp, z, t):
        root = xp.sqrt(xp.sum(z * z, axis=-1, keepdims=True))
        norm = root + 1e-7
        u = z / norm
        gradient = softmax(xp, u) * xp.sum(t, axis=-1, keepdims=True) - t
        return (gradient - u * xp.sum(gradient * z, axis=-1, keepdims=True) / root) / norm


class AuthorRobust(DistanceLoss):
    """A root below 1, a logarithm beyond."""

    def value(self, xp, r):
        size = xp.abs(r)
        return xp.where(size < 1.0, xp.sqrt(1.0 + r * r) - 1.0, xp.log1p(size) - 0.27893240818)


class RobustByHand(AuthorRobust):
    """The same with its derivatives."""

    def derivative(self, xp, r):
        size = xp.abs(r)
        return xp.where(size < 1.0, r / xp.sqrt(1.0 + r * r), xp.sign(r) / (1.0 + size))

    def second_derivative(self, xp, r):
        size, square = xp.abs(r), 1.0 + r * r
        beyond = -1.0 / ((1.0 + size) * (1.0 + size))
        return xp.where(size < 1.0, 1.0 / (square * xp.sqrt(square)), beyond)


# Each loss of rows beside the same by hand.
ROWS = (
    (AuthorSymmetric, SymmetricByHand),
    (AuthorFocal, FocalByHand),
    (AuthorSoftened, SoftenedByHand),
)
ELEMENTS = ((AuthorRobust, RobustByHand),)
