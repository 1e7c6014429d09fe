"""The kernels of a call, for its blocks, or instead of a body for a tile.

Expressions, code generation and LLVM are imported by the thread that compiles.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lossfw.components.columns import Columns
from lossfw.components.spaces import (
    CLASS_INDEX,
    SIMPLEX,
    Counts,
    FiniteSpace,
    Interval,
    Simplex,
    Space,
    Vector,
)
from lossfw.losses.base import LossDefinition, ResultForm
from lossfw.losses.bodies import is_derived
from lossfw.losses.engine.engine_mode import engine_mode
from lossfw.losses.engine.fast_path import accepts_any_float
from lossfw.losses.engine.kernels.trial import run_on_trial
from lossfw.losses.engine.kernels.watched import UsableKernel, WatchedFunction, watch
from lossfw.losses.engine.reduction import Sums, weight_sum, weighted_sum
from lossfw.losses.engine.tiling import check_domain
from lossfw.losses.inputs import Arguments
from lossfw.numerics.arrays import FEW_COLUMNS, Array, Namespace, NDArray
from lossfw.numerics.compiled.signature import Domain, KernelSignature

if TYPE_CHECKING:
    # Imported on use, by the thread that compiles.
    from lossfw.losses.engine.kernels.candidates import Candidate
    from lossfw.losses.engine.kernels.tile_function import TileFunction
    from lossfw.numerics.compiled.kernel import Kernel


# The spaces whose bounds a kernel checks.
_CHECKED = (Interval, FiniteSpace, Counts, Simplex)

# Which functions have a kernel.


def candidate_of(
    loss: LossDefinition,
    form: ResultForm,
    columns: int | None = None,
    *,
    by_index: bool = False,
    widths: tuple[int, ...] = (),
) -> Candidate:
    """Return the candidate of a loss's function, for rows with a number of columns.

    A loss of named columns has `widths` instead: how many numbers each argument has per record.
    """
    from lossfw.losses.engine.kernels.candidates import Candidate
    from lossfw.losses.engine.kernels.column_candidates import ColumnCandidate

    function = _function_of(loss, form, by_index)
    bounded = _bounded_spaces(loss, by_index)
    domain: Domain = "unchecked" if bounded is None else "checked" if bounded else "unbounded"
    if bounded:
        function = functools.partial(_add_outside_flag, function, bounded)
    of_rows = "" if columns is None else f" of {columns} columns{' by index' if by_index else ''}"
    spaces = {"y": loss.prediction_space, "t": loss.target_space}
    signature = KernelSignature(
        tuple(spaces),
        values=form in ("value", "both"),
        derivatives=form != "value",
        domain=domain,
        columns=columns,
        by_index=by_index,
        order="columns" if columns is not None and columns <= FEW_COLUMNS else "pairwise",
        widths=widths,
    )
    kind = ColumnCandidate if widths else Candidate
    return kind(repr(loss), f"{form}{of_rows}", function, spaces, signature)


def no_kernel_reason(
    loss: LossDefinition,
    form: ResultForm,
    dtype: np.dtype[Any],
    columns: int | None = None,
    *,
    by_index: bool = False,
) -> str:
    """Return why a function of a loss has no kernel; empty if it may have one.

    Vectors of open size have `columns` numbers.
    """
    if loss.has_columns:
        spaces = (loss.prediction_space, loss.target_space)
        widths = tuple(space.flat_size(columns or 1) for space in spaces)
        return candidate_of(loss, form, widths=widths).problem(dtype)
    return candidate_of(loss, form, columns, by_index=by_index).problem(dtype)


def _function_of(loss: LossDefinition, form: ResultForm, by_index: bool) -> Callable[..., Any]:
    def compute(xp: Namespace, y: Array, t: Array) -> Any:
        return loss._unreduced_losses(form, xp, y, t, by_index)

    return compute


def watched_function(
    loss: LossDefinition,
    form: ResultForm,
    dtype: np.dtype[Any],
    columns: int | None = None,
    *,
    by_index: bool = False,
    weighted: bool = False,
    widths: tuple[int, ...] = (),
) -> WatchedFunction:
    """Return a loss's function that has a kernel or may get one; see `candidate_of`."""
    key = (type(loss), loss._cache_key, form, columns, by_index, widths)
    candidate = functools.partial(
        candidate_of, loss, form, columns, by_index=by_index, widths=widths
    )
    may_be_written = not weighted and is_derived(loss.body, form)
    return watch(key, candidate, dtype, weighted=weighted, may_be_written=may_be_written)


# What lies outside of the domain. A kernel reads the numbers anyway, and adds up rows in the order
# of the usual check.


def _bounded_spaces(loss: LossDefinition, by_index: bool) -> list[tuple[int, Space]] | None:
    """Return a loss's spaces with bounds, by their arguments; None if no kernel checks them all.

    Class indices are left to the usual check.
    """
    target = loss.target_space
    if target is CLASS_INDEX and loss.takes_rows:
        target = SIMPLEX
    spaces = (loss.prediction_space,) if by_index else (loss.prediction_space, target)
    is_usual = type(loss).check_domain is LossDefinition.check_domain
    if not is_usual or any(
        type(x) not in _CHECKED for space in spaces for x in _number_spaces(space)
    ):
        return None
    return [(place, space) for place, space in enumerate(spaces) if not accepts_any_float(space)]


def _number_spaces(space: Space) -> tuple[Space, ...]:
    """Return the space of the numbers of a vector, or of those of each column."""
    if isinstance(space, Columns):
        return tuple(part for own in space.spaces for part in _number_spaces(own))
    # A space derived from Vector has a rule of its own.
    return (space.of_numbers,) if type(space) is Vector else (space,)


def _add_outside_flag(
    function: Callable[..., Any],
    bounded: list[tuple[int, Space]],
    xp: Namespace,
    *arrays: Array,
) -> tuple[Array, ...]:
    """Return what a function returns, and 1 for each element or row that lies outside, else 0."""
    results = function(xp, *arrays)
    results = results if isinstance(results, tuple) else (results,)
    outside = [_is_outside(xp, space, arrays[place]) for place, space in bounded]
    is_outside = functools.reduce(lambda a, b: a | b, outside)
    return (*results, xp.astype(is_outside, arrays[0].dtype))


def _is_outside(xp: Namespace, space: Any, x: Array) -> Array:
    if isinstance(space, Columns):
        parts = [(own, part) for _, own, part in space.iter_columns(x)]
        found = [_is_outside(xp, *part) for part in parts if not accepts_any_float(part[0])]
        last = x.shape[-1] - 1 if space.is_ordered else 0
        return functools.reduce(
            lambda a, b: a | b, [*found, *(x[..., k] > x[..., k + 1] for k in range(last))]
        )
    if isinstance(space, Vector):
        return _is_outside(xp, space.of_numbers, x)
    if isinstance(space, Simplex):
        return space.outside_mask(xp, x)
    beyond: Array = (
        (x < 0) | (xp.floor(x) < x) if isinstance(space, Counts) else space.outside_mask(x)
    )
    return xp.any(beyond, axis=-1) if x.ndim > 1 else beyond


# The kernels of a call.


class CallKernels(NamedTuple):
    """The kernels of a call, which replace the body on a tile, or the tiles."""

    tile_function: Callable[..., Any] | None = None  # tile_function(xp, y, t)
    block_kernel: BlockKernel | None = None
    waiting: tuple[WatchedFunction, ...] = ()  # for which the time that the call takes counts


_NONE = CallKernels()


def kernels_for(
    loss: Any,
    call: Arguments,
    form: ResultForm,
    out: NDArray | None = None,
    scale: float = 1.0,
) -> CallKernels:
    """Return the kernels that a call has now.

    Derivatives of a whole call go to `out`, times `scale`.
    """
    if engine_mode() == "tiles" or not isinstance(loss, LossDefinition):
        return _NONE
    widths = _widths(loss, call)
    if not widths and not (loss.takes_rows if call.by_index else call.t.shape == call.y.shape):
        return _NONE
    if loss.takes_groups:
        return _NONE
    # The second derivative takes rows, which the engine makes of class indices.
    by_index = call.by_index and form != "hessian"
    columns = call.y.shape[-1] if loss.takes_rows and not widths else None
    dtype = np.dtype(call.work)
    watched = functools.partial(
        watched_function, loss, form, dtype, columns, by_index=by_index, widths=widths
    )
    of_tiles = watched()
    kernel, function = of_tiles.usable_kernel(), None
    usable = kernel or of_tiles.usable_tile_function()
    if usable is not None:
        usual = _function_of(loss, form, by_index)
        on_tile = functools.partial(
            _run_kernel_on_tile if kernel else _run_written_on_tile, usable.kernel, usual
        )
        function = run_on_trial(usable.trial, on_tile, usual)
    waiting = () if kernel else (of_tiles,)
    if call.by_index != by_index or not _needs_no_tiles(loss, call, dtype):
        return CallKernels(function, waiting=waiting)
    if call.weight is not None and columns is None:
        of_blocks = watched(weighted=True)
        kernel = of_blocks.usable_kernel()
        waiting = () if kernel else (of_blocks, *waiting)
    return CallKernels(function, kernel and BlockKernel(loss, call, kernel, out, scale), waiting)


def _widths(loss: LossDefinition, call: Arguments) -> tuple[int, ...]:
    """Return how many numbers the arguments of a loss of named columns have for a record."""
    if not loss.has_columns:
        return ()
    first = call.y.shape[-1] if loss.takes_rows else 1
    return first, call.t.shape[-1] if loss._takes_target_rows else 1


def _needs_no_tiles(loss: LossDefinition, call: Arguments, dtype: np.dtype[Any]) -> bool:
    """Return whether a call has no mask, and arrays as a kernel takes them."""
    if call.where is not None or loss._sums_rows or call.dtype != dtype:
        return False
    arrays = (call.y,) if call.by_index else (call.y, call.t)
    return all(array.dtype == dtype and array.flags.c_contiguous for array in arrays)


def _run_kernel_on_tile(kernel: Kernel, fallback: Any, xp: Any, y: NDArray, t: NDArray) -> Any:
    """Compute a tile by a kernel, or as usual what it leaves to the loss."""
    signature, arguments = kernel.signature, (y, t)
    values = derivatives = None
    if signature.values:
        of_elements = signature.columns is None and not signature.widths
        values = np.empty(y.shape if of_elements else y.shape[:1], y.dtype)
    if signature.derivatives:
        derivatives = np.empty_like(y, order="C" if signature.widths else "K")
    if signature.by_index:
        arguments = y, _as_index(t)
    elif signature.widths or t.strides != y.strides:
        # The engine makes rows of class indices in a layout of their own.
        arguments = np.ascontiguousarray(y), np.ascontiguousarray(t)
    if not kernel(*arguments, values=values, derivatives=derivatives)[1]:
        return fallback(xp, y, t)
    if values is not None and derivatives is not None:
        return values, derivatives
    return derivatives if values is None else values


def _run_written_on_tile(
    written: TileFunction, fallback: Any, xp: Any, y: NDArray, t: NDArray
) -> Any:
    """Compute a tile by a function that is written out, or as usual one with rare elements."""
    results = written(y, t)
    return fallback(xp, y, t) if results is None else results


def _as_index(t: NDArray) -> NDArray:
    return np.ascontiguousarray(t, np.int64)


class BlockKernel:
    """A call whose blocks a kernel computes without tiles, including sums and factors.

    Derivatives go to `out`, in the shape of the prediction, times `scale`.
    """

    def __init__(
        self,
        loss: LossDefinition,
        call: Arguments,
        kernel: UsableKernel,
        out: NDArray | None,
        scale: float,
    ) -> None:
        self.loss, self.call, self.scale = loss, call, scale
        self.kernel: Kernel = kernel.kernel
        self.trial = kernel.trial
        signature = self.kernel.signature
        columns = signature.columns
        widths = signature.widths or (columns or 1,) * 2
        shape = (-1, widths[0]) if loss.takes_rows else (-1,)
        of_target = loss._takes_target_rows and not call.by_index
        self.y = call.y.reshape(shape)
        self.t = call.t.reshape((-1, widths[1]) if of_target else (-1,))
        self.weight = None if call.weight is None else call.weight.reshape(-1)
        self.out = None if out is None else out.reshape(shape)
        # The kernel's elements, or rows, in one step along the first axis of the call.
        self.each = math.prod(call.y.shape[1:]) // widths[0]
        self.check_first = signature.domain == "unchecked"
        # As in tiles, whose check adds up rows too.
        reads_rows = not (call.by_index and accepts_any_float(loss.prediction_space))
        has_few = bool(columns) and columns <= FEW_COLUMNS
        self.by_columns = self.check_first and has_few and reads_rows

    def block_sums(self, first: int, last: int) -> Sums | None:
        """Return the sums of some rows; None if they need a tile."""
        part = self._slice_of_rows(first, last)
        weight = None if self.weight is None else self.weight[part]
        if weight is not None and not weight.min(initial=1.0) > 0:
            # Elements without weight are taken out before anything is computed.
            return None
        y, t = self.y[part], self.t[part]
        if self.by_columns:
            y, t = np.asfortranarray(y), np.asfortranarray(t)
        if self.check_first:
            check_domain(self.loss, self.call, first, last, y, t)
        elif self.call.by_index and not (t.min(initial=0) >= 0 and t.max(initial=0) < y.shape[-1]):
            # A tile says which argument lies outside.
            return None
        derivatives = None if self.out is None else self.out[part]
        total = self._sum(y, t, derivatives, weight)
        return None if total is None else Sums(total, weight_sum(weight, len(y)), len(y))

    def compute_and_compare(self, first: int, last: int, by_tile: Callable[[], Sums]) -> Sums:
        """Return the sums of some rows; during a trial those of a tile, after a comparison."""
        sums = self.block_sums(first, last)
        if sums is None or self.trial is None:
            return by_tile() if sums is None else sums
        actual = self._copy_derivatives(first, last)
        expected_sums = by_tile()
        expected = self._copy_derivatives(first, last)
        # Where only derivatives are asked for, a tile has no sums.
        if expected_sums.count:
            actual, expected = [np.array(sums), *actual], [np.array(expected_sums), *expected]
        # On a tile the same kernel counts what it compares itself; one with weights is another.
        elements = (
            self.y[self._slice_of_rows(first, last)].size if self.kernel.signature.weighted else 0
        )
        self.trial.compare(tuple(actual), tuple(expected), elements)
        return expected_sums

    def _slice_of_rows(self, first: int, last: int) -> slice:
        return slice(first * self.each, last * self.each)

    def _copy_derivatives(self, first: int, last: int) -> list[NDArray]:
        """Return a copy of the derivatives of some rows, if there are any."""
        return [] if self.out is None else [self.out[self._slice_of_rows(first, last)].copy()]

    def _sum(
        self, y: NDArray, t: NDArray, derivatives: NDArray | None, weight: NDArray | None
    ) -> float | None:
        """Write derivatives and return sum(w l), None if an argument lies outside."""
        kernel, signature, scale = self.kernel, self.kernel.signature, self.scale
        if signature.columns is None:
            total, inside = kernel(y, t, derivatives=derivatives, weight=weight, scale=scale)
            return total if inside else None
        losses = np.empty(len(y), y.dtype) if signature.values else None
        t = _as_index(t) if signature.by_index else t
        factor = scale if weight is None else 1.0
        if not kernel(y, t, values=losses, derivatives=derivatives, scale=factor)[1]:
            return None
        if weight is not None and derivatives is not None:
            derivatives[...] = derivatives * (weight * scale)[:, np.newaxis]
        return 0.0 if losses is None else weighted_sum(losses, weight)
