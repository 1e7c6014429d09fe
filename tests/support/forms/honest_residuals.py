"""Honest losses of a residual: the textbook's formula, and the stable value that courses teach.

No derivative is written by hand.
"""

import math
from typing import Annotated

from pydantic import Field, PositiveFloat

from lossfw import DistanceLoss
from lossfw.numerics import log_cosh, softplus
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


@right("log1p keeps the digits at 0, and (1e30 / c)^2 = 1e60 is far from the largest float")
class HonestCauchy(DistanceLoss):
    """Also called Lorentzian; Black and Anandan, 1996."""

    c: PositiveFloat = 1.5

    def formula(self, xp, r):
        return self.c**2 / 2 * xp.log(1 + (r / self.c) ** 2)

    def value(self, xp, r):
        return self.c**2 / 2 * xp.log1p((r / self.c) ** 2)


@right(
    "dual numbers take 1 - q near 1 for the gradient: an error of 1e-16 / r, at r = 1e5 of 2e-21"
)
class HonestGemanMcClure(DistanceLoss):
    """Geman and McClure, 1985."""

    def value(self, xp, r):
        return r * r / (1 + r * r)


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


@right("nothing cancels in the value; the curvature at r = 1000, 3e-9, is off by 1e-16")
class HonestPseudoHuber(DistanceLoss):
    """Hartley and Zisserman, 2003."""

    d: PositiveFloat = 1.5

    def formula(self, xp, r):
        return self.d**2 * (xp.sqrt(1 + (r / self.d) ** 2) - 1)

    def value(self, xp, r):
        return r * r / (1 + xp.sqrt(1 + (r / self.d) ** 2))


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


@right("the function of the library knows its derivatives")
class LogCoshByLibrary(DistanceLoss):
    """The same by `lossfw.numerics.log_cosh`."""

    def formula(self, xp, r):
        return xp.log(xp.cosh(r))

    def value(self, xp, r):
        return log_cosh(xp, r)


@right("a square and a line, each without cancellation: a - d / 2 is at least d / 2")
class HonestHuber(DistanceLoss):
    """Huber, 1964."""

    d: PositiveFloat = 1.3

    def value(self, xp, r):
        a = xp.abs(r)
        return xp.where(a <= self.d, r * r / 2, self.d * (a - self.d / 2))


@right("log1p keeps the digits at 0")
class HonestStudentT(DistanceLoss):
    """The part of the t likelihood that depends on the residual."""

    nu: PositiveFloat = 4.0

    def formula(self, xp, r):
        return (self.nu + 1) / 2 * xp.log(1 + r * r / self.nu)

    def value(self, xp, r):
        return (self.nu + 1) / 2 * xp.log1p(r * r / self.nu)


@right("two lines; at the kink the mean of both gradients")
class HonestPinball(DistanceLoss):
    """Koenker and Bassett, 1978."""

    q: Share = 0.3

    def value(self, xp, r):
        return xp.maximum((1 - self.q) * r, -self.q * r)


@right("softplus keeps its digits, and no term is much larger than the loss")
class HonestSmoothPinball(DistanceLoss):
    """Zheng, 2011."""

    q: Share = 0.3
    s: PositiveFloat = 0.5

    def formula(self, xp, r):
        return self.s * xp.log(1 + xp.exp(r / self.s)) - self.q * r

    def value(self, xp, r):
        return self.s * softplus(xp, r / self.s) - self.q * r


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
