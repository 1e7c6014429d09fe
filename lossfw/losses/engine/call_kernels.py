"""The kernels of a call."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from lossfw.losses.base import Definition
from lossfw.losses.engine.reduction import Sums
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import NDArray

# The results of a function: losses, a derivative of theirs, or losses and slopes.
ResultForm: TypeAlias = Literal["value", "gradient", "hessian", "both"]

# A call of a kernel takes 14 microseconds, and the straight path of a smaller call 5 and what the
# body takes. So kernels of cheap bodies pay from about this on: huber with its gradient from
# 3,000 elements on, log_cosh from 5,000. Poisson's deviance would from 64 on.
SMALL = 4096


class Blocks(ABC):
    """A call whose blocks a kernel computes without tiles.

    Parameters
    ----------
    body : Definition
    call : Arguments
    out : ndarray or None
        Where the derivatives go, in the shape of the prediction.
    scale : float
        The factor of the derivatives.
    columns : int, optional
        The length of a row, if the kernel takes rows.
    """

    def __init__(
        self,
        body: Definition,
        call: Arguments,
        out: NDArray | None,
        scale: float,
        columns: int | None = None,
    ) -> None:
        self.body, self.call, self.scale = body, call, scale
        shape = (-1,) if columns is None else (-1, columns)
        self.y = call.y.reshape(shape)
        self.t = call.t.reshape(-1 if call.by_index else shape)
        self.weight = None if call.weight is None else call.weight.reshape(-1)
        self.out = None if out is None else out.reshape(shape)
        # The kernel's elements, or rows, in one step along the first axis of the call.
        self.each = math.prod(call.y.shape[1:]) // (columns or 1)

    def block(self, first: int, last: int) -> Sums | None:
        """Return the sums of some rows, None if they have to go through a tile."""
        part = slice(first * self.each, last * self.each)
        weight = None if self.weight is None else self.weight[part]
        if weight is not None and not weight.min(initial=1.0) > 0:
            # Elements without weight are taken out before anything is computed.
            return None
        return self._sums(first, last, part, weight)

    @abstractmethod
    def _sums(self, first: int, last: int, part: slice, weight: NDArray | None) -> Sums | None:
        """Return the sums of a part of the arrays, whose weights are positive."""


class CallKernels(NamedTuple):
    """The kernels of a call.

    Attributes
    ----------
    function : callable or None
        ``function(xp, y, t)``, in the place of the body's on a tile.
    whole : Blocks or None
        The blocks of the call, without tiles.
    """

    function: Callable[..., Any] | None = None
    whole: Blocks | None = None
