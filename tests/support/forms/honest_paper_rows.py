"""Honest losses from papers and other libraries, of rows."""

from typing import Annotated

from pydantic import Field, PositiveFloat

from lossfw import REAL, SIMPLEX, CategoricalLoss
from lossfw.numerics import log_softmax, softmax, xlogy
from support.forms.form import right

Share = Annotated[float, Field(gt=0, lt=1)]


@right("next to y = t an error of 1e-16, of a loss that is nearly 0; the gradient at 0 is known")
class HonestHellinger(CategoricalLoss):
    """Half the squared distance of Hellinger, 1909, by the product."""

    target = SIMPLEX

    def formula(self, xp, y, t):
        return xp.sum((y + t) / 2 - xp.sqrt(y * t), axis=-1)

    def value(self, xp, y, t):
        return xp.sum((y + t) / 2 - xp.sqrt(y * t), axis=-1)


@right("log 0 is a number by definition, and no other term cancels")
class HonestSymmetricEntropy(CategoricalLoss):
    """Wang et al., 2019: cross-entropy both ways, with log 0 = -4."""

    alpha: PositiveFloat = 0.1

    def value(self, xp, y, t):
        return -self.alpha * xp.sum(xlogy(xp, t, y), axis=-1) + 4 * xp.sum(y * (1 - t), axis=-1)


@right(
    "1 - p^q next to p = 1 has an error of 1e-16; the gradient at p = 0 is infinite as the truth"
)
class HonestGeneralisedEntropy(CategoricalLoss):
    """Zhang and Sabuncu, 2018."""

    q: Share = 0.7

    def value(self, xp, y, t):
        return (1 - xp.sum(t * y, axis=-1) ** self.q) / self.q


@right("functions of the library, and 1 - p with an error of 1e-16")
class HonestPolyOne(CategoricalLoss):
    """Leng et al., 2022: cross-entropy plus a multiple of 1 - p."""

    prediction = REAL
    e: PositiveFloat = 2.0

    def formula(self, xp, z, t):
        power = xp.exp(z)
        total = xp.sum(power, axis=-1)
        cross = xp.log(total) - xp.sum(t * z, axis=-1)
        return cross + self.e * (1 - xp.sum(t * power, axis=-1) / total)

    def value(self, xp, z, t):
        cross = -xp.sum(t * log_softmax(xp, z), axis=-1)
        return cross + self.e * (1 - xp.sum(t * softmax(xp, z), axis=-1))
