"""Engine for arrays of other libraries: run a body over the whole array at once.

The same bodies and the same published derivatives run through the library's own array
namespace. There are no tiles: those libraries have their own.
"""

from __future__ import annotations

import math
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lossfw.losses.array_api import has_values, widest
from lossfw.losses.bodies import one_hot_rows
from lossfw.losses.engine import autograd
from lossfw.losses.engine.execute import check_slope, own_losses
from lossfw.losses.engine.reduction import Sums
from lossfw.losses.engine.tiling import EngineBody, SmoothBody, check_domain
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import Array, is_jax, is_torch


def unreduced(body: EngineBody, call: Arguments) -> Array:
    """Return w l for every element or row, 0 for those that are left out."""
    xp = call.xp
    losses = xp.astype(_weighted(call, _losses(body, call), 1.0), call.dtype)
    # Adding 0.0 turns -0.0 into 0.0.
    return xp.reshape(losses + 0.0, call.shape)


def sums(body: EngineBody, call: Arguments) -> Sums:
    """Return the sums of w l and of w, and the number of losses that count."""
    losses = _weighted(call, _losses(body, call), 1.0)
    total = call.xp.sum(losses, dtype=widest(call.xp))
    return Sums(total, *weight_and_count(call))


def weight_and_count(call: Arguments) -> tuple[Any, Any]:
    """Return the sum of w and the number of losses that count; no loss is computed."""
    xp, kept = call.xp, _kept(call)
    count = math.prod(call.shape)
    if call.keep is not None:
        count = xp.sum(xp.astype(call.keep, widest(xp)))
    if call.weight is None:
        return count, count
    weight = xp.where(kept, call.weight, xp.zeros_like(call.weight))
    return xp.sum(weight, dtype=widest(xp)), count


def derivatives(body: SmoothBody, call: Arguments, scale: Any, *, second: bool = False) -> Array:
    """Return `scale` times w times the first or second derivative, in the prediction's shape."""
    xp = call.xp
    y, t = _arguments(body, call)
    if second and call.by_index:
        t = one_hot_rows(xp, y, t)
    if second:
        slope = body.unreduced_hessian(xp, y, t)
    else:
        slope = (body.unreduced_gradient_at if call.by_index else body.unreduced_gradient)(xp, y, t)
    check_slope(y, slope)
    return xp.reshape(xp.astype(_weighted(call, slope, scale), call.dtype), call.prediction_shape)


def sums_and_gradient(body: SmoothBody, call: Arguments, scale: Any) -> tuple[Sums, Array]:
    """Return `sums` and the first `derivatives`."""
    return sums(body, call), derivatives(body, call, scale)


def _losses(body: EngineBody, call: Arguments) -> Array:
    y, t = _arguments(body, call)
    losses = autograd.losses(body, call.xp, y, t, _kept(call), call.by_index)
    return own_losses(body, y, losses)


def _arguments(body: EngineBody, call: Arguments) -> tuple[Array, Array]:
    """Return prediction and target in the dtype of the computation, their domain checked."""
    xp, kept = call.xp, _kept(call)
    y, t = call.y, call.t
    if call.checked:
        _check(body, call, kept)
    if not call.by_index:
        return xp.astype(y, call.work), xp.astype(t, call.work)
    # The target of a row that is left out may be no class: class 0 stands in for it.
    wrong = _unseen_wrong(call)
    if kept is not None or wrong is not None:
        legal = kept if wrong is None else ~wrong if kept is None else kept & ~wrong
        t = xp.where(legal, t, xp.zeros_like(t))
    if is_torch(t):
        # PyTorch takes no other indices.
        t = xp.astype(t, xp.int64)
    return xp.astype(y, call.work), t


def _check(body: EngineBody, call: Arguments, kept: Array | None) -> None:
    """Check the domain of what has values, of the elements or rows that count."""
    xp, y, t = call.xp, call.y, call.t
    if not has_values(t, kept):
        return
    with _at_once(t):
        if not has_values(y):
            # A function of the prediction is traced; NaN is in every space.
            y = xp.full(y.shape, xp.nan, dtype=y.dtype)
        some = (y, t) if kept is None or xp.all(kept) else (y[kept], t[kept])
        check_domain(body, call, 0, y.shape[0], *some)


def _at_once(x: Array) -> AbstractContextManager[Any]:
    """Let JAX compute with known values also while it traces a function."""
    return sys.modules["jax"].ensure_compile_time_eval() if is_jax(x) else nullcontext()


def _unseen_wrong(call: Arguments) -> Array | None:
    """Tell which rows that count have a class index that is none; None if it was looked at."""
    if has_values(call.t, call.keep, call.weight):
        return None
    wrong = (call.t < 0) | (call.t >= call.y.shape[-1])
    kept = _kept(call)
    return wrong if kept is None else wrong & kept


def _kept(call: Arguments) -> Array | None:
    """Return the mask of elements or rows that count, None where all do."""
    if call.weight is None:
        return call.keep
    return call.weight > 0 if call.keep is None else call.keep & (call.weight > 0)


def _weighted(call: Arguments, results: Array, scale: Any) -> Array:
    """Return results of elements or rows times weight and scale, 0 for those left out.

    A class index that is none and cannot be looked at gives NaN: it must not pass for a number.
    """
    xp, kept = call.xp, _kept(call)
    factor = scale if call.weight is None else call.weight * scale
    wrong = _unseen_wrong(call) if call.by_index else None
    if wrong is not None:
        factor = factor * xp.where(wrong, xp.nan, xp.ones_like(wrong, dtype=call.work))
    in_rows = kept if kept is not None else wrong
    if in_rows is None:
        return results * factor
    if results.ndim > in_rows.ndim:
        kept = None if kept is None else kept[..., None]
        factor = factor if call.weight is None and wrong is None else factor[..., None]
    weighted = results * factor
    return weighted if kept is None else xp.where(kept, weighted, xp.zeros_like(results))
