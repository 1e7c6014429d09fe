"""Degrees of freedom of the spread of a weighted mean over units of any size."""

from __future__ import annotations

import numpy as np

from lossfw.numerics.arrays import NDArray

# A unit with all of the weight has no others to be compared with: its share is held below 1.
_LEAST_REST = 1e-12


def degrees_of_freedom(size: NDArray, spread: NDArray | None = None) -> float:
    """Return Satterthwaite's degrees of freedom of the leave-one-out variance of a mean.

    Parameters
    ----------
    size : ndarray, shape (G,)
        The sum of the weights of each unit.
    spread : ndarray, shape (G,), optional
        The sum of their squares; that of weights of 1, the size, by default.

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
