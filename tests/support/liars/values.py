"""Liars about the value: another one, digits lost, overflow, two answers for one target."""

from dataclasses import replace

import numpy as np

import lossfw
from lossfw import BINARY, REAL, UNIT, VECTOR, CategoricalLoss, Columns, PointwiseLoss
from lossfw.numerics import quotient, xlogy
from support.liars.honest import BRIER_ROWS, TRUE_SQUARE, elementwise, row_brier, rowwise
from support.liars.liar import Liar

# A NaN that spreads, and what else a formula loses that is taken as it is written.
_NAN_BESIDES = ("value",)
_NAIVE = ("gradient", "hessian", "arrays")

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


@elementwise
def cut_short(y, t):
    """The square, but for residuals from 3.0 to 3.1."""
    r = np.abs(y - t)
    return np.where((r > 3) & (r < 3.1), 9, r * r)


@elementwise
def large_in_single(y, t):
    """In single precision what is large is taken for 0."""
    r = np.abs(y - t)
    return np.where(r > 1e9, 0, r) if r.dtype == np.float32 else r


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


class ExpandedColumn(PointwiseLoss):
    """The square of the residual of one column, multiplied out."""

    prediction, target = Columns.of(mean=REAL, other=REAL), REAL

    def formula(self, xp, y, t):
        return (t - y.mean) ** 2 + y.other**2

    def value(self, xp, y, t):
        return t * t - 2 * t * y.mean + y.mean * y.mean + y.other**2

    def derivative(self, xp, y, t):
        return 2 * (y.mean - t), 2 * y.other

    def second_derivative(self, xp, y, t):
        return 2 + 0 * y.mean, 2 + 0 * y.other


class VarianceBySquares(PointwiseLoss):
    """A variance as the mean of the squares less the square of the mean."""

    prediction, target = VECTOR, REAL

    def formula(self, xp, y, t):
        off = y - xp.mean(y, axis=-1)[..., None]
        return xp.mean(off * off, axis=-1) + 0 * t

    def value(self, xp, y, t):
        mean = xp.mean(y, axis=-1)
        return xp.mean(y * y, axis=-1) - mean * mean + 0 * t

    def derivative(self, xp, y, t):
        off = y - xp.mean(y, axis=-1)[..., None]
        return 2 * off / y.shape[-1] + 0 * t[..., None]

    def second_derivative(self, xp, y, t):
        share = 1 / y.shape[-1]
        return 2 * share * (1 - share) + 0 * y


LIARS = (
    Liar("loss", "nan:legal", "cross entropy", NaiveCrossEntropy(), _NAN_BESIDES),
    Liar("loss", "nan:legal", "focal", NaiveFocal(), (*_NAN_BESIDES, *_NAIVE)),
    Liar("loss", "value", "cross entropy", NaiveFormula()),
    # The square, but for residuals above 20.
    Liar("loss", "value", "cut off",
         replace(_BARE, value=elementwise(lambda y, t: np.minimum((y - t) ** 2, 400)))),
    Liar("loss", "value", "cut short", replace(_BARE, value=cut_short)),
    # A target of -1 stands for a missing one.
    Liar("loss", "value", "marker",
         replace(_BARE, value=elementwise(lambda y, t: np.where(t == -1, 0, (y - t) ** 2))),
         ("nan",)),
    Liar("loss", "value", "single",
         replace(_BARE, value=large_in_single, truth=lossfw.loss("absolute_error"))),
    Liar("loss", "value:index", "curvature", replace(BRIER_ROWS, hessian=halved_by_index)),
    Liar("loss", "value", "multiplied out", replace(_BARE, value=expanded),
         # Multiplied out, the largest numbers are too large and small results below 0.
         ("value:negative_zero",)),
    Liar("loss", "value", "column multiplied out", ExpandedColumn()),
    Liar("loss", "value", "variance by squares", VarianceBySquares()),
    Liar("loss", "value", "log cosh",
         replace(_BARE, value=logarithm_of_cosh, truth=lossfw.loss("log_cosh"))),
    Liar("loss", "value:index", "last class", replace(BRIER_ROWS, value=by_index)),
)  # fmt: skip
