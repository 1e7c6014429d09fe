"""Arguments of a call: arrays, dtypes and shapes, checked once for every loss."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossfw.components.spaces import first_true
from lossfw.errors import ArgumentError, DomainError, DtypeError, ShapeError
from lossfw.numerics.arrays import Array, NDArray

_FLOAT64 = np.dtype(np.float64)
_FLOAT32 = np.dtype(np.float32)
_FLOAT16 = np.dtype(np.float16)
_COMPUTED_AS_FLOAT64 = "iub"  # NumPy's kinds: signed, unsigned, boolean


@dataclass(slots=True)
class Arguments:
    """Prediction and target of one call, their shapes checked, nothing copied yet.

    Attributes
    ----------
    y, t : ndarray
        Prediction and target with at least one axis of rows.
    dtype, work : dtype
        Of the results, and of the computation.
    shape : tuple of int
        Shape of the unreduced loss as the caller sees it.
    prediction_shape : tuple of int
        Shape of the prediction as the caller gave it.
    by_index : bool
        The target holds class indices.
    weight, keep : ndarray or None
        Sample weight in float64 and mask, both of shape `shape`, or None.
    start : int
        Global number of the first row.
    """

    y: NDArray
    t: NDArray
    dtype: np.dtype[Any]
    work: np.dtype[Any]
    shape: tuple[int, ...]
    prediction_shape: tuple[int, ...]
    by_index: bool = False
    weight: NDArray | None = None
    keep: NDArray | None = None
    start: int = 0


def as_array(x: Any, role: str) -> NDArray:
    """Return `x` as a NumPy array of real numbers.

    Raises
    ------
    ShapeError
        If `x` is a ragged list.
    DtypeError
        If its dtype is complex, text or any other that is not computed with.
    """
    array: NDArray = x if type(x) is np.ndarray else _converted(x, role)
    kind = array.dtype.kind
    if kind in "fiub" and array.dtype.itemsize <= 8:
        return array
    if array.dtype.name == "bfloat16":
        return array
    raise DtypeError(
        f"{role} has dtype {array.dtype}, which is not computed with: pass float64, float32, "
        "float16, bfloat16 or integers."
    )


def _converted(x: Any, role: str) -> NDArray:
    """Turn what is no plain array into one; refuse what would lose its meaning."""
    if isinstance(x, np.ma.MaskedArray):
        raise ArgumentError(
            f"{role} is a masked array, whose mask would be lost: pass {role}.data, and "
            "where=~mask."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            array = np.asarray(x)
    except (ValueError, TypeError, Warning) as error:
        raise ShapeError(f"{role} cannot be made an array: {error}") from None
    if array.size == 0 and array.dtype.kind == "O":
        return array.astype(np.float64)
    return array


def result_dtype(array: NDArray) -> np.dtype[Any]:
    """Return the dtype of results for predictions in `array`: native floats stay."""
    dtype = array.dtype
    if dtype.kind in _COMPUTED_AS_FLOAT64:
        return _FLOAT64
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def work_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the computation: half precision is computed in float32."""
    return dtype if dtype in (_FLOAT64, _FLOAT32) else _FLOAT32


def prepare(
    prediction: Any, target: Any, *, rowwise: bool, classes: bool, per_row_target: bool = False
) -> Arguments:
    """Check prediction and target against each other.

    Parameters
    ----------
    prediction, target : array_like
        As the caller gave them.
    rowwise : bool
        The last axis of the prediction is one row, with one loss.
    classes : bool
        The target may be class indices, with one dimension less.
    per_row_target : bool
        The target is always one number per row, with one dimension less.

    Raises
    ------
    ShapeError
        If the shapes do not fit. Nothing is broadcast.
    DtypeError
        If a dtype is not computed with.
    """
    y = as_array(prediction, "prediction")
    t = as_array(target, "target")
    dtype = result_dtype(y)
    by_index = False
    if y.shape != t.shape or per_row_target:
        less = rowwise and y.ndim >= 1 and t.shape == y.shape[:-1]
        if less and per_row_target:
            pass
        elif less and classes:
            by_index = True
            _need_integers(t)
        else:
            raise ShapeError(_misfit(y, t, rowwise, classes, per_row_target))
    if rowwise and y.ndim == 0:
        raise ShapeError("prediction is a single number: a row of at least one was wanted.")
    if rowwise and y.shape[-1] == 0:
        raise ShapeError(f"prediction of shape {y.shape} has rows without any column.")
    shape = y.shape[:-1] if rowwise else y.shape
    given = y.shape
    if not shape:  # a single number, or a single row: make it the first of one
        y, t = y[np.newaxis], t[np.newaxis]
    return Arguments(y, t, dtype, work_dtype(dtype), shape, given, by_index)


def _need_integers(t: NDArray) -> None:
    if t.dtype.kind in "iu":
        return
    raise DtypeError(
        f"target of shape {t.shape} has one dimension less than the prediction, so it holds "
        f"class indices, but its dtype is {t.dtype}: pass target.astype(int)."
    )


def _misfit(y: NDArray, t: NDArray, rowwise: bool, classes: bool, per_row: bool) -> str:
    """Say which shapes were given, what fits, and what mends it."""
    wanted = f"{y.shape[:-1]}" if per_row else f"{y.shape}"
    if classes and y.ndim:
        wanted += f" (a distribution) or {y.shape[:-1]} (class indices)"
    text = f"prediction has shape {y.shape} and target {t.shape}; the target should have {wanted}."
    squeezed = tuple(n for n in t.shape if n != 1)
    if not rowwise and y.size == t.size and squeezed == tuple(n for n in y.shape if n != 1):
        mend = f"target.reshape({y.shape})" if t.ndim < y.ndim else f"prediction.reshape({t.shape})"
        extra = t.ndim - y.ndim
        if extra == 1 and t.shape[-1] == 1:
            mend = "target.squeeze(-1)"
        elif extra == -1 and y.shape[-1] == 1:
            mend = "prediction.squeeze(-1), or target.reshape(-1, 1)"
        return f"{text} Nothing is broadcast: {mend} makes them agree."
    return f"{text} Nothing is broadcast."


def set_weight(call: Arguments, weight: Any) -> None:
    """Check the sample weight and spread one weight per row over the row's losses.

    Raises
    ------
    ShapeError, DomainError
        If its shape fits neither the unreduced loss nor its first axis, or a
        weight is negative, infinite or NaN.
    """
    array = as_array(weight, "sample_weight").astype(np.float64)
    array = _fit(array, call.shape, "sample_weight")
    bad = ~(array >= 0) | ~np.isfinite(array)
    if bad.any():
        index = first_true(bad)
        at = f"sample_weight[{', '.join(map(str, index))}]" if index else "sample_weight"
        raise DomainError(
            f"{at} = {float(array[index])}: weights are finite numbers at or above 0; "
            "a row is left out by weight 0 or where=False."
        )
    call.weight = array if call.shape else array[np.newaxis]


def set_where(call: Arguments, where: Any) -> None:
    """Check the mask; True elements count.

    Raises
    ------
    DtypeError, ShapeError
        If it is not boolean, or its shape fits neither the unreduced loss nor
        its first axis.
    """
    array = np.asarray(where)
    if array.dtype != np.bool_:
        raise DtypeError(
            f"where has dtype {array.dtype}: pass booleans, True for elements that count."
        )
    array = _fit(array, call.shape, "where")
    call.keep = array if call.shape else array[np.newaxis]


def choose(call: Arguments, where: NDArray | None, weight: NDArray | None) -> None:
    """Add a loss's own mask and weights, in the shape of the unreduced loss."""
    if where is not None:
        call.keep = where if call.keep is None else call.keep & where
    if weight is not None:
        call.weight = weight if call.weight is None else call.weight * weight


def _fit(array: NDArray, shape: tuple[int, ...], role: str) -> NDArray:
    """Give an array the unreduced loss's shape, from that shape or from its first axis."""
    if array.shape == shape:
        return array
    if len(shape) > 1 and array.shape == shape[:1]:
        spread = array.reshape(-1, *[1] * (len(shape) - 1))
        return np.broadcast_to(spread, shape)
    rows = f" or {shape[:1]}, one for each row" if len(shape) > 1 else ""
    raise ShapeError(f"{role} has shape {array.shape}; wanted {shape}, that of the loss{rows}.")


def one_hot(index: Array, classes: int, dtype: np.dtype[Any]) -> NDArray:
    """Return class indices (N,) as rows (N, K), stored column by column.

    Parameters
    ----------
    index : ndarray of int, shape (N,)
        Classes within 0 .. `classes` - 1.
    """
    rows = np.zeros((classes, index.shape[0]), dtype)
    rows[index, np.arange(index.shape[0])] = 1
    return rows.T
