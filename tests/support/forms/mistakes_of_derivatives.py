"""Classic mistakes: the value is right, and a derivative is not."""

from lossfw import DistanceLoss, PointwiseLoss
from lossfw.numerics import log_cosh
from support.forms.form import right, wrong


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


@wrong("the gradient at 0 may be any from -1 to 1")
class AbsGradientTwo(OfSize):
    """A gradient of 2 at the kink."""

    def derivative(self, xp, r):
        return xp.where(r == 0, 2.0 + 0 * r, xp.sign(r))


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
