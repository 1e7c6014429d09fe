"""The way to kernels: a look whether a call may have one, before anything of theirs is imported.

Expressions, code generation and LLVM are imported by the thread that compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from lossfw.losses.base import Definition
from lossfw.losses.engine.engine_mode import engine_mode
from lossfw.losses.engine.reduction import Sums
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import NDArray

# What a function returns: losses, a derivative of theirs, or losses and slopes.
ResultForm: TypeAlias = Literal["value", "gradient", "hessian", "both"]

# A smaller call takes longer to find its kernel than a tile to compute.
SMALL = 4096


class Blocks(Protocol):
    """Protocol: a call whose blocks need no tiles."""

    def block(self, first: int, last: int) -> Sums | None:
        """Return the sums of some rows, None if they have to go through a tile."""


class CallKernels(NamedTuple):
    """What kernels can do for a call.

    Attributes
    ----------
    function : callable or None
        ``function(xp, y, t)``, in the place of the body's on a tile.
    whole : Blocks or None
        The blocks of the call, without tiles.
    """

    function: Callable[..., Any] | None = None
    whole: Blocks | None = None


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
    """Return what kernels can do for a call by now.

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
    if not may_have_kernel(call.y.size) or call.by_index:
        return _NONE
    if not isinstance(body, Definition) or body.takes_rows:
        return _NONE
    # Imported on use: most calls are small.
    from lossfw.losses.engine import loss_kernels

    return loss_kernels.kernels_of(body, call, form, out, scale)
