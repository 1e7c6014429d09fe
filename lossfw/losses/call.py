"""A call of a loss: check the arguments, and compute it by the engine that they need."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from lossfw.errors import ArgumentError
from lossfw.losses import array_api
from lossfw.losses.base import LossDefinition, ResultForm
from lossfw.losses.engine import execute, foreign_groups, groups, whole_array
from lossfw.losses.engine.reduction import Reduction
from lossfw.losses.group_inputs import GroupArguments, prepare_groups
from lossfw.losses.inputs import (
    Arguments,
    add_own_weights,
    check_same_index,
    prepare,
    set_weight,
    set_where,
)

# Prediction, target, group, sample weight and mask, as the caller gave them.
Given: TypeAlias = tuple[Any, Any, Any, Any, Any]


def prepare_call(
    loss: LossDefinition,
    given: Given,
    *,
    numpy: bool = False,
    checked: bool = True,
    start: int = 0,
) -> Arguments:
    """Check the arguments of a call; `numpy` converts arrays of any library to NumPy."""
    prediction, target, group, sample_weight, where = given
    if type(prediction) is not np.ndarray or type(target) is not np.ndarray:
        check_same_index(
            prediction=prediction,
            target=target,
            group=group,
            sample_weight=sample_weight,
            where=where,
        )
    xp = np
    if not numpy:
        xp = array_api.common_namespace(prediction, target, sample_weight, where)
    if loss.takes_groups:
        return prepare_groups(loss, *given, xp=xp, checked=checked, start=start)
    if group is not None:
        raise ArgumentError(
            f"{loss.name} has a loss of its own for each "
            f"{'row' if loss.takes_rows else 'element'}, not one for a group: leave out group."
        )
    call = prepare(
        prediction,
        target,
        rowwise=loss.takes_rows,
        classes=loss.takes_classes,
        spaces=(loss.prediction_space, loss.target_space) if loss.has_columns else None,
        xp=xp,
        checked=checked,
    )
    loss._check_columns(tuple(call.y.shape))
    call.checked, call.start = checked, start
    if loss._sums_rows:
        if not call.prediction_shape:
            raise ArgumentError("per: row sums over the last axis, but a number has none.")
        call.shape = call.prediction_shape[:-1]
        if not call.shape:
            call.y, call.t = call.y[None], call.t[None]
    if sample_weight is not None:
        set_weight(call, sample_weight)
    if where is not None:
        set_where(call, where)
    add_own_weights(call, *loss._own_mask_and_weight(xp, call.t, call.by_index))
    return call


def run_call(loss: LossDefinition, call: Arguments, form: ResultForm, reduction: Reduction) -> Any:
    """Return the reduced loss of a call, its derivative, or both."""
    loss = loss._without_own_weight()
    if isinstance(call, GroupArguments):
        of_groups = groups if call.xp is np else foreign_groups
        return of_groups.compute(loss, call, form, reduction)
    engine = execute if call.xp is np and call.checked else whole_array
    return engine.compute(loss, call, form, reduction)
