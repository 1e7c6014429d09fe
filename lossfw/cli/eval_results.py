"""The results of ``lossfw eval``: values, derivatives and exact numbers, and how they are shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from lossfw.cli.arguments import read_array_argument
from lossfw.losses.loss import Loss
from lossfw.numerics.arrays import Array, NDArray

# By order of the derivative.
_NAMES = ("value", "gradient", "hessian")

# Longer arrays are cut in the text: the JSON has the whole.
_SHOWN_NUMBERS = 200

# Digits that are right, and so are shown; derivatives are differences.
_VALUE_DIGITS, _DERIVATIVE_DIGITS = 60, 30


def results_of(loss: Any, given: SimpleNamespace) -> dict[str, Any]:
    """Return value and derivatives by name: arrays, and exact numbers as text."""
    y = read_array_argument(given.prediction, "-y", "predictions")
    t = read_array_argument(given.target, "-t", "targets")
    weight, option = given.sample_weight, "--sample-weight"
    weight = None if weight is None else read_array_argument(weight, option, "sample_weight")
    y = y if given.dtype is None else y.astype(given.dtype)
    results: dict[str, Any] = {}
    for order, is_asked in enumerate((True, given.gradient, given.hessian)):
        if not is_asked:
            continue
        function = (loss, loss.gradient, loss.hessian)[order]
        reduced = function(y, t, sample_weight=weight, reduction=given.reduction)
        results[_NAMES[order]] = np.asarray(reduced)
        if given.exact:
            texts = _exact_texts(loss, y, t, weight, given.reduction, order)
            results[f"exact {_NAMES[order]}"] = texts
    return results


def as_plain(value: Any) -> Any:
    """Return an array as nested lists, and exact numbers as they are."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def format_value(value: Any) -> str:
    """Return an array, or exact numbers as text, in one line."""
    if isinstance(value, np.ndarray) and value.size > _SHOWN_NUMBERS:
        return " ".join(np.array2string(value, separator=", ", threshold=0).split())
    if isinstance(value, list) or np.ndim(value):
        return f"[{', '.join(map(format_value, value))}]"
    return str(value)


def _exact_texts(
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
    return _texts(exact, _DERIVATIVE_DIGITS if order else _VALUE_DIGITS)


def _spread(weight: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Spread weights of rows to the shape of the unreduced loss."""
    more = len(shape) - weight.ndim
    return np.broadcast_to(weight.reshape(*weight.shape, *[1] * more), shape).astype(np.float64)


def _texts(x: Array, digits: int) -> Any:
    """Return exact numbers as text, in nested lists.

    Examples
    --------
    >>> from lossfw.numerics.exact.namespace import exact_array
    >>> _texts(exact_array([0.1]), 20)
    ['0.10000000000000000555']
    """
    if np.ndim(x) == 0:
        number: Any = np.asarray(x, object)[()]
        return number.text(digits)
    return [_texts(item, digits) for item in x]
