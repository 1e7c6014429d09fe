"""Arrays written as nested lists in a configuration."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import AfterValidator, WithJsonSchema

from lossfw.numerics.arrays import NDArray

# The most axes of an array in NumPy 1.
_MAX_DEPTH = 32
_INT64 = np.iinfo(np.int64)


def numbers_array(value: Any, *, finite: bool = True) -> NDArray:
    """Return nested lists or tuples of numbers as an array.

    Parameters
    ----------
    value : nested lists, tuples, int or float
        Integers make an int64 array, others a float64 array.
    finite : bool
        Refuse NaN and infinities; predictions and logits may hold them.

    Raises
    ------
    ValueError
        If the lists are ragged or hold anything but numbers. The message continues "... should be",
        with the requirement and the index that violates it.

    Examples
    --------
    >>> numbers_array([[0, 1], [1, 0]]).shape
    (2, 2)
    >>> numbers_array([[0, 1], [1]])
    Traceback (most recent call last):
    ...
    ValueError: lists of equal length, but [0] has 2 entries and [1] has 1 entry
    """
    _checked_shape(value, (), finite)
    return np.array(value)


def _check_value(value: Any) -> Any:
    _checked_shape(value, (), finite=True)
    return value


# A parameter for finite numbers in nested lists, such as the targets of inline data.
NestedNumbers: TypeAlias = Annotated[
    Any, AfterValidator(_check_value), WithJsonSchema({"type": ["number", "array"]})
]


def _checked_shape(value: Any, index: tuple[int, ...], finite: bool) -> tuple[int, ...]:
    """Return the shape of nested lists, and check them."""
    if not isinstance(value, list | tuple):
        _check_number(value, index, finite)
        return ()
    if len(index) == _MAX_DEPTH:
        raise ValueError(f"numbers in lists that are nested at most {_MAX_DEPTH} deep")
    shapes = [_checked_shape(item, (*index, i), finite) for i, item in enumerate(value)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            first, other = _format_index((*index, 0)), _format_index((*index, i))
            raise ValueError(
                f"lists of equal length, but {first} {_count_entries(shapes[0])} and {other} "
                f"{_count_entries(shape)}"
            )
    return (len(value), *shapes[0]) if shapes else (0,)


def _check_number(value: Any, index: tuple[int, ...], finite: bool) -> None:
    at = f"{_format_index(index)} is " if index else "this is "
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"numbers, in lists or alone, but {at}{value!r:.60}")
    if isinstance(value, int) and not _INT64.min <= value <= _INT64.max:
        raise ValueError(f"numbers of at most 64 bits, but {at}{value}")
    if finite and not math.isfinite(value):
        raise ValueError(f"finite numbers, but {at}{value}")


def _format_index(index: tuple[int, ...]) -> str:
    return "".join(f"[{i}]" for i in index)


def _count_entries(shape: tuple[int, ...]) -> str:
    if not shape:
        return "is a number"
    if len(shape) == 1:
        return f"has {shape[0]} " + ("entry" if shape[0] == 1 else "entries")
    return f"has the shape {shape}"
