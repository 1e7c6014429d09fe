"""The derivatives of one row of raw predictions, as CatBoost asks for them.

It calls an objective of several classes for each row in turn, so that what a call costs
counts. For softmax cross-entropy in any dress they are computed from its table, with
Python's own numbers; for other losses by kernels of rows, once there are any.
"""

from __future__ import annotations

import time
from math import exp, isfinite
from typing import Any, Final, NamedTuple

import numpy as np

from lossfw.bridges.boosting import Derivatives
from lossfw.bridges.curvature import LEAST
from lossfw.bridges.softmax_form import softmax_form
from lossfw.errors import DivergenceError
from lossfw.losses.base import ResultForm
from lossfw.losses.engine.call_kernels import watched_function
from lossfw.losses.engine.kernels import UsableKernel, WatchedFunction

_FLOAT64: Final = np.dtype(np.float64)


class _Kernels(NamedTuple):
    """The kernels of a loss for a class index, of slopes and of second derivatives."""

    slope: UsableKernel
    second: UsableKernel


class RowDerivatives:
    """Slopes and the matrix of curvatures of one row, of minus a loss of rows."""

    def __init__(self, derivatives: Derivatives) -> None:
        self._derivatives = derivatives
        self._tables: dict[int, list[tuple[float, list[float]]] | None] = {}
        self._functions: dict[int, tuple[WatchedFunction, ...]] = {}
        self._kernels: dict[int, _Kernels] = {}

    def __call__(
        self, approx: Any, target: float, weight: float
    ) -> tuple[list[float], list[list[float]]]:
        """Return K slopes and K rows of K curvatures."""
        # Numbers of NumPy would be several times slower.
        z = approx.tolist() if isinstance(approx, np.ndarray) else list(approx)
        table = self._table(len(z))
        if not (isfinite(target) and target == int(target) and 0 <= target < len(z)):
            return self._general(z, target, weight)
        if table is not None:
            factor, target_probabilities = table[int(target)]
            return self._softmax(z, target_probabilities, factor * weight, target)
        kernels = self._compiled(len(z))
        found = None if kernels is None else self._by_kernels(kernels, z, int(target), weight)
        if kernels is None or found is None:
            started_at = time.thread_time()
            found = self._general(z, target, weight)
            for function in self._functions[len(z)]:
                function.add_seconds(time.thread_time() - started_at)
            return found
        trials = [trial for trial in (kernels.slope.trial, kernels.second.trial) if trial]
        if not trials:
            return found
        right = self._general(z, target, weight)
        for trial in trials:
            trial.compare(_without_signs_of_zeros(found), _without_signs_of_zeros(right), len(z))
        # Asked for again with the next row: they may be dropped, or on trial no more.
        del self._kernels[len(z)]
        return right

    def _table(self, classes: int) -> list[tuple[float, list[float]]] | None:
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
        slopes = [factor * (q - share) for q, share in zip(target_probabilities, p, strict=True)]
        scaled = [factor * b for b in p]
        bends = [[a * b for b in scaled] for a in p]
        for k, share in enumerate(scaled):
            bends[k][k] -= share
        return slopes, bends

    def _compiled(self, classes: int) -> _Kernels | None:
        """Return the kernels for a number of classes by now."""
        if classes not in self._functions:
            # The first row goes through every check of the loss.
            self._functions[classes] = self._functions_of(classes)
        elif classes not in self._kernels:
            found = [function.usable_kernel() for function in self._functions[classes]]
            slope, second = found or (None, None)
            if slope is not None and second is not None:
                self._kernels[classes] = _Kernels(slope, second)
        return self._kernels.get(classes)

    def _functions_of(self, classes: int) -> tuple[WatchedFunction, ...]:
        """Return the slopes and second derivatives of a number of classes, if they may compile."""
        loss = self._derivatives.loss
        if self._derivatives.rule not in ("slope", "exact", "softmax") or loss.has_own_weight:
            return ()
        forms: tuple[ResultForm, ...] = ("gradient", "hessian")
        return tuple(
            watched_function(loss, form, _FLOAT64, classes, by_index=True) for form in forms
        )

    def _by_kernels(
        self, kernels: _Kernels, z: list[float], target: int, weight: float
    ) -> tuple[list[float], list[list[float]]] | None:
        """Return what `_general` returns, by the same operations; None where it has to tell."""
        y, index = np.array([z]), np.array([target])
        slopes, seconds = np.empty_like(y), np.empty_like(y)
        is_known = kernels.slope.kernel(y, index, derivatives=slopes)[1]
        is_known &= kernels.second.kernel(y, index, derivatives=seconds)[1]
        if not is_known:
            return None
        g = [-weight * slope for slope in slopes[0].tolist()]
        h = [weight * second for second in seconds[0].tolist()]
        if not isfinite(sum(g) + sum(h)):
            return None
        if self._derivatives.rule == "slope":
            h = [max(b, abs(a)) for a, b in zip(g, h, strict=True)]
        least = LEAST * weight
        bends = [[0.0] * len(z) for _ in z]
        for k, b in enumerate(h):
            bends[k][k] = -max(b, least)
        return g, bends

    def _general(
        self, z: list[float], target: float, weight: float
    ) -> tuple[list[float], list[list[float]]]:
        """Return the derivatives of any loss of rows; its curvatures are a diagonal."""
        g, h = self._derivatives(np.array([z]), np.array([target]), np.array([weight], np.float64))
        return (-g[0]).tolist(), np.diag(-h[0]).tolist()


def _without_signs_of_zeros(results: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return results as arrays; a weight of 0 has no sign."""
    return tuple(np.array(result) + 0.0 for result in results)
