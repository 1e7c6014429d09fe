"""Rows for the losses over classes, and how far a loss is from its 60-digit formula."""

import numpy as np

from lossfw.numerics.exact.ulp import ulp_error

DTYPES = (np.float32, np.float64)


def tiny(dtype):
    return np.finfo(dtype).smallest_subnormal


def distributions(seed, rows, columns, dtype):
    """Rows that sum to 1 up to rounding, from nearly even to nearly all in one class."""
    rng = np.random.default_rng(seed)
    weights = np.exp(rng.normal(size=(rows, columns)) * rng.choice([0.1, 1, 5, 50], (rows, 1)))
    return (weights / weights.sum(-1, keepdims=True)).astype(dtype)


def one_hot(seed, rows, columns, dtype):
    index = np.random.default_rng(seed).integers(0, columns, rows)
    return np.eye(columns, dtype=dtype)[index]


def logits(seed, rows, columns, dtype):
    """Rows of logits of several sizes, some of them with ties."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, columns)) * rng.choice([1e-3, 1, 10, 200], (rows, 1))
    z[::7, 0] = z[::7, -1]
    return z.astype(dtype)


def computed(loss, y, t, order):
    function = (loss, loss.gradient, loss.hessian)[order]
    return function(y, t, reduction="none")


def worst(loss, y, t, order=0, *, against=None):
    """Return the largest error in units in the last place, where the truth exists.

    `against` are numbers by whose last place is measured where they are larger.
    """
    exact = loss.exact(y, t, derivative=order)
    found = computed(loss, y, t, order)
    errors = ulp_error(found, exact)
    if against is not None:
        own = np.where(np.isfinite(found), np.abs(found), 0)
        unit = np.abs(np.broadcast_to(against, found.shape)).astype(found.dtype)
        errors = errors * (np.spacing(own).astype(float) / np.spacing(np.maximum(own, unit)))
    known = np.array([x == x for x in exact.ravel()]).reshape(exact.shape)
    return float(np.where(known, errors, 0.0).max())
