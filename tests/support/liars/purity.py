"""Liars about purity: what is written to, remembered, or taken from companions."""

from dataclasses import replace

import numpy as np

from support.liars.honest import PLAIN, SQUARE, SQUARE_MEAN, square
from support.liars.liar import Liar

# Where a function writes things that it should not remember.
_memory = {}


def writing(y, t):
    result = square(y, t)
    if isinstance(y, np.ndarray) and y.flags.writeable and y.dtype.kind == "f":
        y -= t
    return result


def mask_into_weights(y, t, sample_weight=None, where=None):
    result = SQUARE_MEAN(y, t, sample_weight, where)
    if sample_weight is not None and where is not None and sample_weight.flags.writeable:
        sample_weight *= where
    return result


def remembering(y, t):
    _memory["calls"] = _memory.get("calls", 0) + 1
    return square(y, t) * (1 + 1e-6 * (_memory["calls"] % 3))


def centred(y, t):
    result = square(y, t)
    return result - result.mean(dtype=float).astype(result.dtype) if result.size > 1 else result


def from_the_first(y, t):
    """Measured from the first prediction, whose size decides what is left of the others."""
    y, t = np.asarray(y), np.asarray(t)
    if y.shape != t.shape or y.dtype != float or y.ndim != 1 or not y.size:
        return square(y, t)
    first = y[0] if np.isfinite(y[0]) and abs(y[0]) > 1e15 else 0.0
    return square((y - first) + first, t) + 0 * y


def _more_than(count, f):
    """Return a function that is wrong for the first of more than so many elements."""

    def call(y, t):
        result = f(y, t)
        if result.size > count:
            result[(0,) * result.ndim] *= 1.5
        return result

    return call


LIARS = (
    Liar("loss", "purity:arguments", "writes", replace(SQUARE, value=writing, reduce=None),
         # Other numbers are found at the second call with the same arrays.
         ("shape:layout", "purity:repeat")),
    Liar("loss", "purity:arguments", "mask", replace(SQUARE, reduce=mask_into_weights)),
    Liar("loss", "purity:repeat", "memory", replace(SQUARE, value=remembering, reduce=None),
         # No two calls agree, wherever two are compared.
         ("shape:layout", "dtype:inputs",
          "dtype:half", "purity:companions",
          "many", "gradient", "hessian")),
    Liar("loss", "purity:companions", "batch", replace(SQUARE, value=centred, reduce=None),
         ("nan", "dtype:half", "purity:repeat",
          "many", "gradient", "hessian")),
    Liar("loss", "purity:companions", "first", replace(PLAIN, value=from_the_first)),
    Liar("loss", "many", "value", replace(PLAIN, value=_more_than(300, square))),
)  # fmt: skip
