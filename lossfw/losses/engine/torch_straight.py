"""The straight path of PyTorch: a reduced loss of two tensors as one function.

On a small batch each operation costs more than its numbers. So losses, slopes and their
mean are one function here, where nothing is weighted, masked, mapped or compiled. Other
calls take the usual path, and so does one that is wrong, to be told what.
"""

from __future__ import annotations

from typing import Any

import torch

from lossfw.errors import BodyError, DomainError
from lossfw.losses.base import Definition
from lossfw.losses.engine import torch_rules
from lossfw.numerics.arrays import Array, namespace_of

# Looked up once: a look-up costs as much as an operation.
_XP = namespace_of(torch.zeros(()))

_FLOATS = (torch.float32, torch.float64)
_NO_LEVEL = -1


def reduced(body: Definition, y: Array, t: Array, *, mean: bool, checked: bool) -> Array | None:
    """Return the sum or mean of the losses in the prediction's dtype; None on the usual path.

    Parameters
    ----------
    body : Definition
        A loss without weights of its own.
    y, t : Tensor
    mean : bool
        Whether the sum is divided by the number of losses.
    checked : bool
        Whether values are looked at.
    """
    by_index = _form_of(body, y, t)
    if by_index is None:
        return None
    if checked:
        try:
            body.check_domain(y, t, by_index, 0)
        except DomainError:
            return None
    result: Array = _ReducedLoss.apply(y, t, body, by_index, mean)
    return result


def _form_of(body: Definition, y: Any, t: Any) -> bool | None:
    """Return whether a target is class indices; None where the usual path has to look."""
    if type(t) is not torch.Tensor or y.dtype not in _FLOATS or t.requires_grad:
        return None
    if not (y.requires_grad and torch.is_grad_enabled()) or not y.numel() or y.is_meta:
        return None
    # Tensors of inference mode have no version by which a write shows.
    if _is_traced() or t.is_inference() or body.sums_rows or body.target_per_row:
        return None
    if t.shape == y.shape and t.dtype is y.dtype and y.ndim > body.takes_rows:
        return False
    classes = body.takes_classes and t.dtype is torch.int64 and t.ndim and t.shape == y.shape[:-1]
    return True if classes else None


def _is_traced() -> bool:
    """Tell whether a call is compiled, mapped, or differentiated forward."""
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return True
    return torch.autograd.forward_ad._current_level != _NO_LEVEL  # type: ignore[no-any-return]  # of a module


class _ReducedLoss(torch.autograd.Function):  # type: ignore[misc]  # torch may be missing
    @staticmethod
    def forward(
        ctx: Any, y: Array, t: Array, body: Definition, by_index: bool, mean: bool
    ) -> Array:
        both = body.unreduced_with_gradient_at if by_index else body.unreduced_with_gradient
        before = y._version, t._version
        losses, slope = both(_XP, y, t)
        if (y._version, t._version) != before:
            # Tensors cannot be made read-only, and a copy would cost as much as the loss.
            raise BodyError(
                f"{type(body).__name__} has changed the tensors of the caller: its functions "
                f"must not change their arguments. Call {type(body).__name__} with NumPy arrays "
                "to see which line writes."
            )
        ctx.body, ctx.by_index, ctx.n = body, by_index, losses.numel() if mean else 1
        ctx.save_for_backward(y, t, slope)
        return (losses.mean if mean else losses.sum)(dtype=torch.float64).to(y.dtype)

    @staticmethod
    def backward(ctx: Any, up: Array) -> tuple[Any, ...]:
        slope = torch_rules.slopes(ctx) if torch.is_grad_enabled() else ctx.saved_tensors[2]
        return slope * (up / ctx.n), None, None, None, None
