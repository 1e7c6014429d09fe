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


def evaluate_orders(loss: Any, options: SimpleNamespace) -> dict[str, Any]:
    """Return value and derivatives by name: arrays, and exact numbers as text."""
    y = read_array_argument(options.prediction, "-y", "predictions")
    t = read_array_argument(options.target, "-t", "targets")
    weight, option = options.sample_weight, "--sample-weight"
    weight = None if weight is None else read_array_argument(weight, option, "sample_weight")
    y = y if options.dtype is None else y.astype(options.dtype)
    results: dict[str, Any] = {}
    for order, is_asked in enumerate((True, options.gradient, options.hessian)):
        if not is_asked:
            continue
        function = (loss, loss.gradient, loss.hessian)[order]
        reduced = function(y, t, sample_weight=weight, reduction=options.reduction)
        results[_NAMES[order]] = np.asarray(reduced)
        if options.exact:
            texts = _exact_texts(loss, y, t, weight, options.reduction, order)
            results[f"exact {_NAMES[order]}"] = texts
    return results


def to_plain(value: Any) -> Any:
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
        weights = exact_array(
            np.ones(shape) if weight is None else _broadcast_weights(weight, shape)
        )
        exact = exact * (weights if exact.ndim == weights.ndim else weights[..., np.newaxis])
        if reduction == "mean":
            exact = exact / np.add.reduce(weights.ravel())
        if order == 0 and reduction != "none":
            exact = np.add.reduce(np.ravel(exact))
    return _to_texts(exact, _DERIVATIVE_DIGITS if order else _VALUE_DIGITS)


def _broadcast_weights(weight: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Spread weights of rows to the shape of the unreduced loss."""
    more = len(shape) - weight.ndim
    return np.broadcast_to(weight.reshape(*weight.shape, *[1] * more), shape).astype(np.float64)


def _to_texts(x: Array, digits: int) -> Any:
    """Return exact numbers as text, in nested lists.

    Examples
    --------
    >>> from lossfw.numerics.exact.namespace import exact_array
    >>> _to_texts(exact_array([0.1]), 20)
    ['0.10000000000000000555']
    """
    if np.ndim(x) == 0:
        number: Any = np.asarray(x, object)[()]
        return number.text(digits)
    return [_to_texts(item, digits) for item in x]
