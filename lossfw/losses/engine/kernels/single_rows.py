"""The kernels of single rows with a class index, for libraries that process one row at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lossfw.losses.base import ResultForm
from lossfw.losses.engine.kernels.calls import watched_function
from lossfw.losses.engine.kernels.watched import UsableKernel
from lossfw.numerics.arrays import NDArray

_FLOAT64 = np.dtype(np.float64)


class RowKernels:
    """The kernels of several derivatives of rows, used once each derivative has one."""

    def __init__(self, loss: Any, forms: Sequence[ResultForm], columns: int) -> None:
        self._functions = [
            watched_function(loss, form, _FLOAT64, columns, by_index=True) for form in forms
        ]
        self._usable: list[UsableKernel] = []

    def compute(self, y: NDArray, index: NDArray) -> list[NDArray] | None:
        """Return the derivatives of a row.

        It is None while there are no kernels, or if the body must compute them. The kernels are
        looked up once, because a lookup takes as long as they do.
        """
        if not self._usable:
            found = [function.usable_kernel() for function in self._functions]
            self._usable = [one for one in found if one is not None]
            if len(self._usable) < len(found):
                self._usable = []
                return None
        results = [np.empty_like(y) for _ in self._usable]
        known = [
            usable.kernel(y, index, derivatives=out)[1]
            for usable, out in zip(self._usable, results, strict=True)
        ]
        return results if all(known) else None

    def add_seconds(self, seconds: float) -> None:
        """Add the seconds that a row took without kernels."""
        for function in self._functions:
            function.add_seconds(seconds)

    def confirm_results(self, actual: Any, by_body: Callable[[], Any], columns: int) -> Any:
        """Return the results of kernels; during a trial those of the body, after a comparison."""
        trials = [usable.trial for usable in self._usable if usable.trial is not None]
        if not trials:
            return actual
        expected = by_body()
        for trial in trials:
            trial.compare(_drop_signs(actual), _drop_signs(expected), columns)
        # Asked for again with the next row: they may be dropped, or on trial no more.
        self._usable = []
        return expected


def _drop_signs(results: Any) -> tuple[NDArray, ...]:
    """Return results as arrays; a weight of 0 has no sign."""
    return tuple(np.array(result) + 0.0 for result in results)
