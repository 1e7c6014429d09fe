"""Liars about the call: shapes, layouts, NaN, class indices, signs of zero."""

from dataclasses import replace

import numpy as np

from liars.honest import LOGIT_ROWS, SQUARE, cross_entropy, square
from liars.liar import Liar


def flattened(y, t):
    return square(y, t).ravel()


def broadcasting(y, t):
    y, t = np.asarray(y), np.asarray(t)
    dtype = y.dtype if y.dtype.kind == "f" else float
    return ((y.astype(np.result_type(dtype, np.float32)) - t) ** 2).astype(dtype)


def in_memory_order(y, t):
    y, t = np.asarray(y), np.asarray(t)
    if y.shape != t.shape:
        raise ValueError
    return square(y.ravel(order="K"), t.ravel(order="K")).reshape(y.shape)


def deaf(y, t):
    with np.errstate(all="ignore"):
        return np.fmax(square(y, t), np.asarray(0, np.result_type(y, np.float16)))


def wrapping(y, t):
    y, t = np.asarray(y), np.asarray(t)
    if t.ndim == 1 and t.dtype.kind == "i" and t.shape == y.shape[:1]:
        return cross_entropy(y, t % y.shape[1])
    return cross_entropy(y, t)


def minus(y, t):
    return -square(y, t)


LIARS = (
    Liar("loss", "shape:result", "ravel", replace(SQUARE, value=flattened, reduce=None)),
    Liar("loss", "shape:broadcast", "broadcast", replace(SQUARE, value=broadcasting)),
    Liar("loss", "shape:layout", "memory", replace(SQUARE, value=in_memory_order)),
    Liar("loss", "nan", "fmax", replace(SQUARE, value=deaf)),
    Liar("loss", "domain:class_index", "modulo", replace(LOGIT_ROWS, value=wrapping)),
    Liar("loss", "value:negative_zero", "minus", replace(SQUARE, value=minus, gradient=None,
                                                         hessian=None, reduce=None)),
)  # fmt: skip
