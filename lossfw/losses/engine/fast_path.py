"""The fast path: small calls without weights and masks, computed without tiles and threads.

They are of elements, of a single row, or of groups of one size that make one stack.
It calls the same functions on the same numbers in the same order as `execute`, so the bits are the
same. Other calls, and wrong ones, take the usual path, which also reports what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lossfw.components.columns import Columns
from lossfw.components.spaces import Interval, Space, Vector
from lossfw.errors import DomainError, ShapeError
from lossfw.losses.base import LossDefinition, ResultForm
from lossfw.losses.engine.engine_mode import current
from lossfw.losses.engine.exact_sum import exact_sum_of_array
from lossfw.losses.engine.groups import STACK_ELEMENTS
from lossfw.losses.engine.read_only import raise_for_writing, read_only_view
from lossfw.losses.engine.reduction import Reduction, weighted_sum
from lossfw.losses.engine.threads import keep_freed_memory
from lossfw.losses.inputs import check_members
from lossfw.losses.row_groups import groups_per_stack
from lossfw.numerics.arrays import FEW_COLUMNS, NDArray

# A call of a kernel takes 14 microseconds, and the fast path of a smaller call 5 and what the
# body takes. So kernels of cheap bodies pay from about this on: huber with its gradient from
# 3,000 elements on, log_cosh from 5,000. Poisson's deviance would from 64 on. Calls without a fast
# path, as those of rows and of weights, take 30 microseconds in tiles: a kernel pays for any size.
SMALL = 4096

# Where every call should have a kernel, there is no fast path.
_MODES = ("auto", "tiles", "explain")

_ARRAY = np.ndarray
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

_OfOneRow: TypeAlias = Callable[[Any, int], Any]


class FastPathTraits(NamedTuple):
    """The facts of a loss that the fast path needs."""

    # It has one value for each element or each group, and no rule of its own about which count.
    has_plain_elements: bool
    has_plain_groups: bool
    # Some float may lie outside of the spaces.
    needs_check: bool
    # The author's functions get prediction and target, and not their difference or product.
    exposes_arguments: bool
    # The loss of a single row of few columns for a class index, and with its gradient; see
    # `lossfw.numerics.softmax_index`.
    of_one_row: _OfOneRow | None
    both_of_one_row: _OfOneRow | None


def fast_path_traits(loss: LossDefinition) -> FastPathTraits:
    """Return the traits of a loss."""
    counts_all = type(loss)._own_mask_and_weight is LossDefinition._own_mask_and_weight
    has_plain_losses = counts_all and not loss._sums_rows and not loss.takes_groups
    has_default_check = type(loss).check_domain is LossDefinition.check_domain
    accepts_any_prediction = has_default_check and accepts_any_float(loss.prediction_space)
    value, both = (
        getattr(getattr(loss.body, name, None), "of_one_row", None)
        for name in ("value_at", "value_and_derivative_at")
    )
    has_row_function = has_plain_losses and accepts_any_prediction and loss.takes_classes
    return FastPathTraits(
        has_plain_losses and not (loss.takes_rows or loss.has_columns),
        counts_all and loss.takes_groups,
        not (accepts_any_prediction and accepts_any_float(loss.target_space)),
        not has_default_check or loss._argument == "prediction",
        value if has_row_function else None,
        both if has_row_function else None,
    )


def accepts_any_float(space: Space) -> bool:
    """Tell whether a space has every float, or every row of them."""
    if isinstance(space, Columns):
        return not space.is_ordered and all(map(accepts_any_float, space.spaces))
    if type(space) is Vector:
        return accepts_any_float(space.of_numbers)
    return isinstance(space, Interval) and (space.low, space.high) == (-np.inf, np.inf)


def compute(
    loss: Any,
    traits: FastPathTraits,
    y: NDArray,
    t: Any,
    form: ResultForm,
    reduction: Reduction,
    out: Any = None,
) -> Any:
    """Return the result of a call with these arguments and no others; None on the usual path."""
    of_groups = traits.has_plain_groups
    if type(t) is not _ARRAY or not (of_groups or current[0] in _MODES):
        return None
    if not (of_groups or traits.has_plain_elements):
        return None if out is not None else _compute_one_row(traits, y, t, form, reduction)
    if out is not None and not _is_valid_out(out, y, t):
        return None
    arrays = (_stack_checked if of_groups else _flatten_checked)(loss, traits, y, t)
    if arrays is None:
        return None
    results = _call_quietly(loss._compute_losses, form, np, *arrays, False)
    shape = arrays[0].shape
    add_up = exact_sum_of_array if of_groups else weighted_sum
    if form == "value":
        if reduction.reduction == "none" or getattr(results, "shape", None) != shape[:1]:
            return None
        return _reduce(add_up(results), shape[0], reduction)
    losses, gradient = results if form == "both" and isinstance(results, tuple) else (None, results)
    if getattr(gradient, "shape", None) != shape or gradient.dtype is not y.dtype:
        return None
    if form == "both" and getattr(losses, "shape", None) != shape[:1]:
        return None
    scale = _reduce(1.0, shape[0], reduction)
    if out is not None:
        np.multiply(gradient, scale, out=out.reshape(shape))
        gradient = out
    else:
        # Also with a factor of 1: a body may return its argument.
        gradient = np.multiply(gradient, scale).reshape(y.shape)
    if form != "both":
        return gradient
    return _reduce(add_up(losses), shape[0], reduction), gradient


def _is_valid_out(out: Any, y: NDArray, t: NDArray) -> bool:
    """Return whether derivatives can be written to an array; see `lossfw.losses.inputs.set_out`."""
    if type(out) is not _ARRAY or out.shape != y.shape or out.dtype != y.dtype:
        return False
    return out.flags.carray and not (np.may_share_memory(out, y) or np.may_share_memory(out, t))


def _reduce(total: float, count: int, reduction: Reduction) -> float:
    # Adding 0.0 turns -0.0 into 0.0.
    return total / count + 0.0 if reduction.reduction == "mean" else total + 0.0


def _flatten_checked(
    loss: Any, traits: FastPathTraits, y: NDArray, t: NDArray
) -> tuple[NDArray, NDArray] | None:
    """Return two arrays of one axis, None if they are not plain, small and inside of the spaces."""
    shape, dtype = y.shape, y.dtype
    # Another object of an equal dtype takes the usual path.
    if t.dtype is not dtype or (dtype is not _FLOAT64 and dtype is not _FLOAT32):
        return None
    if t.shape != shape or not (shape and y.flags.c_contiguous and t.flags.c_contiguous):
        return None
    count = shape[0] if len(shape) == 1 else y.size
    # These are one block, in rows of any length. Larger calls may have a kernel.
    if not 0 < count < SMALL:
        return None
    if traits.exposes_arguments:
        y, t = read_only_view(y), read_only_view(t)
    if len(shape) > 1:
        y, t = y.reshape(-1), t.reshape(-1)
    return (y, t) if _lie_inside(loss, traits, y, t) else None


def _lie_inside(loss: Any, traits: FastPathTraits, y: NDArray, t: NDArray) -> bool:
    if traits.needs_check:
        try:
            loss.check_domain(y, t, False, 0)
        except DomainError:
            return False
        except ValueError as error:
            raise_for_writing(error, loss.check_domain)
    return True


def _stack_checked(
    loss: Any, traits: FastPathTraits, y: NDArray, t: NDArray
) -> tuple[NDArray, NDArray] | None:
    """Return groups of one size as one stack, None if they are not plain and inside of the spaces.

    See `lossfw.losses.engine.groups`, which has the same stack.
    """
    dtype = y.dtype
    if t.dtype is not dtype or (dtype is not _FLOAT64 and dtype is not _FLOAT32):
        return None
    space = loss.prediction_space
    lead = y.shape[: max(y.ndim - space.axes, 0)]
    try:
        if check_members(t.shape, loss.target_space, "target") != lead:
            return None
        check_members(y.shape, space, "prediction")
        if len(lead) == 1 and not loss.needs_group:
            y, t, lead = y[None], t[None], (1, *lead)
        is_whole = y.size and y.flags.c_contiguous and t.flags.c_contiguous
        if len(lead) != 2 or not is_whole or lead[0] > groups_per_stack(STACK_ELEMENTS, lead[1]):
            return None
        y, t = (read_only_view(x if x.ndim < 4 else x.reshape(*lead, -1)) for x in (y, t))
        loss._check_columns(y.shape)
    except ShapeError:
        return None
    keep_freed_memory()
    return (y, t) if _lie_inside(loss, traits, y, t) else None


def _compute_one_row(
    traits: FastPathTraits, y: NDArray, t: NDArray, form: ResultForm, reduction: Reduction
) -> Any:
    function = traits.of_one_row if form == "value" else traits.both_of_one_row
    if function is None or form == "hessian" or not y.shape[:-1] == t.shape == (1,):
        return None
    if form == "value" and reduction.reduction == "none":
        return None
    classes = y.shape[-1]
    if y.dtype not in (_FLOAT32, _FLOAT64) or t.dtype.kind not in "iu" or classes > FEW_COLUMNS:
        return None
    index = int(t[0])
    if not 0 <= index < classes:
        return None
    results = _call_quietly(function, y[0], index)
    if results is None:
        return None
    # Sum and mean of one loss are the same.
    if form == "value":
        return float(results) + 0.0
    gradient = np.multiply(results[1], 1.0).reshape(y.shape)
    return (float(results[0]) + 0.0, gradient) if form == "both" else gradient


# As a decorator it takes half the time of a with block.
@np.errstate(all="ignore")
def _call_quietly(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function without NumPy's floating-point warnings."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise_for_writing(error, function)
