"""Lifting: an author's functions of named columns, as functions of flat rows.

The engine has rows of numbers. A body gets records of columns, and returns derivatives by name or
in the order of the columns; vectors and single numbers remain arrays.
"""

from __future__ import annotations

import math
from typing import Any

from lossfw.losses.base import BODY_FUNCTIONS, LossDefinition, ResultForm
from lossfw.losses.bodies import PairBody, is_derived
from lossfw.numerics.arrays import Array, Namespace
from lossfw.numerics.dual import derivatives as dual
from lossfw.numerics.records import Record


def losses_from_flat_rows(loss: Any, form: ResultForm, xp: Namespace, y: Array, t: Array) -> Any:
    """Return the results of a loss with columns; see `LossDefinition._unreduced_losses`."""
    if form == "both" and type(loss).value_and_derivative is PairBody.value_and_derivative:
        if is_derived(loss, form):
            value, gradient = derivatives_from_duals(loss, xp, y, t, 1)
            return _cast_like(xp, y, value), _cast_like(xp, y, gradient)
        first, second = (
            losses_from_flat_rows(loss, one, xp, y, t) for one in ("value", "gradient")
        )
        return first, second
    if form != "both" and is_derived(loss, form):
        order = 2 if form == "hessian" else 1
        return _cast_like(xp, y, derivatives_from_duals(loss, xp, y, t, order)[order])
    y_parts, t_parts = loss.prediction_space.to_record(y), loss.target_space.to_record(t)
    results = getattr(loss, BODY_FUNCTIONS[form])(xp, y_parts, t_parts)
    if form == "both":
        return _cast_like(xp, y, results[0]), _join_derivative(loss, xp, y, results[1])
    if form in ("gradient", "hessian"):
        return _join_derivative(loss, xp, y, results)
    return results if form == "formula" else _cast_like(xp, y, results)


def derivatives_from_duals(
    loss: Any, xp: Namespace, y: Array, t: Array, order: int
) -> tuple[Array, ...]:
    """Return value and derivatives of flat rows, up to an order, from dual numbers."""
    if loss.takes_groups:
        return _derivatives_of_groups(loss, xp, y, t, order)
    if loss.takes_rows:

        def value_of_rows(xp: Namespace, y: Array, t: Array) -> Array:
            parts = loss.prediction_space.to_record(y), loss.target_space.to_record(t)
            return loss.value(xp, *parts)

        return dual.row_derivatives(value_of_rows, xp, y, t, order=order)
    parts = loss.target_space.to_record(t)
    if not isinstance(parts, Record):
        return dual.derivatives(loss.value, xp, y, parts, order=order)

    def value(xp: Namespace, y: Array, *columns: Array) -> Array:
        return loss.value(xp, y, type(parts)(*columns))

    return dual.derivatives(value, xp, y, *parts, order=order)


def _derivatives_of_groups(
    loss: Any, xp: Namespace, y: Array, t: Array, order: int
) -> tuple[Array, ...]:
    """Return value and derivatives of groups: their numbers are one row to dual numbers."""
    lead = y.shape[: y.ndim - (2 if loss.takes_rows else 1)]
    inner = y.shape[len(lead) :]

    def value(xp: Namespace, numbers: Array, t: Array) -> Array:
        y = numbers if len(inner) == 1 else xp.reshape(numbers, (*numbers.shape[:-1], *inner))
        return loss.value(xp, loss.prediction_space.to_record(y), loss.target_space.to_record(t))

    numbers = y if len(inner) == 1 else xp.reshape(y, (*lead, math.prod(inner)))
    # A group is compared with itself, row by row: its arrays have a number for each pair.
    rows = inner[0]
    found, *parts = dual.row_derivatives(value, xp, numbers, t, order=order, fan_out=rows)
    return (found, *[xp.reshape(part, y.shape) for part in parts])


def bound_from_flat_rows(loss: Any, xp: Namespace, y: Array, t: Array) -> Array | None:
    """Return the bound of the curvature; see `LossDefinition.curvature_bound`."""
    if type(loss).curvature_bound is LossDefinition.curvature_bound:
        return LossDefinition.curvature_bound(loss, xp, y, t)
    y_parts, t_parts = loss.prediction_space.to_record(y), loss.target_space.to_record(t)
    bound = loss.curvature_bound(xp, y_parts, t_parts)
    return None if bound is None else _join_derivative(loss, xp, y, bound)


def _join_derivative(loss: Any, xp: Namespace, y: Array, parts: Any) -> Array:
    """Return a derivative as flat rows."""
    return _cast_like(xp, y, loss.prediction_space.from_record(xp, parts))


def _cast_like(xp: Namespace, y: Array, result: Array) -> Array:
    """Return a result in the dtype of the prediction: a body may have computed it in float64."""
    dtype = getattr(result, "dtype", y.dtype)
    return result if dtype == y.dtype else xp.astype(result, y.dtype)
