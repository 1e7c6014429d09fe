"""The kernels of a call."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from lossfw.losses.base import Definition
from lossfw.losses.engine.reduction import Sums
from lossfw.losses.engine.trial import Trial
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
    trial : Trial or None
        The trial that the kernel is still on.
    columns : int, optional
        The length of a row, if the kernel takes rows.

    Attributes
    ----------
    has_own_kernel : bool
        Tiles have another kernel, so that what they compare is not of this trial.
    """

    has_own_kernel = False

    def __init__(
        self,
        body: Definition,
        call: Arguments,
        out: NDArray | None,
        scale: float,
        trial: Trial | None,
        columns: int | None = None,
    ) -> None:
        self.body, self.call, self.scale, self.trial = body, call, scale, trial
        shape = (-1,) if columns is None else (-1, columns)
        self.y = call.y.reshape(shape)
        self.t = call.t.reshape(-1 if call.by_index else shape)
        self.weight = None if call.weight is None else call.weight.reshape(-1)
        self.out = None if out is None else out.reshape(shape)
        # The kernel's elements, or rows, in one step along the first axis of the call.
        self.each = math.prod(call.y.shape[1:]) // (columns or 1)

    def block(self, first: int, last: int) -> Sums | None:
        """Return the sums of some rows, None if they have to go through a tile."""
        part = self._part(first, last)
        weight = None if self.weight is None else self.weight[part]
        if weight is not None and not weight.min(initial=1.0) > 0:
            # Elements without weight are taken out before anything is computed.
            return None
        return self._sums(first, last, part, weight)

    def compared(self, first: int, last: int, by_tile: Callable[[], Sums]) -> Sums:
        """Return the sums of some rows; on trial those of a tile, which are compared."""
        found = self.block(first, last)
        if found is None or self.trial is None:
            return by_tile() if found is None else found
        written = self._written(first, last)
        wanted = by_tile()
        # Where only derivatives are asked for, a tile has no sums.
        sums = [np.array(one) for one in (found, wanted) if wanted.count]
        right = (*sums[1:], *self._written(first, last))
        new = self.y[self._part(first, last)].size if self.has_own_kernel else 0
        self.trial.compare((*sums[:1], *written), right, new)
        return wanted

    def _part(self, first: int, last: int) -> slice:
        return slice(first * self.each, last * self.each)

    def _written(self, first: int, last: int) -> tuple[NDArray, ...]:
        """Return a copy of the derivatives of some rows, if there are any."""
        return () if self.out is None else (self.out[self._part(first, last)].copy(),)

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
