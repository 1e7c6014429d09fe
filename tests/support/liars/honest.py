"""Honest functions in plain NumPy, which keep every law and claim that they make.

A liar is one of them with one thing changed.
"""

import functools
from dataclasses import replace

import numpy as np

import lossfw
from lossfw.check.core.subject import Subject
from lossfw.components.spaces import BINARY, CLASS_INDEX, LOGITS, REAL, SIGN, SIMPLEX, UNIT


def elementwise(f):
    """Refuse shapes that do not fit, compute in float32 at least, answer in y's dtype."""

    @functools.wraps(f)
    def call(y, t):
        y, t = np.asarray(y), np.asarray(t)
        if y.shape != t.shape:
            raise ValueError(f"{y.shape} and {t.shape}")
        dtype = y.dtype if y.dtype.kind == "f" else np.dtype(float)
        work = np.result_type(dtype, np.float32)
        return np.asarray(f(y.astype(work), t.astype(work))).astype(dtype) + 0.0

    return call


def rowwise(f):
    """The same for rows; class indices become one-hot rows."""

    @functools.wraps(f)
    def call(y, t):
        y, t = np.asarray(y), np.asarray(t)
        dtype = y.dtype if y.dtype.kind == "f" else np.dtype(float)
        work = np.result_type(dtype, np.float32)
        return np.asarray(f(y.astype(work), as_rows(t, y.shape).astype(work))).astype(dtype) + 0.0

    return call


def as_rows(t, shape):
    if len(shape) == 2 and t.ndim == 1 and t.dtype.kind in "iu" and t.shape == shape[:1]:
        if t.size and not (t.min() >= 0 and t.max() < shape[1]):
            raise IndexError("no such class")
        return np.eye(shape[1])[t]
    if t.shape != shape:
        raise ValueError(f"{shape} and {t.shape}")
    return t


def mean_of(value):
    """Return the weighted mean of a loss."""

    def reduce(y, t, sample_weight=None, where=None):
        losses = np.asarray(value(y, t), float)
        weight = np.ones(losses.shape) if sample_weight is None else np.asarray(sample_weight)
        weight = weight if where is None else np.where(where, weight, 0.0)
        counts = weight != 0
        return np.sum(np.where(counts, weight * losses, 0.0)) / np.sum(weight)

    return reduce


@elementwise
def square(y, t):
    return (y - t) ** 2


@elementwise
def square_gradient(y, t):
    return 2 * (y - t)


@elementwise
def square_curvature(y, t):
    return 2 + 0 * (y - t)


SQUARE_MEAN = mean_of(square)
SQUARE = Subject("square", "distance", REAL, REAL, square, square_gradient, square_curvature,
                 SQUARE_MEAN)  # fmt: skip
PLAIN = replace(SQUARE, gradient=None, hessian=None, reduce=None)
TRUE_SQUARE = replace(SQUARE, truth=lossfw.loss("squared_error"))


@elementwise
def hinge(y, t):
    return np.maximum(1 - t * y, 0)


HINGE = Subject("margin", "margin", REAL, SIGN, hinge)


@elementwise
def brier(y, t):
    return (y - t) ** 2


BRIER = Subject("brier", "pointwise", UNIT, BINARY, brier)


@rowwise
def cross_entropy(y, t):
    z = y - y.max(-1, keepdims=True)
    with np.errstate(all="ignore"):
        logs = z - np.log(np.exp(z).sum(-1, keepdims=True))
        return -np.where(t == 0, np.where(np.isnan(logs), logs, 0), t * logs).sum(-1)


LOGIT_ROWS = Subject("rows", "categorical", LOGITS, CLASS_INDEX, cross_entropy)


@rowwise
def row_brier(y, t):
    return ((y - t) ** 2).sum(-1)


BRIER_ROWS = Subject("brier rows", "categorical", SIMPLEX, SIMPLEX, row_brier)


def distance(f, base=SQUARE, **claims):
    """Return a subject of a function of the residual and nothing else."""
    value = elementwise(lambda y, t: f(y - t))
    return replace(base, value=value, gradient=None, hessian=None, reduce=None, claims=claims)


def margin(f, **claims):
    """Return a subject of a function of the margin."""
    return replace(HINGE, value=elementwise(lambda y, t: f(t * y)), claims=claims)
