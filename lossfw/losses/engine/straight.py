"""The straight path: small calls without weights and masks, and so without tiles and threads.

It calls the same functions on the same numbers in the same order as `execute`, so it
changes no bit. A call that it does not know, or that is wrong, takes the usual path, which
also tells what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lossfw.components.spaces import Interval, Space
from lossfw.errors import DomainError
from lossfw.losses.base import Definition
from lossfw.losses.engine.engine_mode import current
from lossfw.losses.engine.kernels import SMALL
from lossfw.losses.engine.read_only import raise_for_writing, read_only
from lossfw.losses.engine.reduction import Reduction, weighted_sum
from lossfw.losses.inputs import FEW_COLUMNS

# `lossfw.losses.engine.reduction.Sums`, whose making would take a tenth of the time.
_Sums: TypeAlias = tuple[float, int, int]

# Where every call should have a kernel, there is no straight path.
_MODES = ("auto", "tiles", "explain")

_ARRAY = np.ndarray
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class Route(NamedTuple):
    """The facts of a loss that the straight path needs.

    Attributes
    ----------
    elements : bool
        The loss has one value for each element, and no rule of its own about which count.
    checked : bool
        Some float may lie outside of the spaces.
    exposed : bool
        The author's functions get prediction and target, and not their difference or product.
    of_one_row, both_of_one_row : callable or None
        The loss of a single row of few columns for a class index, and with its slope; see
        `lossfw.numerics.softmax_index`.
    """

    elements: bool
    checked: bool
    exposed: bool
    of_one_row: Callable[[Any, int], Any] | None
    both_of_one_row: Callable[[Any, int], Any] | None


def route_of(loss: Definition) -> Route:
    """Return the route of a loss."""
    plain = type(loss).own_mask_and_weight is Definition.own_mask_and_weight
    plain = plain and not loss.sums_rows
    usual_check = type(loss).check_domain is Definition.check_domain
    unbounded = usual_check and is_unbounded(loss.prediction_space)
    body = getattr(loss, "body", None)
    value, both = (
        getattr(getattr(body, name, None), "of_one_row", None)
        for name in ("value_at", "value_and_derivative_at")
    )
    known = plain and unbounded and loss.takes_classes
    return Route(
        plain and not loss.takes_rows,
        not (unbounded and is_unbounded(loss.target_space)),
        not usual_check or loss.argument == "prediction",
        value if known else None,
        both if known else None,
    )


def is_unbounded(space: Space) -> bool:
    """Tell whether every float lies in a space."""
    return isinstance(space, Interval) and (space.low, space.high) == (-np.inf, np.inf)


def sums(loss: Any, route: Route, y: Any, t: Any) -> _Sums | None:
    """Return the sums of a call with these arguments and no others; None on the usual path."""
    if current[0] not in _MODES:
        return None
    if type(y) is not _ARRAY or type(t) is not _ARRAY:
        return None
    if route.elements:
        flat = _flat_inside(loss, route, y, t)
        if flat is None:
            return None
        losses, shape = _called(loss.unreduced, *flat), flat[0].shape
        if getattr(losses, "shape", None) != shape:
            return None
        return weighted_sum(losses, None), shape[0], shape[0]
    if route.of_one_row is not None and y.shape[:-1] == t.shape == (1,):
        loss_of_row = _of_one_row(route.of_one_row, y, t)
        return None if loss_of_row is None else (float(loss_of_row), 1, 1)
    return None


def sums_and_gradient(
    loss: Any, route: Route, y: Any, t: Any, reduced: Reduction
) -> tuple[_Sums, Any] | None:
    """Return `sums` and the gradient of the reduced loss; None on the usual path."""
    if route.both_of_one_row is not None:
        return _with_gradient_of_one_row(route.both_of_one_row, y, t, reduced)
    flat = _checked(loss, route, y, t)
    if flat is None:
        return None
    both = _called(loss.unreduced_with_gradient, *flat)
    losses, slope = both if isinstance(both, tuple) else (None, None)
    gradient = _scaled(slope, y, flat[0].shape, reduced)
    if gradient is None or getattr(losses, "shape", None) != flat[0].shape:
        return None
    count = flat[0].shape[0]
    return (weighted_sum(losses, None), count, count), gradient


def derivatives(loss: Any, route: Route, y: Any, t: Any, name: str, reduced: Reduction) -> Any:
    """Return derivatives of a call with these arguments and no others; None on the usual path.

    Parameters
    ----------
    loss : Loss
    route : Route
    y, t : object
        Prediction and target as the caller gave them.
    name : str
        ``"unreduced_gradient"`` or ``"unreduced_hessian"``.
    reduced : Reduction
    """
    if route.both_of_one_row is not None and name == "unreduced_gradient":
        both = _with_gradient_of_one_row(route.both_of_one_row, y, t, reduced)
        return None if both is None else both[1]
    flat = _checked(loss, route, y, t)
    if flat is None:
        return None
    return _scaled(_called(getattr(loss, name), *flat), y, flat[0].shape, reduced)


def _checked(loss: Any, route: Route, y: Any, t: Any) -> tuple[Any, Any] | None:
    """Return two arrays of one axis for a loss of elements, None on the usual path."""
    if current[0] not in _MODES or not route.elements:
        return None
    if type(y) is not _ARRAY or type(t) is not _ARRAY:
        return None
    return _flat_inside(loss, route, y, t)


def _scaled(slope: Any, y: Any, shape: tuple[int], reduced: Reduction) -> Any:
    """Return derivatives times the factor of the reduction, in the shape of the prediction."""
    if getattr(slope, "shape", None) != shape or slope.dtype is not y.dtype:
        return None
    # Also with a factor of 1: a body may return its argument.
    return np.multiply(slope, reduced.scale(shape[0], shape[0])).reshape(y.shape)


def _flat_inside(loss: Any, route: Route, y: Any, t: Any) -> tuple[Any, Any] | None:
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
    if route.exposed:
        y, t = read_only(y), read_only(t)
    if len(shape) > 1:
        y, t = y.reshape(-1), t.reshape(-1)
    if route.checked:
        try:
            loss.check_domain(y, t, False, 0)
        except DomainError:
            return None
        except ValueError as error:
            raise_for_writing(error, loss.check_domain)
    return y, t


def _with_gradient_of_one_row(
    function: Callable[[Any, int], Any], y: Any, t: Any, reduced: Reduction
) -> tuple[_Sums, Any] | None:
    if current[0] not in _MODES or type(y) is not _ARRAY or type(t) is not _ARRAY:
        return None
    if not y.shape[:-1] == t.shape == (1,):
        return None
    both = _of_one_row(function, y, t)
    if both is None:
        return None
    gradient = np.multiply(both[1], reduced.scale(1, 1)).reshape(y.shape)
    return (float(both[0]), 1, 1), gradient


def _of_one_row(function: Callable[[Any, int], Any], y: Any, t: Any) -> Any:
    classes = y.shape[-1]
    if y.dtype not in (_FLOAT32, _FLOAT64) or t.dtype.kind not in "iu" or classes > FEW_COLUMNS:
        return None
    index = int(t[0])
    if not 0 <= index < classes:
        return None
    return _called_with_row(function, y[0], index)


# As a decorator it takes half the time of a with block.
@np.errstate(all="ignore")
def _called(function: Callable[..., Any], y: Any, t: Any) -> Any:
    """Call a function of the loss, without NumPy's floating-point warnings."""
    try:
        return function(np, y, t)
    except ValueError as error:
        raise_for_writing(error, function)


@np.errstate(all="ignore")
def _called_with_row(function: Callable[[Any, int], Any], row: Any, index: int) -> Any:
    """Call a function of one row, without NumPy's floating-point warnings."""
    return function(row, index)
