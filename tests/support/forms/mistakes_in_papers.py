"""Mistakes in losses from papers and other libraries: what is printed, and what is not checked."""

from typing import Annotated

from pydantic import Field, PositiveFloat

from lossfw import (
    NONNEGATIVE,
    POSITIVE,
    REAL,
    SIMPLEX,
    CategoricalLoss,
    Claims,
    Columns,
    DistanceLoss,
    MarginLoss,
    PointwiseLoss,
)
from lossfw.numerics import normal_cdf
from support.forms.form import right, wrong
from support.forms.honest_papers import HonestLaplace, HonestQuantileHuber, HonestWing, Share


@wrong("t = 1, y = 1e20: (t - y) / y is -1, and the loss infinite; the truth is 45")
class ItakuraSaitoByDifference(PointwiseLoss):
    """log1p of the relative difference everywhere."""

    prediction = target = POSITIVE

    def formula(self, xp, y, t):
        return t / y - xp.log(t / y) - 1

    def value(self, xp, y, t):
        d = (t - y) / y
        return d - xp.log1p(d)


@wrong("exp(800) is infinite; the truth is 800")
class LogisticLikelihoodByExp(DistanceLoss):
    """The logistic likelihood as printed."""

    def value(self, xp, r):
        return r + 2 * xp.log(1 + xp.exp(-r))


@wrong("y = t = 0: 0 times the infinite gradient of the root is NaN; the truth is 1/2")
class HellingerByRoots(CategoricalLoss):
    """The difference of the roots, as printed."""

    target = SIMPLEX

    def value(self, xp, y, t):
        return xp.sum((xp.sqrt(y) - xp.sqrt(t)) ** 2, axis=-1) / 2


@wrong("a class with y = t = 0: 0 times a difference of infinities is NaN; the truth is 0")
class JeffreysByLogs(CategoricalLoss):
    """Jeffreys, 1946, as printed."""

    target = SIMPLEX

    def value(self, xp, y, t):
        return xp.sum((y - t) * (xp.log(y) - xp.log(t)), axis=-1)


@wrong("p = 0: the gradient is 0 times infinity, and a NaN at legal numbers breaks a law")
class GeneralisedEntropyByExpm1(CategoricalLoss):
    """A cure of 1e-16 next to p = 1 that costs the gradient at p = 0."""

    q: Share = 0.7

    def formula(self, xp, y, t):
        return (1 - xp.sum(t * y, axis=-1) ** self.q) / self.q

    def value(self, xp, y, t):
        return -xp.expm1(self.q * xp.log(xp.sum(t * y, axis=-1))) / self.q


@wrong("float32, r = 1e10, s = 1e-10: the square of 1e20 is infinite; the truth is 69")
class CauchyOfScaleBySquare(PointwiseLoss):
    """log s + log(1 + (r / s)^2) as printed."""

    prediction = Columns.of(location=REAL, scale=POSITIVE)

    def value(self, xp, y, t):
        return xp.log(y.scale) + xp.log1p(((t - y.location) / y.scale) ** 2)


@right("an error of 1e-16 k, of a loss of k r^2 / 2 next to 0")
class VonMisesByCosine(DistanceLoss):
    """1 - cos as printed."""

    k: PositiveFloat = 2.0

    def value(self, xp, r):
        return self.k * (1 - xp.cos(r))


@wrong("from |r| = 10 on the loss is off by 4e-3")
class WingByRoundedConstant(HonestWing):
    """The constant that joins the branches, with four digits."""

    w: PositiveFloat = Field(10.0, ge=10, le=10)
    e: PositiveFloat = Field(2.0, ge=2, le=2)

    def formula(self, xp, r):
        return HonestWing.value(self, xp, r)

    def value(self, xp, r):
        a = xp.abs(r)
        return xp.where(a < self.w, self.w * xp.log1p(a / self.e), a + 7.914)


@wrong("a prediction that is too high costs q in the place of 1 - q")
class ExpectileOfTheOtherSide(DistanceLoss):
    """The weights of both sides exchanged."""

    q: Annotated[float, Field(gt=0, lt=0.4)] = 0.2

    def formula(self, xp, r):
        return xp.where(r > 0, (1 - self.q) * r * r, self.q * r * r)

    def value(self, xp, r):
        return xp.where(r > 0, self.q * r * r, (1 - self.q) * r * r)


@wrong("the gradient lacks the weight of its side")
class QuantileHuberGradient(HonestQuantileHuber):
    """The gradient of Huber's loss."""

    def derivative(self, xp, r):
        return xp.clip(r / self.k, -1.0, 1.0)


@wrong("y = 40: the probability is 0, and its logarithm infinite; the truth is 804.6")
class TobitByLog(PointwiseLoss):
    """The logarithm of the normal distribution function."""

    target = NONNEGATIVE

    def value(self, xp, y, t):
        return xp.where(t > 0, (y - t) ** 2 / 2, -xp.log(normal_cdf(xp, -y)))


@wrong("y = 1e6, t = 1e6 + 1: terms of 1e12 have errors of 1e-4, and the truth is 1")
class ExpandedSquare(PointwiseLoss):
    """y^2 - 2 y t + t^2."""

    def formula(self, xp, y, t):
        return (y - t) ** 2

    def value(self, xp, y, t):
        return y * y - 2 * y * t + t * t


@wrong("the gradient jumps from -1.4 to 1.4 at 0")
class SmoothLaplace(HonestLaplace):
    """Smooth by claim."""

    def claims(self):
        return Claims(smooth=True)


@wrong("y = 1e-6: the constant is a hundredth of y, and 0.01 of a loss of 13.8")
class RateWithEps(PointwiseLoss):
    """The exponential likelihood, with a constant in the logarithm."""

    prediction, target = POSITIVE, NONNEGATIVE

    def formula(self, xp, y, t):
        return t * y - xp.log(y)

    def value(self, xp, y, t):
        return t * y - xp.log(y + 1e-8)


@wrong("half of the loss for two classes, a tenth for ten")
class MeanOfClasses(CategoricalLoss):
    """The mean over classes in the place of the sum."""

    def formula(self, xp, y, t):
        return xp.sum((y - t) ** 2, axis=-1)

    def value(self, xp, y, t):
        return xp.mean((y - t) ** 2, axis=-1)


@wrong("a logarithm bends down")
class ConvexWing(HonestWing):
    """Convex by claim."""

    def claims(self):
        return Claims(convex=True)


@wrong("r = 1e20 costs 92, more than the 50 that it claims")
class BoundedCauchy(DistanceLoss):
    """Bounded by claim: a logarithm that grows slowly is not."""

    def value(self, xp, r):
        return xp.log1p(r * r)

    def claims(self):
        return Claims(bounded=50.0)


@wrong("the gradient lacks a factor of 1 / (r^2 + e^2)")
class CharbonnierGradient(DistanceLoss):
    """The exponent of the gradient without its - 1."""

    a: Annotated[float, Field(gt=0, lt=2)] = 0.9
    e: PositiveFloat = 1e-3

    def value(self, xp, r):
        return (r * r + self.e**2) ** (self.a / 2)

    def derivative(self, xp, r):
        return self.a * r * (r * r + self.e**2) ** (self.a / 2)


class OfSoftplus(MarginLoss):
    """Abstract: the logistic loss, a line beyond some number."""

    def formula(self, xp, m):
        return xp.log(1 + xp.exp(-m))

    def beyond(self, xp, m, most):
        z = xp.where(m < -most, 0 * m, -m)
        return xp.where(m < -most, -m, xp.log1p(xp.exp(z)))


@right("exp(-20) = 2e-9 is left out, 1e-10 of the loss")
class SoftplusToTwenty(OfSoftplus):
    """As PyTorch has it."""

    def value(self, xp, m):
        return self.beyond(xp, m, 20.0)


@wrong("exp(-10) = 5e-5 is left out, 5e-6 of the loss")
class SoftplusToTen(OfSoftplus):
    """A line too early."""

    def value(self, xp, m):
        return self.beyond(xp, m, 10.0)
