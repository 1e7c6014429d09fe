"""The derivatives of one row of raw predictions, for CatBoost.

It calls an objective of several classes once per row, so the overhead of a call matters. For every
form of softmax cross-entropy they are computed from its table with Python floats; for other losses
by kernels of rows, once these exist.
"""

from __future__ import annotations

import time
from functools import partial
from math import exp, isfinite
from typing import Any

import numpy as np

from lossfw.errors import DivergenceError
from lossfw.learning.curvature import LEAST
from lossfw.learning.derivatives import Derivatives
from lossfw.learning.softmax_form import softmax_form
from lossfw.losses.engine.compiled import RowKernels


class RowDerivatives:
    """Gradients and the matrix of curvatures of one row, of minus a loss of rows."""

    def __init__(self, derivatives: Derivatives) -> None:
        self._derivatives = derivatives
        self._tables: dict[int, list[tuple[float, list[float]]] | None] = {}
        self._kernels: dict[int, RowKernels | None] = {}

    def __call__(
        self, approx: Any, target: float, weight: float
    ) -> tuple[list[float], list[list[float]]]:
        """Return K gradients and K rows of K curvatures."""
        # Numbers of NumPy would be several times slower.
        z = approx.tolist() if isinstance(approx, np.ndarray) else list(approx)
        table = self._softmax_table(len(z))
        if not (isfinite(target) and target == int(target) and 0 <= target < len(z)):
            return self._any_derivatives(z, target, weight)
        if table is not None:
            factor, target_probabilities = table[int(target)]
            return self._softmax(z, target_probabilities, factor * weight, target)
        if len(z) not in self._kernels:
            # The first row goes through every check of the loss.
            self._kernels[len(z)] = self._make_kernels(len(z))
            return self._any_derivatives(z, target, weight)
        kernels = self._kernels[len(z)]
        if kernels is None:
            return self._any_derivatives(z, target, weight)
        found = self._kernel_derivatives(kernels, z, int(target), weight)
        if found is None:
            started_at = time.thread_time()
            found = self._any_derivatives(z, target, weight)
            kernels.add_seconds(time.thread_time() - started_at)
            return found
        of_body = partial(self._any_derivatives, z, target, weight)
        right: tuple[list[float], list[list[float]]] = kernels.confirm_results(
            found, of_body, len(z)
        )
        return right

    def _softmax_table(self, classes: int) -> list[tuple[float, list[float]]] | None:
        if classes not in self._tables:
            form = softmax_form(self._derivatives.loss, classes)
            whole = form is not None and self._derivatives.rule in ("softmax", "exact")
            self._tables[classes] = (
                list(zip(form.weight.tolist(), form.target.tolist(), strict=True))
                if form is not None and whole
                else None
            )
        return self._tables[classes]

    def _softmax(
        self, z: list[float], target_probabilities: list[float], factor: float, target: float
    ) -> tuple[list[float], list[list[float]]]:
        top = max(z)
        sizes = [exp(a - top) for a in z]
        total = sum(sizes)
        if not isfinite(total):
            raise DivergenceError(
                f"{self._derivatives.name} got the raw predictions {z} for the target "
                f"{target:g}: a smaller learning rate keeps them finite."
            )
        p = [size / total for size in sizes]
        gradients = [factor * (q - share) for q, share in zip(target_probabilities, p, strict=True)]
        scaled = [factor * b for b in p]
        curvatures = [[a * b for b in scaled] for a in p]
        for k, share in enumerate(scaled):
            curvatures[k][k] -= share
        return gradients, curvatures

    def _make_kernels(self, classes: int) -> RowKernels | None:
        """Return the kernels for a number of classes, if there may be any."""
        loss = self._derivatives.loss
        if self._derivatives.rule not in ("gradient", "exact", "softmax") or loss._has_own_weight:
            return None
        return RowKernels(loss, ("gradient", "hessian"), classes)

    def _kernel_derivatives(
        self, kernels: RowKernels, z: list[float], target: int, weight: float
    ) -> tuple[list[float], list[list[float]]] | None:
        """Return those of `_any_derivatives`, by the same operations; None where it has to tell."""
        results = kernels.compute(np.array([z]), np.array([target]))
        if results is None:
            return None
        gradients, seconds = results
        g = [-weight * gradient for gradient in gradients[0].tolist()]
        h = [weight * second for second in seconds[0].tolist()]
        if not isfinite(sum(g) + sum(h)):
            return None
        if self._derivatives.rule == "gradient":
            h = [max(b, abs(a)) for a, b in zip(g, h, strict=True)]
        least = LEAST * weight
        curvatures = [[0.0] * len(z) for _ in z]
        for k, b in enumerate(h):
            curvatures[k][k] = -max(b, least)
        return g, curvatures

    def _any_derivatives(
        self, z: list[float], target: float, weight: float
    ) -> tuple[list[float], list[list[float]]]:
        """Return the derivatives of any loss of rows; its curvatures are a diagonal."""
        g, h = self._derivatives(np.array([z]), np.array([target]), np.array([weight], np.float64))
        return (-g[0]).tolist(), np.diag(-h[0]).tolist()
