"""The losses of a call with PyTorch tensors, inside or outside of a compiled function."""

from __future__ import annotations

import torch

from lossfw.losses.base import LossDefinition
from lossfw.losses.engine import loss_derivatives, torch_rules
from lossfw.losses.engine.flat_groups import as_row_loss
from lossfw.numerics.arrays import Array


def losses(loss: LossDefinition, y: Array, t: Array, by_index: bool) -> Array:
    """Return the unreduced losses; see `lossfw.losses.engine.whole_array`."""
    if t.requires_grad:
        loss_derivatives.require_target_derivative(loss)
    if torch.compiler.is_dynamo_compiling():
        from lossfw.losses.engine import torch_compiled

        return torch_compiled.losses(y, t, torch_compiled.loss_number(loss), by_index)
    return torch_rules.losses(loss, y, t, by_index)


def group_losses(loss: LossDefinition, width: int | None, y: Array, t: Array) -> Array:
    """Return the losses of groups, each as a row of numbers; see `as_row_loss`."""
    if torch.compiler.is_dynamo_compiling():
        from lossfw.losses.engine import torch_compiled

        return torch_compiled.losses(y, t, torch_compiled.group_loss_number(loss, width), False)
    return losses(as_row_loss(loss, width), y, t, False)
