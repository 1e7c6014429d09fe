"""Honest losses: the textbook's formula, and the stable value that courses teach.

A logarithm of a scale has the space REAL here. Where its exponential is not a float, neither is the
loss of nearly every target, and a NaN at the others is a note that names the space LOG.
"""

import math
from typing import Annotated

from pydantic import Field, PositiveFloat

from lossfw import (
    BINARY,
    COUNT,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    SIMPLEX,
    UNIT,
    CategoricalLoss,
    Columns,
    DistanceLoss,
    MarginLoss,
    PointwiseLoss,
    Vector,
)
from lossfw.numerics import log_softmax, multiply_or_zero, quotient, sigmoid, softplus, xlogy
from support.forms.form import right, wrong

Share = Annotated[float, Field(gt=0, lt=1)]


@right("expm1 keeps the digits at 0, and exp(-u^2) those of the tail")
class HonestWelsch(DistanceLoss):
    """Dennis and Welsch, 1978."""

    c: PositiveFloat = 2.985

    def formula(self, xp, r):
        return self.c**2 / 2 * (1 - xp.exp(-((r / self.c) ** 2)))

    def value(self, xp, r):
        return -(self.c**2) / 2 * xp.expm1(-((r / self.c) ** 2))


@wrong("NaN < 1 is false: a prediction of NaN costs c^2 / 6, and breaks a law")
class TukeyByWhere(DistanceLoss):
    """The biweight of Beaton and Tukey, 1974."""

    c: PositiveFloat = 4.685

    def formula(self, xp, r):
        u = (r / self.c) ** 2
        return self.c**2 / 6 * xp.where(u < 1, 1 - (1 - u) ** 3, xp.ones_like(u))

    def value(self, xp, r):
        u = (r / self.c) ** 2
        u = xp.where(u < 1, u, xp.ones_like(u))
        return self.c**2 / 6 * u * (3 - u * (3 - u))


@right("the curvature eps^2 / s^3 is a difference for dual numbers: at r = 1 it is off by 1e-16")
class HonestCharbonnier(DistanceLoss):
    """Charbonnier et al., 1994."""

    eps: PositiveFloat = 1e-3

    def value(self, xp, r):
        return xp.sqrt(r * r + self.eps**2)


@wrong(
    "|r| has gradient 0 at 0 for dual numbers, so that the curvature there is 0 in the place of 1"
)
class LogCoshByAbs(DistanceLoss):
    """With the absolute value taken out, as Keras has it."""

    def formula(self, xp, r):
        return xp.log(xp.cosh(r))

    def value(self, xp, r):
        a = xp.abs(r)
        return a + xp.log1p(xp.exp(-2 * a)) - math.log(2)


@right("expm1 and log1p keep the digits at 0, and the power of 1e60 is 1e36")
class HonestBarron(DistanceLoss):
    """The general robust loss of Barron, 2019, for a shape between 1 and 2."""

    a: Annotated[float, Field(gt=0, lt=2)] = 1.2
    c: PositiveFloat = 1.5

    def formula(self, xp, r):
        b = abs(2 - self.a)
        return b / self.a * (((r / self.c) ** 2 / b + 1) ** (self.a / 2) - 1)

    def value(self, xp, r):
        b = abs(2 - self.a)
        return b / self.a * xp.expm1(self.a / 2 * xp.log1p((r / self.c) ** 2 / b))


@wrong("max and |m| have their means of gradients at 0: the curvature is 0 in the place of 1/4")
class LogisticByMax(MarginLoss):
    """As scikit-learn and TensorFlow have written it."""

    def formula(self, xp, m):
        return xp.log(1 + xp.exp(-m))

    def value(self, xp, m):
        return xp.maximum(-m, 0 * m) + xp.log1p(xp.exp(-xp.abs(m)))


@right("a square of a sigmoid, which keeps its digits in both tails")
class HonestSavage(MarginLoss):
    """Masnadi-Shirazi and Vasconcelos, 2008."""

    def formula(self, xp, m):
        return 1 / (1 + xp.exp(2 * m)) ** 2

    def value(self, xp, m):
        return sigmoid(xp, -2 * m) ** 2


@right("log1p(-y) keeps the digits of a small y; 0 times an infinite logarithm is 0")
class HonestBinaryEntropy(PointwiseLoss):
    """Binary cross-entropy of a probability."""

    prediction, target = UNIT, BINARY

    def formula(self, xp, y, t):
        return -xlogy(xp, t, y) - xlogy(xp, 1 - t, 1 - y)

    def value(self, xp, y, t):
        return -xlogy(xp, t, y) - multiply_or_zero(xp, 1 - t, xp.log1p(-y))


@right("a power of a sigmoid times softplus: a product of numbers that keep their digits")
class HonestFocal(PointwiseLoss):
    """Lin et al., 2017, of a logit."""

    target = BINARY
    g: Annotated[float, Field(ge=2)] = 2.0

    def formula(self, xp, z, t):
        m = z * (2 * t - 1)
        p = 1 / (1 + xp.exp(-m))
        return -((1 - p) ** self.g) * xp.log(p)

    def value(self, xp, z, t):
        m = z * (2 * t - 1)
        return sigmoid(xp, -m) ** self.g * softplus(xp, -m)


Power = Annotated[float, Field(gt=1, lt=2)]


def of_difference(xp, d, log):
    """Return ``d - log``, where `log` is the logarithm of 1 + d, by a series for a small d."""
    small = xp.abs(d) < 0.1
    s = xp.where(small, d, 0 * d)
    series = 1 / 15
    for k in range(14, 1, -1):
        series = 1 / k - s * series
    return xp.where(small, s * s * series, d - log)


@right("exp(z) - t z crosses 0, as its arguments do not determine more than 1e-16 of its terms")
class HonestPoissonOfLog(PointwiseLoss):
    """The Poisson likelihood of a log rate, as PyTorch has it."""

    target = COUNT

    def value(self, xp, z, t):
        return xp.exp(z) - t * z


@right("a series next to y = t, where t - y is exact")
class HonestGammaDeviance(PointwiseLoss):
    """The deviance of the gamma distribution; McCullagh and Nelder, 1989."""

    prediction, target = POSITIVE, POSITIVE

    def formula(self, xp, y, t):
        return 2 * (t / y - 1 - xp.log(t / y))

    def value(self, xp, y, t):
        return 2 * of_difference(xp, (t - y) / y, xp.log(t / y))


@right("z = -2500 is NaN for t = 0, and t = 1 has a loss above every float")
class TweedieOfLog(PointwiseLoss):
    """The same of a log mean, as XGBoost has it."""

    target = NONNEGATIVE
    p: Power = 1.3

    def value(self, xp, z, t):
        of_target = -t * xp.exp((1 - self.p) * z) / (1 - self.p)
        return of_target + xp.exp((2 - self.p) * z) / (2 - self.p)


@wrong("float32, t = y = 1e4: terms of 9e4 have errors of 4e-3, and their difference is 25")
class NegativeBinomialAsPrinted(PointwiseLoss):
    """The negative binomial likelihood of a mean, r fixed; Hilbe, 2011."""

    prediction, target = POSITIVE, COUNT
    r: PositiveFloat = 2.5

    def value(self, xp, y, t):
        return (self.r + t) * xp.log(self.r + y) - t * xp.log(y) - self.r * math.log(self.r)


@right("log_var = -800 and t = mean is NaN, and any other t has a loss above every float")
class GaussianOfLogVariance(PointwiseLoss):
    """Nix and Weigend, 1994."""

    prediction = Columns.of(mean=REAL, log_var=REAL)
    target = REAL

    def value(self, xp, y, t):
        return (y.log_var + (t - y.mean) ** 2 * xp.exp(-y.log_var)) / 2


@wrong("x = 1, w = 1e-17: x + w is 1, the hull has no width, and the loss is -inf")
class BoxesByCorners(PointwiseLoss):
    """Generalized IoU of boxes by corner and size; Rezatofighi et al., 2019."""

    prediction = target = Columns.of(x=REAL, y=REAL, w=POSITIVE, h=POSITIVE)

    def value(self, xp, y, t):
        right_end, top = xp.minimum(y.x + y.w, t.x + t.w), xp.minimum(y.y + y.h, t.y + t.h)
        wide, high = right_end - xp.maximum(y.x, t.x), top - xp.maximum(y.y, t.y)
        both = xp.maximum(wide, 0 * wide) * xp.maximum(high, 0 * high)
        union = y.w * y.h + t.w * t.h - both
        hull_width = xp.maximum(y.x + y.w, t.x + t.w) - xp.minimum(y.x, t.x)
        hull = hull_width * (xp.maximum(y.y + y.h, t.y + t.h) - xp.minimum(y.y, t.y))
        return 1 - both / union + (hull - union) / hull


class OfLogits(CategoricalLoss):
    """Abstract: the textbook's cross-entropy of logits."""

    prediction = REAL

    def formula(self, xp, z, t):
        return xp.log(xp.sum(xp.exp(z), axis=-1)) - xp.sum(t * z, axis=-1)


@right("the function of the library keeps the digits of the leader and of the tail")
class HonestCrossEntropy(OfLogits):
    """By `lossfw.numerics.log_softmax`."""

    def value(self, xp, z, t):
        return -xp.sum(t * log_softmax(xp, z), axis=-1)


@wrong("y = 0, t = 1: the gradient is 0 times infinity, and a NaN at legal numbers breaks a law")
class DivergenceByQuotient(CategoricalLoss):
    """Kullback and Leibler, 1951."""

    target = SIMPLEX

    def formula(self, xp, y, t):
        return xp.sum(xlogy(xp, t, t) - xlogy(xp, t, y), axis=-1)

    def value(self, xp, y, t):
        return xp.sum(xlogy(xp, t, quotient(xp, t, y)), axis=-1)


@right("next to y = t two terms cancel to an error of 1e-16, of a loss that is nearly 0")
class HonestJensenShannon(CategoricalLoss):
    """Lin, 1991."""

    target = SIMPLEX

    def formula(self, xp, y, t):
        m = (y + t) / 2
        of_target = xlogy(xp, t, t) - xlogy(xp, t, m)
        return xp.sum(of_target + xlogy(xp, y, y) - xlogy(xp, y, m), axis=-1) / 2

    def value(self, xp, y, t):
        m = (y + t) / 2
        of_target = xlogy(xp, t, quotient(xp, t, m))
        return xp.sum(of_target + xlogy(xp, y, quotient(xp, y, m)), axis=-1) / 2


@right("1 - a share near 1 has an error of 1e-16: 12 digits of a loss of 1e-3 are left")
class HonestDice(CategoricalLoss):
    """Soft Dice of the pixels of a row; Milletari et al., 2016."""

    prediction, target = UNIT, BINARY

    def value(self, xp, y, t):
        both = 2 * xp.sum(y * t, axis=-1) + 1
        return 1 - both / (xp.sum(y, axis=-1) + xp.sum(t, axis=-1) + 1)


class OfAngle(PointwiseLoss):
    """Abstract: 1 - the cosine of two vectors."""

    prediction = target = Vector.of(REAL, size=3)

    def formula(self, xp, y, t):
        sizes = xp.sum(y * y, axis=-1) * xp.sum(t * t, axis=-1)
        return 1 - xp.sum(y * t, axis=-1) / xp.sqrt(sizes)


@right("differences of unit rows: 1e-16 of an angle, and 1e-32 of a loss")
class HonestCosineByDistance(OfAngle):
    """Half the squared distance of the unit vectors."""

    def value(self, xp, y, t):
        a = y / xp.sqrt(xp.sum(y * y, axis=-1, keepdims=True))
        b = t / xp.sqrt(xp.sum(t * t, axis=-1, keepdims=True))
        return xp.sum((a - b) ** 2, axis=-1) / 2
