"""Arrays of other libraries: PyTorch, JAX, CuPy, Dask.

The same bodies and the same published derivatives run on them, through their
own array namespace; reductions are in float64 where the library has it. There
are no tiles and no partials here: those libraries have their own.
"""

from __future__ import annotations

from typing import Any

from lossfw.components.spaces import CLASS_INDEX, SIMPLEX
from lossfw.errors import ShapeError
from lossfw.losses.base import Definition
from lossfw.losses.engine.reduction import Denominator, Empty, Reduction, mean_of
from lossfw.numerics.arrays import Array, Namespace, namespace_of


def value(
    loss: Definition,
    prediction: Array,
    target: Array,
    sample_weight: Array,
    where: Array,
    reduction: Reduction,
    denominator: Denominator,
    empty: Empty,
) -> Array:
    """Return the loss of foreign arrays; see `Loss.__call__`."""
    xp = namespace_of(prediction, target)
    y, t = _arguments(xp, loss, prediction, target)
    by_index = t.ndim < y.ndim and not loss.target_per_row
    body = loss.without_own_weight()
    losses = body.unreduced_at(xp, y, t) if by_index else body.unreduced(xp, y, t)
    if loss.sums_rows:
        losses = xp.sum(losses, axis=-1)
    where, own_weight = _own_choice(xp, loss, t, by_index, where)
    weight = _weight(xp, losses, sample_weight, where, own_weight)
    if weight is not None:
        losses = xp.where(weight > 0, losses * weight, xp.zeros_like(losses))
    if reduction == "none":
        return xp.astype(losses, prediction.dtype)
    total = xp.sum(losses, dtype=_widest(xp))
    if reduction == "sum":
        return total
    return total * mean_of(1.0, _divisor(xp, losses, weight, where, denominator), empty)


def derivative(
    loss: Definition,
    prediction: Array,
    target: Array,
    sample_weight: Array,
    where: Array,
    reduction: Reduction,
    denominator: Denominator,
    empty: Empty,
    *,
    second: bool = False,
) -> Array:
    """Return the gradient, or the diagonal of the Hessian, of foreign arrays."""
    xp = namespace_of(prediction, target)
    y, t = _arguments(xp, loss, prediction, target)
    by_index = t.ndim < y.ndim and not loss.target_per_row
    where, own_weight = _own_choice(xp, loss, t, by_index, where)
    if by_index:
        t = xp.astype(t[..., None] == xp.arange(y.shape[-1]), y.dtype)
    body = loss.without_own_weight()
    slope = (body.unreduced_hessian if second else body.unreduced_gradient)(xp, y, t)
    rows = slope[..., 0] if loss.takes_rows or loss.sums_rows else slope
    weight = _weight(xp, rows, sample_weight, where, own_weight)
    scale = 1.0
    if reduction == "mean":
        scale = mean_of(1.0, _divisor(xp, rows, weight, where, denominator), empty)
    if weight is not None:
        spread = weight[..., None] if rows.ndim < slope.ndim else weight
        slope = xp.where(spread > 0, slope * spread, xp.zeros_like(slope))
    return xp.astype(slope * scale, prediction.dtype)


def _arguments(
    xp: Namespace, loss: Definition, prediction: Array, target: Array
) -> tuple[Array, Array]:
    """Check shapes and give both the dtype of the computation."""
    rowwise, same = loss.takes_rows, prediction.shape == target.shape
    fewer = rowwise and target.shape == prediction.shape[:-1]
    classes = loss.target_space in (CLASS_INDEX, SIMPLEX) or loss.target_per_row
    if not (same or (fewer and classes)):
        raise ShapeError(
            f"prediction has shape {tuple(prediction.shape)} and target {tuple(target.shape)}; "
            "nothing is broadcast: reshape one of them."
        )
    half = "16" in str(prediction.dtype)
    if xp.isdtype(prediction.dtype, "real floating"):
        work = xp.float32 if half else prediction.dtype
    else:
        work = _widest(xp)
    y = xp.astype(prediction, work)
    by_index = not same and not loss.target_per_row
    t = target if by_index else xp.astype(target, work)
    loss.check_domain(y, t, by_index, 0)
    return y, t


def _own_choice(
    xp: Namespace, loss: Definition, t: Array, by_index: bool, where: Array
) -> tuple[Array | None, Array | None]:
    """Return the caller's mask with the loss's own in it, and the loss's own weights."""
    own_where, own_weight = loss.own_mask_and_weight(xp, t, by_index)
    if own_where is None or where is None:
        return where if own_where is None else own_where, own_weight
    while where.ndim < own_where.ndim:
        where = where[..., None]
    return where & own_where, own_weight


def _weight(xp: Namespace, losses: Array, *factors: Array | None) -> Array | None:
    """Return the product of weights and masks, in the shape of the losses."""
    weight = None
    for given in factors:
        if given is None:
            continue
        spread = xp.astype(given, losses.dtype)
        while spread.ndim < losses.ndim:
            spread = spread[..., None]
        weight = spread if weight is None else weight * spread
    return None if weight is None else xp.broadcast_to(weight, losses.shape)


def _divisor(
    xp: Namespace, losses: Array, weight: Array | None, where: Array, denominator: Denominator
) -> float:
    """Return what a mean divides by."""
    if denominator == "weights" and weight is not None:
        return float(xp.sum(weight, dtype=_widest(xp)))
    if where is not None:
        return float(xp.sum(_weight(xp, losses, where)))
    size = 1
    for length in losses.shape:
        size *= length
    return size


def _widest(xp: Any) -> Any:
    """Return float64, or the widest float of a library that is set to have none."""
    return xp.zeros(1, dtype=xp.float64).dtype
