"""Liars about value, gradient and Hessian."""

from dataclasses import replace

import numpy as np

import lossfw
from support.liars.honest import BRIER_ROWS, LOGIT_ROWS, TRUE_SQUARE, elementwise, rowwise, square
from support.liars.liar import Liar

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


def _with(gradient=None, hessian=None, truth=None, value=square):
    return replace(
        TRUE_SQUARE,
        value=value,
        gradient=gradient,
        hessian=hessian,
        reduce=None,
        truth=truth or TRUE_SQUARE.truth,
    )


@elementwise
def without_factor(y, t):
    return y - t


@elementwise
def other_curvature(y, t):
    return np.where(np.abs(y - t) > 1, 0.0, 2.0) + 0 * (y - t)


@elementwise
def nan_at_zero(y, t):
    with np.errstate(invalid="ignore"):
        return 0 / (y - t)


@elementwise
def absolute(y, t):
    return np.abs(y - t)


@elementwise
def one_at_zero(y, t):
    """The sign, whose 0 belongs to neither side: 2 is not a gradient next to it."""
    return np.where(y == t, 2.0, np.sign(y - t))


@rowwise
def gradient_of_softmax(y, t):
    """Softmax less the target: for a class that is nearly certain two ones are subtracted."""
    with np.errstate(all="ignore"):
        e = np.exp(y - y.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True) - t


LIARS = (
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
    Liar("loss", "gradient", "factor", _with(gradient=without_factor)),
    Liar("loss", "gradient", "at a kink",
         _with(one_at_zero, None, lossfw.loss("absolute_error"), absolute)),
    Liar("loss", "gradient", "softmax",
         replace(LOGIT_ROWS, gradient=gradient_of_softmax,
                 truth=lossfw.loss("cross_entropy", from_logits=True)),
         ("value",)),
    Liar("loss", "hessian", "threshold", _with(hessian=other_curvature)),
    Liar("loss", "hessian", "NaN at the kink",
         _with(None, nan_at_zero, lossfw.loss("absolute_error"), absolute))
)  # fmt: skip
