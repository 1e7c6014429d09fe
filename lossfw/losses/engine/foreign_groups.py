"""Engine of losses of groups for arrays of other libraries: groups of one size at once.

PyTorch and JAX differentiate the losses of groups by the published derivatives, like those of rows
(`lossfw.losses.engine.whole_array`): the numbers of a group form one row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.losses.array_api import widest_float
from lossfw.losses.base import LossDefinition, ResultForm
from lossfw.losses.engine.flat_groups import as_row_loss
from lossfw.losses.engine.groups import check_results
from lossfw.losses.engine.reduction import Reduction, Sums
from lossfw.losses.group_inputs import GroupArguments
from lossfw.numerics.arrays import Array, Namespace, NDArray, device_of, is_jax, is_torch


def compute(
    loss: LossDefinition, call: GroupArguments, form: ResultForm, reduction: Reduction
) -> Any:
    """Return the result of a call: the reduced loss, its derivative, or both."""
    if form == "both":
        return (
            compute(loss, call, "value", reduction),
            compute(loss, call, "gradient", reduction),
        )
    xp = call.xp
    if form == "value":
        losses, mask = _losses(loss, call), _counting_mask(call)
        if call.weight is not None:
            losses = losses * call.weight
        if mask is not None:
            losses = xp.where(mask, losses, xp.zeros_like(losses))
        if reduction.reduction == "none":
            # Adding 0.0 turns -0.0 into 0.0.
            return xp.astype(losses, call.dtype) + 0.0
        sums = Sums(xp.sum(losses, dtype=widest_float(xp)), _total_weight(call), call.counted)
        return reduction.value(sums, checked=call.checked)
    scale = 1.0
    if reduction.reduction == "mean":
        scale = reduction.scale(_total_weight(call), call.counted)
    gradient = _derivatives(loss, call, form) * scale
    return xp.reshape(xp.astype(gradient, call.dtype), call.prediction_shape)


@dataclass(frozen=True)
class _Stack:
    """Groups of one size: their numbers, and their rows with a mask or None."""

    numbers: NDArray | None
    rows: NDArray | None
    y: Array
    t: Array
    where: Array | None


def _stacks(loss: LossDefinition, call: GroupArguments) -> Iterator[_Stack]:
    """Yield the groups that have a row, rows that a mask leaves out replaced by neutral ones."""
    if not call.groups.rows.size:
        return
    if not call.is_flat and call.groups.rows.size == call.y.shape[0]:
        # All lines as they are: nothing is gathered.
        yield _make_stack(loss, call, None, None)
        return
    for numbers, rows in call.groups.stacks():
        yield _make_stack(loss, call, numbers, rows)


def _make_stack(
    loss: LossDefinition, call: GroupArguments, numbers: NDArray | None, rows: NDArray | None
) -> _Stack:
    xp = call.xp

    def gather(x: Array) -> Array:
        if rows is not None:
            return x[rows]
        # Without a group the number of rows in one cannot be found from the others.
        return xp.reshape(x, (*call.prediction_shape[:2], *x.shape[1:]))

    y, t = (xp.astype(gather(x), call.work) for x in (call.y, call.t))
    if call.where is None:
        return _Stack(numbers, rows, y, t, None)
    where = gather(call.where)
    assert loss.neutral is not None
    y, t = (_replace_masked(xp, x, where, row) for x, row in zip((y, t), loss.neutral, strict=True))
    return _Stack(numbers, rows, y, t, where)


def _replace_masked(xp: Namespace, x: Array, where: Array, row: Any) -> Array:
    """Return rows, the neutral one in place of those that a mask leaves out."""
    numbers = np.asarray(row, np.float64).reshape(-1)
    filler = numbers if x.ndim > where.ndim else numbers[0]
    filler = xp.asarray(filler, dtype=x.dtype, device=device_of(x))
    where = where if x.ndim == where.ndim else where[..., None]
    return xp.where(where, x, xp.broadcast_to(filler, x.shape))


def _losses(loss: LossDefinition, call: GroupArguments) -> Array:
    """Return the loss of each group, differentiable by the published derivatives."""
    xp, mask = call.xp, _counting_mask(call)
    found, numbers = [], []
    for stack in _stacks(loss, call):
        y = stack.y
        width = y.shape[-1] if y.ndim > 2 else None
        rows = xp.reshape(y, (y.shape[0], math.prod(y.shape[1:])))
        # Each module defines functions of its library, which is imported by whoever made `y`.
        if is_torch(y):
            from lossfw.losses.engine import torch_call

            losses = torch_call.group_losses(loss, width, rows, stack.t)
        elif is_jax(y):
            from lossfw.losses.engine import jax_rules

            own = mask if mask is None or stack.numbers is None else mask[stack.numbers]
            losses = jax_rules.losses(as_row_loss(loss, width), rows, stack.t, own, False)
        else:
            losses = loss._unreduced_losses("value", xp, y, stack.t)
        check_results(loss, "value", y, y.shape[0], losses)
        if stack.numbers is None:
            return losses
        found.append(losses)
        numbers.append(stack.numbers)
    return _scatter(call, found, numbers, call.shape[0])


def _derivatives(loss: LossDefinition, call: GroupArguments, form: ResultForm) -> Array:
    """Return the derivatives of w l by each number of the prediction, as flat rows."""
    xp, mask = call.xp, _counting_mask(call)
    found, places = [], []
    for stack in _stacks(loss, call):
        y = stack.y
        results = loss._unreduced_losses(form, xp, y, stack.t)
        check_results(loss, form, y, y.shape[0], results)
        for factor, is_mask in ((call.weight, False), (mask, True), (stack.where, True)):
            if factor is None:
                continue
            own = factor
            if own.ndim == 1 and stack.numbers is not None:
                own = own[stack.numbers]
            own = xp.reshape(own, (*own.shape, *[1] * (results.ndim - own.ndim)))
            results = xp.where(own, results, xp.zeros_like(results)) if is_mask else results * own
        if stack.rows is None:
            return results
        found.append(xp.reshape(results, (-1, *results.shape[2:])))
        places.append(stack.rows.reshape(-1))
    return _scatter(call, found, places, call.y.shape[0], tuple(call.y.shape[1:]))


def _scatter(
    call: GroupArguments,
    results: list[Array],
    places: list[NDArray],
    count: int,
    inner: tuple[int, ...] = (),
) -> Array:
    """Return results at their places, 0 at the others."""
    xp = call.xp
    last = xp.zeros((1, *inner), dtype=call.work, device=device_of(call.y))
    order = np.concatenate([np.zeros(0, int), *places])
    index = np.full(count, len(order))
    index[order] = np.arange(len(order))
    return xp.concat([*results, last], axis=0)[index]


def _counting_mask(call: GroupArguments) -> Array | None:
    """Return the mask of the groups that count, None where all do or those left out are known."""
    mask = None if isinstance(call.counts, np.ndarray) else call.counts
    if call.weight is None:
        return mask
    return call.weight > 0 if mask is None else mask & (call.weight > 0)


def _total_weight(call: GroupArguments) -> Any:
    """Return the sum of w over the groups that count."""
    if call.weight is None:
        return call.counted
    xp, weight = call.xp, call.weight
    if call.counts is not None:
        counts = call.counts
        if isinstance(counts, np.ndarray):
            return xp.sum(weight[np.flatnonzero(counts)], dtype=widest_float(xp))
        weight = xp.where(counts, weight, xp.zeros_like(weight))
    return xp.sum(weight, dtype=widest_float(xp))
