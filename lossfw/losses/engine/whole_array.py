"""Engine for arrays of other libraries: run a loss over the whole array at once.

The same bodies and the same published derivatives run through the library's own array
namespace. There are no tiles: those libraries have their own.

PyTorch and JAX differentiate the losses of a call by the published derivatives. Differentiating a
body operation by operation goes wrong at ties, at kinks, and where one factor is 0 and another
infinite. So for both libraries the losses of a call are one operation, whose derivative is the
published gradient, whose derivative is the published Hessian. Other libraries do not differentiate.
"""

from __future__ import annotations

import math
import sys
from contextlib import nullcontext
from typing import Any

from lossfw.losses.array_api import has_values, widest_float
from lossfw.losses.base import LossDefinition, ResultForm
from lossfw.losses.engine.execute import check_gradient, to_unreduced
from lossfw.losses.engine.reduction import Reduction, Sums
from lossfw.losses.engine.tiling import check_domain
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import Array, is_jax, is_torch


def compute(loss: LossDefinition, call: Arguments, form: ResultForm, reduction: Reduction) -> Any:
    """Return the result of a call: the reduced loss, its derivative, or both."""
    if form == "both":
        value = compute(loss, call, "value", reduction)
        return value, compute(loss, call, "gradient", reduction)
    xp = call.xp
    if form == "value":
        losses = _apply_weights(call, _losses(loss, call), 1.0)
        if reduction.reduction == "none":
            # Adding 0.0 turns -0.0 into 0.0.
            return xp.reshape(xp.astype(losses, call.dtype) + 0.0, call.shape)
        sums = Sums(xp.sum(losses, dtype=widest_float(xp)), *_weight_and_count(call))
        return reduction.value(sums, checked=call.checked)
    scale = reduction.scale(*_weight_and_count(call)) if reduction.reduction == "mean" else 1.0
    y, t = _checked_arguments(loss, call)
    gradient = loss._unreduced_losses(form, xp, y, t, call.by_index)
    check_gradient(y, gradient)
    gradient = xp.astype(_apply_weights(call, gradient, scale), call.dtype)
    return xp.reshape(gradient, call.prediction_shape)


def _weight_and_count(call: Arguments) -> tuple[Any, Any]:
    """Return the sum of w and the number of losses that count; no loss is computed."""
    xp = call.xp
    count = math.prod(call.shape)
    if call.where is not None:
        count = xp.sum(xp.astype(call.where, widest_float(xp)))
    if call.weight is None:
        return count, count
    weight = xp.where(_counting_mask(call), call.weight, xp.zeros_like(call.weight))
    return xp.sum(weight, dtype=widest_float(xp)), count


def _losses(loss: LossDefinition, call: Arguments) -> Array:
    """Return the unreduced losses, differentiable by their published derivatives."""
    y, t = _checked_arguments(loss, call)
    # Each module defines functions of its library, which is imported by whoever made `y`.
    if is_torch(y):
        from lossfw.losses.engine import torch_call

        losses = torch_call.losses(loss, y, t, call.by_index)
    elif is_jax(y):
        from lossfw.losses.engine import jax_rules

        losses = jax_rules.losses(loss, y, t, _counting_mask(call), call.by_index)
    else:
        losses = loss._unreduced_losses("value", call.xp, y, t, call.by_index)
    return to_unreduced(loss, y, losses)


def _checked_arguments(loss: LossDefinition, call: Arguments) -> tuple[Array, Array]:
    """Return prediction and target in the dtype of the computation, their domain checked."""
    xp, where = call.xp, _counting_mask(call)
    y, t = call.y, call.t
    if call.checked:
        _check_counting(loss, call, where)
    if not call.by_index:
        return xp.astype(y, call.work), xp.astype(t, call.work)
    # The target of a row that is left out may not be a class: class 0 stands in for it.
    wrong = _wrong_index_mask(call)
    if where is not None or wrong is not None:
        legal = where if wrong is None else ~wrong if where is None else where & ~wrong
        t = xp.where(legal, t, xp.zeros_like(t))
    if is_torch(t):
        # PyTorch takes no other indices.
        t = xp.astype(t, xp.int64)
    return xp.astype(y, call.work), t


def _check_counting(loss: LossDefinition, call: Arguments, where: Array | None) -> None:
    """Check the domain of what has values, of the elements or rows that count."""
    xp, y, t = call.xp, call.y, call.t
    if not has_values(t, where):
        return
    # JAX computes with known values also while it traces a function.
    with sys.modules["jax"].ensure_compile_time_eval() if is_jax(t) else nullcontext():
        if not has_values(y):
            # A function of the prediction is traced; NaN is in every space.
            y = xp.full(y.shape, xp.nan, dtype=y.dtype)
        y, t = (y, t) if where is None or xp.all(where) else (y[where], t[where])
        check_domain(loss, call, 0, call.y.shape[0], y, t)


def _wrong_index_mask(call: Arguments) -> Array | None:
    """Tell which rows that count have an index beyond the classes; None if that was checked."""
    if has_values(call.t, call.where, call.weight):
        return None
    wrong = (call.t < 0) | (call.t >= call.y.shape[-1])
    where = _counting_mask(call)
    return wrong if where is None else wrong & where


def _counting_mask(call: Arguments) -> Array | None:
    """Return the mask of elements or rows that count, None where all do."""
    if call.weight is None:
        return call.where
    return call.weight > 0 if call.where is None else call.where & (call.weight > 0)


def _apply_weights(call: Arguments, results: Array, scale: Any) -> Array:
    """Return results of elements or rows times weight and scale, 0 for those left out.

    An index beyond the classes that cannot be looked at gives NaN: it must not pass for a number.
    """
    xp, where = call.xp, _counting_mask(call)
    factor = scale if call.weight is None else call.weight * scale
    wrong = _wrong_index_mask(call) if call.by_index else None
    if wrong is not None:
        factor = factor * xp.where(wrong, xp.nan, xp.ones_like(wrong, dtype=call.work))
    in_rows = where if where is not None else wrong
    if in_rows is None:
        return results * factor
    if results.ndim > in_rows.ndim:
        where = None if where is None else where[..., None]
        factor = factor if call.weight is None and wrong is None else factor[..., None]
    weighted = results * factor
    return weighted if where is None else xp.where(where, weighted, xp.zeros_like(results))
