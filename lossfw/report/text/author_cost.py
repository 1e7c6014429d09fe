"""The cost of a loss whose author wrote only `value`: its gradient relative to its value.

Measured in tiles, on ordinary numbers, for some milliseconds; ratios are more stable than times.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from lossfw.losses.engine.engine_mode import use_engine
from lossfw.losses.engine.probes import column_probes, element_probes, row_probes
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import NDArray

# Enough numbers that the arrays take longer than the call, and few enough for a slow body.
_NUMBERS = 20_000

# The columns of a row, where the loss does not fix them.
COLUMNS = 10

# Ordinary numbers are not larger than this: beyond it bodies may go other ways.
_LARGE = 30.0

# Each function is called so often at most, and both together take no longer than this.
_CALLS, _SECONDS = 15, 0.1


def gradient_cost_ratio(loss: Loss) -> float | None:
    """Return the time of value and gradient over that of the value; None if there is no loss.

    Examples
    --------
    >>> import lossfw
    >>> gradient_cost_ratio(lossfw.loss("huber")) > 0
    True
    """
    try:
        y, t = _ordinary_arguments(loss)
        with use_engine("tiles"), np.errstate(all="ignore"):
            value, both = _least_seconds(
                lambda: loss(y, t, reduction="sum"),
                lambda: loss.value_and_gradient(y, t, reduction="sum"),
            )
    except Exception:
        # A loss that is wrong says so when it is used, and `lossfw check` says why.
        return None
    return both / value


def _ordinary_arguments(loss: Loss) -> tuple[NDArray, NDArray]:
    """Return ordinary predictions and targets, drawn again and again."""
    dtype, spaces = np.dtype(np.float64), (loss.prediction_space, loss.target_space)
    columns = loss.fixed_classes or COLUMNS
    if loss.has_columns:
        y, t = column_probes(spaces, dtype, COLUMNS)
    elif loss.takes_rows:
        y, t = row_probes(spaces, dtype, columns, by_index=loss.takes_classes)
    else:
        y, t = element_probes(spaces, dtype)
    usual = (np.isfinite(y) & (np.abs(y) < _LARGE) & (y != 0)).reshape(len(y), -1).all(-1)
    usual &= (np.isfinite(t) & (np.abs(t) < _LARGE)).reshape(len(t), -1).all(-1)
    rows = np.resize(np.flatnonzero(usual), _NUMBERS // math.prod(y.shape[1:]))
    return y[rows], t[rows]


def _least_seconds(*functions: Callable[[], object]) -> list[float]:
    """Return the least seconds of each function; they take turns, after a call of each."""
    least = [float("inf")] * len(functions)
    for function in functions:
        function()
    end = time.perf_counter() + _SECONDS
    for _ in range(_CALLS):
        for place, function in enumerate(functions):
            begun = time.perf_counter()
            function()
            least[place] = min(least[place], time.perf_counter() - begun)
        if time.perf_counter() > end:
            break
    return least
