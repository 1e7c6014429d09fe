"""Sizes of units, and degrees of freedom of the standard error of a weighted mean."""

from __future__ import annotations

import numpy as np

from lossfw.evaluation.intervals.unit_sums import UnitSums
from lossfw.metrics import SumTerm
from lossfw.metrics.cell_sums import RowTerms
from lossfw.numerics.arrays import NDArray

# The sums of the size of a unit: of the weights w of its rows, and of w^2 - w.
_SIZE, _EXCESS = 0, 1
# A unit with all of the weight has no others to be compared with: its share is held below 1.
_LEAST_REST = 1e-12


def degrees_of_freedom(size: NDArray, spread: NDArray | None = None) -> float:
    """Return Satterthwaite's degrees of freedom of the leave-one-out variance of a mean.

    Parameters
    ----------
    size : ndarray, shape (G,)
        The sum of the weights of each unit.
    spread : ndarray, shape (G,), optional
        The sum of the squared weights; by default the size, as for weights of 1.

    Notes
    -----
    The variance is a quadratic form u'Qu in the errors of the units, Q = D - W C W' with a
    diagonal D and two columns W. Its degrees of freedom are tr(QO)^2 / tr(QOQO), O the diagonal
    of `spread`: the variances of the units if their rows were independent. Bell and McCaffrey,
    *Bias reduction in standard errors for linear regression with multi-stage samples*, 2002.

    Examples
    --------
    >>> round(degrees_of_freedom(np.full(20, 3.0)), 9)
    19.0
    >>> round(degrees_of_freedom(np.array([19.0, *np.ones(19)])), 1)
    2.2
    """
    omega = size if spread is None else spread
    omega = omega / omega.mean()
    p = size / size.sum()
    d = 1.0 / np.maximum(1.0 - p, _LEAST_REST) ** 2
    dp = d * p
    w = np.stack([dp, np.ones_like(dp)], axis=1)
    c = np.array([[0.0, 1.0], [1.0, -float(p @ dp)]])
    b = w.T @ (omega[:, np.newaxis] * w)
    a = w.T @ ((omega * d * omega)[:, np.newaxis] * w)
    first = float((d * omega).sum() - np.trace(c @ b))
    second = float((d * omega * d * omega).sum() - 2 * np.trace(c @ a) + np.trace(c @ b @ c @ b))
    return max(first * first / second, 1.0)


def size_terms(rows: NDArray, weight: NDArray) -> RowTerms:
    """Return the terms of the size of units, from the numbers of rows and their weights."""
    place = np.zeros(len(rows), np.int64)
    terms = [SumTerm(place + _SIZE, weight), SumTerm(place + _EXCESS, weight * weight - weight)]
    return RowTerms.of(1, 2, rows, terms)


def size_of(sizes: UnitSums, keys: NDArray) -> tuple[NDArray, NDArray]:
    """Return the sum of the weights of each unit, and that of their squares."""
    dense = sizes.sums.to_table(sizes.sums.table.to_floats(), len(sizes.units))
    there = np.isin(keys, sizes.units)
    found = np.zeros((len(keys), dense.shape[1]))
    found[there] = dense[np.searchsorted(sizes.units, keys[there])]
    size = found[:, _SIZE]
    return size, size + found[:, _EXCESS]


def freedom_of(sizes: UnitSums, keys: NDArray) -> float:
    """Return the degrees of freedom over these units; 0 for fewer than two."""
    size, square = size_of(sizes, keys)
    counts = size > 0
    if counts.sum() < 2 or not np.isfinite(size).all():
        return 0.0
    return degrees_of_freedom(size[counts], square[counts])
