"""Liars about many classes."""

from dataclasses import replace

import numpy as np

import lossfw
from lossfw.components.spaces import LOGITS, SIMPLEX
from support.liars.honest import BRIER_ROWS, rowwise
from support.liars.liar import Liar

_BRIER = replace(BRIER_ROWS, truth=lossfw.loss("brier"))


@rowwise
def first_hundred(y, t):
    """The sum over the first hundred classes."""
    return ((y - t)[:, :100] ** 2).sum(-1) + 0 * y.sum(-1)


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
def unguarded_product(y, t):
    """Cross-entropy by a product for each class: 0 times an infinite distance is NaN."""
    below = y.max(-1, keepdims=True) - y
    others = np.where(np.arange(y.shape[-1]) == y.argmax(-1)[:, None], 0, np.exp(-below))
    return (t * (below + np.log1p(others.sum(-1, keepdims=True)))).sum(-1)


LIARS = (
    Liar("loss", "classes", "hundred", replace(_BRIER, value=first_hundred), ("value:index",)),
    Liar("loss", "classes", "half", replace(_BRIER, value=summed_in_half)),
    Liar("loss", "value:excluded", "product",
         replace(BRIER_ROWS, value=unguarded_product, prediction=LOGITS, target=SIMPLEX)),
)  # fmt: skip
