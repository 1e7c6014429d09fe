"""What a loss computes once from its parameters, which PyTorch's compiler cannot follow."""

from __future__ import annotations

import contextlib

import torch

from lossfw.losses.engine.torch_rules import losses_and_slopes
from lossfw.losses.loss import Loss

# A number inside every space of predictions and targets.
_ANYWHERE = 1.0


def remember_constants(loss: Loss) -> None:
    """Let a loss compute its constants, so that they are there when it is compiled.

    Constants such as those of `lossfw.numerics.remembered` may come from decimals, and a
    wrapper may make another loss.
    """
    body = loss.without_own_weight()
    row = (1, loss.fixed_classes or max(loss.least_classes, 2))
    for dtype in (torch.float32, torch.float64):
        y = torch.full(row, _ANYWHERE, dtype=dtype)
        t = y[:, 0] if loss.target_per_row else y
        # A loss that is wrong says so when it is called.
        with contextlib.suppress(Exception):
            losses_and_slopes(y, t, body, False)
