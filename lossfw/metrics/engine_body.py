"""The arguments of metrics, and their bodies for the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.components.spaces import CLASS_INDEX
from lossfw.losses.inputs import Arguments, as_array, check_first_row, set_weight, set_where
from lossfw.numerics.arrays import NDArray


def as_single_column(prediction: Any, target: Any) -> tuple[Any, Any]:
    """Return a prediction and a target of shape (N,) as N rows of one column, others unchanged."""
    y, t = as_array(prediction, "prediction"), as_array(target, "target")
    if y.ndim == t.ndim == 1 and y.shape == t.shape:
        return y[:, np.newaxis], t[:, np.newaxis]
    return y, t


def placeholder(shape: tuple[int, ...]) -> NDArray:
    """Return predictions of a shape that use no memory."""
    return np.broadcast_to(np.float64(0.0), shape)


def extend_call(call: Arguments, start: int, sample_weight: Any, where: Any) -> Arguments:
    """Add weights, mask and the number of the first row to the arguments of a call."""
    if sample_weight is not None:
        set_weight(call, sample_weight)
    if where is not None:
        set_where(call, where)
    call.start = check_first_row(start)
    return call


def columns_of(call: Arguments) -> int:
    """Return the number of columns of the prediction's rows."""
    return call.y.shape[-1] if call.y.ndim > 1 else 1


class MetricBody:
    """A metric as the engine runs it: a body of rows or elements without derivatives."""

    _sums_rows = False

    def __init__(self, function: Any, check: Any, *, takes_rows: bool) -> None:
        self.function, self.check, self.takes_rows = function, check, takes_rows

    def check_domain(self, y: NDArray, t: NDArray, by_index: bool, start: int) -> None:
        """Check class indices, and run the metric's own check."""
        if by_index:
            CLASS_INDEX.check_below(t, y.shape[-1], start=start)
        self.check(y, t, start)

    def _unreduced_losses(
        self, form: str, xp: Any, y: NDArray, t: NDArray, by_index: bool = False
    ) -> NDArray:
        """Return the metric of each row or element; a metric has no derivatives."""
        values: NDArray = self.function(y, t)
        return values
