"""Classic mistakes, of which courses warn: of range, of digits, of derivatives, of claims.

Most of what lost digits take is of a loss that is nearly 0, and hurts nobody: a note of the check
says so. A sign and a 0 are exact, and a user may rely on them to the last bit. A bound and a
gradient are numbers that are rounded themselves.
"""

import math

from lossfw import (
    BINARY,
    NONNEGATIVE,
    POSITIVE,
    REAL,
    UNIT,
    CategoricalLoss,
    Claims,
    DistanceLoss,
    MarginLoss,
    PointwiseLoss,
)
from lossfw.numerics import log_cosh, sigmoid, softmax, xlogy
from support.forms.form import right, wrong
from support.forms.honest import LogCoshByAbs, OfAngle


@wrong("exp(800) is infinite, and so is the loss; the truth is 800")
class LogOnePlusExp(MarginLoss):
    """log(1 + exp(-m)) as printed."""

    def value(self, xp, m):
        return xp.log(1 + xp.exp(-m))


@wrong("800 below the largest, a probability is 0 and its logarithm infinite; the truth is 800")
class LogOfSoftmax(CategoricalLoss):
    """The logarithm taken after softmax."""

    prediction = REAL

    def formula(self, xp, z, t):
        return xp.log(xp.sum(xp.exp(z), axis=-1)) - xp.sum(t * z, axis=-1)

    def value(self, xp, z, t):
        return -xp.sum(xlogy(xp, t, softmax(xp, z)), axis=-1)


@wrong("1 - sigmoid(40) is 0 and its logarithm infinite; the truth is 40")
class LogOfSigmoid(PointwiseLoss):
    """The logarithms of sigmoid(z) and of 1 - sigmoid(z)."""

    target = BINARY

    def formula(self, xp, z, t):
        return xp.log(1 + xp.exp(z)) - t * z

    def value(self, xp, z, t):
        p = sigmoid(xp, z)
        return -xlogy(xp, t, p) - xlogy(xp, 1 - t, 1 - p)


class OfProbability(PointwiseLoss):
    """Abstract: the textbook's binary cross-entropy."""

    prediction, target = UNIT, BINARY

    def formula(self, xp, y, t):
        return -xlogy(xp, t, y) - xlogy(xp, 1 - t, 1 - y)


@wrong(
    "a perfect prediction, y = t = 1, costs 1e-7 with gradient 0; the truth is 0 with gradient -1"
)
class ClippedLog(OfProbability):
    """Probabilities clipped at 1e-7, as in Keras."""

    def value(self, xp, y, t):
        y = xp.clip(y, 1e-7, 1 - 1e-7)
        return -t * xp.log(y) - (1 - t) * xp.log1p(-y)


@wrong("y = 1e-6, t = 1: the constant is a millionth of y, and 1e-6 of a loss of 13.8")
class LogPlusEps(OfProbability):
    """A constant in the logarithms."""

    def value(self, xp, y, t):
        return -t * xp.log(y + 1e-12) - (1 - t) * xp.log1p(-y + 1e-12)


@wrong("vectors of length 1e-5: the constant is a hundred times the product of their lengths")
class CosineEps(OfAngle):
    """A constant added to the divisor of a cosine."""

    def value(self, xp, y, t):
        sizes = xp.sum(y * y, axis=-1) * xp.sum(t * t, axis=-1)
        return 1 - xp.sum(y * t, axis=-1) / (xp.sqrt(sizes) + 1e-8)


@right("all digits go where y is below 1e-16, of a loss of y (float32: below 1e-7)")
class LogOneMinusP(OfProbability):
    """log(1 - y) for a small y: log1p is forgotten."""

    def value(self, xp, y, t):
        return self.formula(xp, y, t)


@wrong("float32, t = 1e6, y = 1.001e6: terms of 1000 have an error of 0.06, and the truth is 0.5")
class NaiveDeviance(PointwiseLoss):
    """The deviance of Poisson as printed."""

    prediction, target = POSITIVE, POSITIVE

    def value(self, xp, y, t):
        return t * xp.log(t / y) - (t - y)


@wrong("1e6 and 1e6 + 1: squares of 1e12 have errors of 1e-4, and the variance is 1/4")
class NaiveVariance(CategoricalLoss):
    """The mean of squares less the square of the mean."""

    prediction = target = REAL

    def formula(self, xp, y, t):
        d = y - xp.mean(y, axis=-1, keepdims=True)
        return xp.mean(d**2, axis=-1) + 0 * xp.sum(t, axis=-1)

    def value(self, xp, y, t):
        return xp.mean(y * y, axis=-1) - xp.mean(y, axis=-1) ** 2 + 0 * xp.sum(t, axis=-1)


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


@right("0 for a curvature of 4 exp(-2 |r|), from |r| = 19 on: an error of 1e-16")
class TanhGradient(DistanceLoss):
    """1 - tanh^2 as the second derivative."""

    def formula(self, xp, r):
        return xp.log(xp.cosh(r))

    def value(self, xp, r):
        return log_cosh(xp, r)

    def derivative(self, xp, r):
        return xp.tanh(r)

    def second_derivative(self, xp, r):
        return 1 - xp.tanh(r) ** 2


class OfSize(DistanceLoss):
    """Abstract: |r|, whose second derivative is 0."""

    def value(self, xp, r):
        return xp.abs(r)

    def second_derivative(self, xp, r):
        return 0 * r


@wrong("0 / 0 is NaN at the target; the truth is from -1 to 1")
class AbsGradientNan(OfSize):
    """r / |r|."""

    def derivative(self, xp, r):
        return r / xp.abs(r)


@wrong("up to 1e-5 beside the kink the gradient is r in the place of 1")
class HuberSide(DistanceLoss):
    """The gradient of the wrong branch in a strip beside the threshold."""

    def value(self, xp, r):
        return xp.where(xp.abs(r) <= 1, r * r / 2, xp.abs(r) - 0.5)

    def derivative(self, xp, r):
        return xp.where(xp.abs(r) <= 1.00001, r, xp.sign(r))

    def second_derivative(self, xp, r):
        return xp.where(xp.abs(r) <= 1, 1.0 + 0 * r, 0 * r)


@wrong("the curvature is 1/s - r^2/s^3 for dual numbers: at r = s = 1e-13 off by 1e-3, from 0")
class RootOfSquare(PointwiseLoss):
    """The root of a square."""

    def formula(self, xp, y, t):
        return xp.abs(y - t)

    def value(self, xp, y, t):
        return xp.sqrt((y - t) ** 2)


@wrong("the gradient is twice the true one")
class GaussHalf(PointwiseLoss):
    """Half a square, and the gradient of the whole one."""

    def value(self, xp, y, t):
        return (y - t) ** 2 / 2

    def derivative(self, xp, y, t):
        return 2 * (y - t)

    def second_derivative(self, xp, y, t):
        return 1 + 0 * (y - t)


@right("a gradient is a difference of two results, which may be 4 units off each")
class LipschitzByOne(DistanceLoss):
    """A Lipschitz constant that is a unit too small."""

    def value(self, xp, r):
        return xp.abs(r) * 0.7

    def claims(self):
        return Claims(lipschitz=math.nextafter(0.7, 0))


@wrong("2e-16 at the target, which the claim says is 0")
class ZeroByOne(DistanceLoss):
    """zero_at_target, with a unit of 1 there."""

    def formula(self, xp, r):
        return r * r

    def value(self, xp, r):
        return r * r + 2.0**-52

    def claims(self):
        return Claims(zero_at_target=True)


@wrong("below 0 by a unit of log 2 next to the target")
class NonnegativeByOne(LogCoshByAbs):
    """nonnegative, with a difference of two nearly equal numbers."""

    def claims(self):
        return Claims(nonnegative=True)
