"""Kernels of losses: how a call uses them, alone or in the place of a body on a tile."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from lossfw.components.spaces import Counts, Interval, Members
from lossfw.losses.base import Definition
from lossfw.losses.engine import kernels
from lossfw.losses.engine.call_kernels import Blocks, CallKernels, ResultForm
from lossfw.losses.engine.reduction import Sums, weight_sum
from lossfw.losses.engine.tiling import check_domain
from lossfw.losses.engine.trial import on_trial
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import NDArray

if TYPE_CHECKING:
    # Imported on use, by the thread that compiles.
    from lossfw.losses.engine.candidates import Candidate
    from lossfw.numerics.compiled.kernel import Kernel

FUNCTIONS: dict[ResultForm, str] = {
    "value": "unreduced",
    "gradient": "unreduced_gradient",
    "hessian": "unreduced_hessian",
    "both": "unreduced_with_gradient",
}


# Spaces of which a kernel sees what lies outside; see `lossfw.losses.engine.candidates`.
_CHECKED = (Interval, Members, Counts)


def candidate_of(loss: Definition, form: ResultForm) -> Candidate:
    """Return a function of a loss as it may be compiled."""
    from lossfw.losses.engine.candidates import Candidate

    spaces = {"y": loss.prediction_space, "t": loss.target_space}
    function = getattr(loss, FUNCTIONS[form])
    return Candidate(repr(loss), function, form, spaces, checks_by_kernel(loss))


def checks_by_kernel(loss: Definition) -> bool:
    """Tell whether a kernel sees all that the loss's check of its domain would."""
    spaces = (loss.prediction_space, loss.target_space)
    usual = type(loss).check_domain is Definition.check_domain
    return usual and all(type(space) in _CHECKED for space in spaces)


def kernels_of(
    body: Definition, call: Arguments, form: ResultForm, out: NDArray | None, scale: float
) -> CallKernels:
    """Return the kernels of a call; see `lossfw.losses.engine.compiled.kernels_for`."""
    dtype = np.dtype(call.work)
    key = (type(body), body.identity, form)
    candidate = functools.partial(candidate_of, body, form)
    plain = kernels.find(key, candidate, dtype, call.y.size)
    function = None
    if plain is not None:
        usual = getattr(body, FUNCTIONS[form])
        on_tile = functools.partial(_on_tile, plain.kernel, usual)
        function = on_trial(plain.trial, on_tile, usual)
    if not _needs_no_tiles(body, call, dtype):
        return CallKernels(function)
    fused = plain
    if call.weight is not None:
        fused = kernels.find(key, candidate, dtype, call.y.size, weighted=True)
    return CallKernels(function, fused and WholeCall(body, call, fused, out, scale))


def _needs_no_tiles(body: Definition, call: Arguments, dtype: np.dtype[Any]) -> bool:
    """Tell whether a call has no mask, and arrays as a kernel takes them."""
    if call.keep is not None or body.sums_rows or call.dtype != dtype:
        return False
    return all(array.dtype == dtype and array.flags.c_contiguous for array in (call.y, call.t))


def _on_tile(kernel: Kernel, usual: Any, xp: Any, y: NDArray, t: NDArray) -> Any:
    """Compute a tile, as a body does; by the body itself what the kernel cannot."""
    losses = np.empty_like(y) if kernel.shape.losses else None
    slopes = np.empty_like(y) if kernel.shape.slopes else None
    if not kernel(y.reshape(-1), t.reshape(-1), losses=_flat(losses), slopes=_flat(slopes))[1]:
        return usual(xp, y, t)
    if losses is not None and slopes is not None:
        return losses, slopes
    return slopes if losses is None else losses


def _flat(array: NDArray | None) -> NDArray | None:
    return None if array is None else array.reshape(-1)


class WholeCall(Blocks):
    """A call whose blocks a kernel computes with their sums, weights and factors."""

    def __init__(
        self,
        body: Definition,
        call: Arguments,
        found: kernels.Found,
        out: NDArray | None,
        scale: float,
    ) -> None:
        super().__init__(body, call, out, scale, found.trial)
        self.kernel: Kernel = found.kernel
        self.has_own_kernel = self.kernel.shape.weighted
        self.check_first = not checks_by_kernel(body)

    def _sums(self, first: int, last: int, part: slice, weight: NDArray | None) -> Sums | None:
        y, t = self.y[part], self.t[part]
        if self.check_first:
            check_domain(self.body, self.call, first, last, y, t)
        slopes = None if self.out is None else self.out[part]
        total, inside = self.kernel(y, t, slopes=slopes, weight=weight, scale=self.scale)
        # A tile says which argument lies outside.
        return Sums(total, weight_sum(weight, y.size), y.size) if inside else None
