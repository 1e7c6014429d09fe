"""Liars about gradient and Hessian."""

from dataclasses import replace

import numpy as np

import lossfw
from support.liars.honest import LOGIT_ROWS, TRUE_SQUARE, elementwise, rowwise, square
from support.liars.liar import Liar


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
def log_cosh(y, t):
    r = np.abs(y - t)
    near = np.log1p(2 * np.sinh(np.minimum(r, 1) / 2) ** 2)
    return np.where(r < 1, near, r + np.log1p(np.exp(-2 * r)) - np.log(2))


@elementwise
def absolute(y, t):
    return np.abs(y - t)


@elementwise
def one_at_zero(y, t):
    """The sign, whose 0 belongs to neither side: 2 is not a gradient next to it."""
    return np.where(y == t, 2.0, np.sign(y - t))


@elementwise
def gradient_to_the_end(y, t):
    """The sign, which leaves off near the end of the promise."""
    return np.where(np.abs(y - t) > 1e25, 0.0, np.sign(y - t))


@elementwise
def pseudo_huber(y, t):
    return np.hypot(1, y - t) - 1


@rowwise
def gradient_of_softmax(y, t):
    """Softmax less the target: for a class that is nearly certain two ones are subtracted."""
    with np.errstate(all="ignore"):
        e = np.exp(y - y.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True) - t


LIARS = (
    Liar("loss", "gradient", "factor", _with(gradient=without_factor)),
    Liar("loss", "gradient", "at a kink",
         _with(one_at_zero, None, lossfw.loss("absolute_error"), absolute)),
    Liar("loss", "gradient", "at the end of the promise",
         _with(gradient_to_the_end, None, lossfw.loss("absolute_error"), absolute)),
    Liar("loss", "gradient", "softmax",
         replace(LOGIT_ROWS, gradient=gradient_of_softmax,
                 truth=lossfw.loss("cross_entropy", from_logits=True)),
         ("value",)),
    Liar("loss", "hessian", "threshold", _with(hessian=other_curvature)),
    Liar("loss", "hessian", "NaN at the kink",
         _with(None, nan_at_zero, lossfw.loss("absolute_error"), absolute)),
)  # fmt: skip
