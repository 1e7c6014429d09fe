"""Engine of losses of groups: NumPy's groups of one size as stacks (g, n), on several threads.

A body gets whole groups, and its results for a group are the same in any stack. Sums over groups
are exact, so neither the order of the groups nor the split of the rows changes a bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from lossfw.errors import ShapeError
from lossfw.losses.base import LossDefinition, ResultForm
from lossfw.losses.engine import threads
from lossfw.losses.engine.exact_sum import exact_sum_of_array
from lossfw.losses.engine.read_only import raise_for_writing
from lossfw.losses.engine.reduction import Reduction, Sums
from lossfw.losses.group_inputs import GroupArguments
from lossfw.losses.row_groups import groups_per_stack
from lossfw.numerics.arrays import Array, NDArray

# Numbers of an array (g, n, n) of a body of pairs: 512 KiB in float64. Four times as many take a
# fifth longer, because a body has several such arrays at a time.
STACK_ELEMENTS = 2**16

# ``put(groups, rows, results)`` stores the results of a stack; both are indices of NumPy's.
_Put: TypeAlias = Callable[[Any, Any, Any], None]


def compute(
    loss: LossDefinition, call: GroupArguments, form: ResultForm, reduction: Reduction
) -> Any:
    """Return the result of a call: the reduced loss, its derivative, or both."""
    if form == "value":
        losses = group_losses(loss, call)
        if reduction.reduction == "none":
            weighted = losses if call.weight is None else losses * call.weight
            return weighted.astype(call.dtype) + 0.0
        return reduction.value(sums_of(call, losses), checked=call.checked)
    scale = 1.0
    if reduction.reduction == "mean":
        scale = reduction.scale(total_weight(call), call.counted)
    if call.out is None:
        gradient = np.zeros(call.prediction_shape, call.dtype)
    else:
        gradient = call.out
        gradient[...] = 0.0
    rows_of_gradient = gradient.reshape(*_rows_shape(call), *call.y.shape[1:])
    losses = np.zeros(call.shape, call.work)

    def put(groups: Any, rows: Any, results: Any) -> None:
        if form == "both":
            losses[groups], results = results
        factor: Any = scale
        if call.weight is not None:
            factor = call.weight[groups].reshape(-1, *[1] * call.y.ndim) * scale
        rows_of_gradient[rows] = results * factor

    run(loss, call, form, put)
    if form == "both":
        return reduction.value(sums_of(call, losses), checked=call.checked), gradient
    return gradient


def group_losses(loss: LossDefinition, call: GroupArguments) -> NDArray:
    """Return the loss of each group, 0 for one that is left out."""
    losses = np.zeros(call.shape, call.work)

    def put(groups: Any, rows: Any, results: Any) -> None:
        losses[groups] = results

    run(loss, call, "value", put)
    return losses


def total_weight(call: GroupArguments) -> float:
    """Return the sum of the weights of the groups that count."""
    filled = call.groups.sizes > 0
    if call.weight is None:
        return float(np.count_nonzero(filled))
    return exact_sum_of_array(call.weight[filled])


def sums_of(call: GroupArguments, losses: NDArray) -> Sums:
    """Return the sums over the groups that count."""
    filled = call.groups.sizes > 0
    terms = losses[filled].astype(np.float64)
    terms = terms if call.weight is None else terms * call.weight[filled]
    return Sums(exact_sum_of_array(terms), total_weight(call), call.counted)


def run(loss: LossDefinition, call: GroupArguments, form: ResultForm, put: _Put) -> None:
    """Compute losses or derivatives, stack by stack."""
    lead = _rows_shape(call)
    all_y, all_t = (x.reshape(*lead, *x.shape[1:]) for x in (call.y, call.t))

    def run_stack(stack: tuple[Any, Any]) -> None:
        groups, rows = stack
        y, t = (x[rows].astype(call.work, order="C", copy=False) for x in (all_y, all_t))
        y.setflags(write=False)
        t.setflags(write=False)
        try:
            results = loss._unreduced_losses(form, np, y, t)
        except ValueError as error:
            raise_for_writing(error, loss._unreduced_losses)
        check_results(loss, form, y, len(y), results)
        put(groups, rows, results)

    stacks: list[tuple[Any, Any]]
    if len(lead) > 1:
        # Lines as they lie, without a look for the rows of each group.
        count, size = lead
        most = groups_per_stack(STACK_ELEMENTS, size)
        lines = [slice(first, first + most) for first in range(0, count, most)]
        stacks = list(zip(lines, lines, strict=True))
    else:
        stacks = list(call.groups.stacks(STACK_ELEMENTS))
    threads.run(run_stack, stacks)


def _rows_shape(call: GroupArguments) -> tuple[int, ...]:
    """Return the shape of the rows: (G, n) where all of them count, one line for each group."""
    rows = len(call.y)
    is_whole = not call.is_flat and 0 < call.groups.rows.size == rows
    return call.prediction_shape[:2] if is_whole else (rows,)


def check_results(
    loss: LossDefinition, form: ResultForm, y: Array, groups: int, results: Any
) -> None:
    """Raise `ShapeError` if a body's results do not have the shape of groups or of rows."""
    names = {"value": "value", "gradient": "derivative", "hessian": "second_derivative"}
    found = (
        dict(zip(("value", "gradient"), results, strict=True))
        if form == "both"
        else {form: results}
    )
    for part, result in found.items():
        expected = (groups,) if part == "value" else tuple(y.shape)
        shape = getattr(result, "shape", None)
        if shape is None or tuple(shape) != expected:
            given = f"a {type(result).__name__}" if shape is None else f"shape {tuple(shape)}"
            raise ShapeError(
                f"{type(loss).__name__}.{names[part]} returned {given} for groups of shape "
                f"{tuple(y.shape)}; expected shape {expected}."
            )
