"""Arguments of a call: arrays, dtypes and shapes, checked once for every loss and library."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.components.spaces import Space, Vector, first_true_index
from lossfw.errors import ArgumentError, DomainError, DtypeError, ShapeError
from lossfw.losses import array_api
from lossfw.losses.engine.read_only import read_only_view
from lossfw.numerics.arrays import (
    FEW_COLUMNS,
    Array,
    Namespace,
    NDArray,
    as_numpy,
    first_rounded_integer,
    has_values,
    is_half,
    supports_float64,
)

_FLOAT64 = np.dtype(np.float64)
_COMPUTED_AS_FLOAT64 = "iub"  # NumPy's kinds: signed, unsigned, boolean


@dataclass(slots=True)
class Arguments:
    """Prediction and target of one call, with checked shapes, not copied yet.

    Attributes
    ----------
    y, t : array
        Prediction and target with at least one axis of rows.
    dtype, work : dtype
        The dtypes of the results and of the computation.
    shape : tuple of int
        Shape of the unreduced loss as the caller sees it.
    prediction_shape : tuple of int
        Shape of the prediction as the caller gave it.
    by_index : bool
        The target holds class indices.
    weight, where : array or None
        Sample weight in float64 and mask, both of shape `shape`, or None.
    start : int
        Global number of the first row.
    xp : namespace
        The library of the arrays.
    checked : bool
        Whether values are checked: arrays of another library may be on a device for which a check
        would have to wait.
    out : ndarray or None
        The array for derivatives, contiguous, of shape `prediction_shape` and dtype `dtype`.
    """

    y: Array
    t: Array
    dtype: Any
    work: Any
    shape: tuple[int, ...]
    prediction_shape: tuple[int, ...]
    by_index: bool = False
    weight: Array | None = None
    where: Array | None = None
    start: int = 0
    xp: Namespace = np
    checked: bool = True
    out: NDArray | None = None


def as_array(x: Any, role: str) -> NDArray:
    """Return `x` as a NumPy array of real numbers; raise for a ragged list or another dtype."""
    array: NDArray = x if type(x) is np.ndarray else _to_array(x, role)
    kind = array.dtype.kind
    if kind in "fiub" and array.dtype.itemsize <= 8:
        return array
    if array.dtype.name == "bfloat16":
        return array
    raise DtypeError(
        f"{role} has unsupported dtype {array.dtype}: pass float64, float32, float16, bfloat16 or "
        "integers."
    )


def _to_array(x: Any, role: str) -> NDArray:
    """Return a list or another object as an array; refuse one that would lose its meaning."""
    if isinstance(x, np.ma.MaskedArray):
        remedy = "where=~mask" if role != "where" else "leave out the rest with `& ~where.mask`"
        raise ArgumentError(
            f"{role} is a masked array, whose mask would be lost: pass {role}.data, and {remedy}."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            array = np.asarray(x)
    except (ValueError, TypeError, Warning) as error:
        raise ShapeError(f"{role} cannot be made an array: {error}") from None
    except RuntimeError as error:  # a tensor of PyTorch that requires a gradient
        raise ArgumentError(f"{role} cannot be made an array of NumPy: {error}") from None
    if array.size == 0 and array.dtype.kind == "O":
        return array.astype(np.float64)
    return array


def result_dtype(array: NDArray) -> np.dtype[Any]:
    """Return the dtype of results for predictions in `array`: native floats keep theirs."""
    dtype = array.dtype
    if dtype.kind in _COMPUTED_AS_FLOAT64:
        return _FLOAT64
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def work_dtype(xp: Namespace, dtype: Any) -> Any:
    """Return the dtype of the computation: half precision is computed in float32."""
    if dtype is _FLOAT64:
        return dtype
    return xp.float32 if is_half(dtype) else dtype


def prepare(
    prediction: Any,
    target: Any,
    *,
    rowwise: bool,
    classes: bool,
    spaces: tuple[Space, Space] | None = None,
    xp: Namespace = np,
    checked: bool = True,
) -> Arguments:
    """Check prediction and target against each other; nothing is broadcast.

    Parameters
    ----------
    prediction, target : array_like
        As the caller gave them.
    rowwise : bool
        The last axis of the prediction is one row, with one loss.
    classes : bool
        The target may be class indices, with one dimension less.
    spaces : tuple of Space, optional
        The spaces of prediction and target, if they fix the shapes.
    xp : namespace
        The namespace of both; NumPy's also takes lists.
    checked : bool
        Whether values are checked; those of NumPy arrays always are.
    """
    y, t = read_array(xp, prediction, "prediction"), read_array(xp, target, "target")
    prediction_shape = tuple(y.shape)
    by_index = False
    if spaces is not None:
        y, t, shape = flat_rows(xp, y, t, spaces)
    elif rowwise or prediction_shape != t.shape:
        by_index = _is_by_index(prediction_shape, tuple(t.shape), rowwise, classes)
    if by_index:
        _require_integers(xp, t)
    if checked or xp is np:
        refuse_rounding(xp, y, "prediction")
        if not by_index:
            refuse_rounding(xp, t, "target")
    if xp is np:
        dtype, y, t = result_dtype(y), read_only_view(y), read_only_view(t)
    else:
        y, t = array_api.as_floats(xp, y), t if by_index else array_api.as_floats(xp, t)
        dtype = y.dtype
    if spaces is None:
        shape = prediction_shape[:-1] if rowwise else prediction_shape
    if not shape:  # a single number, or a single row: make it the first of one
        y, t = y[None], t[None]
    return Arguments(y, t, dtype, work_dtype(xp, dtype), shape, prediction_shape, by_index, xp=xp)


def refuse_rounding(xp: Namespace, array: Array, role: str) -> None:
    """Refuse integers that the float of the computation would round."""
    if xp is not np:
        if not xp.isdtype(array.dtype, "integral") or not has_values(array):
            return
        array = as_numpy(array)
    dtype = np.float64 if supports_float64(xp) else np.float32
    if (place := first_rounded_integer(array, dtype)) is not None:
        number = int(array[place])
        where = f"[{', '.join(map(str, place))}]" if place else ""
        raise DomainError(
            f"{role}{where} = {number} is {int(dtype(number))} in {dtype.__name__}, in which "
            "losses are computed: take a common number from prediction and target, or pass floats "
            "if the rounding does no harm."
        )


def check_same_index(**given: Any) -> None:
    """Refuse pandas series and frames whose rows have different labels.

    Rows are paired by position, so different labels would pair the wrong rows.
    """
    labelled = [(role, x.index) for role, x in given.items() if hasattr(x, "iloc")]
    for role, index in labelled[1:]:
        first, own = labelled[0]
        if len(index) != len(own) or own.equals(index):
            continue  # the check of shapes names another number of rows
        row = next(n for n, pair in enumerate(zip(own, index, strict=True)) if pair[0] != pair[1])
        raise ArgumentError(
            f"{first} and {role} have different labels (index): row {row} is {own[row]} and "
            f"{index[row]}. Rows are paired by place: align them, as in {role}.loc[{first}.index], "
            "or give both as .to_numpy() if their places agree."
        )


def read_array(xp: Namespace, x: Any, role: str) -> Array:
    """Return an argument as an array of the library, and check its dtype."""
    if x is None:
        raise ArgumentError(f"{role} is None; expected an array.")
    if xp is np:
        return as_array(x, role)
    array_api.check_dtype(xp, x, role)
    return x


def flat_rows(
    xp: Namespace, y: Array, t: Array, spaces: tuple[Space, Space]
) -> tuple[Array, Array, tuple[int, ...]]:
    """Return members of two spaces as flat rows or numbers, and the shape of the losses."""
    y_shape, t_shape = tuple(y.shape), tuple(t.shape)
    shape = check_members(y_shape, spaces[0], "prediction")
    if len(t_shape) != len(shape) + spaces[1].axes:
        raise ShapeError(_space_mismatch_message(y_shape, t_shape, shape, spaces))
    if check_members(t_shape, spaces[1], "target") != shape:
        raise ShapeError(_space_mismatch_message(y_shape, t_shape, shape, spaces))
    have_vectors = all(isinstance(space, Vector) for space in spaces) and spaces[0].axes > 1
    if have_vectors and y_shape[-1] != t_shape[-1]:
        raise ShapeError(
            f"prediction has vectors of {y_shape[-1]} numbers, but target has {t_shape[-1]}; "
            "expected equally many."
        )
    flat = [
        xp.reshape(x, (*shape, math.prod(x.shape[len(shape) :]))) if space.axes > 1 else x
        for x, space in zip((y, t), spaces, strict=True)
    ]
    return flat[0], flat[1], shape


def check_members(shape: tuple[int, ...], space: Space, role: str) -> tuple[int, ...]:
    """Return a shape without the axes of a space's members; raise if these do not fit."""
    lead, row = shape[: len(shape) - space.axes], shape[len(shape) - space.axes :]
    size = math.prod(row)
    if len(shape) < space.axes or (space.axes and not space.has_shape(row)):
        expected = _format_shape(("...",), space)
        raise ShapeError(f"{role} has shape {shape}; expected {expected}.")
    if space.axes:
        space.check_size(size, role)
    return lead


def _format_shape(lead: tuple[object, ...], space: Space) -> str:
    """Return the shape of members of a space, with names for numbers that it leaves open."""
    row: tuple[Any, ...] = ()
    if space.axes:
        size = space.size
        columns = getattr(space, "names", ())
        row = space.row_shape(size) if size else (*[len(columns)] * (space.axes - 1), "D")
    entries = [*map(str, lead), *map(str, row)]
    names = f", of {space}" if space.axes else ""
    return f"({', '.join(entries)}{',' if len(entries) == 1 else ''}){names}"


def _space_mismatch_message(
    y: tuple[int, ...], t: tuple[int, ...], shape: tuple[int, ...], spaces: tuple[Space, Space]
) -> str:
    """Return a message with the actual shapes, the expected one, and a remedy."""
    expected = _format_shape(shape, spaces[1])
    text = f"prediction has shape {y} and target {t}; the target should have {expected}."
    if not spaces[0].axes and y[-1:] == (1,) and t[: len(t) - spaces[1].axes] == y[:-1]:
        return f"{text} Nothing is broadcast: prediction.squeeze(-1) makes them agree."
    if not spaces[1].axes and t == (*shape, 1):
        return f"{text} Nothing is broadcast: target.squeeze(-1) makes them agree."
    return f"{text} Nothing is broadcast."


def _is_by_index(y: tuple[int, ...], t: tuple[int, ...], rowwise: bool, classes: bool) -> bool:
    """Tell from the shapes whether the target is class indices; raise if they do not fit."""
    by_index = False
    if y != t:
        by_index = rowwise and classes and len(y) >= 1 and t == y[:-1]
        if not by_index:
            raise ShapeError(_shape_mismatch_message(y, t, rowwise, classes))
    if rowwise and not y:
        raise ShapeError("prediction is a single number; expected a row of at least one.")
    if rowwise and y[-1] == 0:
        raise ShapeError(f"prediction of shape {y} has rows without any column.")
    return by_index


def _require_integers(xp: Namespace, t: Array) -> None:
    if t.dtype.kind in "iu" if xp is np else xp.isdtype(t.dtype, "integral"):
        return
    remedy = "target.astype(int)" if xp is np else "integers"
    raise DtypeError(
        f"target of shape {tuple(t.shape)} has one dimension less than the prediction, so it "
        f"holds class indices, but its dtype is {t.dtype}: pass {remedy}."
    )


def _shape_mismatch_message(
    y: tuple[int, ...], t: tuple[int, ...], rowwise: bool, classes: bool
) -> str:
    """Return a message with the actual shapes, the expected ones, and a remedy."""
    expected = f"{y}"
    if classes and y:
        expected += f" (a distribution) or {y[:-1]} (class indices)"
    text = f"prediction has shape {y} and target {t}; the target should have {expected}."
    if not rowwise and [n for n in t if n != 1] == [n for n in y if n != 1]:
        remedy = f"target.reshape({y})" if len(t) < len(y) else f"prediction.reshape({t})"
        extra = len(t) - len(y)
        if extra == 1 and t[-1] == 1:
            remedy = "target.squeeze(-1)"
        elif extra == -1 and y[-1] == 1:
            remedy = "prediction.squeeze(-1), or target.reshape(-1, 1)"
        return f"{text} Nothing is broadcast: {remedy} makes them agree."
    return f"{text} Nothing is broadcast."


def set_weight(call: Arguments, weight: Any) -> None:
    """Check the sample weight, and broadcast one weight per row over the row's losses."""
    array = _broadcast_to_losses(call.xp, read_weight(call.xp, weight), call.shape, "sample_weight")
    check_weight(call, array)
    call.weight = array if call.shape else array[None]


def read_weight(xp: Namespace, weight: Any) -> Array:
    """Return the sample weight in the widest float."""
    array = read_array(xp, weight, "sample_weight")
    return array.astype(np.float64) if xp is np else xp.astype(array, array_api.widest_float(xp))


def check_weight(call: Arguments, array: Array) -> None:
    """Raise `DomainError` for the first weight that is negative, infinite or NaN."""
    # NaN fails both comparisons.
    legal = (array >= 0) & (array < np.inf) if call.checked else None
    if legal is None or (
        legal.all() if call.xp is np else array_api.may_be_all_true(call.xp, legal)
    ):
        return
    index = first_true_index(~legal)
    place = f"sample_weight[{', '.join(map(str, index))}]" if index else "sample_weight"
    raise DomainError(
        f"{place} = {float(array[index])}: weights must be finite and not negative. "
        "To leave out a row, use weight 0 or where=False."
    )


def set_where(call: Arguments, where: Any) -> None:
    """Check the mask; True elements count."""
    array = _broadcast_to_losses(call.xp, read_mask(call.xp, where), call.shape, "where")
    call.where = array if call.shape else array[None]


def read_mask(xp: Namespace, where: Any) -> Array:
    """Return the mask as an array of bool; raise for another dtype."""
    array = where if xp is not np or type(where) is np.ndarray else _to_array(where, "where")
    if not (array.dtype == np.bool_ if xp is np else xp.isdtype(array.dtype, "bool")):
        raise DtypeError(
            f"where has dtype {array.dtype}: pass booleans, True for elements that count."
        )
    return array


def set_out(call: Arguments, out: Any, weight: Any, where: Any) -> None:
    """Check the caller's array for derivatives."""
    if call.xp is not np:
        library = type(call.y).__module__.partition(".")[0]
        raise ArgumentError(f"out= must be a NumPy array; the arguments are {library} arrays.")
    if not isinstance(out, np.ndarray):
        raise ArgumentError(f"out is a {type(out).__name__}; expected a NumPy array.")
    shape = call.prediction_shape
    if out.shape != shape:
        raise ShapeError(f"out has shape {out.shape}; expected {shape}, that of the prediction.")
    if out.dtype != call.dtype:
        raise DtypeError(f"out has dtype {out.dtype}; expected {call.dtype}, that of the result.")
    if not out.flags.writeable:
        raise ArgumentError("out is read-only; expected an array that can be written to.")
    if not out.flags.carray:
        raise ShapeError(
            f"out is not one aligned block in C order; numpy.empty({shape}, {str(call.dtype)!r}) "
            "makes one."
        )
    # The call has copies of weights.
    given = {"prediction": call.y, "target": call.t, "sample_weight": weight, "where": where}
    for role, array in given.items():
        if isinstance(array, np.ndarray) and np.may_share_memory(out, array):
            raise ArgumentError(
                f"out shares memory with {role}, which is read while out is written: pass a "
                "separate array."
            )
    call.out = out


def check_first_row(start: Any) -> int:
    """Return the number of the first row of a partial, an integer at or above 0."""
    is_integer = isinstance(start, int | np.integer) and not isinstance(start, bool)
    if not is_integer or start < 0:
        raise ArgumentError(
            f"start is {start!r}; expected the number of the first row, an integer of at least 0."
        )
    return int(start)


def add_own_weights(call: Arguments, where: Array | None, weight: Array | None) -> None:
    """Apply a loss's own mask and weights, in the shape of the unreduced loss."""
    if where is not None:
        call.where = where if call.where is None else call.where & where
    if weight is not None:
        call.weight = weight if call.weight is None else call.weight * weight


def _broadcast_to_losses(xp: Namespace, array: Array, shape: tuple[int, ...], role: str) -> Array:
    """Give an array the unreduced loss's shape, from that shape or from its first axis."""
    actual = tuple(array.shape)
    if actual == shape:
        return array
    if len(shape) > 1 and actual == shape[:1]:
        return xp.broadcast_to(xp.reshape(array, (-1, *[1] * (len(shape) - 1))), shape)
    rows = f" or {shape[:1]}, one for each row" if len(shape) > 1 else ""
    raise ShapeError(f"{role} has shape {actual}; expected {shape}, that of the loss{rows}.")


def one_hot(index: Array, classes: int, dtype: np.dtype[Any]) -> NDArray:
    """Return class indices (N,) as rows (N, K), in the layout of a tile of such rows."""
    everywhere = np.arange(index.shape[0])
    if classes > FEW_COLUMNS:
        rows = np.zeros((index.shape[0], classes), dtype)
        rows[everywhere, index] = 1
        return rows
    turned = np.zeros((classes, index.shape[0]), dtype)
    turned[index, everywhere] = 1
    return turned.T
