"""Classic mistakes: terms cancel, or digits are thrown away.

Most of what they lose is of a loss that is nearly 0, and hurts nobody: a note of the check says so.
"""

from pydantic import PositiveFloat

from lossfw import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    CategoricalLoss,
    DistanceLoss,
    MarginLoss,
    PointwiseLoss,
)
from lossfw.numerics import log_cosh, sigmoid
from support.forms.form import right, wrong
from support.forms.honest_positives import HonestSquaredLog
from support.forms.honest_rows import HonestCosineByProducts
from support.forms.mistakes_of_range import OfProbability


@right("all digits go where y is below 1e-16, of a loss of y (float32: below 1e-7)")
class LogOneMinusP(OfProbability):
    """log(1 - y) for a small y: log1p is forgotten."""

    def value(self, xp, y, t):
        return self.formula(xp, y, t)


@right("an error of 1e-16 y, of y^2 / 2; one of 1e-9 would need a y of 1e7, which has its digits")
class XMinusLog(PointwiseLoss):
    """y - log(1 + y) next to 0."""

    prediction = NONNEGATIVE

    def formula(self, xp, y, t):
        return y - xp.log(1 + y) + 0 * t

    def value(self, xp, y, t):
        return y - xp.log1p(y) + 0 * t


@wrong("float32, t = 1e6, y = 1.001e6: terms of 1000 have an error of 0.06, and the truth is 0.5")
class NaiveDeviance(PointwiseLoss):
    """The deviance of Poisson as printed."""

    prediction, target = POSITIVE, POSITIVE

    def value(self, xp, y, t):
        return t * xp.log(t / y) - (t - y)


@right("an error of 1e-16 of a loss of (t / y - 1)^2 / 2: that of t / y, which is rounded itself")
class NaiveGammaDeviance(PointwiseLoss):
    """The deviance of gamma as printed."""

    prediction, target = POSITIVE, POSITIVE

    def value(self, xp, y, t):
        return t / y - 1 - xp.log(t / y)


@wrong("1e6 and 1e6 + 1: squares of 1e12 have errors of 1e-4, and the variance is 1/4")
class NaiveVariance(CategoricalLoss):
    """The mean of squares less the square of the mean."""

    prediction = target = REAL

    def formula(self, xp, y, t):
        d = y - xp.mean(y, axis=-1, keepdims=True)
        return xp.mean(d**2, axis=-1) + 0 * xp.sum(t, axis=-1)

    def value(self, xp, y, t):
        return xp.mean(y * y, axis=-1) - xp.mean(y, axis=-1) ** 2 + 0 * xp.sum(t, axis=-1)


class CosineByDots(HonestCosineByProducts):
    """1 - cos: the same body as the honest one, and the same exit code."""


@right("an error of 1e-16 c, of a loss of r^2 / 2c next to 0")
class NaivePseudoHuber(DistanceLoss):
    """sqrt(r^2 + c^2) - c."""

    c: PositiveFloat = 1.5

    def value(self, xp, r):
        return xp.sqrt(r * r + self.c**2) - self.c


@wrong("7 digits are right where a caller with float64 has 16")
class InSingle(CategoricalLoss):
    """Squares added in float32."""

    prediction = target = REAL

    def formula(self, xp, y, t):
        return xp.sum((y - t) ** 2, axis=-1)

    def value(self, xp, y, t):
        return xp.astype(xp.sum(xp.astype((y - t) ** 2, xp.float32), axis=-1), y.dtype)


@wrong("off by 1.9e-8 from |r| = 1 on, of a loss of 0.43 there")
class SeventhDigit(DistanceLoss):
    """log 2 with seven digits."""

    def formula(self, xp, r):
        return xp.log(xp.cosh(r))

    def value(self, xp, r):
        a = xp.abs(r)
        far = a + xp.log1p(xp.exp(-2 * a)) - 0.6931472
        return xp.where(a < 1, log_cosh(xp, a), far)


@right("12 digits are right everywhere")
class TwelfthDigit(DistanceLoss):
    """A constant with 12 digits."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return r * r * (1 + 1e-12)


@right("an error of 1e-16 c^2 / 2, of a loss of r^2 / 2 next to 0")
class OneMinusExp(DistanceLoss):
    """Welsch's loss without expm1."""

    c: PositiveFloat = 2.985

    def value(self, xp, r):
        return self.c**2 / 2 * (1 - xp.exp(-((r / self.c) ** 2)))


@right("an error of 1e-16, of a loss of r^2 / 2 next to 0")
class NaiveLinex(DistanceLoss):
    """exp(r) - 1 - r; Varian, 1975."""

    def value(self, xp, r):
        return xp.exp(r) - 1 - r


@right("an error of 1e-16 r, of a loss of r^2 / 2 next to 0")
class LinexByExpm1(DistanceLoss):
    """expm1(r) - r: half of the cure."""

    def formula(self, xp, r):
        return xp.exp(r) - 1 - r

    def value(self, xp, r):
        return xp.expm1(r) - r


@right("0 for a loss of exp(-m), from m = 37 on (float32: 17)")
class SigmoidSaturates(MarginLoss):
    """1 - sigmoid(m)."""

    def formula(self, xp, m):
        return 1 / (1 + xp.exp(m))

    def value(self, xp, m):
        return 1 - sigmoid(xp, m)


@wrong("float32, y = 1e6, t = 1: the root is 1e6 up to 0.06, and the truth is 5e-7")
class QuadraticRoot(PointwiseLoss):
    """sqrt(y^2 + t) - y of a large y."""

    prediction, target = POSITIVE, POSITIVE

    def value(self, xp, y, t):
        return xp.sqrt(y * y + t) - y


@right("an error of 1e-16 of a logarithm of at most 14, of a loss that is a square of such")
class DifferenceOfLogs(PointwiseLoss):
    """(log(1 + y) - log(1 + t))^2, where log1p is forgotten."""

    prediction = target = NONNEGATIVE

    def value(self, xp, y, t):
        return (xp.log(1 + y) - xp.log(1 + t)) ** 2


class DifferenceByLog1p(HonestSquaredLog):
    """The same body as the honest one, and the same exit code: it was not a mistake."""
