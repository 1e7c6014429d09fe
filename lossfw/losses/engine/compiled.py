"""The way to kernels: a look whether a call may have one, before anything of theirs is imported.

Expressions, code generation and LLVM are imported by the thread that compiles.
"""

from __future__ import annotations

from typing import Any

from lossfw.losses.base import Definition
from lossfw.losses.engine.call_kernels import SMALL, CallKernels, ResultForm
from lossfw.losses.engine.engine_mode import engine_mode
from lossfw.losses.engine.loss_kernels import kernels_of
from lossfw.losses.engine.row_loss_kernels import row_kernels_of
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import NDArray

_NONE = CallKernels()


def may_have_kernel(size: int) -> bool:
    """Tell whether a call on so many elements may go to a kernel."""
    mode = engine_mode()
    return mode == "compiled" or (size >= SMALL and mode != "tiles")


def kernels_for(
    body: Any,
    call: Arguments,
    form: ResultForm,
    out: NDArray | None = None,
    scale: float = 1.0,
) -> CallKernels:
    """Return the kernels that a call has by now.

    Parameters
    ----------
    body : EngineBody
    call : Arguments
    form : {"value", "gradient", "hessian", "both"}
    out : ndarray, optional
        Where the derivatives of a whole call go.
    scale : float
        Their factor.
    """
    if not may_have_kernel(call.y.size) or not isinstance(body, Definition):
        return _NONE
    if body.takes_rows:
        return row_kernels_of(body, call, form, out, scale)
    if call.by_index:
        return _NONE
    return kernels_of(body, call, form, out, scale)
