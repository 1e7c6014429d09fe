"""True values and derivatives of losses, from the textbook formula with 60 digits."""

from __future__ import annotations

import numpy as np

from lossfw.losses.base import LossDefinition
from lossfw.losses.group_inputs import GroupArguments
from lossfw.losses.inputs import Arguments, one_hot
from lossfw.numerics.arrays import Array, Body, Namespace
from lossfw.numerics.exact.reference import DerivativeOrder, check_order, exact, reference


def exact_losses(loss: LossDefinition, call: Arguments, order: DerivativeOrder) -> Array:
    """Return the true unreduced loss of a call, or its derivative; see `Loss.exact`."""
    check_order(order)
    if isinstance(call, GroupArguments):
        return _exact_group_losses(loss, call, order)
    y, t = call.y, call.t
    loss.check_domain(y, t, call.by_index, call.start)
    if call.by_index:
        # The target of a row that is left out may not be a class: class 0 stands in for it.
        t = t if call.where is None else np.where(call.where, t, 0)
        t = one_hot(t, y.shape[-1], np.dtype(np.float64))
    elif loss.has_columns:
        # Integers that lack the last axis would be taken for class indices.
        t = t.astype(np.result_type(t, np.float64))
    formula = loss._without_own_weight()._unreduced_formula
    if loss._takes_target_rows and not loss.takes_rows:
        # A number is a row of one, beside a row of another size.
        truth = reference(_as_row_formula(formula), (y[..., np.newaxis], t), order, rows=True)
    else:
        truth = reference(formula, (y, t), order, rows=loss.takes_rows)
    if order == 0 and loss._sums_rows:
        truth = truth.sum(-1)
    shape = call.shape if order == 0 else call.prediction_shape
    return _apply_own_weights(call, truth).reshape(shape)


def _exact_group_losses(
    loss: LossDefinition, call: GroupArguments, order: DerivativeOrder
) -> Array:
    """Return the true loss of each group, or its derivative by each number of the prediction."""
    out = np.full(call.shape if order == 0 else call.y.shape, None, object)
    for some, rows in call.groups.stacks():
        y, t = call.y[rows], call.t[rows]
        inner = y.shape[1:]

        def formula(
            xp: Namespace, numbers: Array, t: Array, inner: tuple[int, ...] = inner
        ) -> Array:
            return loss._unreduced_formula(xp, numbers.reshape(*numbers.shape[:-1], *inner), t)

        numbers = y.reshape(len(some), -1)
        # Integers that lack an axis would be taken for class indices.
        truth = reference(
            formula, (numbers, t.astype(np.result_type(t, np.float64))), order, rows=True
        )
        out[some if order == 0 else rows] = truth if order == 0 else truth.reshape(y.shape)
    return out.reshape(call.shape if order == 0 else call.prediction_shape)


def _as_row_formula(formula: Body) -> Body:
    """Return a formula of numbers as one of rows of one number."""
    return lambda xp, y, t: formula(xp, y[..., 0], t)


def _apply_own_weights(call: Arguments, truth: Array) -> Array:
    """Apply the weights and the mask of the loss itself."""
    for factor in (call.weight, None if call.where is None else call.where.astype(np.float64)):
        if factor is not None:
            per_row = truth.ndim > factor.ndim
            truth = truth * exact(factor[..., np.newaxis] if per_row else factor)
    return truth
