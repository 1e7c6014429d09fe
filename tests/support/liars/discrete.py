"""Liars about discrete arguments: each forgets in one function what another number stands for.

A loss counts half where its discrete argument is another one, and a liar counts it in whole.
Between a flag, a count or a class and the next one there is nothing, so whatever a formula does
there excuses no result.
"""

from lossfw import (
    BINARY,
    COUNT,
    NONNEGATIVE,
    REAL,
    SIGN,
    CategoricalLoss,
    Columns,
    GroupLoss,
    PointwiseLoss,
)
from lossfw.components.spaces import FiniteSpace
from support.liars.liar import Liar

_GRADES = FiniteSpace("GRADES", "the grades 0, 1 and 2", members=(0.0, 1.0, 2.0))

# Each kind of argument: its space, and where a loss counts in whole.
KINDS = {
    "flag": (BINARY, lambda x: x > 0),
    "flag of 1": (BINARY, lambda x: x == 0),
    "count": (COUNT, lambda x: x > 0),
    "count of 2": (COUNT, lambda x: x != 2),
    "sign": (SIGN, lambda x: x > 0),
    "label": (_GRADES, lambda x: x != 1),
    "zero": (NONNEGATIVE, lambda x: x > 0),
    "whole number": (REAL, lambda x: x != 1),
}

_NAMES = ("value", "gradient", "hessian")


class _Halved:
    """r^2 / 2, or half of that; the function named by `lie` has the whole always."""

    def formula(self, xp, y, t):
        r, weight = self.residual_and_weight(xp, y, t)
        return self.total(xp, weight * r**2 / 2)

    def value(self, xp, y, t):
        r, weight = self._believed(xp, y, t, "value")
        return self.total(xp, weight * r**2 / 2)

    def derivative(self, xp, y, t):
        r, weight = self._believed(xp, y, t, "gradient")
        return weight * r

    def second_derivative(self, xp, y, t):
        r, weight = self._believed(xp, y, t, "hessian")
        return xp.where(xp.isnan(r), r, weight)

    def _believed(self, xp, y, t, name):
        r, weight = self.residual_and_weight(xp, y, t)
        return r, xp.ones_like(weight) if self.lie == name else weight

    def residual_and_weight(self, xp, y, t):
        one = xp.ones_like(y)
        return y, xp.where(KINDS[self.discrete][1](t), one, one / 2)

    def total(self, xp, losses):
        return losses


class Alone(_Halved, PointwiseLoss):
    """The target is the discrete argument."""

    discrete: str
    lie: str = ""

    @property
    def target_space(self):
        return KINDS[self.discrete][0]


class InColumns(Alone):
    """Beside what was seen, the target has the discrete argument in a column."""

    @property
    def target_space(self):
        return Columns.of(seen=REAL, other=KINDS[self.discrete][0])

    def residual_and_weight(self, xp, y, t):
        return y - t.seen, super().residual_and_weight(xp, y, t.other)[1]


class InGroups(_Halved, GroupLoss):
    """A group has the sum, its rows the discrete argument as their target."""

    discrete: str
    lie: str = ""

    @property
    def target_space(self):
        return KINDS[self.discrete][0]

    def total(self, xp, losses):
        return xp.sum(losses, axis=-1)


class InColumnsOfGroups(InGroups):
    """A group has the sum, its rows the discrete argument in a column."""

    @property
    def target_space(self):
        return Columns.of(seen=REAL, other=KINDS[self.discrete][0])

    def residual_and_weight(self, xp, y, t):
        return y - t.seen, super().residual_and_weight(xp, y, t.other)[1]


class OfClasses(_Halved, CategoricalLoss):
    """A row has the sum, and its class counts in whole."""

    prediction = REAL
    discrete: str = "flag"
    lie: str = ""

    def total(self, xp, losses):
        return xp.sum(losses, axis=-1)


PLACES = (Alone, InColumns, InGroups, InColumnsOfGroups)

HONEST = (*(place(discrete=name) for place in PLACES for name in KINDS), OfClasses())

LIARS = tuple(
    Liar("loss", name, f"{type(loss).__name__}, {loss.discrete}", loss.replace(lie=name))
    for loss in HONEST
    for name in _NAMES
)
