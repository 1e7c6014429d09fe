"""What kernels can do for a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from lossfw.losses.engine.reduction import Sums

# What a function returns: losses, a derivative of theirs, or losses and slopes.
ResultForm: TypeAlias = Literal["value", "gradient", "hessian", "both"]

# A call of a kernel takes 14 microseconds, and the straight path of a smaller call 5 and what the
# body takes. So kernels of cheap bodies pay from about this on: huber with its gradient from
# 3,000 elements on, log_cosh from 5,000. Poisson's deviance would from 64 on.
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
