"""Classic mistakes: a term overflows, or a constant that was to prevent this replaces results."""

from lossfw import BINARY, REAL, UNIT, CategoricalLoss, MarginLoss, PointwiseLoss
from lossfw.numerics import sigmoid, softmax, xlogy
from support.forms.form import wrong
from support.forms.honest_rows import OfAngle


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


@wrong("exp(800) is infinite; the truth is 800")
class LogOfTwoExps(PointwiseLoss):
    """The logarithm of a sum of exponentials, without the largest taken out."""

    def value(self, xp, y, t):
        return xp.log(xp.exp(y) + xp.exp(t))


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
