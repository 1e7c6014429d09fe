"""Liars about the call: shapes, layouts, dtypes, purity, NaN, class indices, signs of zero."""

from dataclasses import replace

import numpy as np

from liars.honest import LOGIT_ROWS, SQUARE, cross_entropy, square
from liars.liar import Liar

# Where a function writes things that it should not remember.
_memory = {}


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


def always_double(y, t):
    return square(y, t).astype(float)


def in_integers(y, t):
    y = np.asarray(y)
    if y.dtype.kind == "i":
        return square(y // 2 * 2, t)
    return square(y, t)


def in_half(y, t):
    y, t = np.asarray(y), np.asarray(t)
    if y.dtype != np.float16:
        return square(y, t)
    if y.shape != t.shape:
        raise ValueError
    # The square of the residual overflows before it is made small again.
    r = (y - t.astype(np.float16)) * np.float16(16)
    with np.errstate(all="ignore"):
        return r * r / np.float16(256)


def writing(y, t):
    result = square(y, t)
    if isinstance(y, np.ndarray) and y.flags.writeable and y.dtype.kind == "f":
        y -= t
    return result


def remembering(y, t):
    _memory["calls"] = _memory.get("calls", 0) + 1
    return square(y, t) * (1 + 1e-6 * (_memory["calls"] % 3))


def centred(y, t):
    result = square(y, t)
    return result - result.mean(dtype=float).astype(result.dtype) if result.size > 1 else result


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
    Liar("loss", "dtype:result", "double", replace(SQUARE, value=always_double)),
    Liar("loss", "dtype:integer", "integers", replace(SQUARE, value=in_integers)),
    Liar("loss", "dtype:half", "half", replace(SQUARE, value=in_half)),
    Liar("loss", "purity:arguments", "writes", replace(SQUARE, value=writing, reduce=None),
         # Whoever writes into its arguments finds them changed at the next call.
         ("shape:layout", "dtype:integer", "purity:repeat", "purity:companions")),
    Liar("loss", "purity:repeat", "memory", replace(SQUARE, value=remembering, reduce=None),
         # No two calls agree, wherever two are compared.
         ("shape:layout", "dtype:integer", "dtype:half", "purity:companions", "gradient",
          "hessian")),
    Liar("loss", "purity:companions", "batch", replace(SQUARE, value=centred, reduce=None),
         ("nan", "dtype:half", "gradient", "hessian")),
    Liar("loss", "nan", "fmax", replace(SQUARE, value=deaf)),
    Liar("loss", "domain:class_index", "modulo", replace(LOGIT_ROWS, value=wrapping)),
    Liar("loss", "value:negative_zero", "minus", replace(SQUARE, value=minus, gradient=None,
                                                         hessian=None, reduce=None)),
)  # fmt: skip
