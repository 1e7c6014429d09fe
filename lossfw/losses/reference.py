"""The true values and derivatives of losses: those of the textbook formula, with 60 digits."""

from __future__ import annotations

import numpy as np

from lossfw.losses.base import LossDefinition
from lossfw.losses.inputs import Arguments, one_hot
from lossfw.numerics.arrays import Array
from lossfw.numerics.exact.reference import Order, check_order, exact, reference


def of_loss(loss: LossDefinition, call: Arguments, order: Order) -> Array:
    """Return the true unreduced loss of a call, or its derivative; see `Loss.exact`."""
    check_order(order)
    y, t = call.y, call.t
    loss.check_domain(y, t, call.by_index, call.start)
    if call.by_index:
        # The target of a row that is left out may not be a class: class 0 stands in for it.
        t = t if call.where is None else np.where(call.where, t, 0)
        t = one_hot(t, y.shape[-1], np.dtype(np.float64))
    elif loss.target_per_row:
        # Integers that lack the last axis would be taken for class indices.
        t = t.astype(np.result_type(t, np.float64))
    truth = reference(
        loss.without_own_weight().unreduced_formula, (y, t), order, rows=loss.takes_rows
    )
    if order == 0 and loss.sums_rows:
        truth = truth.sum(-1)
    shape = call.shape if order == 0 else call.prediction_shape
    return _weighted(call, truth).reshape(shape)


def _weighted(call: Arguments, truth: Array) -> Array:
    """Apply the weights and the mask of the loss itself."""
    for factor in (call.weight, None if call.where is None else call.where.astype(np.float64)):
        if factor is not None:
            per_row = truth.ndim > factor.ndim
            truth = truth * exact(factor[..., np.newaxis] if per_row else factor)
    return truth
