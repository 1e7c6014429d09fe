"""Losses and gradients for PyTorch, written out as straight-line functions of tensors.

Derivatives of a body by dual numbers spend their time in Python between small operations, several
of which compute results that nobody reads. A function that is called often is traced and written
out, and then replaces the body if it has the body's results on probes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lossfw.losses.base import LossDefinition
from lossfw.losses.bodies import is_derived
from lossfw.losses.engine.probes import element_probes, record_probes, row_probes
from lossfw.numerics import torch_namespace
from lossfw.numerics.arrays import FEW_COLUMNS, Array
from lossfw.numerics.symbolic.torch_writer import write_torch
from lossfw.numerics.symbolic.trace import trace
from lossfw.numerics.symbolic.unrolled import trace_unrolled

_Function: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]

# How many numbers prediction and target have for a loss.
_Widths: TypeAlias = tuple[int | None, int | None]

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
    function = _find_function(loss, y, t, by_index)
    if function is not None:
        return function(y, t)
    return loss._unreduced_losses("both", torch_namespace, y, t, by_index)  # type: ignore[no-any-return]


def _find_function(loss: LossDefinition, y: Array, t: Array, by_index: bool) -> _Function | None:
    if not is_derived(loss.body, "both") or is_traced():
        return None
    widths = _widths(loss, y, t)
    key = (type(loss), loss._cache_key, widths, by_index, y.dtype)
    found = _table.get(key, 0)
    if isinstance(found, int):
        if len(_table) >= _MOST:
            _table.clear()
        enough = found + 1 >= _CALLS
        _table[key] = found = (
            _write_function(loss, y.dtype, widths, by_index) if enough else found + 1
        )
    return None if isinstance(found, int) else found


def _widths(loss: LossDefinition, y: Array, t: Array) -> _Widths:
    """Return how many numbers both arguments have for a loss, None for one without rows."""
    first = y.shape[-1] if loss.takes_rows else None
    if not loss.has_columns:
        return first, first
    return first, t.shape[-1] if loss._takes_target_rows else None


def is_traced() -> bool:
    """Tell whether a call is compiled or mapped."""
    # There is no public name for the second question.
    return bool(torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active())


def _write_function(
    loss: LossDefinition, kind: Any, widths: _Widths, by_index: bool
) -> _Function | None:
    """Return the function, None if it cannot be traced or has other results than the body."""
    if kind not in _DTYPES:
        return None
    try:
        if loss.has_columns:
            return _write_for_columns(loss, _DTYPES[kind], widths)
        return _write_for_elements_or_rows(loss, _DTYPES[kind], widths[0], by_index)
    except Exception:
        # The body computes the same, so whatever fails here stops no one.
        return None


def _write_for_elements_or_rows(
    loss: LossDefinition, dtype: np.dtype[Any], columns: int | None, by_index: bool
) -> _Function | None:
    if columns == 1:
        return None
    body = _make_body(loss, by_index)
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
    return function if _agree(function(*tensors), body(torch_namespace, *tensors)) else None


def _write_for_columns(
    loss: LossDefinition, dtype: np.dtype[Any], widths: _Widths
) -> _Function | None:
    """Return a function of flat rows, which computes with each number of them by itself.

    None where the body needs no more operations, as it does for long vectors.
    """
    of_row = [width or 1 for width in widths]
    if max(of_row) > FEW_COLUMNS:
        return None
    body = _make_body(loss, by_index=False)
    graph = trace_unrolled(body, dtype, dict(zip("yt", widths, strict=True)), use="array")
    written = write_torch(graph)
    places = [(name == "t", int(k)) for name, _, k in (x.partition(".") for x in written.names)]

    def function(y: Array, t: Array) -> tuple[Array, Array]:
        pairs = zip((y, t), widths, strict=True)
        numbers = [(x,) if width is None else x.unbind(-1) for x, width in pairs]
        losses, *derivatives = written.function(*(numbers[of_target][k] for of_target, k in places))
        return losses, derivatives[0] if widths[0] is None else torch.stack(derivatives, -1)

    spaces = (loss.prediction_space, loss.target_space)
    tensors = [torch.from_numpy(x) for x in record_probes(spaces, dtype, tuple(of_row))]
    with _OperationCounter() as of_function:
        found = function(*tensors)
    with _OperationCounter() as of_body:
        expected = body(torch_namespace, *tensors)
    is_shorter = of_function.count < of_body.count
    return function if is_shorter and _agree(found, expected) else None


def _make_body(loss: LossDefinition, by_index: bool) -> Callable[..., Any]:
    def body(xp: Any, y: Any, t: Any) -> Any:
        return loss._unreduced_losses("both", xp, y, t, by_index)

    return body


class _OperationCounter(TorchDispatchMode):  # type: ignore[misc]  # torch may be missing
    """Counts the operations of PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.count += 1
        return function(*args, **(kwargs or {}))


def _agree(actual: tuple[Array, ...], expected: tuple[Array, ...]) -> bool:
    return all(map(_are_same, actual, expected))


def _are_same(actual: Array, expected: Array) -> bool:
    if (actual.dtype, actual.shape) != (expected.dtype, expected.shape):
        return False
    return bool(((actual == expected) | (actual.isnan() & expected.isnan())).all())
