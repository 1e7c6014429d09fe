"""Losses as people write them who have read one page; the docstring says what is wrong."""

from pydantic import Field, PositiveFloat

from lossfw import (
    CLASS_INDEX,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    CategoricalLoss,
    Claims,
    DistanceLoss,
    MarginLoss,
    PointwiseLoss,
)
from lossfw.numerics import softplus


class NaiveGeman(DistanceLoss):
    """The quotient is infinity by infinity where the squares overflow."""

    c: PositiveFloat = 1.0

    def value(self, xp, r):
        return r * r / (r * r + self.c**2)

    def claims(self):
        return Claims(nonnegative=True, zero_at_target=True, bounded=1.0)


class WrongDerivative(MarginLoss):
    """The derivative has lost its factor."""

    steepness: PositiveFloat = 2.0

    def value(self, xp, m):
        return softplus(xp, -self.steepness * m)

    def derivative(self, xp, m):
        return -1 / (1 + xp.exp(self.steepness * m))

    def claims(self):
        return Claims(convex=True)


class AsymmetricTweedie(PointwiseLoss):
    """Powers overflow, and cancel, at means that no data have."""

    prediction = POSITIVE
    target = NONNEGATIVE
    power: float = Field(1.5, gt=1, lt=2)
    under: PositiveFloat = 2.0

    def _powers(self, y, t):
        p = self.power
        return t ** (2 - p) / (p - 1) / (2 - p), t * y ** (1 - p) / (p - 1), y ** (2 - p) / (2 - p)

    def value(self, xp, y, t):
        of_target, mixed, of_prediction = self._powers(y, t)
        deviance = 2 * (mixed + of_prediction - of_target)
        return xp.where(y < t, self.under * deviance, deviance)

    def claims(self):
        return Claims(nonnegative=True, zero_at_target=True)


class Robust(DistanceLoss):
    """A power of a number near 1, less 1: small residuals lose digits."""

    shape: float = 1.0

    def value(self, xp, r):
        b = abs(self.shape - 2)
        return b / self.shape * ((r * r / b + 1) ** (self.shape / 2) - 1)


class NaiveFocal(CategoricalLoss):
    """The exponentials of logits overflow."""

    prediction = REAL
    target = CLASS_INDEX

    def value(self, xp, y, t):
        e = xp.exp(y)
        p = xp.sum(t * e, axis=-1) / xp.sum(e, axis=-1)
        return -((1 - p) ** 2) * xp.log(p)
