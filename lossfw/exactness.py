"""Exactness: the true values and derivatives of losses and activations.

The textbook formula is run on exact numbers (`lossfw.numbers.truth`), and its
derivatives are differences of that (`lossfw.numbers.differences`). No stable
form and no derivative that an author wrote has a part in it, so the result can
judge them. mpmath is imported on use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from lossfw.arguments import Arguments, NDArray, as_array, one_hot
from lossfw.errors import ArgumentError
from lossfw.numbers.arrays import Array

if TYPE_CHECKING:
    from lossfw.activation import Activation
    from lossfw.loss import Loss

# How often to differentiate.
Order: TypeAlias = Literal[0, 1, 2]


def of_loss(loss: Loss, call: Arguments, order: Order) -> Array:
    """Return the true unreduced loss of a call, or its derivative; see `Loss.exact`."""
    check_order(order)
    y, t = call.y, call.t
    loss.check_domain(y, t, call.by_index, call.start)
    if call.by_index:
        # What is left out may be no class; any will do for it.
        t = t if call.keep is None else np.where(call.keep, t, 0)
        t = one_hot(t, y.shape[-1], np.dtype(np.float64))
    elif loss.target_per_row:
        # Integers that lack the last axis would be taken for class indices.
        t = t.astype(np.result_type(t, np.float64))
    found = _true(loss.unweighted().formulas, (y, t), order, loss.takes_rows)
    if order == 0 and loss.sums_rows:
        found = found.sum(-1)
    shape = call.shape if order == 0 else call.prediction_shape
    return _chosen(call, found).reshape(shape)


def _chosen(call: Arguments, found: Array) -> Array:
    """Apply the loss's own weights, and its own rule for what counts."""
    for factor in (call.weight, None if call.keep is None else call.keep.astype(np.float64)):
        if factor is not None:
            per_row = found.ndim > factor.ndim
            found = found * _exact(factor[..., np.newaxis] if per_row else factor)
    return found


def _exact(x: NDArray) -> Array:
    from lossfw.numbers.exact import exact_array

    return exact_array(x)


def of_activation(activation: Activation, x: object, order: Order) -> Array:
    """Return the true activation of an array, or its derivative; see `Activation.exact`."""
    check_order(order)
    rows = activation.takes_rows
    array = as_array(x, "argument")
    if rows and order == 2:
        raise ArgumentError(
            f"{activation.name} is a function of rows, whose second derivative has three axes: "
            "there are derivative=0 and 1."
        )
    if rows and array.ndim == 0:
        raise ArgumentError(f"{activation.name} takes rows, got the number {array[()]}.")
    found = _true(activation.formula, (np.atleast_1d(array),), order, rows)
    if rows and order:
        # A difference moves one argument: its axis comes first. In a Jacobian the result's does.
        return np.swapaxes(found, -1, -2)
    return found.reshape(array.shape)


def _true(body: object, arrays: tuple[NDArray, ...], order: Order, rows: bool) -> Array:
    from lossfw.numbers.differences import derivative
    from lossfw.numbers.truth import evaluate

    if order == 0:
        return evaluate(body, *arrays, rows=rows)  # type: ignore[arg-type]  # a bound method
    return derivative(body, *arrays, order=order, rows=rows)  # type: ignore[arg-type]  # 1, 2


def check_order(order: Order) -> None:
    """Raise `ArgumentError` for a derivative that is not computed."""
    if order not in (0, 1, 2):
        raise ArgumentError(f"derivative={order!r}: 0, 1 or 2 was wanted.")
