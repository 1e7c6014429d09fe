"""The expected loss of predictions under known probabilities of the target."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.check.core.subject import Subject, call
from lossfw.components.spaces import CLASS_INDEX
from lossfw.numerics.arrays import NDArray

# A lower risk elsewhere refutes when it is lower by more than rounding can do.
CERTAIN = 1e-9


def rounded(x: Any) -> str:
    """Write a probability, or a row of them."""
    values = np.round(np.atleast_1d(x), 6).tolist()
    return str(values[0] if len(values) == 1 else values)


def values_of(subject: Subject, y: NDArray, t: NDArray) -> NDArray:
    """Return the unreduced losses in float64."""
    return np.asarray(call(subject.value, y, t), np.float64)


def risk_of(subject: Subject, y: NDArray, q: NDArray) -> NDArray:
    """Return the expected loss of rows y (M, K) where class k has probability q_k."""
    possible = np.flatnonzero(q)
    # One call for all classes: a search makes thousands.
    index = np.repeat(possible, len(y))
    targets = _targets(subject, index, len(q))
    values = values_of(subject, np.tile(y, (possible.size, 1)), targets)
    return np.asarray(q[possible] @ values.reshape(possible.size, len(y)))


def _targets(subject: Subject, index: NDArray, columns: int) -> NDArray:
    return index if subject.target is CLASS_INDEX else np.eye(columns)[index]


def without_nan(risk: NDArray) -> NDArray:
    """Return risks with infinity in the place of NaN, which is never the least."""
    return np.where(np.isnan(risk), np.inf, risk)
