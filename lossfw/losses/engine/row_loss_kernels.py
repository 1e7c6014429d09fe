"""Kernels of losses of rows: how a call uses them, alone or in the place of a body on a tile."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from lossfw.components.spaces import CLASS_INDEX, SIMPLEX, Interval, Members, Simplex
from lossfw.losses.base import Definition
from lossfw.losses.engine import kernels
from lossfw.losses.engine.call_kernels import Blocks, CallKernels, ResultForm
from lossfw.losses.engine.loss_kernels import FUNCTIONS
from lossfw.losses.engine.reduction import Sums, weight_sum, weighted_sum
from lossfw.losses.engine.straight import is_unbounded
from lossfw.losses.engine.tiling import check_domain
from lossfw.losses.engine.trial import on_trial
from lossfw.losses.inputs import FEW_COLUMNS, Arguments
from lossfw.numerics.arrays import Array, Namespace, NDArray

if TYPE_CHECKING:
    # Imported on use, by the thread that compiles.
    from lossfw.losses.engine.row_candidates import RowCandidate
    from lossfw.numerics.compiled.row_kernel import RowKernel


def row_candidate_of(
    loss: Definition, form: ResultForm, columns: int, *, by_index: bool
) -> RowCandidate:
    """Return a function of a loss of rows as it may be compiled."""
    from lossfw.losses.engine.row_candidates import RowCandidate

    function = getattr(loss, _name_of(form, by_index=by_index))
    outside = _outside_of(loss, by_index=by_index)
    return RowCandidate(
        owner=repr(loss),
        form=f"{form} of {columns} columns{' by index' if by_index else ''}",
        function=function if outside is None else functools.partial(_with, function, outside),
        spaces={"y": loss.prediction_space, "t": loss.target_space},
        columns=columns,
        by_index=by_index,
        losses=form in ("value", "both"),
        slopes=form != "value",
        order="columns" if columns <= FEW_COLUMNS else "pairwise",
        checked=outside is not None,
    )


def _name_of(form: ResultForm, *, by_index: bool) -> str:
    return FUNCTIONS[form] + ("_at" if by_index else "")


def row_kernel_of(
    body: Definition,
    form: ResultForm,
    columns: int,
    dtype: np.dtype[Any],
    elements: int,
    *,
    by_index: bool,
) -> kernels.Found | None:
    """Return the kernel of a function of rows by now; see `lossfw.losses.engine.kernels.find`."""
    key = (type(body), body.identity, form, columns, by_index)
    candidate = functools.partial(row_candidate_of, body, form, columns, by_index=by_index)
    return kernels.find(key, candidate, dtype, elements)


def _with(
    function: Callable[..., Any], outside: Callable[..., Array], xp: Namespace, *arrays: Array
) -> tuple[Array, ...]:
    """Return what a function returns, and which rows lie outside, in the dtype of rows."""
    results = function(xp, *arrays)
    results = results if isinstance(results, tuple) else (results,)
    return (*results, xp.astype(outside(xp, *arrays), arrays[0].dtype))


def _outside_of(loss: Definition, *, by_index: bool) -> Callable[..., Array] | None:
    """Return what tells which rows lie outside of a loss's spaces; None if a kernel cannot.

    A kernel reads the rows anyway, and adds them up in the order of the usual check. Class
    indices are left to that.
    """
    target = SIMPLEX if loss.target_space is CLASS_INDEX else loss.target_space
    spaces = (loss.prediction_space,) if by_index else (loss.prediction_space, target)
    if type(loss).check_domain is not Definition.check_domain:
        return None
    if not all(isinstance(space, Simplex | Interval | Members) for space in spaces):
        return None
    bounded = [(at, space) for at, space in enumerate(spaces) if not is_unbounded(space)]
    if not bounded:
        return None

    def outside(xp: Namespace, *arrays: Array) -> Array:
        found = [_beyond(xp, space, arrays[at]) for at, space in bounded]
        return found[0] if len(found) == 1 else found[0] | found[1]

    return outside


def _beyond(xp: Namespace, space: Any, x: Array) -> Array:
    if isinstance(space, Simplex):
        return space.beyond(xp, x)
    return xp.any(space.beyond(x), axis=-1)


def row_kernels_of(
    body: Definition, call: Arguments, form: ResultForm, out: NDArray | None, scale: float
) -> CallKernels:
    """Return the kernels of a call; see `lossfw.losses.engine.compiled.kernels_for`."""
    # The second derivative takes rows, which the engine makes of class indices.
    by_index = call.by_index and form != "hessian"
    if not call.by_index and call.t.shape != call.y.shape:
        return CallKernels()
    columns, work = call.y.shape[-1], np.dtype(call.work)
    found = row_kernel_of(body, form, columns, work, call.y.size, by_index=by_index)
    if found is None:
        return CallKernels()
    usual = getattr(body, _name_of(form, by_index=by_index))
    function = on_trial(found.trial, functools.partial(_on_tile, found.kernel, usual), usual)
    if call.by_index != by_index or not _needs_no_tiles(call):
        return CallKernels(function)
    return CallKernels(function, WholeRows(body, call, found, out, scale))


def _needs_no_tiles(call: Arguments) -> bool:
    """Tell whether a call has no mask, and arrays as a kernel takes them."""
    arrays = (call.y,) if call.by_index else (call.y, call.t)
    if call.keep is not None or call.dtype != call.work:
        return False
    return all(array.dtype == call.work and array.flags.c_contiguous for array in arrays)


def _on_tile(kernel: RowKernel, usual: Any, xp: Any, y: NDArray, t: NDArray) -> Any:
    """Compute a tile, as a body does; by the body itself what the kernel cannot."""
    given = y, t
    losses = np.empty(len(y), y.dtype) if kernel.shape.losses else None
    slopes = np.empty_like(y) if kernel.shape.slopes else None
    if kernel.shape.by_index:
        t = _index(t)
    elif t.strides != y.strides:
        # The engine makes rows of class indices in a layout of their own.
        y, t = np.ascontiguousarray(y), np.ascontiguousarray(t)
    if not kernel(y, t, losses=losses, slopes=slopes):
        return usual(xp, *given)
    if losses is not None and slopes is not None:
        return losses, slopes
    return slopes if losses is None else losses


def _index(t: NDArray) -> NDArray:
    return np.ascontiguousarray(t, np.int64)


class WholeRows(Blocks):
    """A call whose blocks of rows a kernel computes."""

    def __init__(
        self,
        body: Definition,
        call: Arguments,
        found: kernels.Found,
        out: NDArray | None,
        scale: float,
    ) -> None:
        columns = call.y.shape[-1]
        super().__init__(body, call, out, scale, found.trial, columns)
        self.kernel = kernel = cast("RowKernel", found.kernel)
        # As in tiles, whose check adds up rows too.
        checked = not (call.by_index and is_unbounded(body.prediction_space))
        checked = checked and not kernel.shape.checked
        self.order: Literal["C", "F"] = "F" if checked and columns <= FEW_COLUMNS else "C"

    def _sums(self, first: int, last: int, part: slice, weight: NDArray | None) -> Sums | None:
        y, t = (np.asarray(x[part], order=self.order) for x in (self.y, self.t))
        if not self.kernel.shape.checked:
            check_domain(self.body, self.call, first, last, y, t)
        elif self.call.by_index and not (t.min(initial=0) >= 0 and t.max(initial=0) < y.shape[-1]):
            return None
        losses = np.empty(len(y), y.dtype) if self.kernel.shape.losses else None
        slopes = None if self.out is None else self.out[part]
        scale = self.scale if weight is None else 1.0
        index = _index(t) if self.kernel.shape.by_index else t
        if not self.kernel(y, index, losses=losses, slopes=slopes, scale=scale):
            return None
        if weight is not None and slopes is not None:
            slopes[...] = slopes * (weight * self.scale)[:, np.newaxis]
        total = 0.0 if losses is None else weighted_sum(losses, weight)
        return Sums(total, weight_sum(weight, len(y)), len(y))
