"""Honest losses of rows: classes, pixels and vectors."""

from typing import ClassVar

from pydantic import PositiveFloat

from lossfw import BINARY, REAL, SIMPLEX, UNIT, CategoricalLoss, PointwiseLoss, Vector
from lossfw.numerics import log_softmax, quotient, xlogy
from support.forms.form import right, wrong


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


@right("what adding the largest logit loses, float32 at 5000 two digits, its own rounding does too")
class CrossEntropyByLargest(OfLogits):
    """With the largest logit taken out, and added again, as the logarithm of a sum is taught."""

    def value(self, xp, z, t):
        m = xp.max(z, axis=-1, keepdims=True)
        return xp.log(xp.sum(xp.exp(z - m), axis=-1)) + m[..., 0] - xp.sum(t * z, axis=-1)


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


@right("squares of differences that are exact where they are small")
class HonestBrier(CategoricalLoss):
    """Brier, 1950."""

    def value(self, xp, y, t):
        return xp.sum((y - t) ** 2, axis=-1)


@right("1 - a share near 1 has an error of 1e-16: 12 digits of a loss of 1e-3 are left")
class HonestDice(CategoricalLoss):
    """Soft Dice of the pixels of a row; Milletari et al., 2016."""

    prediction, target = UNIT, BINARY

    def value(self, xp, y, t):
        both = 2 * xp.sum(y * t, axis=-1) + 1
        return 1 - both / (xp.sum(y, axis=-1) + xp.sum(t, axis=-1) + 1)


@right("the false ones are in the numerator, in which nothing cancels")
class HonestTversky(CategoricalLoss):
    """Salehi et al., 2017."""

    prediction, target = UNIT, BINARY
    a: PositiveFloat = 0.3
    b: PositiveFloat = 0.7

    def parts(self, xp, y, t):
        true = xp.sum(y * t, axis=-1)
        extra, missed = xp.sum(y * (1 - t), axis=-1), xp.sum((1 - y) * t, axis=-1)
        return true, self.a * extra + self.b * missed

    def formula(self, xp, y, t):
        true, false = self.parts(xp, y, t)
        return 1 - (true + 1) / (true + false + 1)

    def value(self, xp, y, t):
        true, false = self.parts(xp, y, t)
        return false / (true + false + 1)


class OfAngle(PointwiseLoss):
    """Abstract: 1 - the cosine of two vectors."""

    prediction = target = Vector.of(REAL, size=3)

    def formula(self, xp, y, t):
        sizes = xp.sum(y * y, axis=-1) * xp.sum(t * t, axis=-1)
        return 1 - xp.sum(y * t, axis=-1) / xp.sqrt(sizes)


@wrong("float32, (0, 0, 1e-6) twice: the gradient is 0.06 in the place of 0; the value is right")
class HonestCosineByProducts(OfAngle):
    """1 - cos by dot products, as every library has it."""

    def value(self, xp, y, t):
        sizes = xp.sum(y * y, axis=-1) * xp.sum(t * t, axis=-1)
        return 1 - xp.sum(y * t, axis=-1) / xp.sqrt(sizes)


@right("differences of unit rows: 1e-16 of an angle, and 1e-32 of a loss")
class HonestCosineByDistance(OfAngle):
    """Half the squared distance of the unit vectors."""

    def value(self, xp, y, t):
        a = y / xp.sqrt(xp.sum(y * y, axis=-1, keepdims=True))
        b = t / xp.sqrt(xp.sum(t * t, axis=-1, keepdims=True))
        return xp.sum((a - b) ** 2, axis=-1) / 2


@right("three logits, each moved by its rounding, and a margin that is rounded as they are")
class HonestLdam(CategoricalLoss):
    """Cao et al., 2019: a margin for each class, then cross-entropy."""

    prediction = REAL
    fixed_classes: ClassVar[int] = 3
    s: PositiveFloat = 30.0

    def shifted(self, xp, z, t):
        margins = xp.stack([m * xp.ones_like(z[..., 0]) for m in (0.1, 0.3, 0.5)], axis=-1)
        return self.s * (z - margins * t)

    def formula(self, xp, z, t):
        w = self.shifted(xp, z, t)
        return xp.log(xp.sum(xp.exp(w), axis=-1)) - xp.sum(t * w, axis=-1)

    def value(self, xp, z, t):
        return -xp.sum(t * log_softmax(xp, self.shifted(xp, z, t)), axis=-1)
