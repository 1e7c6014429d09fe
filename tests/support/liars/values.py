"""Liars about the value: another one, digits lost, overflow, two answers for one target."""

from dataclasses import replace

import numpy as np

import lossfw
from lossfw import BINARY, UNIT, CategoricalLoss, PointwiseLoss
from lossfw.numerics import quotient, xlogy
from support.liars.honest import BRIER_ROWS, TRUE_SQUARE, elementwise, row_brier, rowwise
from support.liars.liar import Liar

# A NaN that spreads, and what else a formula loses that is taken as it is written.
_NAN_BESIDES = ("value",)

_BARE = replace(TRUE_SQUARE, gradient=None, hessian=None, reduce=None)


@elementwise
def expanded(y, t):
    """Multiplied out: the digits of a small residual are gone."""
    return y * y - 2 * y * t + t * t


@elementwise
def logarithm_of_cosh(y, t):
    """The definition: cosh overflows at 711, log cosh does not."""
    r = np.abs(y - t)
    with np.errstate(all="ignore"):
        near = np.log1p(2 * np.sinh(r / 2) ** 2)
        return np.where(r < 1, near, np.log(np.cosh(r)))


@rowwise
def curvature_of_rows(y, t):
    return 2 + 0 * (y - t)


def halved_by_index(y, t):
    """The curvature of class indices is half of that of rows."""
    curvature = curvature_of_rows(y, t)
    return curvature / 2 if np.asarray(t).ndim == 1 else curvature


def by_index(y, t):
    """Class indices counted from the last class."""
    t = np.asarray(t)
    if t.ndim == 1 and t.size and np.all((t >= 0) & (t < y.shape[1])):
        return row_brier(y, y.shape[1] - 1 - t)
    return row_brier(y, t)


class NaiveCrossEntropy(CategoricalLoss):
    """-sum of t log y, as it is written: 0 times infinity for a class that is excluded."""

    def value(self, xp, y, t):
        return -xp.sum(t * xp.log(y), axis=-1)

    def formula(self, xp, y, t):
        return -xp.sum(xlogy(xp, t, y), axis=-1)

    def derivative(self, xp, y, t):
        return -quotient(xp, t, y)

    def second_derivative(self, xp, y, t):
        return quotient(xp, quotient(xp, t, y), y)


class NaiveFormula(NaiveCrossEntropy):
    """The value is that of xlogy, and the formula is what is NaN."""

    def value(self, xp, y, t):
        return -xp.sum(xlogy(xp, t, y), axis=-1) + 0.0

    def formula(self, xp, y, t):
        return -xp.sum(t * xp.log(y), axis=-1)


class NaiveFocal(PointwiseLoss):
    """The focal loss as it is written, with a clipped formula: NaN at y = t."""

    prediction, target = UNIT, BINARY

    def value(self, xp, y, t):
        return -t * (1 - y) ** 2 * xp.log(y) - (1 - t) * y**2 * xp.log(1 - y)


LIARS = (
    Liar("loss", "nan:legal", "cross entropy", NaiveCrossEntropy(), _NAN_BESIDES),
    Liar("loss", "value", "cross entropy", NaiveFormula()),
    # A target of -1 stands for a missing one.
    Liar("loss", "value", "marker",
         replace(_BARE, value=elementwise(lambda y, t: np.where(t == -1, 0, (y - t) ** 2))),
         ("nan",)),
    Liar("loss", "value:index", "curvature", replace(BRIER_ROWS, hessian=halved_by_index)),
    Liar("loss", "value", "multiplied out", replace(_BARE, value=expanded),
         # Multiplied out, the largest numbers are too large and small results below 0.
         ("value:negative_zero",)),
    Liar("loss", "value", "log cosh",
         replace(_BARE, value=logarithm_of_cosh, truth=lossfw.loss("log_cosh"))),
)  # fmt: skip
