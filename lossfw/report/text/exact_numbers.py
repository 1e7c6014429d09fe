"""Exact numbers as text, and the exact value of a reduced loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, NDArray

# Digits that are right, and so are shown; derivatives are differences.
_VALUE_DIGITS, _DERIVATIVE_DIGITS = 60, 30


def exact_texts(
    loss: Loss, y: NDArray, t: NDArray, weight: NDArray | None, reduction: str, order: int
) -> Any:
    """Return the true value or derivative as text, in nested lists."""
    from lossfw.numerics.exact.namespace import exact_array

    exact = loss.exact(y, t, derivative=order)  # type: ignore[arg-type]  # one of 0, 1 and 2
    if reduction != "none" or weight is not None:
        shape = np.shape(loss(y, t, reduction="none"))
        weights = exact_array(np.ones(shape) if weight is None else _spread(weight, shape))
        exact = exact * (weights if exact.ndim == weights.ndim else weights[..., np.newaxis])
        if reduction == "mean":
            exact = exact / np.add.reduce(weights.ravel())
        if order == 0 and reduction != "none":
            exact = np.add.reduce(np.ravel(exact))
    return texts(exact, _DERIVATIVE_DIGITS if order else _VALUE_DIGITS)


def _spread(weight: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Spread weights of rows to the shape of the unreduced loss."""
    more = len(shape) - weight.ndim
    return np.broadcast_to(weight.reshape(*weight.shape, *[1] * more), shape).astype(np.float64)


def texts(x: Array, digits: int) -> Any:
    """Return exact numbers as text, in nested lists.

    Examples
    --------
    >>> from lossfw.numerics.exact.namespace import exact_array
    >>> texts(exact_array([0.1]), 20)
    ['0.10000000000000000555']
    """
    if np.ndim(x) == 0:
        number: Any = np.asarray(x, object)[()]
        return number.text(digits)
    return [texts(item, digits) for item in x]
