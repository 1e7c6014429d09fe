"""The losses and gradients of PyTorch that are written out as straight functions of tensors.

The derivatives of a body by dual numbers are work of Python's between small operations, several of
which compute what nobody reads. A function that is called often is traced, written out, and from
then on used in the place of the body, if it has the body's results on probes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch

from lossfw.losses.base import LossDefinition
from lossfw.losses.bodies import is_derived
from lossfw.losses.engine.probes import element_probes, row_probes
from lossfw.numerics import torch_namespace
from lossfw.numerics.arrays import Array
from lossfw.numerics.symbolic.torch_writer import write_torch
from lossfw.numerics.symbolic.trace import trace

_Function: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]

# A training calls a function thousands of times, and writing it out takes up to 50 milliseconds.
_CALLS = 8

# The largest number of functions that are watched; beyond it the table starts over.
_MOST = 512

_DTYPES: dict[Any, np.dtype[Any]] = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
}

# A number of calls so far, or the function, or None where there is none.
_table: dict[tuple[Any, ...], int | _Function | None] = {}


def losses_and_gradients(
    loss: LossDefinition, y: Array, t: Array, by_index: bool
) -> tuple[Array, Array]:
    """Return the unreduced losses and the published gradients of tensors."""
    function = _find(loss, y, by_index)
    if function is not None:
        return function(y, t)
    return loss.unreduced_losses("both", torch_namespace, y, t, by_index)  # type: ignore[no-any-return]


def _find(loss: LossDefinition, y: Array, by_index: bool) -> _Function | None:
    if loss.has_columns or not is_derived(loss.body, "both") or is_traced():
        return None
    columns = y.shape[-1] if loss.takes_rows else None
    key = (type(loss), loss.identity, columns, by_index, y.dtype)
    found = _table.get(key, 0)
    if isinstance(found, int):
        if len(_table) >= _MOST:
            _table.clear()
        enough = found + 1 >= _CALLS
        _table[key] = found = _written(loss, y.dtype, columns, by_index) if enough else found + 1
    return None if isinstance(found, int) else found


def is_traced() -> bool:
    """Tell whether a call is compiled or mapped."""
    # There is no public name for the second question.
    return bool(torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active())


def _written(
    loss: LossDefinition, kind: Any, columns: int | None, by_index: bool
) -> _Function | None:
    """Return the function, None if it cannot be traced or has other results than the body."""
    if kind not in _DTYPES or columns == 1:
        return None
    try:
        return _compared(loss, _DTYPES[kind], columns, by_index)
    except Exception:
        # The body computes the same, so whatever fails here stops no one.
        return None


def _compared(
    loss: LossDefinition, dtype: np.dtype[Any], columns: int | None, by_index: bool
) -> _Function | None:
    def body(xp: Any, y: Any, t: Any) -> Any:
        return loss.unreduced_losses("both", xp, y, t, by_index)

    dtypes: dict[str, Any] = {"y": dtype, "t": np.dtype(np.int64) if by_index else dtype}
    spaces = (loss.prediction_space, loss.target_space)
    written = write_torch(trace(body, dtypes, columns, use="array"), columns)
    if columns is None:
        arrays = element_probes(spaces, dtype)
    else:
        arrays = row_probes(spaces, dtype, columns, by_index=by_index)

    def function(y: Array, t: Array) -> tuple[Array, Array]:
        losses, gradients = written.function(y, t)
        return (losses if columns is None else losses[..., 0]), gradients.expand(y.shape)

    tensors = [torch.from_numpy(x) for x in arrays]
    pairs = zip(function(*tensors), body(torch_namespace, *tensors), strict=True)
    return function if all(_agree(a, b) for a, b in pairs) else None


def _agree(found: Array, expected: Array) -> bool:
    if (found.dtype, found.shape) != (expected.dtype, expected.shape):
        return False
    return bool(((found == expected) | (found.isnan() & expected.isnan())).all())
