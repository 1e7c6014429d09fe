"""Liars about many classes."""

from dataclasses import replace

import numpy as np

import lossfw
from lossfw.components.spaces import CLASS_INDEX, LOGITS, SIMPLEX
from support.liars.honest import BRIER_ROWS, rowwise
from support.liars.liar import Liar

_BRIER = replace(BRIER_ROWS, truth=lossfw.loss("brier"))


@rowwise
def first_hundred(y, t):
    """The sum over the first hundred classes."""
    return ((y - t)[:, :100] ** 2).sum(-1) + 0 * y.sum(-1)


@rowwise
def gradient_of_bytes(y, t):
    """Classes 256 apart are one."""
    result = 2 * (y - t)
    result[:, 256:] = result[:, : max(y.shape[1] - 256, 0)]
    return result


@rowwise
def curvature_of_few(y, t):
    """What is kept for a hundred classes is 0 beyond."""
    return np.where(np.arange(y.shape[1]) < 100, 2.0, 0.0) + 0 * y


def summed_in_half(y, t):
    """Half precision is added up in half precision, term by term."""
    y, t = np.asarray(y), np.asarray(t)
    if y.dtype != np.float16 or y.shape != t.shape or y.shape[-1] < 1000:
        return BRIER_ROWS.value(y, t)
    terms = (y - t.astype(np.float16)) ** 2 + np.float16(0.125)
    total = np.zeros(len(y), np.float16)
    for column in range(y.shape[1]):
        total = total + terms[:, column]
    return total - np.float16(0.125) * np.float16(y.shape[1])


@rowwise
def _by_label(y, t):
    return ((y - t) ** 2).sum(-1)


def labels_in_half(y, t):
    """Labels in the precision of the predictions: above 2,048 not all of them are there."""
    y, t = np.asarray(y), np.asarray(t)
    if t.ndim == 1 and t.size and t.dtype.kind == "i" and t.min() >= 0 and t.max() < y.shape[-1]:
        t = t.astype(y.dtype).astype(int)
    return _by_label(y, t)


@rowwise
def unguarded_product(y, t):
    """Cross-entropy by a product for each class: 0 times an infinite distance is NaN."""
    below = y.max(-1, keepdims=True) - y
    others = np.where(np.arange(y.shape[-1]) == y.argmax(-1)[:, None], 0, np.exp(-below))
    return (t * (below + np.log1p(others.sum(-1, keepdims=True)))).sum(-1)


_LABELS = replace(BRIER_ROWS, target=CLASS_INDEX, prediction=LOGITS, value=labels_in_half)

LIARS = (
    Liar("loss", "classes", "hundred", replace(_BRIER, value=first_hundred), ("value:index",)),
    Liar("loss", "classes", "bytes", replace(_BRIER, gradient=gradient_of_bytes)),
    Liar("loss", "classes", "few",
         replace(_BRIER, gradient=rowwise(lambda y, t: 2 * (y - t)), hessian=curvature_of_few)),
    Liar("loss", "classes", "labels", _LABELS),
    Liar("loss", "classes", "half", replace(_BRIER, value=summed_in_half)),
    Liar("loss", "value:excluded", "product",
         replace(BRIER_ROWS, value=unguarded_product, prediction=LOGITS, target=SIMPLEX)),
)  # fmt: skip
