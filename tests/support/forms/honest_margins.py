"""Honest losses of a margin, and of a logit or a probability with a flag."""

from typing import Annotated

from pydantic import Field

from lossfw import BINARY, UNIT, MarginLoss, PointwiseLoss
from lossfw.numerics import multiply_or_zero, sigmoid, softplus, xlogy
from support.forms.form import right, wrong


@wrong("max and |m| have their means of gradients at 0: the curvature is 0 in the place of 1/4")
class LogisticByMax(MarginLoss):
    """As scikit-learn and TensorFlow have written it."""

    def formula(self, xp, m):
        return xp.log(1 + xp.exp(-m))

    def value(self, xp, m):
        return xp.maximum(-m, 0 * m) + xp.log1p(xp.exp(-xp.abs(m)))


@right("the function of the library knows its derivatives")
class LogisticByLibrary(MarginLoss):
    """The same by `lossfw.numerics.softplus`."""

    def formula(self, xp, m):
        return xp.log(1 + xp.exp(-m))

    def value(self, xp, m):
        return softplus(xp, -m)


@right("a square of a sigmoid, which keeps its digits in both tails")
class HonestSavage(MarginLoss):
    """Masnadi-Shirazi and Vasconcelos, 2008."""

    def formula(self, xp, m):
        return 1 / (1 + xp.exp(2 * m)) ** 2

    def value(self, xp, m):
        return sigmoid(xp, -2 * m) ** 2


@right("infinite only where the truth is; in float32 exp(80) is off by 3e-5 of itself, as 80 is")
class HonestExponential(MarginLoss):
    """The loss of AdaBoost; Freund and Schapire, 1997."""

    def value(self, xp, m):
        return xp.exp(-m)


@right("1 - m is rounded as m is")
class HonestSquaredHinge(MarginLoss):
    """The loss of the L2 support vector machine."""

    def value(self, xp, m):
        return xp.maximum(1 - m, 0 * m) ** 2


@right("two terms that are not negative, each with its digits")
class HonestLogitEntropy(PointwiseLoss):
    """Binary cross-entropy of a logit, for a soft target."""

    target = UNIT

    def formula(self, xp, z, t):
        return xp.log(1 + xp.exp(z)) - t * z

    def value(self, xp, z, t):
        return (1 - t) * softplus(xp, z) + t * softplus(xp, -z)


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


@right("p - m next to p = m has an error of 1e-17, and its fourth power is below 1e-60")
class HonestAsymmetricFocal(PointwiseLoss):
    """Ridnik et al., 2021: the asymmetric loss, whose probability of the others is shifted."""

    target = BINARY
    gp: Annotated[float, Field(ge=1)] = 1.0
    gn: Annotated[float, Field(ge=2)] = 4.0
    m: Annotated[float, Field(ge=0, lt=1)] = 0.05

    def formula(self, xp, z, t):
        p = 1 / (1 + xp.exp(-z))
        pm = xp.maximum(p - self.m, 0 * p)
        return xp.where(t > 0, -((1 - p) ** self.gp) * xp.log(p), -(pm**self.gn) * xp.log(1 - pm))

    def value(self, xp, z, t):
        p = sigmoid(xp, z)
        pm = xp.maximum(p - self.m, 0 * p)
        of_others = -(pm**self.gn) * xp.log1p(-pm)
        return xp.where(t > 0, sigmoid(xp, -z) ** self.gp * softplus(xp, -z), of_others)
