"""Honest losses from papers and other libraries, of one number."""

import math
from typing import Annotated

from pydantic import Field, PositiveFloat

from lossfw import NONNEGATIVE, POSITIVE, REAL, Columns, DistanceLoss, MarginLoss, PointwiseLoss
from lossfw.numerics import expm1_minus, log1p_minus, log_normal_cdf, softplus
from support.forms.form import right

Share = Annotated[float, Field(gt=0, lt=1)]


@right("the function of the library keeps the digits next to 0")
class HonestLinex(DistanceLoss):
    """Varian, 1975; Zellner, 1986."""

    a: PositiveFloat = 0.5

    def formula(self, xp, r):
        return xp.exp(self.a * r) - 1 - self.a * r

    def value(self, xp, r):
        return expm1_minus(xp, self.a * r)


@right("t - y is exact where log1p is taken, and the logarithm of a quotient is good elsewhere")
class HonestItakuraSaito(PointwiseLoss):
    """Itakura and Saito, 1968."""

    prediction = target = POSITIVE

    def formula(self, xp, y, t):
        return t / y - xp.log(t / y) - 1

    def value(self, xp, y, t):
        d = (t - y) / y
        is_near = xp.abs(d) < 0.5
        near = -log1p_minus(xp, xp.where(is_near, d, 0 * d))
        return xp.where(is_near, near, d - xp.log(t / y))


@right("two terms, of which the larger has its digits")
class HonestLaplace(DistanceLoss):
    """The Laplace likelihood."""

    b: PositiveFloat = 0.7

    def value(self, xp, r):
        return xp.abs(r) / self.b + math.log(2 * self.b)


@right("z + 2 softplus(-z): at z = -1000 it is 2000 - 1000, which costs one unit")
class HonestLogisticLikelihood(DistanceLoss):
    """The likelihood of the logistic distribution."""

    s: PositiveFloat = 0.7

    def formula(self, xp, r):
        return r / self.s + 2 * xp.log(1 + xp.exp(-r / self.s))

    def value(self, xp, r):
        return r / self.s + 2 * softplus(xp, -r / self.s)


@right("infinite only where the truth is")
class HonestGumbel(DistanceLoss):
    """The likelihood of the largest of many, with a scale of 1."""

    def value(self, xp, r):
        return r + xp.exp(-r)


@right("squares of two halves, each rounded as the residual is")
class HonestExpectile(DistanceLoss):
    """Newey and Powell, 1987."""

    q: Share = 0.2

    def value(self, xp, r):
        return xp.where(r > 0, (1 - self.q) * r * r, self.q * r * r)


@right("a weight times Huber's loss")
class HonestQuantileHuber(DistanceLoss):
    """Dabney et al., 2018."""

    q: Share = 0.2
    k: PositiveFloat = 1.3

    def value(self, xp, r):
        a = xp.abs(r)
        huber = xp.where(a <= self.k, r * r / (2 * self.k), a - self.k / 2)
        return xp.where(r > 0, (1 - self.q) * huber, self.q * huber)


@right("log1p keeps the digits at 0, and a - c is at least 6")
class HonestWing(DistanceLoss):
    """Feng et al., 2018."""

    w: PositiveFloat = 10.0
    e: PositiveFloat = 2.0

    def value(self, xp, r):
        a = xp.abs(r)
        c = self.w - self.w * math.log1p(self.w / self.e)
        return xp.where(a < self.w, self.w * xp.log1p(a / self.e), a - c)


@right("a power of a sum of squares")
class HonestCharbonnierPower(DistanceLoss):
    """Sun et al., 2010: the generalised Charbonnier penalty."""

    a: Annotated[float, Field(gt=0, lt=2)] = 0.9
    e: PositiveFloat = 1e-3

    def value(self, xp, r):
        return (r * r + self.e**2) ** (self.a / 2)


@right("where e is rounded onto r in float32 the gradient is 1/2, between both sides of the kink")
class EpsilonInsensitiveByMaximum(DistanceLoss):
    """Vapnik, 1995."""

    e: PositiveFloat = 0.1

    def value(self, xp, r):
        a = xp.abs(r) - self.e
        return xp.maximum(a, 0 * a)


@right("2 sin^2 of the half in the place of 1 - cos")
class HonestVonMises(DistanceLoss):
    """The likelihood of a direction; von Mises, 1918."""

    k: PositiveFloat = 2.0

    def formula(self, xp, r):
        return self.k * (1 - xp.cos(r))

    def value(self, xp, r):
        return 2 * self.k * xp.sin(r / 2) ** 2


@right("a square, and a line, and 0")
class HonestSmoothHinge(MarginLoss):
    """Rennie and Srebro, 2005."""

    def value(self, xp, m):
        square = (1 - m) * (1 - m) / 2
        return xp.where(m <= 0, 0.5 - m, xp.where(m < 1, square, 0 * m))


@right("a square and a line, neither of which cancels")
class HonestModifiedHuber(MarginLoss):
    """Zhang, 2004."""

    def value(self, xp, m):
        return xp.where(m >= -1, xp.maximum(1 - m, 0 * m) ** 2, -4 * m)


@right("the function of the library keeps the digits of the tail")
class HonestTobit(PointwiseLoss):
    """Tobin, 1958: a target of 0 stands for all that is below, with a deviation of 1."""

    target = NONNEGATIVE

    def value(self, xp, y, t):
        return xp.where(t > 0, (y - t) ** 2 / 2, -log_normal_cdf(xp, -y))


@right("the square of (1e30 / 1e-30) is 1e120; in float32 it is infinite where the truth is")
class HonestDawidSebastiani(PointwiseLoss):
    """Dawid and Sebastiani, 1999."""

    prediction = Columns.of(mean=REAL, scale=POSITIVE)

    def value(self, xp, y, t):
        return ((t - y.mean) / y.scale) ** 2 + 2 * xp.log(y.scale)


@right("s^2 + r^2 has no quotient that overflows, from 1e-60 to 1e60")
class HonestCauchyOfScale(PointwiseLoss):
    """The Cauchy likelihood of a location and a scale."""

    prediction = Columns.of(location=REAL, scale=POSITIVE)

    def value(self, xp, y, t):
        r = t - y.location
        return xp.log(y.scale * y.scale + r * r) - xp.log(y.scale)
