"""The derivatives of one row of raw predictions, as CatBoost asks for them.

It calls an objective of several classes for each row in turn, so that what a call costs
counts: for softmax cross-entropy in any dress they are computed from its table, with
Python's own numbers.
"""

from __future__ import annotations

from math import exp, isfinite
from typing import Any

import numpy as np

from lossfw.bridges.boosting import Derivatives
from lossfw.bridges.softmax_form import softmax_form
from lossfw.errors import DivergenceError


class RowDerivatives:
    """Slopes and the matrix of curvatures of one row, of minus the loss.

    Parameters
    ----------
    of : Derivatives
        Of a loss of rows.
    """

    def __init__(self, of: Derivatives) -> None:
        self._of = of
        self._tables: dict[int, list[tuple[float, list[float]]] | None] = {}

    def __call__(
        self, approx: Any, target: float, weight: float
    ) -> tuple[list[float], list[list[float]]]:
        """Return K slopes and K rows of K curvatures."""
        # Numbers of NumPy would be several times slower.
        z = approx.tolist() if isinstance(approx, np.ndarray) else list(approx)
        table = self._table(len(z))
        if table is None or not (target == int(target) and 0 <= target < len(z)):
            return self._general(z, target, weight)
        factor, wanted = table[int(target)]
        return self._softmax(z, wanted, factor * weight, target)

    def _table(self, classes: int) -> list[tuple[float, list[float]]] | None:
        if classes not in self._tables:
            form = softmax_form(self._of.loss, classes)
            whole = form is not None and self._of.rule in ("softmax", "exact")
            self._tables[classes] = (
                list(zip(form.weight.tolist(), form.target.tolist(), strict=True))
                if form is not None and whole
                else None
            )
        return self._tables[classes]

    def _softmax(
        self, z: list[float], wanted: list[float], factor: float, target: float
    ) -> tuple[list[float], list[list[float]]]:
        top = max(z)
        sizes = [exp(a - top) for a in z]
        total = sum(sizes)
        if not isfinite(total):
            raise DivergenceError(
                f"{self._of.of.name} got the raw predictions {z} for the target {target:g}: a "
                "smaller learning rate keeps them finite."
            )
        p = [size / total for size in sizes]
        slopes = [factor * (q - share) for q, share in zip(wanted, p, strict=True)]
        scaled = [factor * b for b in p]
        bends = [[a * b for b in scaled] for a in p]
        for k, share in enumerate(scaled):
            bends[k][k] -= share
        return slopes, bends

    def _general(
        self, z: list[float], target: float, weight: float
    ) -> tuple[list[float], list[list[float]]]:
        """Return the derivatives of any loss of rows; its curvatures are a diagonal."""
        g, h = self._of(np.array([z]), np.array([target]), np.array([weight], np.float64))
        return (-g[0]).tolist(), np.diag(-h[0]).tolist()
