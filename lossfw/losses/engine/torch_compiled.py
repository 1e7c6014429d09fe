"""The losses of a call in a function that `torch.compile` compiles.

The compiler cannot follow the Python code of the rules or of a body. To the compiler they are one
operation, which its back end runs to see the PyTorch operations.

Declaring this imports the compiler, which takes more than a second. So this module is imported only
while a function is compiled.
"""

from __future__ import annotations

import torch

from lossfw.losses.base import LossDefinition
from lossfw.losses.engine import torch_rules
from lossfw.losses.engine.flat_groups import as_row_loss
from lossfw.numerics.arrays import Array

# The losses of compiled functions by a number, because an operation takes only tensors and numbers.
_compiled: list[LossDefinition] = []
_numbers: dict[tuple[type, str], int] = {}


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]  # torch may be missing
def loss_number(loss: LossDefinition) -> int:
    """Return the number of a loss."""
    key = (type(loss), loss._cache_key)
    if key not in _numbers:
        _compiled.append(loss)
        _numbers[key] = len(_compiled) - 1
    return _numbers[key]


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]  # torch may be missing
def group_loss_number(loss: LossDefinition, width: int | None) -> int:
    """Return the number of a loss of groups with a width."""
    found: int = loss_number(as_row_loss(loss, width))
    return found


@torch.compiler.allow_in_graph  # type: ignore[untyped-decorator]  # torch may be missing
def losses(y: Array, t: Array, number: int, by_index: bool) -> Array:
    """Return the unreduced losses of the loss with a number."""
    return torch_rules.losses(_compiled[number], y, t, by_index)
