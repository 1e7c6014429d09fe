"""The fast path of PyTorch: a reduced loss of two tensors as one function.

On a small batch, the overhead of an operation exceeds its arithmetic. So losses, gradients and mean
are one function here, for calls without weights, mask, vmap or compilation. Other calls, and wrong
ones, take the usual path, which reports what is wrong.

CPU tensors share their memory with NumPy arrays and go to the engine: such a loss has NumPy's
digits, threads and kernels. All of them do, so that no digit depends on whether a kernel exists
yet.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch

from lossfw.errors import BodyError, DomainError, ShapeError
from lossfw.losses.base import LossDefinition
from lossfw.losses.engine import torch_rules, torch_written
from lossfw.losses.engine.flat_groups import as_row_loss
from lossfw.losses.engine.result_memory import empty
from lossfw.losses.engine.threads import thread_count, threads
from lossfw.losses.inputs import flat_rows
from lossfw.losses.loss import Loss
from lossfw.numerics import torch_namespace
from lossfw.numerics.arrays import Array

_PLAIN = (torch.Tensor, torch.nn.Parameter)
_FLOATS = {torch.float32: np.float32, torch.float64: np.float64}
_NO_LEVEL = -1


def compute(loss: Loss, y: Array, t: Array, *, mean: bool, checked: bool) -> Array | None:
    """Return the sum or mean of the losses in the prediction's dtype; None on the usual path.

    The loss has no weights of its own. Values are checked only if `checked`.
    """
    by_index = _is_by_index(loss, y, t)
    if by_index is None:
        return None
    wants_gradient = y.requires_grad and torch.is_grad_enabled()
    if wants_gradient and t.is_inference():
        return None
    try:
        if _shares_memory_with_numpy(y, t):
            if wants_gradient:
                return _EngineLoss.apply(y, t, loss, by_index, mean)
            return _run_engine(loss, y, t, mean, None)
        if not wants_gradient or loss.takes_groups:
            return None
        if loss.has_columns:
            y, t = _to_flat_rows(loss, y, t)
        loss._check_columns(tuple(y.shape))
        if checked:
            loss.check_domain(y, t, by_index, 0)
        return _LibraryLoss.apply(y, t, loss, by_index, mean)
    except (DomainError, ShapeError):
        return None


def _is_by_index(loss: LossDefinition, y: Any, t: Any) -> bool | None:
    """Return whether a target is class indices; None where the usual path has to look."""
    if type(t) is not torch.Tensor or y.dtype not in _FLOATS or t.requires_grad:
        return None
    if not y.numel() or y.is_meta or torch_written.is_traced() or loss._sums_rows:
        return None
    if torch.autograd.forward_ad._current_level != _NO_LEVEL:
        # It is differentiated forward.
        return None
    if loss.has_columns or loss.takes_groups:
        rows = _losses_shape(loss, y)
        of_target = t.shape[: max(t.ndim - loss.target_space.axes, 0)]
        # Groups of one size, or where the loss needs no ids, all rows as one group.
        if loss.takes_groups and not (len(rows) == 2 or (len(rows) == 1 and not loss.needs_group)):
            return None
        return False if len(rows) and rows == of_target and t.dtype is y.dtype else None
    if t.shape == y.shape and t.dtype is y.dtype and y.ndim > loss.takes_rows:
        return False
    classes = loss.takes_classes and t.dtype is torch.int64 and t.ndim and t.shape == y.shape[:-1]
    return True if classes else None


def _losses_shape(loss: LossDefinition, y: Array) -> Any:
    """Return the shape of the losses; for groups that of their rows."""
    has_space = loss.has_columns or loss.takes_groups
    axes = loss.prediction_space.axes if has_space else loss.takes_rows
    return y.shape[: max(y.ndim - axes, 0)]


def _to_flat_rows(loss: LossDefinition, y: Array, t: Array) -> tuple[Array, Array]:
    """Return members of columns as flat rows; raise `ShapeError` if the spaces have none."""
    return flat_rows(torch_namespace, y, t, (loss.prediction_space, loss.target_space))[:2]


def _shares_memory_with_numpy(y: Array, t: Array) -> bool:
    """Tell whether NumPy can compute with tensors, and nobody looks at PyTorch's operations."""
    if type(y) not in _PLAIN or not (y.is_cpu and t.is_cpu):
        return False
    return not torch._C._len_torch_dispatch_stack() and torch._C._get_tracing_state() is None


def _run_engine(loss: Loss, y: Array, t: Array, mean: bool, gradient: Array | None) -> Array:
    """Return the reduced loss by the engine, which writes the gradient."""
    arrays = y.numpy(force=True), t.numpy(force=True)
    reduction: Any = "mean" if mean else "sum"
    most = torch.get_num_threads()
    with threads(most) if most < thread_count() else nullcontext():
        if gradient is None:
            value = loss(*arrays, reduction=reduction)
        else:
            out = gradient.numpy()
            value, _ = loss.value_and_gradient(*arrays, reduction=reduction, out=out)
    return torch.scalar_tensor(value, dtype=y.dtype)


def _empty_like(y: Array) -> Array:
    return torch.from_numpy(empty(tuple(y.shape), _FLOATS[y.dtype]))


class _EngineLoss(torch.autograd.Function):  # type: ignore[misc]  # torch may be missing
    @staticmethod
    def forward(ctx: Any, y: Array, t: Array, loss: Loss, by_index: bool, mean: bool) -> Array:
        gradient = _empty_like(y)
        value = _run_engine(loss, y, t, mean, gradient)
        ctx.loss, ctx.by_index, ctx.mean, ctx.gradient = loss, by_index, mean, gradient
        ctx.save_for_backward(y, t)
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Array) -> tuple[Any, ...]:
        if torch.is_grad_enabled():
            lead = _losses_shape(ctx.loss, ctx.saved_tensors[0])
            count = math.prod(lead[:-1] if ctx.loss.takes_groups else lead) if ctx.mean else 1
            gradient = _published_gradients(ctx) * (upstream / count)
        elif torch._C._functorch.is_legacy_batchedtensor(upstream):
            # Several gradients at once (`is_grads_batched`), which has no public name.
            gradient = _take_gradient(ctx) * upstream
        else:
            gradient = _take_gradient(ctx)
            if upstream.item() != 1.0:
                gradient.mul_(upstream)
        return gradient, None, None, None, None


def _take_gradient(ctx: Any) -> Array:
    """Return the gradient that the pass forward has left, or where it is taken, the same anew.

    PyTorch and whoever asks for it may write to it, and no large memory is needed for another one.
    """
    y, t = ctx.saved_tensors
    gradient, ctx.gradient = ctx.gradient, None
    if gradient is None:
        gradient = _empty_like(y)
        _run_engine(ctx.loss, y, t, ctx.mean, gradient)
    return gradient


def _published_gradients(ctx: Any) -> Array:
    """Return the published gradients in the shape of the prediction, differentiable."""
    y, t = ctx.saved_tensors[:2]
    if ctx.loss.takes_groups:
        # The numbers of a group are one row.
        lead = len(_losses_shape(ctx.loss, y))
        width = None if y.ndim == lead else math.prod(y.shape[lead:])
        groups = (-1, y.shape[lead - 1])
        t = t.reshape(*groups, *([] if t.ndim == lead else [math.prod(t.shape[lead:])]))
        rows = y.reshape(-1, groups[1] * (width or 1))
        return torch_rules.gradients_at(rows, t, as_row_loss(ctx.loss, width), False).reshape(
            y.shape
        )
    if not ctx.loss.has_columns:
        return torch_rules.gradients(ctx)
    flat = _to_flat_rows(ctx.loss, y, t)
    return torch_rules.gradients_at(*flat, ctx.loss, ctx.by_index).reshape(y.shape)


class _LibraryLoss(torch.autograd.Function):  # type: ignore[misc]  # torch may be missing
    @staticmethod
    def forward(
        ctx: Any, y: Array, t: Array, loss: LossDefinition, by_index: bool, mean: bool
    ) -> Array:
        versions = y._version, t._version
        losses, gradient = torch_written.losses_and_gradients(loss, y, t, by_index)
        if (y._version, t._version) != versions:
            # Tensors cannot be made read-only, and a copy would cost as much as the loss.
            raise BodyError(
                f"{type(loss).__name__} has changed the tensors of the caller: its functions must "
                f"not change their arguments. Call {type(loss).__name__} with NumPy arrays to see "
                "which line writes."
            )
        ctx.loss, ctx.by_index, ctx.n = loss, by_index, losses.numel() if mean else 1
        ctx.save_for_backward(y, t, gradient)
        return (losses.mean if mean else losses.sum)(dtype=torch.float64).to(y.dtype)

    @staticmethod
    def backward(ctx: Any, upstream: Array) -> tuple[Any, ...]:
        enabled = torch.is_grad_enabled()
        gradient = torch_rules.gradients(ctx) if enabled else ctx.saved_tensors[2]
        return gradient * (upstream / ctx.n), None, None, None, None
